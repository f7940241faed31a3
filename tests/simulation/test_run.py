"""Made traffic before the real judge."""

import random
from typing import Any

import pytest

from proxy.analysis.policy import Policy
from proxy.simulation.run import Run, RunResult, run
from proxy.simulation.scenario import BackendBehavior, Canary, Population, Scenario

DEAD = Canary(errors=1.0)


def result(seed: int = 1, policy: Policy = Policy(), **more: Any) -> RunResult:  # noqa: B008  # a value
    return run(policy, Scenario(**more), random.Random(seed))


def test_a_dead_canary_is_out_after_a_handful_of_requests() -> None:
    found = result(canary=DEAD)
    assert (found.rolled_back, found.early, found.checks) == (True, False, ("errors",))
    assert 2 <= found.requests <= 8
    assert 0.1 < found.seconds < 5


def test_the_same_chance_gives_the_same_run() -> None:
    assert result(3, canary=DEAD) == result(3, canary=DEAD)
    assert len({result(seed, canary=DEAD) for seed in range(5)}) > 1


def test_a_good_canary_stays_for_as_long_as_it_is_watched() -> None:
    found = result(lasts=100.0)
    assert (found.rolled_back, found.early, found.seconds, found.checks) == (False, False, 100.0, ())
    assert found.requests == pytest.approx(500, rel=0.2)


def test_requests_and_seconds_count_from_the_onset() -> None:
    found = result(canary=DEAD, onset=100.0, alone=10.0)
    assert found.requests <= 12
    assert found.seconds < 10


def test_a_rollback_before_the_onset_is_early() -> None:
    policy = Policy(false_rollbacks=0.9)
    found = [result(seed, policy, canary=DEAD, onset=300.0, weight=0.5) for seed in range(5)]
    early = [each for each in found if each.early]
    assert early
    assert all(each.rolled_back for each in early)


def test_a_canary_that_the_policy_bears_is_never_rolled_back() -> None:
    policy = Policy(comparing=False, guard=False, step_up=None)
    found = result(policy=policy, canary=DEAD, lasts=20.0)
    assert (found.rolled_back, found.early) == (False, False)
    assert found.requests > 50


@pytest.mark.parametrize(
    ("canary", "check"),
    [(Canary(hang=1.0), {"p50", "p90", "p99"}), (Canary(times=4.0), {"p50", "p90", "p99"})],
)
def test_slowness_is_seen_once_stable_is_known(canary: Canary, check: set[str]) -> None:
    stable = BackendBehavior(median=0.1)
    found = result(policy=Policy(warm_up=0.0), canary=canary, alone=60.0, stable=stable)
    assert found.rolled_back
    assert set(found.checks) <= check
    assert found.requests < 60
    cold = result(canary=canary, alone=60.0, stable=stable)
    assert cold.rolled_back, "later, if it is no worse than a cold one may be"
    assert cold.seconds > (0.0 if canary.hang else 60.0)


def test_users_of_a_sticky_service() -> None:
    policy = Policy(sticky=True)
    found = result(policy=policy, canary=DEAD, crowd=Population(users=200))
    assert found.rolled_back
    assert found.requests < 40


def test_forks_share_the_past_and_nothing_else() -> None:
    past = Run(Policy(), Scenario(onset=50.0), random.Random(1))
    assert past.prelude() is None
    before = past.world.met
    first = past.fork(DEAD, random.Random(2)).rest()
    again = past.fork(DEAD, random.Random(2)).rest()
    other = past.fork(Canary(errors=0.5), random.Random(3)).rest()
    assert past.world.met == before
    assert first == again
    assert other.requests != first.requests or other.seconds != first.seconds
    assert first.rolled_back
    assert first.requests < 20
