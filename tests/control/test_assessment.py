import json
from dataclasses import replace
from typing import Any

import pytest

from proxy.analysis.verdict import NO_CANARY
from proxy.config.reader import read
from proxy.config.service import Service
from proxy.control.assessment import Assessment
from proxy.rollout.rollout import Rollout
from proxy.rollout.side import Side
from proxy.routing.endpoint import Endpoint
from proxy.settings.policy import UNJUDGED
from proxy.telemetry.tally import Counts

TEXT = "services: {checkout: {stable: http://127.0.0.1:9001, canary: http://127.0.0.1:9002}}"
BACKENDS = ("stable", "canary")
RUNNING = Rollout(
    revision=5,
    since=3,
    weight=500,
    salt="s",
    stable=Side((Endpoint.parse("http://127.0.0.1:9001"),)),
    canary=Side((Endpoint.parse("http://127.0.0.1:9002"),)),
)
BAD = Counts(pinned={"failure": 30})
DRAWN = Counts(drawn={"failure": 30})


def section(analysis: str = "auto") -> Service:
    text = TEXT.replace("9002}", f"9002, analysis: {analysis}}}")
    return read(text, "weir.yaml", {}).services["checkout"]


FILE = section()


def made(
    rollout: Rollout = RUNNING, kept: dict[str, Any] | None = None, analysis: str = "auto"
) -> Assessment:
    return Assessment("checkout", section(analysis), rollout, kept)


@pytest.fixture
def assessment() -> Assessment:
    return made()


def test_answers_count_from_the_revision_on_that_evidence_began_with(assessment: Assessment) -> None:
    assert not assessment.count([(2, "canary", BAD)], 0.0)
    assert assessment.assess(0.0).state == "inconclusive"
    assert assessment.count([(2, "canary", BAD), (3, "canary", BAD)], 0.0)
    assert assessment.judge.blast_radius.met == 30, "those of before don't come along"
    assert assessment.assess(0.0).state == assessment.verdict.state == "failing"


def test_a_weight_keeps_the_evidence_and_a_resume_does_not(assessment: Assessment) -> None:
    assessment.count([(5, "canary", DRAWN)], 0.0)
    assessment.enter(FILE, replace(RUNNING, revision=6, weight=100))
    assert assessment.assess(0.0).state == "failing"
    assert assessment.record_would_trip("errors")
    assert not assessment.record_would_trip("p50"), "only the first counts"
    assessment.enter(FILE, replace(RUNNING, revision=7, since=7))
    assert assessment.verdict.state == "inconclusive", "what is shown before the next answer"
    assert assessment.assess(0.0).state == "inconclusive"
    assert assessment.would_trip == ""
    assert assessment.judge.blast_radius.met == 30, "the release is the same"


def test_another_release_has_a_judge_of_its_own(assessment: Assessment) -> None:
    assessment.count([(5, "canary", DRAWN)], 0.0)
    assessment.enter(FILE, replace(RUNNING, revision=6, since=6, salt="t"))
    assert (assessment.assess(0.0).odds, assessment.judge.blast_radius.met) == (pytest.approx(1.0), 0)


def test_what_is_kept_is_gone_on_with(assessment: Assessment) -> None:
    assessment.count([(5, "canary", Counts(drawn={"failure": 2, "success": 5}))], 0.0)
    odds = assessment.assess(0.0).odds
    assessment.record_would_trip("errors")
    kept = json.loads(json.dumps(assessment.to_json()))
    assert made(kept=kept).would_trip == "errors"
    assert odds > 10
    assert made(kept=kept).assess(0.0).odds == pytest.approx(odds)
    assert made(replace(RUNNING, since=4), kept).assess(0.0).odds == pytest.approx(1.0), (
        "it was resumed since"
    )
    assert made(replace(RUNNING, salt="t"), kept).assess(0.0).odds == pytest.approx(1.0), "another release"


