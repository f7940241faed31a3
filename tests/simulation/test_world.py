"""What a worker would report of made traffic."""

import random
from dataclasses import replace
from typing import Any

import pytest

from proxy.simulation.scenario import BackendBehavior, Canary, EjectionRule, Population, Scenario
from proxy.simulation.world import CanaryEndpoint, World
from proxy.telemetry.counts import Counts
from proxy.telemetry.outcome import Outcome
from proxy.telemetry.users import ALL_SLOW, FAILED

KNOWN = {"stable": (0.05, 0.1, 0.2), "canary": (0.07, 0.13, 0.25)}


def world(*, sticky: bool = False, canary: Canary = Canary(), **more: Any) -> World:  # noqa: B008  # a value
    made = World(Scenario(**more), random.Random(1), sticky=sticky)
    made.canary = canary.beside(made.scenario.stable)
    return made


def passed(made: World, seconds: float, step: float = 0.01) -> dict[str, Counts]:
    for _ in range(round(seconds / step)):
        made.pass_until(made.now + step)
    return dict(made.report())


def test_the_coin_divides_and_all_are_counted_as_drawn() -> None:
    made = world(weight=0.2, rate=1000)
    found = passed(made, 20)
    assert found["canary"].requests == pytest.approx(4_000, rel=0.06)
    assert found["stable"].requests == pytest.approx(16_000, rel=0.03)
    assert found["canary"].failures / found["canary"].requests == pytest.approx(0.01, abs=0.006)
    assert not found["canary"].pinned
    assert found["canary"].requests == found["canary"].head.count


def test_a_report_has_what_came_since_the_last() -> None:
    made = world()
    assert passed(made, 5)["stable"].requests > 0
    assert {name: counts.requests for name, counts in made.report()} == {"stable": 0, "canary": 0}


def test_labels_are_by_the_thresholds_in_force_at_sending() -> None:
    made = world(weight=0.5, stable=BackendBehavior(errors=0.0))
    assert not passed(made, 5)["canary"].labels
    made.thresholds = KNOWN
    found = passed(made, 200)["canary"]
    assert found.slow(0) / found.requests == pytest.approx(0.25, abs=0.02)
    assert found.slow(2) / found.requests == pytest.approx(0.0006, abs=0.001)
    assert found.slow(0) + found.timely(0) == pytest.approx(found.requests, abs=10)


def test_failed_requests_have_no_label_and_are_urgent() -> None:
    made = world(weight=1.0, canary=Canary(errors=1.0))
    made.thresholds = KNOWN
    assert not made.urgent
    found = passed(made, 5)["canary"]
    assert found.failures > 400
    assert sum(found.labels.values()) < 20  # of those that fell overdue before they failed
    made.pass_until(made.now + 1)
    assert made.urgent


def test_a_hanging_request_is_slow_while_it_is_awaited_and_fails_at_the_timeout() -> None:
    made = world(weight=1.0, rate=10, timeout=5.0, canary=Canary(hang=1.0))
    made.thresholds = KNOWN
    found = passed(made, 1)["canary"]
    assert found.requests == 0
    assert found.slow(2) == found.overdue > 2
    found = passed(made, 30)["canary"]
    assert found.failures == pytest.approx(250, abs=40)
    assert not found.head.count
    assert found.overdue == pytest.approx(50, abs=20)
    assert set(found.labels) == {28}


def test_nothing_is_overdue_while_the_last_threshold_is_unknown() -> None:
    made = world(weight=1.0, rate=10, canary=Canary(hang=1.0))
    made.thresholds = {"canary": (0.07, 0.13)}
    found = passed(made, 3)["canary"]
    assert (found.labels, found.overdue) == ({}, 0)


def test_pinned_requests_are_counted_apart_and_not_labelled() -> None:
    made = world(weight=0.0, segment=0.3)
    made.thresholds = KNOWN
    found = passed(made, 50)
    assert sum(found["canary"].pinned.values()) == pytest.approx(1_500, rel=0.1)
    assert (found["canary"].drawn, found["canary"].labels) == ({}, {})
    assert found["stable"].labels


def test_an_ejected_canary_has_its_draws_diverted() -> None:
    made = world(weight=0.5, canary=Canary(errors=1.0), ejection=EjectionRule(after=5))
    found = passed(made, 2)["canary"]
    assert 5 <= found.failures < 20
    assert found.diverted > 50
    assert made.met == pytest.approx(found.failures + found.diverted, abs=5)
    assert made.urgent is False
    pinned = world(weight=0.0, segment=0.5, canary=Canary(errors=1.0), ejection=EjectionRule(after=5))
    found = passed(pinned, 2)["canary"]
    assert (found.diverted, found.pins_diverted > 50) == (0, True)


