"""The case against a canary, by what the coin is tossed for."""

import json

import pytest
from made import counts, stretch

from proxy.analysis.case import begin, resume
from proxy.analysis.policy import Policy

STICKY = Policy(sticky=True)
DEAD = stretch(counts(bad=12, users=[(user, 1) for user in range(12)]))
BURST = stretch(counts(bad=12, users=[(7, 1)] * 12))


def against(case, parts=2_000):
    return sum(case.capitals(parts).values())


def after(policy, *reports):
    case = begin(policy)
    for number, report in enumerate(reports):
        case.apply([report], float(number))
    return case


@pytest.mark.parametrize("policy", [Policy(), STICKY])
def test_a_dead_canary_is_found(policy):
    assert against(begin(policy)) <= 1
    assert against(after(policy, DEAD)) > 100


def test_the_burst_of_one_user_is_evidence_where_the_coin_is_tossed_for_requests():
    assert against(after(Policy(), BURST)) > 100
    assert against(after(STICKY, BURST)) < 10


def test_a_rise_stakes_cash_and_a_fall_none():
    quiet = stretch(counts(ok=1_000))
    case, fallen, risen = after(Policy(), quiet), after(Policy(), quiet), after(Policy(), quiet)
    fallen.weighed(-500)
    risen.weighed(500)
    for each in (case, fallen, risen):
        each.apply([DEAD], 9.0)
    assert against(fallen) == against(case) < against(risen)


def test_evidence_on_requests_outlives_a_weight_and_rounds_on_users_do_not():
    for policy, kept in ((Policy(), True), (STICKY, False)):
        case = after(policy, DEAD)
        case.weighed(500)
        case.apply([stretch(counts(ok=1))], 99.0)
        assert (against(case) > 100) == kept


def test_what_was_routed_at_another_weight_counts_by_that_weight():
    rare = after(Policy(), stretch(counts(bad=2), counts(bad=2), parts=100))
    common = after(Policy(), stretch(counts(bad=2), counts(bad=2), parts=5_000))
    assert against(rare) > 5 * against(common)


@pytest.mark.parametrize("policy", [Policy(), STICKY])
def test_it_goes_on_from_json(policy):
    case = after(policy, DEAD, stretch(counts(ok=50)))
    again = resume(policy, json.loads(json.dumps(case.to_json(), allow_nan=False)))
    assert again.to_json() == case.to_json()
    if not policy.sticky:
        assert again.capitals(2_000) == case.capitals(2_000)


@pytest.mark.parametrize(
    ("policy", "data"),
    [
        (STICKY, begin(Policy()).to_json()),
        (Policy(), begin(STICKY).to_json()),
        (Policy(extra_errors=0.01), begin(Policy()).to_json()),
        (Policy(slower=None), begin(Policy()).to_json()),
        (Policy(), begin(Policy(slower=None)).to_json()),
        (Policy(), None),
        (Policy(), "errors"),
        (Policy(), {}),
        (STICKY, [1, 1]),
    ],
)
def test_other_terms_are_refused(policy, data):
    with pytest.raises((KeyError, TypeError, ValueError)):
        resume(policy, data)
