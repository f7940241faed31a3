"""Whole paragraphs: they are what a person reads."""

from dataclasses import replace
from typing import Any

import pytest

from proxy.analysis.verdict import Assurance, Finding, Verdict
from proxy.control.views.explanation import Situation, explain, missing, moment
from proxy.control.views.facts import NONE, Blast, Facts, StableOutage
from proxy.rollout.rollout import Trip

SENTENCE = (
    "errors 23.8 % of 55 canary answers, stable 0.2 % of 900; evidence that it is worse: 118:1, out at 100:1"
)
FINDING = Finding(
    check="errors",
    state="failing",
    value=0.238,
    limit=None,
    stable=0.002,
    sample=55,
    needed=None,
    window=None,
    unit="ratio",
    sentence=SENTENCE,
    odds=118.0,
)
GOOD = replace(FINDING, state="healthy", value=0.001, sentence="errors 0.1 % beside stable's 0.2 %", odds=0.3)
SLOW = replace(GOOD, check="p99", unit="seconds", sentence="p99 of 410 ms beside 400 ms of stable", odds=2.0)
AT = 1_767_323_045.678
FACTS = Facts(
    Blast(met=1231, harmed=1, rescued=12, exposed_users=180, since=AT - 65),
    (
        (("GET", "/cart/#", 500), 1031), (("POST", "/pay", 502), 9), (("GET", "/", 503), 2),
        (("GET", "/a", 500), 1),
    ),
)  # fmt: skip
RUNNING = Situation(
    service="checkout",
    version="v3",
    canary=True,
    weight=500,
    weight_before=0,
    halted=False,
    enforce=True,
    guard=True,
    verdict=Verdict("inconclusive", (GOOD, SLOW), 2.1, 100.0, Assurance(3.2, 20.0, 130, 41.0)),
    trip=None,
    acknowledged_ms=None,
    facts=NONE,
)
OUT = replace(
    RUNNING,
    weight=0,
    weight_before=2000,
    halted=True,
    verdict=Verdict("failing", (FINDING,), 118.0, 100.0),
    trip=Trip(AT, SENTENCE, FINDING),
    acknowledged_ms=11.6,
    facts=FACTS,
)


def told(situation: Situation, **changes: Any) -> str:
    return explain(replace(situation, **changes)).text


def test_a_canary_that_was_taken_out() -> None:
    found = explain(OUT)
    assert found.text == (
        "The canary of checkout (v3) was taken out on 2026-01-02 03:04:05Z, from 20 % to 0 %: errors "
        "23.8 % of 55 canary answers, stable 0.2 % of 900; evidence that it is worse: 118:1, out at 100:1. "
        "Every worker had taken it out after 12 ms. "
        "1,231 requests of about 180 users met it since its release began on 2026-01-02 03:03:00Z: 1 bad "
        "answer reached a client, 12 were rescued by stable. "
        "Most frequent failures: GET /cart/# 500 (1,031x), POST /pay 502 (9x), GET / 503 (2x). "
        "It stays out until the file or `weir start` names another canary. "
        "To let this one back in at 20 %: weir resume checkout"
    )
    assert found.next == (
        "It stays out until the file or `weir start` names another canary.",
        "To let this one back in at 20 %: weir resume checkout",
    )


def test_a_canary_on_trial() -> None:
    found = explain(replace(RUNNING, facts=Facts(Blast(met=1, exposed_users=1), overdue={"canary": 1})))
    assert found.text == (
        "The canary of checkout (v3) has 5 % of the requests. "
        "Evidence that it is worse than stable: 2.1:1, out at 100:1. "
        "P99 of 410 ms beside 400 ms of stable. "
        "It isn't shown yet to be good enough for a larger weight (3.2:1, asked for is 20:1): about 130 more "
        "requests (41 s). "
        "1 request of about 1 user met it since its release began: no bad answer reached a client, "
        "0 were rescued by stable. "
        "1 request on it is overdue right now."
    )
    assert found.next == ()


def test_users_without_a_key_are_unknown() -> None:
    said = told(RUNNING, facts=Facts(Blast(met=46, exposed_users=0)))
    assert "46 requests of unknown users met it" in said


def test_a_trip_of_which_a_worker_alone_knew() -> None:
    text = told(OUT, trip=Trip(AT, "a worker holds it", None), acknowledged_ms=None, facts=NONE)
    assert text.startswith(
        "The canary of checkout (v3) was taken out on 2026-01-02 03:04:05Z, from 20 % to 0 %: a worker "
        "holds it. It stays out until"
    )