def test_sticky_users_stay_on_one_side_and_are_noted_with_what_befell_them() -> None:
    made = world(sticky=True, weight=0.3, crowd=Population(users=50), stable=BackendBehavior(errors=0.3))
    made.thresholds = KNOWN
    found = passed(made, 60)
    sides = {side: {user for user, _ in counts.users.events} for side, counts in found.items()}
    assert len(sides["stable"] | sides["canary"]) == 50
    assert not sides["stable"] & sides["canary"]
    kinds = [kind for _, kind in found["stable"].users.events]
    assert kinds.count(FAILED) == found["stable"].failures
    assert kinds.count(ALL_SLOW) == found["stable"].slow(2)


def test_nobody_is_noted_where_the_coin_is_tossed_for_requests() -> None:
    made = world(crowd=Population(users=50), stable=BackendBehavior(errors=0.3))
    made.thresholds = KNOWN
    assert not any(counts.users for counts in passed(made, 10).values())


def test_slow_users_are_slow_on_both_sides() -> None:
    made = world(weight=0.5, crowd=Population(users=50, speeds=2.0))
    spread = passed(made, 50)["stable"].head
    assert (spread.quantile(0.99) or 0) > 20 * (spread.quantile(0.5) or 0)


def test_great_steps_come_to_the_same_as_small_ones() -> None:
    shares = []
    for step in (0.01, 2.0):
        made = world(weight=0.5, rate=200)
        made.thresholds = KNOWN
        found = passed(made, 100, step)["canary"]
        shares.append([found.slow(each) / found.requests for each in range(3)])
    assert shares[0] == pytest.approx(shares[1], abs=0.02)


def test_it_counts_as_the_worker_does() -> None:
    made = world(weight=0.0, stable=BackendBehavior(errors=0.2))
    made.thresholds = KNOWN
    told: list[Outcome] = []
    end = made.end

    def spy(request: Any, now: float) -> None:
        result = "failure" if request.failed else "success"
        told.append(
            Outcome(("shop", 1, "stable"), "GET", 500, "complete", result, True, request.seconds, 1.0,
                    thresholds=request.thresholds, overdue=request.overdue)
        )  # fmt: skip  # an outcome is a row
        end(request, now)

    made.end = spy  # type: ignore[method-assign]  # what is counted is compared with what ended
    found = passed(made, 20)["stable"]
    counts = Counts()
    for outcome in told:
        counts.record(outcome)
        if outcome.overdue:
            counts.fall_overdue(outcome.thresholds, 0)
    assert replace(found, overdue=0).drawn == counts.drawn
    assert {code: n for code, n in found.labels.items() if code != 28} == {
        code: n for code, n in counts.labels.items() if code != 28
    }
    assert found.head == counts.head


def test_its_repr() -> None:
    made = world(weight=1.0)
    made.pass_until(0.5)
    assert repr(made) == f"<World at 0.50 s: {made.met} requests for the canary, {made.awaited} awaited>"


def test_without_ejection_the_endpoint_is_always_alive() -> None:
    endpoint = CanaryEndpoint(None)
    for _ in range(100):
        endpoint.answered(failed=True, now=1.0)
    assert endpoint.alive(1.0)


def test_it_is_ejected_after_failures_in_a_row_and_not_before() -> None:
    endpoint = CanaryEndpoint(EjectionRule(after=3, pause=1.0))
    for failed in (True, True, False, True, True):
        endpoint.answered(failed, now=1.0)
    assert endpoint.alive(1.0)
    endpoint.answered(failed=True, now=1.0)
    assert not endpoint.alive(1.9)
    assert endpoint.alive(2.0)


def test_each_ejection_takes_twice_as_long_up_to_the_longest() -> None:
    endpoint, now, pauses = CanaryEndpoint(EjectionRule(after=2, pause=1.0, longest=3.0)), 0.0, []
    endpoint.answered(failed=True, now=now)
    for _ in range(4):
        endpoint.answered(failed=True, now=now)
        pause = next(step for step in (1.0, 2.0, 3.0, 9.0) if endpoint.alive(now + step))
        pauses.append(pause)
        now += pause
    assert pauses == [1.0, 2.0, 3.0, 3.0]


def test_a_good_answer_makes_it_new() -> None:
    endpoint = CanaryEndpoint(EjectionRule(after=1, pause=1.0))
    endpoint.answered(failed=True, now=0.0)
    endpoint.answered(failed=False, now=1.0)
    endpoint.answered(failed=True, now=1.0)
    assert endpoint.alive(2.0)


def test_answers_to_what_was_sent_before_are_not_held_against_it_twice() -> None:
    endpoint = CanaryEndpoint(EjectionRule(after=1, pause=1.0))
    endpoint.answered(failed=True, now=0.0)
    endpoint.answered(failed=True, now=0.5)
    assert endpoint.alive(1.0)
