import json
from dataclasses import replace

import pytest

from proxy.config.reader import read
from proxy.control.standing import Rollback, Standing
from proxy.rollout.plan import Plan, Step
from proxy.rollout.rollout import Rollout, Trip
from proxy.rollout.side import Side
from proxy.routing.endpoint import Endpoint
from proxy.settings.policy import UNJUDGED
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
BAD = Counts(pinned={"failure": 30})
DRAWN = Counts(drawn={"failure": 30})


def made(rollout=RUNNING, kept=None, analysis="auto"):
    config = read(FILE.replace("9002}", f"9002, analysis: {analysis}}}"), "weir.yaml", {})
    service = config.services["checkout"]
    return Standing(template("checkout", service, config.timeouts, None), service, rollout, kept)


@pytest.fixture
def standing():
    return made()


def test_it_is_told_as_it_is_in_force(standing):
    assert (standing.service.revision, standing.service.split.part("canary")) == (5, 500)
    assert standing.backends == ["stable", "canary"]
    told = standing.enter(TRIPPED)
    assert (told.revision, told.halted) == (6, {"canary"})
    assert standing.service is told


def test_answers_count_from_the_revision_on_that_evidence_began_with(standing):
    assert not standing.count([(2, "canary", BAD)], 0.0)
    assert standing.judged(0.0).state == "inconclusive"
    assert standing.count([(2, "canary", BAD), (3, "canary", BAD)], 0.0)
    assert standing.judge.blast_radius.met == 30, "those of before don't come along"
    assert standing.judged(0.0).state == standing.verdict.state == "failing"


def test_a_weight_keeps_the_evidence_and_a_resume_does_not(standing):
    standing.count([(5, "canary", DRAWN)], 0.0)
    standing.enter(replace(RUNNING, revision=6, weight=100))
    assert standing.judged(0.0).state == "failing"
    standing.rollback, standing.would_trip = Rollback(1, 0.0), "errors"
    standing.enter(replace(RUNNING, revision=7, since=7))
    assert standing.verdict.state == "inconclusive", "what is shown before the next answer"
    assert standing.judged(0.0).state == "inconclusive"
    assert (standing.rollback, standing.would_trip) == (None, "")
    assert standing.judge.blast_radius.met == 30, "the release is the same"


def test_another_release_has_a_judge_of_its_own(standing):
    standing.count([(5, "canary", DRAWN)], 0.0)
    standing.enter(replace(RUNNING, revision=6, since=6, salt="t"))
    assert (standing.judged(0.0).odds, standing.judge.blast_radius.met) == (pytest.approx(1.0), 0)


def test_what_is_kept_is_gone_on_with(standing):
    standing.count([(5, "canary", Counts(drawn={"failure": 2, "success": 5}))], 0.0)
    odds = standing.judged(0.0).odds
    standing.would_trip = "errors"
    kept = json.loads(json.dumps(standing.to_json()))
    assert made(kept=kept).would_trip == "errors"
    assert odds > 10
    assert made(kept=kept).judged(0.0).odds == pytest.approx(odds)
    assert made(replace(RUNNING, since=4), kept).judged(0.0).odds == pytest.approx(1.0), (
        "it was resumed since"
    )
    assert made(replace(RUNNING, salt="t"), kept).judged(0.0).odds == pytest.approx(1.0), "another release"


def test_evidence_on_other_terms_is_not_gone_on_with_and_that_is_said(standing, caplog):
    standing.count([(5, "canary", Counts(drawn={"failure": 2}))], 0.0)
    strict = made(kept=standing.to_json(), analysis="{extra_errors: 0.5%}")
    assert strict.judged(0.0).odds == pytest.approx(1.0)
    assert strict.judge.blast_radius.met == 2, "the release is the same"
    assert "checkout: the evidence in the ledger was gathered otherwise, it begins anew" in caplog.text


def test_evidence_of_a_state_that_was_never_written_is_not_gone_on_with(standing, caplog):
    standing.enter(replace(RUNNING, revision=6, weight=100))
    standing.count([(6, "canary", Counts(drawn={"failure": 2}))], 0.0)
    again = made(kept=standing.to_json())
    assert again.judged(0.0).odds == pytest.approx(1.0)
    assert "the evidence in the ledger is ahead of its state, it begins anew" in caplog.text


def test_shares_are_of_all_recent_requests(standing):
    assert standing.shares(0.0) is None
    standing.count(
        [(5, "stable", Counts(drawn={"success": 3})), (5, "canary", Counts(drawn={"excluded": 1}))], 0.0
    )
    assert standing.shares(0.0) == {"stable": 0.75, "canary": 0.25}