def test_a_halt_without_a_trip() -> None:
    text = told(OUT, trip=None, acknowledged_ms=None, facts=NONE)
    assert text.startswith("The canary of checkout (v3) is out: it gets no requests. It stays")
    assert text.endswith("To let this one back in: weir resume checkout")


def test_without_a_canary() -> None:
    assert told(RUNNING, canary=False, version="") == "checkout has no canary, so there is nothing to judge."


def test_what_only_watches_tells_what_would_be() -> None:
    found = explain(replace(RUNNING, enforce=False, verdict=Verdict("failing", (FINDING,), 118.0, 100.0)))
    assert found.text == (
        f"The canary of checkout (v3) has 5 % of the requests. It would be out: {SENTENCE}. "
        "Evidence that it is worse than stable: 118:1, would be out at 100:1. "
        "`enforce: false` only watches, so nothing was done. "
        "To take it out by hand, for everybody: weir abort checkout"
    )
    assert found.next[1] == "To take it out by hand, for everybody: weir abort checkout"


def test_a_failing_verdict_that_is_about_to_act() -> None:
    assert f"It is failing: {SENTENCE}." in told(RUNNING, verdict=OUT.verdict)


def test_without_bets_the_first_rule_speaks() -> None:
    plain = replace(GOOD, odds=None, sentence="error-rate 0.1 % over 30 s is within its limit")
    text = told(RUNNING, verdict=Verdict("healthy", (plain, replace(plain, sentence="another"))))
    assert text == (
        "The canary of checkout (v3) has 5 % of the requests. Error-rate 0.1 % over 30 s is within its limit."
    )


def test_without_anything_that_judges() -> None:
    assert "Nothing judges it: neither `analysis`" in told(RUNNING, verdict=Verdict("healthy", ()))


def test_a_canary_without_weight_or_version() -> None:
    assert told(RUNNING, version="", weight=0, verdict=Verdict("inconclusive", (GOOD,), 1.0, 100.0)) == (
        "The canary of checkout has 0 % of the requests. At 0 % no coin is tossed, so nothing is compared; "
        "the guard judges it. To send requests to it: weir set-weight checkout canary=5"
    )


def test_at_all_the_traffic_the_guard_speaks_and_no_bet() -> None:
    guard = replace(GOOD, check="guard", odds=None, sentence="guard: 3 of the 20 canary answers needed")
    verdict = Verdict("inconclusive", (SLOW, guard), 2.1, 100.0)
    assert told(RUNNING, weight=10_000, verdict=verdict) == (
        "The canary of checkout (v3) has 100 % of the requests. At 100 % no coin is tossed, so nothing is "
        "compared; the guard judges it. Guard: 3 of the 20 canary answers needed."
    )
    assert "with `guard: off` only checks and caps judge it" in told(
        RUNNING, weight=10_000, guard=False, verdict=verdict
    )


STAFF = "segment `staff`"
FAILING = Verdict("failing", (FINDING,), 118.0, 100.0)


def test_who_only_watches_and_pins_is_told_what_keeps_everybody_away() -> None:
    for weight in (0, 500):
        found = explain(replace(RUNNING, enforce=False, verdict=FAILING, pins=STAFF, weight=weight))
        assert found.next[1:] == ("To take it out by hand, for everybody: weir abort checkout",)


OUTAGE = StableOutage(AT, "40 of its 40 latest requests failed (connect 40x)")


@pytest.mark.parametrize("more", [{}, {"canary": False}, {"canary": False, "promoted": True}])
def test_an_outage_of_stable_comes_first_whatever_the_canary_does(more: dict[str, bool]) -> None:
    text = told(RUNNING, outage=OUTAGE, **more)
    assert text.startswith(f"Stable of checkout is failing since {moment(AT)}: 40 of its 40 latest requests")
    assert told(RUNNING, **more) in text


def test_a_canary_on_a_segment_alone() -> None:
    text = told(RUNNING, weight=0, pins=STAFF)
    assert "has 0 % of the requests, and all that segment `staff` sends to it." in text
    assert text.endswith("To send a share of the others to it: weir set-weight checkout canary=5")
    out = told(OUT, weight_before=0, pins=STAFF)
    assert "03:04:05Z, also for the requests that segment `staff` sends to it: errors 23.8 %" in out
    assert out.endswith("To let this one back in for segment `staff`: weir resume checkout")


