"""Where a rollout is, what it waits for, and when that may be there."""

import json
from dataclasses import replace
from typing import Any, get_args

import pytest

from proxy.analysis.verdict import Assurance, Verdict
from proxy.control.views import progress
from proxy.control.views.facts import RolloutFacts
from proxy.control.views.progress import Course
from proxy.rollout import phases
from proxy.rollout.phases import UNDER_WAY, Phase
from proxy.rollout.plan import Gate, Plan, Step
from proxy.rollout.rollout import Rollout
from proxy.rollout.side import VACANT, Side
from proxy.routing.endpoint import Endpoint

STABLE, CANARY, OLD = (Side((Endpoint.parse(f"http://{name}"),), name) for name in ("v1", "v2", "v0"))
PLAN = Plan((Step(1000, 600.0, 200), Gate("ask the on-call"), Step(10_000, 60.0, 0)), 86_400.0)
AT = 1_700_000_000.0
ROLLOUT = Rollout(
    revision=8,
    phase="progressing",
    weight=1000,
    stable=STABLE,
    stable_definition=STABLE.definition,
    canary=CANARY,
    definition=CANARY.definition,
    plan=PLAN,
    step=1,
    entered=AT - 60,
    began=AT - 90,
)
GOOD = Verdict("healthy", (), sentence="no evidence that the canary is worse")
LITTLE = Verdict("inconclusive", (), assurance=Assurance(3.0, 20.0, 130, 900.0), sentence="3:1, asked: 20:1")
FACTS = RolloutFacts(AT, rate=100.0, answers=31)


def course(
    rollout: Rollout = ROLLOUT, verdict: Verdict = GOOD, facts: RolloutFacts = FACTS, enforce: bool = True
) -> Course:
    return Course(rollout, verdict, enforce, facts)


def waiting(**changes: Any) -> dict[str, dict[str, int | str] | float | str | None]:
    return progress.to_json(course(**changes))["rollout"]["waiting"]


def test_a_step_that_lacks_answers_and_time() -> None:
    shown = progress.to_json(course(verdict=LITTLE))
    assert shown["rollout"] == {
        "steps": [
            {"weight": 10.0, "hold": 600.0, "min_requests": 200},
            {"pause": "ask the on-call"},
            {"weight": 100.0, "hold": 60.0, "min_requests": 0},
        ],
        "step": 1,
        "of": 3,
        "began": "2023-11-14T22:11:50.000+00:00",
        "entered": "2023-11-14T22:12:20.000+00:00",
        "deadline": 86_400.0,
        "expected": 960.0,
        "rate": 100.0,
        "assured": 0,
        "waiting": {
            "says": "31 of 200 answers; at this rate in about 5 min; holds for 9 min yet; "
            "the verdict is inconclusive: 3:1, asked: 20:1",
            "seconds": 900.0,
            "hold": 540.0,
            "sample": {"have": 31, "need": 200},
            "verdict": "inconclusive",
            "gate": None,
            "pause": "",
        },
    }
    json.dumps(shown, allow_nan=False)


@pytest.mark.parametrize(
    ("facts", "seconds", "says"),
    [
        # Its own rate, 31 in 60 s, says more than the weight's share of all.
        (FACTS, 540.0, "31 of 200 answers; at this rate in about 5 min"),
        (replace(FACTS, rate=0.0), 540.0, "31 of 200 answers; at this rate in about 5 min"),
        (replace(FACTS, at=AT - 50), 590.0, "31 of 200 answers; at this rate in about 55 s"),
        # At the beginning the share is all there is: 10 % of 0.1/s.
        (
            RolloutFacts(AT - 59, rate=0.1, answers=1),
            19900.0,
            "1 of 200 answers; at this rate in about 5.5 h",
        ),
        (RolloutFacts(AT, rate=0.1), 20000.0, "0 of 200 answers; at this rate in about 5.6 h"),
        (RolloutFacts(AT), None, "0 of 200 answers; no estimate without traffic"),
    ],
)
def test_how_much_of_the_sample_is_missing_and_about_when_it_is_there(
    facts: RolloutFacts, seconds: float | None, says: str
) -> None:
    found = waiting(facts=facts)
    assert found["seconds"] == (None if seconds is None else pytest.approx(seconds))
    assert found["says"].startswith(says)


