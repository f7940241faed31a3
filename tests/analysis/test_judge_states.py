"""The judge as a whole: reports go in, verdicts come out."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.analysis.check import Check
from proxy.analysis.judge import Judge
from proxy.analysis.policy import Caps, Policy, Slower, StepUp
from proxy.analysis.thresholds import canary_limit
from proxy.telemetry.counts import Counts
from tests.analysis.made import counts, labelled
from tests.kits.properties import examples

RATE = Check("error-rate", 0.05, 30.0, 20)
POLICIES = [
    Policy(),
    Policy(slower=None, step_up=None),
    Policy(error_limit=0.05, caps=Caps(harmed=5), checks=(RATE,)),
    Policy(comparing=False, checks=(RATE,)),
    Policy(sticky=True),
    Policy(sticky=True, error_limit=0.05, guard=False),
]
FEW, MANY = st.integers(0, 3), st.integers(0, 60)
COUNTS = st.builds(
    counts,
    ok=MANY,
    bad=FEW | MANY,
    pinned_ok=FEW | MANY,
    pinned_bad=FEW | MANY,
    diverted=FEW,
    pins_diverted=FEW,
    harmed=FEW,
    took=st.sampled_from([None, 0.02]),
    users=st.lists(st.tuples(st.integers(1, 30), st.sampled_from([1, 2, 6, 14])), max_size=20),
    gap=st.sampled_from([False] * 9 + [True]),
    labels=st.builds(labelled, MANY, FEW | MANY),
)
REPORT = st.lists(st.tuples(st.integers(0, 6), st.sampled_from(["stable", "canary"]), COUNTS), max_size=4)
ACTS = st.lists(
    st.tuples(st.just("apply"), REPORT, st.sampled_from([0.0, 0.25, 9.0, 31.0, 301.0]))
    | st.tuples(st.just("weigh"), st.sampled_from([0, 500, 500, 5_000, 6_000, 10_000]))
    | st.tuples(st.just("afresh"))
    | st.tuples(st.just("restart")),
    max_size=15,
)


def judging(policy: Policy | None = None, parts: int = 2_000) -> Judge:
    judge = Judge(policy or Policy())
    judge.weigh(1, parts)
    return judge


def told(
    judge: Judge,
    canary: Counts | None = None,
    stable: Counts | None = None,
    revision: int = 1,
    now: float = 0.0,
) -> Judge:
    sides = {"canary": canary, "stable": stable}
    judge.apply([(revision, backend, side) for backend, side in sides.items() if side], now)
    return judge


def restarted(judge: Judge, policy: Policy) -> Judge:
    return Judge.from_json(policy, json.loads(json.dumps(judge.to_json(), allow_nan=False)))


@examples(150)
@given(st.sampled_from(POLICIES), ACTS)
def test_failing_and_the_verdict_always_agree_and_all_of_it_is_json(
    policy: Policy, acts: list[tuple[float | list[tuple[int, str, Any]] | str, ...]]
) -> None:
    judge, now, revision = judging(policy), 0.0, 1
    for act, *more in acts:
        if act == "apply":
            now += more[1]
            judge.apply(more[0], now)
        elif act == "weigh":
            revision += 1
            judge.weigh(revision, more[0])
        elif act == "afresh":
            judge.afresh()
        else:
            judge = restarted(judge, policy)
        failing = judge.failing(now)
        verdict = judge.verdict(now)
        assert failing == (verdict.state == "failing") == bool(verdict.failing) == judge.failing(now)
        json.dumps(verdict.to_json(), allow_nan=False)
        if verdict.failing:
            assert verdict.failing[0].check in policy.names
            assert verdict.sentence == verdict.failing[0].sentence


@examples(60)
@given(st.sampled_from(POLICIES[:4]), st.lists(REPORT, max_size=5), st.lists(REPORT, max_size=5))
def test_bets_go_on_after_a_restart_as_if_nothing_was(
    policy: Policy, before: list[list[tuple[int, str, Counts]]], behind: list[list[tuple[int, str, Counts]]]
) -> None:
    judge = judging(policy)
    judge.weigh(4, 2_500)
    for report in before:
        judge.apply(report, 0.0)
    again = restarted(judge, policy)
    for report in behind:
        judge.apply(report, 1.0)
        again.apply(report, 1.0)
    for part in ("weights", "case", "step", "seen", "radius"):
        assert again.to_json()[part] == judge.to_json()[part]


@pytest.mark.parametrize(
    ("kept", "now"),
    [
        (Policy(), Policy(extra_errors=0.01)),
        (Policy(), Policy(slower=None)),
        (Policy(slower=None), Policy()),
        (Policy(), Policy(error_limit=0.05)),
        (Policy(error_limit=0.05), Policy()),
        (Policy(), Policy(step_up=StepUp(0.05))),
        (Policy(), Policy(sticky=True)),
        (Policy(sticky=True), Policy()),
    ],
)
def test_evidence_on_other_terms_is_refused(kept: Policy, now: Policy) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        restarted(judging(kept), now)


@pytest.mark.parametrize("part", ["weights", "case", "step", "seen", "guard", "radius"])
@pytest.mark.parametrize("nonsense", [7, "?", [[]], {"errors": 3}])
def test_nonsense_is_refused(part: str, nonsense: Any) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        Judge.from_json(Policy(), judging().to_json() | {part: nonsense})


def test_a_dead_canary_fails_by_its_errors_within_a_handful() -> None:
    judge = told(judging(), counts(ok=2), counts(ok=500))
    for number in range(1, 20):
        told(judge, counts(bad=1), counts(ok=4), now=number)
        if judge.failing(number):
            break
    assert number <= 6
    assert judge.verdict(number).failing[0].check == "errors"


def test_a_slow_canary_fails_by_its_latency() -> None:
    judge = told(judging(), counts(ok=9, labels=labelled(0, 12)), counts(ok=99, labels=labelled(99, 1)))
    assert judge.verdict(0.0).failing[0].check in ("p50", "p90", "p99")
    off = told(judging(Policy(slower=None)), counts(ok=9, labels=labelled(0, 12)), counts(ok=99))
    assert off.verdict(0.0).state == "inconclusive"


def test_what_was_diverted_from_a_dead_canary_is_its_failure() -> None:
    assert told(judging(), counts(diverted=12), counts(ok=50)).failing(0.0)


def test_a_shared_incident_fails_nobody() -> None:
    judge = judging(Policy(error_limit=0.05))
    for now in range(60):
        told(judge, counts(ok=5, bad=5), counts(ok=20, bad=20), now=now)
        assert not judge.failing(now)


def test_pinned_requests_and_those_of_others_move_no_bet() -> None:
    judge = told(judging(Policy(guard=False)), counts(pinned_bad=50, taken_over={"failure": 50}))
    assert judge.verdict(0.0).odds == pytest.approx(1.0)


@pytest.mark.parametrize("revision", [0, 2, 99])
def test_an_unknown_revision_moves_no_bet(revision: int) -> None:
    judge = told(judging(Policy(guard=False)), counts(bad=50), revision=revision)
    verdict = judge.verdict(0.0)
    assert (verdict.odds, verdict.state) == (pytest.approx(1.0), "inconclusive")
    assert judge.blast_radius.met == 50


def test_a_revision_counts_by_its_own_weight() -> None:
    old, new = judging(parts=100), judging(parts=100)
    for judge in (old, new):
        judge.weigh(2, 5_000)
    told(old, counts(bad=2), counts(bad=2), revision=1)
    told(new, counts(bad=2), counts(bad=2), revision=2)
    assert old.verdict(0.0).odds > 5 * new.verdict(0.0).odds
    assert (old.verdict(0.0).assurance.odds, old.verdict(0.0).assurance.requests) == (
        judging(parts=5_000).verdict(0.0).assurance.odds,
        judging(parts=5_000).verdict(0.0).assurance.requests,
    )


def test_a_rise_stakes_cash_once_and_begins_the_assurance_anew() -> None:
    judge = told(judging(Policy(warm_up=0.0)), counts(ok=500), counts(ok=2_000))
    assert judge.verdict(0.0).assurance.requests == 0
    before = judge.to_json()["case"]["errors"][2]
    judge.weigh(2, 2_000)
    judge.weigh(1, 9_000)
    assert judge.verdict(0.0).assurance.requests == 0
    assert judge.to_json()["case"]["errors"][2] == before
    for revision, parts, cash in ((3, 2_500, 0.75), (3, 2_500, 0.75), (4, 500, 0.75)):
        judge.weigh(revision, parts)
        assert judge.verdict(0.0).assurance.requests == pytest.approx(420, abs=30)
        assert judge.to_json()["case"]["errors"][2] == pytest.approx(before * cash)


def test_the_way_to_healthy() -> None:
    judge = judging(Policy(slower=None))
    assert judge.verdict(0.0).sentence == "no canary requests yet"
    for now in range(10):
        told(judge, counts(ok=10), counts(ok=40), now=now)
    verdict = judge.verdict(10.0)
    assert verdict.state == "inconclusive"
    assert verdict.assurance.requests == pytest.approx(320, abs=30)
    assert verdict.assurance.seconds == pytest.approx(verdict.assurance.requests / 10)
    for now in range(10, 43):
        told(judge, counts(ok=10), counts(ok=40), now=now)
    assert judge.verdict(43.0).state == "healthy"
    judge.weigh(2, 500)  # lower, too, is another load
    assert judge.verdict(43.0).assurance.requests > 380


def test_a_latency_with_a_threshold_must_be_assured_too() -> None:
    judge = told(judging(Policy(warm_up=0.0)), counts(ok=500), counts(ok=2_000, took=0.02))
    judge.thresholds(0.0)
    assert judge.verdict(0.0).state == "inconclusive"
    told(judge, counts(labels=labelled(300)), counts(labels=labelled(900, 9)))
    assert judge.verdict(0.0).state == "healthy"


def test_an_incident_of_stable_holds_back() -> None:
    judge = told(judging(Policy(slower=None)), counts(ok=900), counts(ok=4_000))
    told(judge, counts(ok=99), counts(ok=360, bad=40), now=500.0)
    verdict = judge.verdict(500.0)
    assert (verdict.state, verdict.sentence) == (
        "inconclusive",
        "stable itself is in an incident: 10.0 % of its answers failed",
    )


@pytest.mark.parametrize(
    ("parts", "canary", "state"),
    [
        (10_000, counts(bad=20), "failing"),
        (10_000, counts(ok=19), "inconclusive"),
        (10_000, counts(ok=20), "healthy"),
        (0, counts(pinned_bad=20), "failing"),
        (0, counts(pinned_ok=20), "healthy"),
        (0, counts(pinned_ok=19), "inconclusive"),
    ],
)
@pytest.mark.parametrize("policy", [Policy(), Policy(sticky=True)])
def test_where_no_coin_is_tossed_the_guard_judges(
    policy: Policy, parts: int, canary: Counts, state: str
) -> None:
    judge = told(judging(policy, parts), canary, now=1.0)
    verdict = judge.verdict(1.0)
    assert (verdict.state, verdict.assurance) == (state, None)
    later = "healthy" if parts and state == "healthy" else "inconclusive"
    assert judge.verdict(32.0).state == later, "at all traffic a sample stays one"


@pytest.mark.parametrize(("parts", "fails"), [(2_000, False), (10_000, True)])
def test_the_absolute_limit_beside_a_shared_incident(parts: int, fails: bool) -> None:
    judge = judging(Policy(error_limit=0.05, guard=False), parts)
    told(judge, counts(ok=40, bad=60), counts(ok=160, bad=240))
    assert judge.failing(0.0) == fails


def test_caps_count_what_came_since_a_person_resumed() -> None:
    judge = told(judging(Policy(caps=Caps(harmed=50))), counts(bad=50, harmed=50), counts(ok=9))
    assert [each.check for each in judge.verdict(0.0).failing] == ["errors", "harmed"]
    judge.afresh()
    assert judge.verdict(0.0).failing == ()
    assert judge.verdict(0.0).odds == pytest.approx(1.0)
    assert judge.blast_radius.harmed == 50
    told(judge, counts(ok=49, harmed=49), now=1.0)
    assert not judge.failing(1.0)
    told(judge, counts(ok=1, harmed=1), now=1.0)
    assert judge.verdict(1.0).failing[0].check == "harmed"


def test_sticky_bursts_of_one_user_move_nothing_more() -> None:
    once, burst = judging(Policy(sticky=True)), judging(Policy(sticky=True))
    told(once, counts(bad=1, users=[(7, 1)]))
    for now in range(100):
        told(burst, counts(bad=50, users=[(7, 1)] * 50), now=now / 10)
    assert burst.verdict(10.0).odds <= once.verdict(0.0).odds
    assert told(judging(Policy(sticky=True)), counts(bad=12, users=[(n, 1) for n in range(12)])).failing(0.0)


@pytest.mark.parametrize("policy", POLICIES)
def test_nothing_overflows(policy: Policy) -> None:
    judge = judging(policy)
    for seen in (counts(ok=10**8), counts(bad=10**8, labels=labelled(0, 10**8)), counts(ok=10**8, bad=10**8)):
        for sides in ((seen, counts(ok=1)), (counts(ok=1), seen), (seen, seen)):
            told(judge, *sides)
            json.dumps([judge.verdict(0.0).to_json(), judge.to_json()], allow_nan=False)
            assert judge.failing(0.0) == (judge.verdict(0.0).state == "failing")


def test_thresholds_come_from_stable_alone() -> None:
    judge = told(judging(Policy(warm_up=0.0)), counts(ok=500, took=0.5), counts(ok=500, took=0.02))
    assert judge.thresholds(0.0)["stable"] == pytest.approx((0.02,) * 3, rel=0.09)
    limits = tuple(canary_limit(Slower(), each) for each in judge.thresholds(0.0)["stable"])
    assert judge.thresholds(0.0)["canary"] == limits


def test_what_is_shown() -> None:
    judge = told(judging(), counts(ok=5), now=1.0)
    assert judge.shown("canary", 1.0).requests == 5
    assert judge.shown("stable", 1.0) is None
    assert judge.shown("canary", 40.0) is None
