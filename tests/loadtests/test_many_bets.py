"""The bets in arrays against the judge itself: the same reports, the same capital."""

import random
from math import exp, log

import numpy as np
import pytest
from false_rollbacks import ERRORS, SHARED, Struck, equal, struck_out
from rig.many_bets import Bets

from proxy.analysis.judge import Judge
from proxy.analysis.policy import Policy
from proxy.telemetry.counts import Counts

POLICY = Policy(slower=None, step_up=None, guard=False)


def counts(good: int, bad: int) -> Counts:
    return Counts(drawn={"success": good, "failure": bad})


def reports(seed: int, number: int) -> list[tuple[int, int, int]]:
    """Canary's good and failed requests, and stable's failed ones."""
    chance = random.Random(seed)
    return [
        (chance.randrange(40), int(chance.random() < 0.3), int(chance.random() < 0.4)) for _ in range(number)
    ]


@pytest.mark.parametrize("weight", [100, 500, 5_000, 9_000])
def test_they_have_the_capital_of_the_judge(weight: int) -> None:
    judge, odds = Judge(POLICY), weight / (10_000 - weight)
    judge.weigh(1, weight)
    bets = Bets(2, POLICY.extra_errors, odds)
    for number, (ok, bad, lost) in enumerate(reports(weight, 200)):
        judge.apply([(1, "stable", counts(7, lost)), (1, "canary", counts(ok, bad))], float(number))
        bets.apply(*(np.array([each, 0]) for each in (ok, bad, lost)))
        first, second = bets.capital(np.array([0, 1]))
        found = judge.verdict(float(number)).odds
        assert found is not None
        assert first == pytest.approx(min(log(found), 700) if found else first, rel=1e-6, abs=1e-6)
        assert exp(second) == pytest.approx(1)


def test_a_good_canary_in_a_few_runs_is_never_taken_out_and_a_bad_one_always() -> None:
    assert struck_out(equal, 0.05, 0.0, 20, 500, [1]) == 0
    assert struck_out(equal, 0.05, 0.2, 20, 500, [1]) == 20


def test_incidents_come_and_go() -> None:
    chance, struck = np.random.default_rng(1), Struck()
    seen = [float(struck(chance, np.array([number]))[0]) for number in range(0, 60_000, 50)]
    assert set(seen) == {ERRORS, SHARED}
    assert 0.01 < seen.count(SHARED) / len(seen) < 0.15
