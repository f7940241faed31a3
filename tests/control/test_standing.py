import json
from dataclasses import replace
from typing import Any

import pytest

from proxy.config.reader import read
from proxy.control.standing import Standing
from proxy.rollout.plan import Plan, Step
from proxy.rollout.rollout import Rollout, Trip
from proxy.rollout.side import Side
from proxy.routing.endpoint import Endpoint
from proxy.settings.service import template
from proxy.telemetry.counts import Counts

FILE = "services: {checkout: {stable: http://127.0.0.1:9001, canary: http://127.0.0.1:9002}}"
RUNNING = Rollout(
    revision=5,
    since=3,
    weight=500,
    salt="s",
    stable=Side((Endpoint.parse("http://127.0.0.1:9001"),)),
    canary=Side((Endpoint.parse("http://127.0.0.1:9002"),)),
)
TRIPPED = replace(RUNNING, revision=6, weight=0, phase="rolled-back", trip=Trip(1.0, "it fails", None))
DRAWN = Counts(drawn={"failure": 30})


def made(rollout: Rollout = RUNNING, kept: dict[str, Any] | None = None, analysis: str = "auto") -> Standing:
    config = read(FILE.replace("9002}", f"9002, analysis: {analysis}}}"), "weir.yaml", {})
    service = config.services["checkout"]
    return Standing(template("checkout", service, config.timeouts, None), service, rollout, kept)


@pytest.fixture
def standing() -> Standing:
    return made()


def test_it_is_told_as_it_is_in_force(standing: Standing) -> None:
    assert (standing.service.revision, standing.service.split.part("canary")) == (5, 500)
    assert standing.backends == ["stable", "canary"]
    told = standing.enter(TRIPPED)
    assert (told.revision, told.halted) == (6, {"canary"})
    assert standing.service is told


def test_the_next_number_is_above_all_that_were_given_away(standing: Standing) -> None:
    standing.number(replace(RUNNING, revision=6))
    assert standing.basis == replace(RUNNING, revision=6)
    standing.enter(replace(RUNNING, revision=7))
    standing.number(replace(RUNNING, revision=6))
    assert standing.basis.revision == standing.numbered == 7


def test_its_repr_says_its_state(standing: Standing) -> None:
    assert repr(standing) == "<Standing of checkout: revision 5, idle, 500 parts>"


def test_what_was_healthy_a_step_ago_says_nothing_of_this_one(standing: Standing) -> None:
    standing.assessment.verdict = replace(standing.assessment.assess(0.0), state="healthy")
    assert standing.look(frozenset()).verdict.state == "healthy"
    standing.enter(replace(RUNNING, revision=6, weight=600, step_revision=6))
    assert standing.look(frozenset()).verdict.state == "inconclusive"
    standing.assessment.verdict = replace(standing.assessment.assess(0.0), state="failing")
    standing.enter(replace(RUNNING, revision=7, weight=700, step_revision=7))
    assert standing.look(frozenset()).verdict.state == "failing", "that goes on being true"


def test_answers_count_from_the_entry_of_the_step(standing: Standing) -> None:
    standing.enter(replace(RUNNING, revision=6, step_revision=6))
    standing.assessment.count([(5, "canary", Counts(drawn={"success": 9})), (6, "canary", DRAWN)], 0.0)
    standing.assessment.count([(6, "stable", Counts(drawn={"success": 9}))], 0.0)
    assert standing.look(frozenset()).answers == 30
    again = made(
        replace(RUNNING, revision=6, step_revision=6), json.loads(json.dumps(standing.assessment.to_json()))
    )
    assert again.look(frozenset()).answers == 30
    standing.enter(replace(RUNNING, revision=7, step_revision=7))
    assert standing.look(frozenset()).answers == 0


def test_a_hook_is_asked_with_all_that_it_may_want_to_know(standing: Standing) -> None:
    plan = Plan((Step(500, 0.0, 0), Step(2000, 0.0, 0), Step(10_000, 0.0, 0)))
    standing.enter(replace(RUNNING, revision=6, phase="progressing", plan=plan, step=1))
    asked = standing.question("before-step")
    assert asked.pop("verdict") == standing.assessment.verdict.to_json()
    assert asked == {
        "at": "before-step",
        "service": "checkout",
        "revision": 6,
        "phase": "progressing",
        "version": "",
        "endpoints": ["http://127.0.0.1:9002"],
        "step": 1,
        "of": 3,
        "from": 5.0,
        "to": 20.0,
    }
    standing.enter(replace(standing.rollout, revision=7, phase="promoting", step=3, weight=10_000))
    assert (standing.question("before-promotion")["from"], standing.question("")["to"]) == (100.0, 100.0)
