"""Durations and weights on the command line."""

import click
import pytest

from proxy.cli import params

CONTEXT, OPTION = click.Context(click.Command("x")), click.Option(["--x"])


@pytest.mark.parametrize(("text", "seconds"), [(None, None), ("1m", 60.0), ("1.5h", 5400.0), ("300ms", 0.3)])
def test_durations(text: str | None, seconds: float | None) -> None:
    assert params.duration(CONTEXT, OPTION, text) == seconds


@pytest.mark.parametrize("text", ["", "5", "1 min", "721h", "-1s"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(click.BadParameter, match="write"):
        params.duration(CONTEXT, OPTION, text)


@pytest.mark.parametrize(
    ("text", "percents"),
    [(None, None), ("1%,10%,100%", [1, 10, 100]), ("0.01, 0.29 % ,100", [0.01, 0.29, 100]), ("100", [100])],
)
def test_weights(text: str | None, percents: list[float] | None) -> None:
    assert params.weights(CONTEXT, OPTION, text) == percents


@pytest.mark.parametrize("text", ["", "1%,", "1;10", "101", "0.001", "x", "-1"])
def test_what_are_no_weights(text: str) -> None:
    with pytest.raises(click.BadParameter, match="write"):
        params.weights(CONTEXT, OPTION, text)
