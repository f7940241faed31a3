"""The window against a naive recount of everything that was ever added."""

from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.telemetry.counts import Counts
from proxy.telemetry.outcome import Outcome
from proxy.telemetry.window import SHOWN, Window, Windows
from tests.telemetry.outcomes import events


def counts(successes: int = 1, failures: int = 0, seconds: float = 0.01) -> Counts:
    result = Counts()
    for index in range(successes + failures):
        failed = index >= successes
        result.record(
            Outcome(
                ("shop", 1, "canary"),
                "GET",
                500 if failed else 200,
                "complete",
                "failure" if failed else "success",
                True,
                seconds,
                seconds,
            )
        )
    return result


STEPS = st.lists(
    st.tuples(
        st.floats(0, 8) | st.floats(0, 100) | st.just(0.5),
        st.builds(counts, st.integers(0, 3), st.integers(0, 2), st.sampled_from([0.001, 0.1, 9.0])),
    ),
    max_size=30,
)


@given(STEPS, st.floats(0, 40), st.sampled_from([(10.0, 20), (30.0, 60), (5.0, 1)]))
def test_it_equals_a_naive_recount(
    steps: list[tuple[float, Counts]], rest: float, shape: tuple[float, int]
) -> None:
    span, slots = shape
    window, added, now = Window(span, slots), [], 1000.0
    for pause, delta in steps:
        now += pause
        window.add(delta, now)
        added.append((now, delta))
    now += rest
    width = span / slots
    oldest = floor(now / width) - slots
    naive = Counts()
    for at, delta in added:
        if floor(at / width) > oldest:
            naive = naive.plus(delta)
    assert events(window.counts(now)) == events(naive)


@given(STEPS, st.floats(0, 40))
def test_what_is_young_is_in_and_what_is_older_than_the_span_is_out(
    steps: list[tuple[float, Counts]], rest: float
) -> None:
    window, now, added = Window(10.0, 20), 0.0, []
    for pause, delta in steps:
        now += pause
        window.add(delta, now)
        added.append((now, delta.requests))
    now += rest
    surely = sum(requests for at, requests in added if now - at < 10.0 - 0.5)
    at_most = sum(requests for at, requests in added if now - at <= 10.0)
    assert surely <= window.counts(now).requests <= at_most


def test_a_new_window_is_empty_and_tells_of_no_rate() -> None:
    seen = Window(30.0).counts(5.0)
    assert seen == Counts()
    assert seen.head.quantile(0.99) is None


def test_it_is_empty_again_when_all_has_expired() -> None:
    window = Window(30.0)
    window.add(counts(3, 2), 100.0)
    assert window.counts(129.0).failures == 2
    assert window.counts(130.5) == Counts()
    window.add(counts(1), 500.0)
    assert window.counts(500.0).requests == 1


def test_what_it_hands_out_and_what_it_was_given_are_not_its_own() -> None:
    window, delta = Window(30.0), counts(1)
    window.add(delta, 0.0)
    delta.absorb(counts(5))
    window.counts(0.0).absorb(counts(7))
    assert window.counts(0.0) == counts(1)


def test_it_holds_events_and_no_gauge() -> None:
    window, delta = Window(30.0), counts(1)
    delta.in_flight, delta.life = 9, 4
    window.add(delta, 0.0)
    assert window.counts(0.0) == counts(1)


def test_clear_begins_anew() -> None:
    window = Window(30.0)
    window.add(counts(1), 0.0)
    window.clear()
    assert window.counts(1.0) == Counts()
    window.add(counts(2), 1.0)
    assert window.counts(40.0) == Counts()


@pytest.mark.parametrize(("span", "slots"), [(0, 60), (-1, 60), (30, 0), (float("nan"), 60)])
def test_a_window_of_nothing_is_refused(span: float, slots: int) -> None:
    with pytest.raises(ValueError, match="no window"):
        Window(span, slots)


def test_its_repr_tells_its_state() -> None:
    window = Window(30.0)
    window.add(counts(2), 0.0)
    window.add(counts(1), 7.0)
    assert repr(window) == "<Window 30 s: 3 requests in 2 slots>"


def test_each_backend_and_span_has_its_own() -> None:
    windows = Windows([60.0])
    windows.add("canary", counts(1), 0.0)
    windows.add("canary", counts(2), 40.0)
    windows.add("stable", counts(4), 40.0)
    assert {span: each.requests for span, each in windows.counts("canary", 41.0).items()} == {
        SHOWN: 2,
        60.0: 3,
    }
    assert windows.counts("stable", 41.0)[60.0].requests == 4
    assert windows.counts("other", 41.0) == {}


def test_what_is_shown_is_kept_as_it_was() -> None:
    windows = Windows()
    windows.add("canary", counts(1), 0.0)
    shown = windows.shown("canary", 1.0)
    windows.add("canary", counts(2), 1.0)
    assert shown.requests == 1
    assert windows.shown("stable", 1.0).requests == 0