def test_evidence_on_other_terms_is_not_gone_on_with_and_that_is_said(
    assessment: Assessment, caplog: pytest.LogCaptureFixture
) -> None:
    assessment.count([(5, "canary", Counts(drawn={"failure": 2}))], 0.0)
    strict = made(kept=assessment.to_json(), analysis="{extra_errors: 0.5%}")
    assert strict.assess(0.0).odds == pytest.approx(1.0)
    assert strict.judge.blast_radius.met == 2, "the release is the same"
    assert "checkout: the evidence in the ledger was gathered otherwise, it begins anew" in caplog.text


def test_evidence_of_a_state_that_was_never_written_is_not_gone_on_with(
    assessment: Assessment, caplog: pytest.LogCaptureFixture
) -> None:
    assessment.enter(FILE, replace(RUNNING, revision=6, weight=100))
    assessment.count([(6, "canary", Counts(drawn={"failure": 2}))], 0.0)
    again = made(kept=assessment.to_json())
    assert again.assess(0.0).odds == pytest.approx(1.0)
    assert "the evidence in the ledger is ahead of its state, it begins anew" in caplog.text


def test_shares_are_of_all_recent_requests(assessment: Assessment) -> None:
    assert assessment.shares(BACKENDS, 0.0) is None
    assessment.count(
        [(5, "stable", Counts(drawn={"success": 3})), (5, "canary", Counts(drawn={"excluded": 1}))], 0.0
    )
    assert assessment.shares(BACKENDS, 0.0) == {"stable": 0.75, "canary": 0.25}


def test_after_a_promotion_a_restart_knows_how_far_it_went_and_is_silent(
    assessment: Assessment, caplog: pytest.LogCaptureFixture
) -> None:
    assessment.count([(5, "canary", DRAWN)], 0.0)
    promoted = replace(
        RUNNING, revision=6, phase="promoted", weight=0, stable=RUNNING.canary, canary=Side(()), plan=None
    )
    assessment.enter(FILE, promoted)
    assert assessment.verdict == NO_CANARY, "nobody is on trial"
    again = made(promoted, json.loads(json.dumps(assessment.to_json())))
    assert assessment.judge.blast_radius.met == again.judge.blast_radius.met == 30
    assert caplog.text == ""


def test_without_a_canary_nothing_is_judged_and_with_one_again(assessment: Assessment) -> None:
    bare = replace(RUNNING, revision=6, since=6, weight=0, canary=Side(()))
    assessment.enter(FILE, bare)
    assert (assessment.policy, assessment.verdict, assessment.assess(0.0)) == (UNJUDGED, NO_CANARY, NO_CANARY)
    assert (NO_CANARY.state, NO_CANARY.sentence) == ("inconclusive", "there is no canary to judge")
    assessment.enter(FILE, replace(RUNNING, revision=7, since=7))
    assert assessment.policy.comparing
    assessment.count([(7, "canary", BAD)], 0.0)
    assert assessment.assess(0.0).state == "failing"


def configured(assessment: Assessment, analysis: str) -> None:
    """The file says it with these checks now."""
    assessment.configure(section(analysis))


def test_another_file_with_the_same_checks_goes_on_with_the_evidence(assessment: Assessment) -> None:
    assessment.count([(5, "canary", Counts(drawn={"failure": 2}))], 0.0)
    judge = assessment.judge
    configured(assessment, "auto")
    assert assessment.judge is judge


def test_other_checks_judge_what_was_routed_before_them_and_is_answered_after(assessment: Assessment) -> None:
    assessment.count([(5, "canary", Counts(drawn={"failure": 2}))], 0.0)
    configured(assessment, "{extra_errors: 0.5%}")
    assert assessment.assess(0.0).odds == pytest.approx(1.0), "gathered otherwise"
    assessment.count([(5, "canary", DRAWN)], 0.0)
    assert assessment.assess(0.0).odds > 100


def test_traffic_is_all_that_came_whatever_became_of_it(assessment: Assessment) -> None:
    assessment.count([(2, "stable", Counts(drawn={"success": 3, "excluded": 1})), (5, "canary", DRAWN)], 0.0)
    assert assessment.traffic.rate(1.0) == 34.0
