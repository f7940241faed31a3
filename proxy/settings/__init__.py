"""The validated file as the values that judge, rollout and workers take."""
