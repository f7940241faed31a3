"""The time in which a canary is cold: how long it lasts, what is allowed then, and what follows."""

import json

import pytest

from proxy.analysis.judge import Judge
from proxy.analysis.policy import Policy
from proxy.analysis.warm_up import ENOUGH, LONGEST, WarmUp, cold_limit
from tests.analysis.made import counts, labelled


def test_a_cold_canary_may_take_four_times_as_long_or_a_quarter_second_more() -> None:
    assert [cold_limit(each) for each in (0.01, 0.1, 1.0)] == pytest.approx([0.26, 0.4, 4.0])


def test_it_lasts_its_time_and_until_there_were_enough_requests() -> None:
    made = WarmUp(60.0)
    assert (made.over(1000.0), made.left) == (False, LONGEST)
    made.add(ENOUGH - 1)
    assert (made.over(1060.0), made.left) == (False, LONGEST - 60)
    made.add(1)
    assert made.over(1060.0)
    early = WarmUp(60.0)
    early.add(ENOUGH)
    assert (early.over(5.0), early.left) == (False, 60.0)
    assert (early.over(64.9), early.over(65.0)) == (False, True)


def test_without_requests_it_ends_all_the_same() -> None:
    made = WarmUp(60.0)
    assert (made.over(0.0), made.over(LONGEST - 1), made.over(LONGEST)) == (False, False, True)
    longer = WarmUp(900.0)
    assert (longer.over(0.0), longer.over(LONGEST), longer.over(900.0)) == (False, False, True)


def test_it_goes_on_after_a_restart_by_another_clock() -> None:
    made = WarmUp(60.0)
    made.over(1000.0)
    made.add(ENOUGH)
    made.over(1040.0)
    again = WarmUp.from_json(60.0, json.loads(json.dumps(made.to_json())))
    assert (again.over(7.0), again.left) == (False, 20.0)
    assert again.over(27.0)
    with pytest.raises((ValueError, TypeError)):
        WarmUp.from_json(60.0, [1])


def judging(**more: float) -> Judge:
    """At 5 %, and stable's times are known: 20 ms."""
    judge = Judge(Policy(**more))
    judge.weigh(1, 0)
    judge.apply([(1, "stable", counts(ok=500, took=0.02))], 0.0)
    judge.weigh(2, 500)
    return judge


def limits(judge: Judge, now: float) -> list[float]:
    found = judge.thresholds(now)
    return [canary - stable for stable, canary in zip(found["stable"], found["canary"], strict=True)]


def warmed(judge: Judge, revision: int, now: float) -> None:
    judge.thresholds(now)
    judge.apply([(revision, "canary", counts(ok=ENOUGH, labels=labelled(ENOUGH, 0)))], now + 1)
    judge.thresholds(now + 2)
    assert judge.cold_for == pytest.approx(58.0)
    judge.thresholds(now + 60)
    assert judge.cold_for == 0.0


def test_limits_are_wide_from_each_rise_on() -> None:
    judge = judging()
    assert limits(judge, 1.0) == pytest.approx([0.25] * 3)
    warmed(judge, 2, 1.0)
    assert limits(judge, 61.0) == pytest.approx([0.005] * 3, rel=0.1)
    judge.weigh(3, 200)
    assert limits(judge, 62.0) == pytest.approx([0.005] * 3, rel=0.1), "lower: what it has it can bear"
    judge.weigh(4, 200)
    assert judge.cold_for == 0.0, "nothing of the weight has changed"
    judge.weigh(5, 2_000)
    assert limits(judge, 63.0) == pytest.approx([0.25] * 3)
    assert limits(judging(warm_up=0.0), 1.0) == pytest.approx([0.005] * 3, rel=0.1)


def test_a_canary_that_is_there_at_the_beginning_or_comes_back_is_cold() -> None:
    judge = Judge(Policy())
    judge.weigh(1, 500)
    assert judge.cold_for
    warmed(judge, 1, 0.0)
    judge.afresh()
    judge.weigh(2, 500)
    assert judge.cold_for
    none = Judge(Policy())
    none.weigh(1, 0)
    assert not none.cold_for


def test_where_latency_is_not_compared_nothing_is_cold() -> None:
    judge = Judge(Policy(slower=None))
    judge.weigh(1, 500)
    assert judge.cold_for == 0.0


def test_errors_count_from_the_first_request() -> None:
    judge = judging()
    for now in range(6):
        judge.apply([(2, "canary", counts(bad=1)), (2, "stable", counts(ok=19))], float(now))
    assert judge.verdict(6.0).failing[0].check == "errors"


def test_assurance_begins_when_it_is_warm() -> None:
    judge = judging()
    warmed(judge, 2, 0.0)
    assert judge.verdict(60.0).assurance.odds == pytest.approx(1.0)


def test_a_restart_of_control_keeps_it() -> None:
    judge = judging()
    judge.thresholds(0.0)
    judge.apply([(2, "canary", counts(ok=ENOUGH))], 40.0)
    judge.thresholds(40.0)
    again = Judge.from_json(Policy(), json.loads(json.dumps(judge.to_json())))
    again.weigh(2, 500)
    assert again.cold_for == pytest.approx(20.0)
    old = judge.to_json()
    del old["warm_up"]
    assert Judge.from_json(Policy(), old).cold_for == 0.0, "as an older version wrote it"
