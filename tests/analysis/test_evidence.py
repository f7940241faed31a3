"""The case: of requests or of users, and what a change of weight does to it."""

import json

import pytest

from proxy.analysis import evidence
from proxy.analysis.evidence import Lifelong
from proxy.analysis.observations import by_revision
from proxy.analysis.policy import Policy
from proxy.analysis.user_rounds import Rounds
from proxy.analysis.weight_history import WeightHistory
from proxy.telemetry.counts import Counts
from tests.analysis.reports import counts, report

REQUESTS, USERS = Policy(slower=None), Policy(slower=None, sticky=True)


def apply(made: Lifelong | Rounds, *tally: list[tuple[int, str, Counts]]) -> Lifelong | Rounds:
    weights = WeightHistory()
    for revision, parts in ((1, 500), (2, 2_000)):
        weights.put(revision, parts)
    made.apply(by_revision(("errors",), [each for part in tally for each in part], weights), 0.0)
    return made


def test_whose_coin_it_is() -> None:
    assert isinstance(evidence.begin(USERS), Rounds)
    assert not isinstance(evidence.begin(REQUESTS), Rounds)


def test_each_request_counts_by_the_weight_of_its_revision() -> None:
    old = apply(evidence.begin(REQUESTS), report(None, counts(bad=9), 1)).capitals(2_000)["errors"]
    new = apply(evidence.begin(REQUESTS), report(None, counts(bad=9), 2)).capitals(2_000)["errors"]
    assert old > new


def test_only_a_rise_stakes_cash() -> None:
    made = evidence.begin(REQUESTS)
    made.weighed(-100, 500)
    assert made.to_json()["errors"][2] == 0.5
    made.weighed(100, 600)
    assert made.to_json()["errors"][2] == 0.375


@pytest.mark.parametrize("policy", [REQUESTS, USERS])
def test_json_round_trip(policy: Policy) -> None:
    made = apply(evidence.begin(policy), report(counts(bad=3, users=[(1, 1)]), revision=2))
    data = json.loads(json.dumps(made.to_json()))
    assert evidence.resume(policy, data).to_json() == data


@pytest.mark.parametrize(("before", "now"), [(REQUESTS, USERS), (USERS, REQUESTS)])
def test_evidence_on_the_one_is_none_on_the_other(before: Policy, now: Policy) -> None:
    with pytest.raises(ValueError, match="can't go on"):
        evidence.resume(now, evidence.begin(before).to_json())


@pytest.mark.parametrize("bad", [0, 1, 2, 3, 4, 20])
def test_reaching_the_bar(bad: int) -> None:
    made = apply(evidence.begin(REQUESTS), report(counts(bad=bad), revision=2))
    assert made.reach(100, 2_000) is (made.capitals(2_000)["errors"] >= 100)
