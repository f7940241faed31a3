from dataclasses import replace

import pytest

from proxy.config.reading import read
from proxy.control.release import template
from proxy.control.standing import Rollback, Standing
from proxy.rollout.rollout import Rollout, Trip
from proxy.telemetry.tally import Counts

FILE = "services: {checkout: {stable: http://127.0.0.1:9001, canary: http://127.0.0.1:9002}}"
RUNNING = Rollout(revision=5, since=3, weight=500, salt="s", definition="v1")
TRIPPED = replace(RUNNING, revision=6, weight=0, phase="rolled-back", trip=Trip(1.0, "it fails", None))
BAD = Counts(pinned={"failure": 30})


@pytest.fixture
def standing():
    config = read(FILE, "weir.yaml", {})
    service = config.services["checkout"]
    return Standing(template("checkout", service, config.timeouts, None), service, RUNNING)


def test_it_is_told_as_it_is_in_force(standing):
    assert (standing.service.revision, standing.service.split.part("canary")) == (5, 500)
    assert standing.backends == ["stable", "canary"]
    told = standing.enter(TRIPPED)
    assert (told.revision, told.halted) == (6, {"canary"})
    assert standing.service is told


def test_answers_count_from_the_revision_on_that_evidence_began_with(standing):
    assert not standing.count(2, "canary", BAD, 0.0)
    assert standing.judge(0.0).state == "inconclusive"
    assert standing.count(3, "canary", BAD, 0.0)
    assert standing.judge(0.0).state == standing.verdict.state == "failing"


def test_a_weight_keeps_the_evidence_and_a_resume_does_not(standing):
    standing.count(5, "canary", BAD, 0.0)
    standing.enter(replace(RUNNING, revision=6, weight=100))
    assert standing.judge(0.0).state == "failing"
    standing.rollback = Rollback(1, 0.0)
    standing.enter(replace(RUNNING, revision=7, since=7))
    assert standing.verdict.state == "inconclusive", "what is shown before the next answer"
    assert standing.judge(0.0).state == "inconclusive"
    assert standing.rollback is None


def test_the_next_number_is_above_all_that_were_given_away(standing):
    standing.number(replace(RUNNING, revision=6))
    assert standing.basis == replace(RUNNING, revision=6)
    standing.enter(replace(RUNNING, revision=7))
    standing.number(replace(RUNNING, revision=6))
    assert standing.basis.revision == standing.numbered == 7


def test_its_repr_says_its_state(standing):
    assert repr(standing) == "<Standing of checkout: revision 5, idle, 500 parts>"