def test_the_next_number_is_above_all_that_were_given_away(standing):
    standing.number(replace(RUNNING, revision=6))
    assert standing.basis == replace(RUNNING, revision=6)
    standing.enter(replace(RUNNING, revision=7))
    standing.number(replace(RUNNING, revision=6))
    assert standing.basis.revision == standing.numbered == 7


def test_its_repr_says_its_state(standing):
    assert repr(standing) == "<Standing of checkout: revision 5, idle, 500 parts>"


def test_what_was_healthy_a_step_ago_says_nothing_of_this_one(standing):
    standing.verdict = replace(standing.judged(0.0), state="healthy")
    assert standing.look().verdict.state == "healthy"
    standing.enter(replace(RUNNING, revision=6, weight=600, step_revision=6))
    assert standing.look().verdict.state == "inconclusive"
    standing.verdict = replace(standing.judged(0.0), state="failing")
    standing.enter(replace(RUNNING, revision=7, weight=700, step_revision=7))
    assert standing.look().verdict.state == "failing", "that goes on being true"


def test_answers_count_from_the_entry_of_the_step(standing):
    standing.enter(replace(RUNNING, revision=6, step_revision=6))
    standing.count([(5, "canary", Counts(drawn={"success": 9})), (6, "canary", DRAWN)], 0.0)
    standing.count([(6, "stable", Counts(drawn={"success": 9}))], 0.0)
    assert standing.look().answers == 30
    again = made(replace(RUNNING, revision=6, step_revision=6), json.loads(json.dumps(standing.to_json())))
    assert again.answers == 30
    standing.enter(replace(RUNNING, revision=7, step_revision=7))
    assert standing.look().answers == 0


def test_after_a_promotion_a_restart_knows_how_far_it_went_and_is_silent(standing, caplog):
    standing.count([(5, "canary", DRAWN)], 0.0)
    promoted = replace(
        RUNNING, revision=6, phase="promoted", weight=0, stable=RUNNING.canary, canary=Side(()), plan=None
    )
    standing.enter(promoted)
    assert (standing.verdict.findings, standing.verdict.odds) == ((), None), "nobody is on trial"
    again = made(promoted, json.loads(json.dumps(standing.to_json())))
    assert standing.judge.blast_radius.met == again.judge.blast_radius.met == 30
    assert caplog.text == ""


def test_without_a_canary_nothing_is_judged_and_with_one_again(standing):
    bare = replace(RUNNING, revision=6, since=6, weight=0, canary=Side(()))
    standing.enter(bare)
    assert (standing.policy, standing.judged(0.0).findings) == (UNJUDGED, ())
    standing.enter(replace(RUNNING, revision=7, since=7))
    assert standing.policy.comparing
    standing.count([(7, "canary", BAD)], 0.0)
    assert standing.judged(0.0).state == "failing"


def configured(standing, analysis):
    """The file says it with these checks now."""
    other = made(analysis=analysis)
    standing.configure(other.file, other.template)


def test_another_file_with_the_same_checks_goes_on_with_the_evidence(standing):
    standing.count([(5, "canary", Counts(drawn={"failure": 2}))], 0.0)
    judge = standing.judge
    configured(standing, "auto")
    assert standing.judge is judge


def test_other_checks_judge_what_was_routed_before_them_and_is_answered_after(standing):
    standing.count([(5, "canary", Counts(drawn={"failure": 2}))], 0.0)
    configured(standing, "{extra_errors: 0.5%}")
    assert standing.judged(0.0).odds == pytest.approx(1.0), "gathered otherwise"
    standing.count([(5, "canary", DRAWN)], 0.0)
    assert standing.judged(0.0).odds > 100


def test_traffic_is_all_that_came_whatever_became_of_it(standing):
    standing.count([(2, "stable", Counts(drawn={"success": 3, "excluded": 1})), (5, "canary", DRAWN)], 0.0)
    assert standing.traffic.rate(1.0) == 34.0


def test_a_hook_is_asked_with_all_that_it_may_want_to_know(standing):
    plan = Plan((Step(500, 0.0, 0), Step(2000, 0.0, 0), Step(10_000, 0.0, 0)))
    standing.enter(replace(RUNNING, revision=6, phase="progressing", plan=plan, step=1))
    asked = standing.question("before-step")
    assert asked.pop("verdict") == standing.verdict.to_json()
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
