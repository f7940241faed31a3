"""The values of options: durations and weights, in the syntax of the config file."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from proxy.config import units
from proxy.config.problems import Unfit

T = TypeVar("T")


class Whole(click.IntRange):
    """A whole number within bounds."""

    name = "whole number"


class Revision(Whole):
    """A revision, also in the quotes that it has as an ETag."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number."""
        bare: Any = value.strip('"') if isinstance(value, str) else value
        return super().convert(bare, param, ctx)


def duration(_context: click.Context, _parameter: click.Parameter, value: str | None) -> float | None:
    """Return the seconds of 300ms, 5s, 2m or 1.5h."""
    return None if value is None else fit(lambda: units.duration(value, 0.0, units.LONGEST))


def weights(_context: click.Context, _parameter: click.Parameter, value: str | None) -> list[float] | None:
    """Return the percents of 1%,10%,100% or 1,10,100."""
    if value is None:
        return None
    words = [word.strip().removesuffix("%").rstrip() for word in value.split(",")]
    return fit(lambda: [units.percent(f"{word}%") / 100 for word in words])


def fit(read: Callable[[], T]) -> T:
    """Return what `read` returns; turn Unfit into an error of usage."""
    try:
        return read()
    except Unfit as unfit:
        raise click.BadParameter("; ".join(part for part in (unfit.message, unfit.advice) if part)) from unfit
