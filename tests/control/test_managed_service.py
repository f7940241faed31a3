import json
from dataclasses import replace
from typing import Any

import pytest

from proxy.config.reader import read
from proxy.control.managed_service import ManagedService
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


def made(
    rollout: Rollout = RUNNING, kept: dict[str, Any] | None = None, analysis: str = "auto"
) -> ManagedService:
    config = read(FILE.replace("9002}", f"9002, analysis: {analysis}}}"), "weir.yaml", {})
    service = config.services["checkout"]
    return ManagedService(template("checkout", service, config.timeouts, None), service, rollout, kept)


@pytest.fixture
def managed() -> ManagedService:
    return made()


def test_it_is_told_as_it_is_in_force(managed: ManagedService) -> None:
    assert (managed.service.revision, managed.service.split.part("canary")) == (5, 500)
    assert managed.backends == ["stable", "canary"]
    told = managed.enter(TRIPPED)
    assert (told.revision, told.halted) == (6, {"canary"})
    assert managed.service is told


def test_the_next_number_is_above_all_that_were_given_away(managed: ManagedService) -> None:
    managed.number(replace(RUNNING, revision=6))
    assert managed.basis == replace(RUNNING, revision=6)
    managed.enter(replace(RUNNING, revision=7))
    managed.number(replace(RUNNING, revision=6))
    assert managed.basis.revision == managed.numbered == 7


def test_its_repr_says_its_state(managed: ManagedService) -> None:
    assert repr(managed) == "<ManagedService of checkout: revision 5, idle, 500 parts>"


def test_what_was_healthy_a_step_ago_says_nothing_of_this_one(managed: ManagedService) -> None:
    managed.assessment.verdict = replace(managed.assessment.assess(0.0), state="healthy")
    assert managed.look(frozenset()).verdict.state == "healthy"
    managed.enter(replace(RUNNING, revision=6, weight=600, step_revision=6))
    assert managed.look(frozenset()).verdict.state == "inconclusive"
    managed.assessment.verdict = replace(managed.assessment.assess(0.0), state="failing")
    managed.enter(replace(RUNNING, revision=7, weight=700, step_revision=7))
    assert managed.look(frozenset()).verdict.state == "failing", "that goes on being true"


def test_answers_count_from_the_entry_of_the_step(managed: ManagedService) -> None:
    managed.enter(replace(RUNNING, revision=6, step_revision=6))
    managed.assessment.count([(5, "canary", Counts(drawn={"success": 9})), (6, "canary", DRAWN)], 0.0)
    managed.assessment.count([(6, "stable", Counts(drawn={"success": 9}))], 0.0)
    assert managed.look(frozenset()).answers == 30
    again = made(
        replace(RUNNING, revision=6, step_revision=6), json.loads(json.dumps(managed.assessment.to_json()))
    )
    assert again.look(frozenset()).answers == 30
    managed.enter(replace(RUNNING, revision=7, step_revision=7))
    assert managed.look(frozenset()).answers == 0


def test_a_hook_is_asked_with_all_that_it_may_want_to_know(managed: ManagedService) -> None:
    plan = Plan((Step(500, 0.0, 0), Step(2000, 0.0, 0), Step(10_000, 0.0, 0)))
    managed.enter(replace(RUNNING, revision=6, phase="progressing", plan=plan, step=1))
    asked = managed.question("before-step")
    assert asked.pop("verdict") == managed.assessment.verdict.to_json()
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
    managed.enter(replace(managed.rollout, revision=7, phase="promoting", step=3, weight=10_000))
    assert (managed.question("before-promotion")["from"], managed.question("")["to"]) == (100.0, 100.0)
