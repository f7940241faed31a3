"""What is judged in the tests: counts, reports and strategies of them, as short as they can be said."""

from typing import Any

from hypothesis import strategies as st

from proxy.analysis.observations import Observations
from proxy.telemetry.counts import Counts
from proxy.telemetry.histogram import Histogram
from proxy.telemetry.labels import label
from proxy.telemetry.users import Users

ODDS = (0.01 / 0.99, 0.05 / 0.95, 0.25, 1.0, 9.0)
"""Of weights from 1 to 90 %."""
EVENTS = st.builds(Observations, *[st.integers(0, 40)] * 4)


def counts(
    ok: int = 0,
    bad: int = 0,
    pinned_ok: int = 0,
    pinned_bad: int = 0,
    took: float | None = None,
    users: list[tuple[int, int]] | tuple[Any, ...] = (),
    gap: bool = False,
    **more: dict[int | str, int] | int,
) -> Counts:
    """Counts of a backend; `took` are the seconds until it answered each."""
    drawn, pinned = some(success=ok, failure=bad), some(success=pinned_ok, failure=pinned_bad)
    result = Counts(drawn=drawn, pinned=pinned, users=Users(0, [*users], gap), **more)
    if took:
        result.head = times(took, ok + bad)
    return result


def labelled(timely: int = 0, slow: int = 0) -> dict[int, int]:
    """Labels of requests that exceeded none of three thresholds, and of some that exceeded them all."""
    return {label((1.0, 2.0, 3.0), at): number for at, number in ((0.5, timely), (9.0, slow)) if number}


def some(**numbers: int) -> dict[str, int]:
    return {name: number for name, number in numbers.items() if number}


def times(seconds: float, number: int) -> Histogram:
    """A histogram of so many answers."""
    result = Histogram()
    for _ in range(number):
        result.add(seconds)
    return result
