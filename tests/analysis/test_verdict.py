"""Verdicts and findings travel and come back the same."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.analysis.verdict import Finding, Verdict

NUMBERS = st.floats(0, 1e6)
STATES = st.sampled_from(["healthy", "failing", "inconclusive"])
FINDINGS = st.builds(
    Finding,
    check=st.text(max_size=9),
    state=STATES,
    value=st.none() | NUMBERS,
    limit=NUMBERS,
    stable=st.none() | NUMBERS,
    sample=st.integers(0, 99),
    needed=st.integers(1, 99),
    window=NUMBERS,
    unit=st.sampled_from(["ratio", "seconds"]),
    sentence=st.text(max_size=9),
)
VERDICTS = st.builds(Verdict, STATES, st.lists(FINDINGS, max_size=3).map(tuple))


@given(VERDICTS)
def test_json_round_trip(verdict: Verdict) -> None:
    assert Verdict.from_json(json.loads(json.dumps(verdict.to_json()))) == verdict


@given(VERDICTS)
def test_the_failing_findings_are_those_that_fail(verdict: Verdict) -> None:
    assert list(verdict.failing) == [each for each in verdict.findings if each.state == "failing"]


@pytest.mark.parametrize("data", [{}, {"state": "healthy"}, {"state": "healthy", "findings": [{}]}])
def test_what_is_no_verdict_is_an_error(data: dict[str, list[dict[Any, Any]] | str]) -> None:
    with pytest.raises((KeyError, TypeError)):
        Verdict.from_json(data)
