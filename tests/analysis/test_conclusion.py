"""From findings to a verdict: states, and the sentence that says why."""

from dataclasses import replace
from typing import Any

import pytest

from proxy.analysis.conclusion import Basis, conclude
from proxy.analysis.policy import Policy, StepUp
from proxy.analysis.verdict import Assurance, Finding

NO_STEP = Policy(step_up=None)
OFF = Policy(comparing=False)


def finding(check: str = "errors", state: str = "healthy", odds: float | None = None) -> Finding:
    return Finding(
        check=check,
        state=state,
        value=0.1,
        limit=0.1,
        stable=0.0,
        sample=40,
        needed=20,
        window=30.0,
        unit="ratio",
        sentence=f"{check} is {state}",
        odds=odds,
    )


GOOD = Assurance(25.0, 20.0, 0, 0.0)
SHORT = Assurance(3.1, 20.0, 130, 40.0)
BETS = (finding(odds=0.4), finding("p99", odds=0.1))
BASIS = Basis(Policy(), 2_000, BETS, (), GOOD, 500, 400, 0, None)
ASSURED = "evidence that it is less than 1.0 % worse: 25:1, good enough at 20:1"


@pytest.mark.parametrize(
    ("change", "state", "sentence"),
    [
        ({}, "healthy", ASSURED),
        ({"assurance": SHORT}, "inconclusive",
            "evidence that it is less than 1.0 % worse: 3.1:1, good enough at 20:1; "
            "about 130 more requests (40 s)"),
        ({"assurance": replace(SHORT, requests=None, seconds=None)}, "inconclusive",
            "evidence that it is less than 1.0 % worse: 3.1:1, good enough at 20:1; "
            "at the rates seen it can't be shown"),
        ({"lately": 0, "sample": 0}, "inconclusive", "no canary requests yet"),
        ({"compared": (finding(odds=9.9),)}, "healthy", ASSURED),
        ({"compared": (finding(odds=6.0), finding("p50", odds=6.0))}, "inconclusive",
            "evidence that the canary is worse: 12:1, out at 100:1"),
        ({"incident": 0.2}, "inconclusive", "stable itself is in an incident: 20.0 % of its answers failed"),
        ({"watched": (finding("guard", "failing"),)}, "failing", "guard is failing"),
        ({"watched": (finding("guard", "failing"),), "assurance": SHORT}, "failing", "guard is failing"),
        ({"watched": (finding("harmed"), finding("harmed", "failing"))}, "failing", "harmed is failing"),
        # A rule without its sample holds back; a guard only where no coin says more than it could.
        ({"watched": (finding("error-rate", "inconclusive"),)}, "inconclusive", "error-rate is inconclusive"),
        ({"watched": (finding("guard", "inconclusive"),), "parts": 6_000}, "healthy", ASSURED),
        ({"watched": (finding("guard", "inconclusive"),), "parts": 10_000, "assurance": None, "sample": 19},
            "inconclusive", "guard is inconclusive"),
        # At all traffic there may never be 20 answers within 30 s.
        ({"watched": (finding("guard", "inconclusive"),), "parts": 10_000, "assurance": None, "sample": 20},
            "healthy", "no evidence that the canary is worse"),
        ({"parts": 10_000, "assurance": None, "lately": 7, "sample": 20}, "healthy",
            "no evidence that the canary is worse"),
        ({"parts": 10_000, "assurance": None, "lately": 7, "sample": 20, "bad": 3}, "inconclusive",
            "7 of the 20 canary answers needed over 30 s"),
        ({"parts": 10_000, "assurance": None, "lately": 7, "sample": 19}, "inconclusive",
            "7 of the 20 canary answers needed over 30 s"),
        # Without a coin.
        ({"parts": 10_000, "assurance": None, "watched": (finding("guard"),)}, "healthy",
            "no evidence that the canary is worse"),
        ({"parts": 0, "assurance": None, "lately": 7}, "inconclusive",
            "7 of the 20 canary answers needed over 30 s"),
        ({"parts": 0, "assurance": None, "watched": (finding("guard"),)}, "healthy",
            "no evidence that the canary is worse"),
        ({"parts": 10_000, "assurance": None, "policy": Policy(guard=False)}, "healthy",
            "no evidence that the canary is worse"),
        # Without a step up to be shown: a sample, and little evidence.
        ({"policy": NO_STEP, "assurance": None, "sample": 20}, "healthy",
            "no evidence that the canary is worse"),
        ({"policy": NO_STEP, "assurance": None, "sample": 19}, "inconclusive",
            "19 of the 20 canary answers needed at this weight"),
        ({"policy": NO_STEP, "assurance": None, "compared": (finding(odds=10.0),)}, "inconclusive",
            "evidence that the canary is worse: 10:1, out at 100:1"),
        ({"policy": NO_STEP, "assurance": None, "incident": 0.2}, "healthy",
            "no evidence that the canary is worse"),
        # `analysis: off`: guard and rules alone.
        ({"policy": OFF, "compared": (), "assurance": None}, "healthy", "nothing is held against the canary"),
        ({"policy": OFF, "compared": (), "assurance": None, "parts": 6_000,
            "watched": (finding("guard", "inconclusive"),)}, "inconclusive", "guard is inconclusive"),
        ({"policy": Policy(step_up=StepUp(0.05))}, "healthy",
            "evidence that it is less than 5.0 % worse: 25:1, good enough at 20:1"),
    ],
)  # fmt: skip  # a row of a table is one line, or two
def test_states_and_sentences(change: dict[str, Any], state: str, sentence: str) -> None:
    verdict = conclude(replace(BASIS, **change))
    assert (verdict.state, verdict.sentence) == (state, sentence)


def test_the_first_that_fails_is_the_one_to_name() -> None:
    bets = (finding("errors", "inconclusive", 40.0), finding("p99", "failing", 70.0))
    verdict = conclude(replace(BASIS, compared=bets, watched=(finding("guard", "failing"),)))
    assert [each.check for each in verdict.failing] == ["p99", "guard"]
    assert verdict.sentence == "p99 is failing"
    assert verdict.odds == 110.0


def test_what_a_verdict_carries() -> None:
    watched = (finding("guard"), finding("harmed"))
    verdict = conclude(replace(BASIS, watched=watched))
    assert verdict.findings == BETS + watched
    assert (verdict.odds, verdict.bar, verdict.assurance) == (0.5, 100.0, GOOD)
    without = conclude(replace(BASIS, policy=OFF, compared=(), watched=watched, assurance=None))
    assert (without.odds, without.bar, without.findings) == (None, None, watched)