def test_after_a_resume_both_periods_are_named() -> None:
    text = told(RUNNING, facts=Facts(Blast(met=7, harmed=2)), resumed=True)
    assert "7 requests met it since its release began: 2 bad answers reached a client" in text
    assert text.endswith("Evidence, caps and failures count only what came since it was resumed.")


@pytest.mark.parametrize(
    ("blast", "text"),
    [
        (Blast(met=300, harmed=13, gave_up=13), ": 13 clients gave up waiting, 0 were rescued"),
        (Blast(met=300, harmed=1, gave_up=1), ": 1 client gave up waiting, 0"),
        (
            Blast(met=300, harmed=5, gave_up=2),
            ": 3 bad answers reached a client and 2 clients gave up waiting",
        ),
        (Blast(met=300), ": no bad answer reached a client, 0"),
    ],
)
def test_clients_that_gave_up_waiting_are_told(blast: Blast, text: str) -> None:
    told_text = told(RUNNING, facts=Facts(blast))
    assert text in told_text
    assert ("no bad answer" in told_text) == (not blast.harmed)


@pytest.mark.parametrize(
    ("assurance", "text"),
    [
        (
            Assurance(25.0, 20.0, 0, 0.0),
            "It is shown to be good enough for a larger weight (25:1, asked for is 20:1).",
        ),
        (
            Assurance(0.2, 20.0, None, None),
            "(less than 1:1, asked for is 20:1): at the rates seen it can't be shown.",
        ),
        (
            Assurance(1.5, 20.0, 2130, None),
            "(1.5:1, asked for is 20:1): about 2,130 more requests.",
        ),
        (Assurance(1.5, 20.0, 2130, 6000.0), "about 2,130 more requests (100 min)."),
    ],
)
def test_what_a_larger_weight_waits_for(assurance: Assurance, text: str) -> None:
    assert missing(assurance).endswith(text)


def test_moments_are_utc() -> None:
    assert moment(0.0) == "1970-01-01 00:00:00Z"


def test_a_rollout_that_goes_on_tells_where_it_is() -> None:
    text = told(RUNNING, rollout="Its rollout is progressing, in step 2 of 6 (31 of 200 answers).")
    assert "has 5 % of the requests. Its rollout is progressing, in step 2 of 6" in text
    paused = explain(
        replace(
            RUNNING,
            rollout="Its rollout is paused, before step 1 of 6.",
            weight=0,
            next_orders=("To go on: x",),
        )
    )
    assert paused.next == ("To go on: x",)
    assert paused.text.endswith("To go on: x")


def test_an_abort_by_a_person_tells_who_and_why() -> None:
    trip = Trip(AT, "taken out by hand (ann@laptop: it smells)", None)
    found = explain(replace(OUT, trip=trip, next_orders=("To begin again: x",)))
    assert (
        "was taken out on 2026-01-02 03:04:05Z, from 20 % to 0 %, by hand (ann@laptop: it smells)."
        in found.text
    )
    assert found.text.endswith("at 20 %: weir resume checkout; to begin again: x"), "commands can be copied"
    assert found.next[-2:] == ("To let this one back in at 20 %: weir resume checkout", "To begin again: x")


def test_a_canary_that_had_no_weight_is_not_let_back_in_at_0() -> None:
    trip = Trip(AT, "taken out by hand (ann@laptop)", None)
    found = explain(replace(OUT, trip=trip, weight_before=0))
    assert "was taken out on 2026-01-02 03:04:05Z, at 0 %, by hand (ann@laptop)." in found.text
    assert found.text.endswith("To let this one back in: weir resume checkout")


def test_a_canary_that_waits_for_its_rollout() -> None:
    assert explain(replace(RUNNING, weight=0, planned=True)).next == (
        "To begin its rollout by the file's plan: weir start checkout",
    )
    assert explain(replace(RUNNING, planned=True)).next == ()


def test_a_promotion() -> None:
    found = explain(replace(RUNNING, canary=False, promoted=True, next_orders=("To go back to v2: x",)))
    assert found.text == "The canary of checkout (v3) was promoted and is stable now. To go back to v2: x"
    assert found.next == ("To go back to v2: x",)