def test_a_verdict_that_nobody_can_date() -> None:
    assert waiting(verdict=replace(LITTLE, assurance=None))["seconds"] is None
    assert waiting(verdict=replace(LITTLE, assurance=Assurance(3.0, 20.0, None, None)))["seconds"] is None


def test_a_verdict_that_is_only_watched_is_not_waited_for() -> None:
    found = waiting(verdict=LITTLE, enforce=False)
    assert (found["seconds"], found["verdict"]) == (540.0, "inconclusive")
    assert "verdict" not in found["says"]


FULL = RolloutFacts(AT + 600, rate=100.0, answers=200)
ON = replace(ROLLOUT, plan=Plan((Step(1000, 600.0, 200), Step(10_000, 0.0, 0))))


@pytest.mark.parametrize(
    ("rollout", "facts", "gate", "says"),
    [
        (ROLLOUT, FULL, None, ""),
        (ON, FACTS, None, None),
        (ON, FULL, ("before-step", "", 0), "asks before the next step"),
        (
            ON,
            replace(FULL, refused_at="before-step", refusal="answered 503", refusals=3),
            ("before-step", "answered 503", 3),
            "held at before-step: answered 503 (asked 3 times)",
        ),
        (
            ON,
            replace(FULL, refused_at="before-step", refusal="answered 503", refusals=2),
            ("before-step", "answered 503", 2),
            "held at before-step: answered 503 (asked 2 times)",
        ),
        (
            replace(ROLLOUT, step=0, weight=0),
            FACTS,
            ("before-start", "", 0),
            "asks whether the canary answers",
        ),
        (
            replace(ROLLOUT, step=0, weight=0),
            replace(FACTS, refused_at="before-start", refusal="connection refused", refusals=1),
            ("before-start", "connection refused", 1),
            "held at before-start: connection refused",
        ),
        (
            replace(ROLLOUT, phase="promoting", step=3, weight=10_000),
            FACTS,
            ("before-promotion", "", 0),
            "asks before it becomes stable",
        ),
        (ROLLOUT, replace(FULL, stuck="the disk is full"), None, "it can't go on: the disk is full"),
    ],
)
def test_who_has_to_agree(
    rollout: Rollout, facts: RolloutFacts, gate: tuple[str, str, int] | None, says: str | None
) -> None:
    found = waiting(rollout=rollout, facts=facts)
    assert found["gate"] == (None if gate is None else dict(zip(("at", "says", "asked"), gate, strict=True)))
    assert says is None or found["says"] == says


def test_a_pause() -> None:
    paused = replace(ROLLOUT, phase="paused", step=2, pause="ask the on-call")
    found = progress.to_json(course(paused))["rollout"]
    assert found["waiting"] == {
        "says": "paused: ask the on-call",
        "seconds": None,
        "hold": 0.0,
        "sample": None,
        "verdict": "healthy",
        "gate": None,
        "pause": "ask the on-call",
    }
    assert found["expected"] == 60.0


