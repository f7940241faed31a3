"""From findings to a verdict: one table."""

from dataclasses import replace

import pytest

from proxy.analysis.conclusion import Basis, conclude
from proxy.analysis.policy import Policy
from proxy.analysis.verdict import Assurance, Finding


def finding(check="errors", state="healthy", odds=None):
    return Finding(check, state, 0.0, 0.1, 0.0, 9, None, None, "ratio", f"{check} is {state}", odds)


SHOWN, UNSHOWN = Assurance(25.0, 20.0, 0, 0.0), Assurance(3.1, 20.0, 130, 40.0)
GOOD = Basis(Policy(), 500, (finding(odds=0.5),), (), SHOWN, 90, 900, None)
NO_STEP = replace(GOOD, policy=Policy(step_up=None), assurance=None)
ALL = replace(GOOD, parts=10_000, assurance=None, watched=(finding("guard"),))
OFF = replace(GOOD, policy=Policy(comparing=False), compared=(), assurance=None)


@pytest.mark.parametrize(
    ("basis", "state", "says"),
    [
        (GOOD, "healthy", "evidence that it is less than 1.0 % worse: 25:1, good enough at 20:1"),
        (
            replace(GOOD, assurance=UNSHOWN),
            "inconclusive",
            "about 130 more canary answers to go (about 40 s)",
        ),
        (replace(GOOD, assurance=Assurance(0.1, 20.0, None, None)), "inconclusive", "can't be shown"),
        (replace(GOOD, incident=0.2), "inconclusive", "stable itself is in an incident: 20.0 %"),
        (
            replace(GOOD, compared=(finding(odds=10.0),)),
            "inconclusive",
            "evidence that the canary is worse: 10:1, out at 100:1",
        ),
        (
            replace(GOOD, compared=(finding(odds=6.0), finding(odds=6.0))),
            "inconclusive",
            "worse: 12:1, out at 100:1",
        ),
        (replace(GOOD, compared=(finding(odds=9.9),)), "healthy", ""),
        (replace(GOOD, compared=(finding(state="inconclusive", odds=1.0),)), "healthy", ""),
        (replace(GOOD, compared=(finding(state="failing", odds=140.0),)), "failing", "errors is failing"),
        (replace(GOOD, watched=(finding("guard", "failing"),)), "failing", "guard is failing"),
        (replace(GOOD, watched=(finding("error-rate", "inconclusive"),)), "inconclusive", "error-rate is"),
        (replace(GOOD, lately=0, sample=0), "inconclusive", "no canary requests yet"),
        (replace(GOOD, lately=0), "healthy", ""),
        (NO_STEP, "healthy", "no evidence that the canary is worse"),
        (replace(NO_STEP, incident=0.2), "inconclusive", "incident"),
        (replace(NO_STEP, sample=19), "inconclusive", "19 of the 20 canary answers"),
        (replace(NO_STEP, compared=(finding(odds=10.0),)), "inconclusive", "10:1"),
        (ALL, "healthy", ""),
        (replace(ALL, incident=0.2), "healthy", ""),
        (replace(ALL, watched=(finding("guard", "inconclusive"),)), "inconclusive", "guard is inconclusive"),
        (replace(ALL, watched=(), policy=Policy(guard=False)), "healthy", ""),
        (replace(ALL, parts=0, watched=(), lately=0, sample=0), "inconclusive", "no canary requests yet"),
        (replace(ALL, parts=0, watched=(), lately=7, sample=0), "inconclusive", "7 of the 20"),
        (replace(ALL, parts=0, sample=0), "healthy", ""),
        (OFF, "healthy", "nothing is held against the canary"),
        (replace(OFF, lately=0, sample=0, parts=0), "healthy", ""),
        (replace(OFF, watched=(finding("guard", "failing"),)), "failing", "guard is failing"),
        (replace(OFF, watched=(finding("error-rate", "inconclusive"),)), "inconclusive", "error-rate is"),
    ],
)
def test_verdicts(basis, state, says):
    verdict = conclude(basis)
    assert verdict.state == state
    assert says in verdict.sentence


def test_odds_are_those_of_all_bets():
    verdict = conclude(replace(GOOD, compared=(finding(odds=2.0), finding("p99", odds=3.0))))
    assert (verdict.odds, verdict.bar, verdict.assurance) == (5.0, pytest.approx(100), SHOWN)
    assert (conclude(OFF).odds, conclude(OFF).bar) == (None, None)


def test_the_first_that_fails_is_told_and_findings_stay_in_order():
    parts = (finding(odds=1.0), finding("p50", "failing", 200.0)), (finding("guard", "failing"),)
    verdict = conclude(replace(GOOD, compared=parts[0], watched=parts[1]))
    assert [each.check for each in verdict.findings] == ["errors", "p50", "guard"]
    assert verdict.failing[0].check == "p50"
    assert verdict.sentence == "p50 is failing"
