"""The judge as control uses it."""

import json
from typing import Any

import pytest

from proxy.analysis.check import Check
from proxy.analysis.judge import Judge
from proxy.analysis.policy import Caps, Policy
from proxy.analysis.verdict import Finding
from proxy.telemetry.counts import Counts
from proxy.telemetry.histogram import Histogram
from tests.analysis.reports import counts, report

ERRORS = Policy(slower=None)


def judge(policy: Policy = ERRORS, parts: int = 2_000) -> Judge:
    made = Judge(policy)
    made.weigh(1, parts)
    return made


def head(count: int, seconds: float = 0.02) -> Histogram:
    made = Histogram()
    for _ in range(count):
        made.add(seconds)
    return made


def after(made: Judge, *reports: list[tuple[int, str, Counts]], now: float = 0.0) -> Judge:
    for each in reports:
        made.apply(each, now)
    return made


def state(made: Judge, now: float = 0.0) -> str:
    verdict = made.verdict(now)
    assert made.failing(now) is (verdict.state == "failing")
    return verdict.state


def finding(made: Judge, check: str, now: float = 0.0) -> Finding:
    return {each.check: each for each in made.verdict(now).findings}[check]


@pytest.mark.parametrize(("parts", "most"), [(100, 3), (500, 4), (2_000, 6), (5_000, 13)])
def test_a_dead_canary_is_out_after_a_handful(parts: int, most: int) -> None:
    made, requests = judge(parts=parts), 0
    while state(made) != "failing":
        after(made, report(counts(bad=1), counts(ok=(10_000 - parts) // parts)))
        requests += 1
    assert requests <= most
    assert made.verdict(0.0).failing[0].check == "errors"


def test_both_failing_at_once_is_no_trip() -> None:
    made = judge()
    for _ in range(50):
        after(made, report(counts(bad=5), counts(bad=20)))
        assert state(made) == "inconclusive"


def test_a_good_canary_is_good_enough_after_some_420() -> None:
    made = after(judge(), report(counts(ok=300), counts(ok=1_200)))
    assert state(made) == "inconclusive"
    after(made, report(counts(ok=150), counts(ok=600)))
    assert state(made) == "healthy"


@pytest.mark.parametrize("parts", [5_001, 9_000, 10_000])
def test_the_guard_watches_where_bets_are_slow(parts: int) -> None:
    made = after(judge(Policy(comparing=False), parts), report(counts(bad=20), counts(ok=5)))
    assert made.verdict(0.0).failing[0].check == "guard"
    quiet = after(judge(Policy(comparing=False, guard=False), parts), report(counts(bad=20), counts(ok=5)))
    assert state(quiet) == "healthy"


def test_at_all_of_the_traffic_a_quiet_guard_suffices() -> None:
    made = after(judge(parts=10_000), report(counts(ok=19)))
    assert state(made) == "inconclusive"
    assert state(after(made, report(counts(ok=1)))) == "healthy"
    assert made.verdict(0.0).assurance is None
    assert state(after(made, report(counts(bad=20)))) == "failing"


def test_on_segments_alone() -> None:
    made = judge(parts=0)
    assert made.verdict(0.0).sentence == "no canary requests yet"
    assert state(after(made, report(counts(pinned=(19, 0))))) == "inconclusive"
    assert state(after(made, report(counts(pinned=(1, 0))))) == "healthy"
    assert state(after(made, report(counts(pinned=(0, 20))))) == "failing"


def test_the_guards_window_passes() -> None:
    made = after(judge(parts=10_000), report(counts(bad=20)))
    assert (state(made, 29.0), state(made, 31.0)) == ("failing", "inconclusive")


def test_diverted_draws_are_evidence() -> None:
    assert state(after(judge(), report(counts(diverted=8), counts(ok=20)))) == "failing"


def test_draws_that_the_canary_answered_for_a_dead_stable_are_evidence_as_well() -> None:
    made = judge()
    for _ in range(50):
        after(made, report(counts(diverted=5), counts(diverted=20)))
        assert state(made) == "inconclusive", "both were dead"


@pytest.mark.parametrize("revision", [0, 2])
def test_requests_of_unknown_revisions_are_no_evidence_but_seen(revision: int) -> None:
    made = after(judge(), report(counts(bad=50, harmed=50), revision=revision))
    assert state(made) == "inconclusive"
    assert finding(made, "errors").sample == 0
    assert (made.blast_radius.harmed, made.shown("canary", 0.0).failures) == (50, 50)


def test_each_request_is_judged_by_the_weight_it_was_routed_by() -> None:
    late, early = judge(parts=100), judge(parts=100)
    for made in (late, early):
        made.weigh(2, 9_000)
    after(late, report(counts(bad=4), counts(ok=9), revision=1))
    after(early, report(counts(bad=4), counts(ok=9), revision=2))
    assert late.verdict(0.0).odds > early.verdict(0.0).odds


@pytest.mark.parametrize(("parts", "anew"), [(2_000, False), (3_000, True), (1_000, True)])
def test_another_weight_begins_assurance_anew_and_keeps_the_evidence(parts: int, anew: bool) -> None:
    made = after(judge(), report(counts(ok=300, bad=1), counts(ok=1_200)))
    odds, shown = made.verdict(0.0).odds, made.verdict(0.0).assurance.odds
    made.weigh(2, parts)
    assert made.verdict(0.0).odds == pytest.approx(odds)
    assert (made.verdict(0.0).assurance.odds == pytest.approx(1)) is anew
    assert shown > 1.5


def test_answers_of_an_older_weight_assure_nothing_of_the_new_one() -> None:
    made = judge()
    made.weigh(2, 3_000)
    after(made, report(counts(ok=900), revision=1))
    assert made.verdict(0.0).assurance.odds == pytest.approx(1)


def test_a_known_or_older_revision_changes_nothing() -> None:
    made = after(judge(), report(counts(ok=300)))
    before = made.to_json()
    made.weigh(1, 9_000)
    made.weigh(0, 100)
    assert made.to_json() == before


def test_an_incident_of_stable_is_no_time_to_step_up() -> None:
    made = after(judge(), report(counts(ok=600), counts(ok=9_000)), now=0.0)
    after(made, report(counts(ok=10), counts(bad=2, ok=8)), now=400.0)
    assert state(made, 400.0) == "inconclusive"
    assert "incident" in made.verdict(400.0).sentence
    assert state(made, 480.0) == "healthy"


def test_assurance_tells_how_long_it_will_take() -> None:
    made = after(judge(), report(counts(ok=0), counts(ok=1)), now=0.0)
    after(made, report(counts(ok=99, diverted=1), counts(ok=380, bad=20)), now=10.0)
    told = made.verdict(10.0).assurance
    assert 0 < told.seconds == pytest.approx(told.requests / 10)


def test_slow_answers_are_evidence_where_latency_is_compared() -> None:
    slow = report(counts(slow=(0, 0, 0, 30)), counts(slow=(60, 48, 11, 1)))
    made = after(judge(Policy()), report(None, counts(head=head(500))), slow)
    made.thresholds(0.0)
    assert state(made) == "failing"
    assert made.verdict(0.0).failing[0].check in {"p50", "p90", "p99"}
    assert state(after(judge(), slow)) == "inconclusive"


def test_p99_must_be_assured_once_it_is_known() -> None:
    made = after(judge(Policy(warm_up=0.0)), report(counts(ok=900), counts(ok=3_600)))
    assert state(made) == "healthy"
    after(made, report(None, counts(head=head(500))))
    made.thresholds(0.0)
    assert state(made) == "inconclusive"
    assert state(after(made, report(counts(slow=(300, 0, 0, 0)), counts(slow=(900,))))) == "healthy"


def test_thresholds() -> None:
    made = judge(Policy())
    assert made.thresholds(0.0) == {"stable": (), "canary": ()}
    after(made, report(counts(head=head(500, 3.0)), counts(head=head(100))))
    assert all(threshold < 0.03 for threshold in made.thresholds(0.0)["stable"])
    assert len(made.thresholds(0.0)["canary"]) == 3
    assert judge(Policy(comparing=False, guard=False)).thresholds(0.0) == {}


@pytest.mark.parametrize("policy", [ERRORS, Policy(comparing=False)])
def test_where_latency_is_not_compared_an_answer_is_overdue_after_ten_times_stables(policy: Policy) -> None:
    made = judge(policy)
    after(made, report(stable=counts(head=head(500, 0.5))))
    found = made.thresholds(0.0)
    assert found.keys() == {"canary"}
    assert found["canary"][-1] == pytest.approx(5.0, rel=0.1)
    after(quick := judge(policy), report(stable=counts(head=head(500, 0.002))))
    assert quick.thresholds(0.0)["canary"][-1] == pytest.approx(1.0, rel=0.1)
    assert not any(finding.unit == "seconds" for finding in quick.verdict(1.0).findings)


def test_the_limit_is_judged_at_all_of_the_traffic() -> None:
    made = after(judge(Policy(slower=None, error_limit=0.05), 10_000), report(counts(ok=10, bad=10)))
    assert made.verdict(0.0).failing[0].check == "error-limit"


def test_caps_and_rules() -> None:
    made = judge(Policy(slower=None, caps=Caps(harmed=3), checks=(Check("error-rate", 0.5, 10.0, 2),)))
    assert state(made) == "inconclusive"
    assert finding(after(made, report(counts(ok=1, bad=1, harmed=2))), "error-rate").state == "healthy"
    after(made, report(counts(bad=1, harmed=1), counts(bad=5)))
    assert [each.check for each in made.verdict(0.0).failing] == ["harmed", "error-rate"]
    assert finding(made, "error-rate", 11.0).state == "inconclusive"


def test_what_is_shown() -> None:
    made = after(judge(), report(counts(ok=3)))
    assert made.shown("canary", 29.0).requests == 3
    assert (made.shown("canary", 31.0), made.shown("stable", 0.0)) == (None, None)


def test_a_person_forgives() -> None:
    policy = Policy(slower=None, caps=Caps(harmed=30))
    made = after(judge(policy, 6_000), report(counts(bad=50, harmed=50), counts(ok=20)))
    assert {each.check for each in made.verdict(0.0).failing} == {"errors", "guard", "harmed"}
    made.afresh()
    assert made.verdict(0.0).failing == ()
    assert (made.verdict(0.0).odds, made.blast_radius.harmed) == (pytest.approx(1), 50)
    assert state(after(made, report(counts(harmed=30)))) == "failing"


def sticky(users: list[int] | range, canary: bool = True) -> Counts:
    return counts(bad=len(users), users=[(user, 1) for user in users])


def test_users_count_once_where_the_coin_is_theirs() -> None:
    made = judge(Policy(slower=None, sticky=True))
    for _ in range(40):
        after(made, report(sticky([1, 1, 1]), counts(ok=12)))
    assert state(made) == "inconclusive"
    assert state(after(made, report(sticky(range(2, 20)), counts(ok=72)))) == "failing"


def test_a_user_of_stable_assures_once() -> None:
    once, often = judge(Policy(slower=None, sticky=True)), judge(Policy(slower=None, sticky=True))
    after(once, report(counts(ok=1), sticky([1])))
    for _ in range(9):
        after(often, report(None, sticky([1])))
    after(often, report(counts(ok=1)))
    assert often.verdict(0.0).assurance.odds == pytest.approx(once.verdict(0.0).assurance.odds)


@pytest.mark.parametrize("policy", [Policy(error_limit=0.1, warm_up=0.0), Policy(slower=None, sticky=True)])
def test_json_goes_on_identically(policy: Policy) -> None:
    made = after(judge(policy), report(counts(ok=40, bad=1, harmed=1, slow=(9, 1)), counts(ok=90, bad=2)))
    made.weigh(2, 3_000)
    after(made, report(counts(ok=40, bad=1), revision=2))
    again = Judge.from_json(policy, json.loads(json.dumps(made.to_json())))
    assert again.to_json() == made.to_json()
    again.weigh(2, 3_000)
    for each in (made, again):
        after(each, report(counts(ok=9, bad=2), counts(ok=9), revision=2), now=1.0)
    if not policy.sticky:  # whose users are forgotten
        assert again.to_json() == made.to_json()
        assert again.verdict(1.0).odds == made.verdict(1.0).odds


@pytest.mark.parametrize(
    "other",
    [
        Policy(),
        Policy(slower=None, extra_errors=0.01),
        Policy(slower=None, sticky=True),
        Policy(slower=None, error_limit=0.1),
    ],
)
def test_evidence_on_other_terms_is_an_error(other: Policy) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        Judge.from_json(other, judge().to_json())


@pytest.mark.parametrize("data", [{}, {"weights": []}, {"weights": 1}])
def test_what_is_no_judge_is_an_error(data: dict[str, int | list[Any]]) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        Judge.from_json(ERRORS, data)


def test_a_long_life_stays_in_numbers() -> None:
    made = judge(Policy(error_limit=0.1))
    for _ in range(10):
        after(made, report(counts(ok=10**8, bad=10**6, slow=(10**7, 10**6)), counts(ok=10**8, bad=10**7)))
    verdict = made.verdict(0.0)
    json.dumps([verdict.to_json(), made.to_json()], allow_nan=False)


def test_repr() -> None:
    assert repr(judge()).startswith("<Judge at <WeightHistory: 2000 parts since revision 1>: <Lifelong")


def test_how_often_stable_failed_survives() -> None:
    made = after(judge(), report(None, counts(ok=90, bad=10)))
    made.weigh(2, 10_000)
    made.verdict(0.0)
    again = Judge.from_json(ERRORS, json.loads(json.dumps(made.to_json())))
    assert finding(after(again, report(counts(ok=75, bad=25), revision=2)), "guard").state == "healthy"


def test_at_all_traffic_a_quiet_guard_is_enough_once_there_is_a_sample() -> None:
    made = judge(parts=10_000)
    for minute in range(1, 4):
        made.apply(report(counts(ok=6)), minute * 60.0)
        assert made.verdict(minute * 60.0).state == "inconclusive"
    made.apply(report(counts(ok=6)), 240.0)
    assert made.verdict(240.0).state == "healthy", "24 answers, though never 20 within 30 s"
    made.apply(report(counts(bad=20)), 241.0)
    assert made.verdict(241.0).state == "failing"
