"""Bets, guard, caps and rules on the outcomes, and the verdict that they lead to.

Pure: given counts, it returns a verdict with its reasons. `proxy.rollout` decides what follows from one.
"""
