"""How many examples of a property are tried: all of them, or a quarter where a run shall be quick."""

import pytest
from hypothesis import settings

ALL = 100
QUICK = 25

# A deadline for each example would measure the machine.
settings.register_profile("all", max_examples=ALL, deadline=None)
settings.register_profile("quick", max_examples=QUICK, deadline=None)


def load(config: pytest.Config) -> None:
    """Choose by what is run: the loop without processes is quick."""
    settings.load_profile("quick" if "not process" in config.option.markexpr else "all")


def examples(number: int) -> settings:
    """So many examples where 100 would be too few or take too long."""
    return settings(max_examples=max(1, number * settings.default.max_examples // ALL))