@pytest.mark.parametrize(
    ("rollout", "facts", "seconds"),
    [
        (replace(ROLLOUT, step=0, weight=0), FACTS, 660.0),
        (replace(ROLLOUT, step=0, weight=0), RolloutFacts(AT, rate=1.0), 2060.0),
        (replace(ROLLOUT, step=0, weight=0), RolloutFacts(AT), None),
        # What has to be shown may take more answers than the plan asks for; at 100 % nothing is compared.
        (replace(ROLLOUT, step=0, weight=0), RolloutFacts(AT, rate=1.0, assured=420), 4260.0),
        (replace(ROLLOUT, step=0, weight=0), RolloutFacts(AT, rate=1.0, assured=100), 2060.0),
        (replace(ROLLOUT, step=3, weight=10_000, entered=AT - 20), RolloutFacts(AT), 40.0),
        (replace(ROLLOUT, phase="promoting", step=3, weight=10_000), RolloutFacts(AT), 0.0),
        (replace(ROLLOUT, phase="promoted", step=3, weight=0), FACTS, None),
        (replace(ROLLOUT, plan=None, phase="idle"), FACTS, None),
    ],
)
def test_how_long_the_rest_takes_at_the_traffic_seen(
    rollout: Rollout, facts: RolloutFacts, seconds: float | None
) -> None:
    assert progress.expected(course(rollout, facts=facts)) == (
        None if seconds is None else pytest.approx(seconds)
    )


@pytest.mark.parametrize("phase", get_args(Phase))
def test_the_orders_that_are_legal_are_the_tables(phase: str) -> None:
    rollout = replace(ROLLOUT, phase=phase, weight=0)
    shown = progress.to_json(course(rollout))
    assert shown["orders"] == list(phases.orders(phase))
    assert (shown["rollout"]["waiting"] is not None) is (phase in UNDER_WAY)
    assert bool(progress.sentence(course(rollout))) is (phase in UNDER_WAY)
    assert (progress.waiting_text(course(rollout)) != "") is (phase in UNDER_WAY)


def test_what_is_only_watched_has_nothing_to_show() -> None:
    first = replace(ROLLOUT, step=0, weight=0)
    watched = course(first, facts=RolloutFacts(AT, rate=1.0, assured=420), enforce=False)
    assert progress.expected(watched) == 2060.0


def test_who_says_that_a_side_is_there() -> None:
    assert progress.to_json(course())["origin"] == {"stable": "file", "canary": "file"}
    named = replace(ROLLOUT, definition="", stable_definition="another")
    assert progress.to_json(course(named))["origin"] == {"stable": "ledger", "canary": "ledger"}
    bare = replace(ROLLOUT, canary=VACANT, phase="idle", plan=None)
    shown = progress.to_json(course(bare))
    assert shown["origin"]["canary"] == "none"
    assert (shown["rollout"], shown["undo"]) == (None, None)


def test_who_was_stable_before() -> None:
    undo = progress.to_json(course(replace(ROLLOUT, previous=OLD)))["undo"]
    assert undo == {"endpoints": ["http://v0"], "version": "v0"}


def test_it_is_told_in_a_sentence() -> None:
    assert progress.sentence(course()) == (
        "Its rollout is progressing, in step 1 of 3 (31 of 200 answers; at this rate in about 5 min; "
        "holds for 9 min yet)."
    )
    assert progress.sentence(course(replace(ROLLOUT, phase="paused", step=2, pause="ask the on-call"))) == (
        "Its rollout is paused, in step 2 of 3 (ask the on-call)."
    )
    assert progress.sentence(course(replace(ROLLOUT, plan=None, phase="idle"))) == ""


@pytest.mark.parametrize(
    ("changes", "orders"),
    [
        ({}, ()),
        ({"phase": "paused", "step": 2}, ("To go on: weir promote checkout",)),
        ({"phase": "paused", "step": 1}, ("To go on: weir resume checkout",)),
        ({"phase": "rolled-back", "weight": 0}, ("To begin again from its first step: weir retry checkout",)),
        ({"phase": "rolled-back", "weight": 0, "plan": None}, ()),
        ({"phase": "promoted", "previous": OLD}, ("To go back to v0: weir undo checkout",)),
        (
            {"phase": "promoted", "previous": replace(OLD, version="")},
            ("To go back to the stable before: weir undo checkout",),
        ),
        ({"phase": "promoted"}, ()),
    ],
)
def test_what_a_person_may_order_next(
    changes: dict[str, Side | int | str | None], orders: tuple[str, ...]
) -> None:
    assert progress.next_orders("checkout", replace(ROLLOUT, **changes)) == orders
