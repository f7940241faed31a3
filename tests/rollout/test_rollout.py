import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.analysis.verdict import Finding, Verdict
from proxy.rollout.entry import Entry
from proxy.rollout.inputs import Held, Judged, Release, Resume, SetWeight
from proxy.rollout.phases import IDLE, MOVES, ROLLED_BACK, legal
from proxy.rollout.rollout import Advance, Refused, Rollout, Trip, advance

FINDING = Finding(
    check="error-rate",
    state="failing",
    value=0.5,
    limit=0.1,
    stable=0.01,
    sample=40,
    needed=20,
    window=30.0,
    unit="ratio",
    sentence="error-rate 50 % over 30 s is above its limit of 10 %",
)
FAILING = Verdict("failing", (FINDING,))
HEALTHY = Verdict("healthy", (replace(FINDING, state="healthy", value=0.0),))

RUNNING = Rollout(revision=3, since=1, weight=2000, salt="old", definition="v2")
TRIPPED = Rollout(
    revision=4,
    since=1,
    phase=ROLLED_BACK,
    weight_before=2000,
    salt="old",
    definition="v2",
    trip=Trip(5.0, FINDING.sentence, FINDING),
)
BARE = Rollout(revision=1, since=1, definition="")

OF_EVENT = {
    "release": Release("v3", 500, "new"),
    "set-weight": SetWeight(100),
    "trip": Judged(FAILING, enforce=True),
    "resume": Resume(),
    "adopt": Held(9, halted=True),
}


@pytest.mark.parametrize("event", OF_EVENT)
@pytest.mark.parametrize("rollout", [RUNNING, TRIPPED], ids=lambda rollout: rollout.phase)
def test_every_pair_of_phase_and_event(rollout, event):
    result = advance(rollout, OF_EVENT[event], 7.0)
    if (rollout.phase, event) in MOVES:
        assert isinstance(result, Advance)
        assert result.rollout.phase == MOVES[rollout.phase, event]
        assert result.entry.revision == result.rollout.revision > rollout.revision
    else:
        assert isinstance(result, Refused)
        assert (result.phase, result.legal) == (rollout.phase, legal(rollout.phase))
        assert event in result.reason


def test_a_release_begins_everything_anew():
    result = advance(TRIPPED, Release("v3", 500, "new"), 7.0)
    assert result.rollout == Rollout(revision=5, since=5, weight=500, salt="new", definition="v3")
    assert result.entry == Entry(5, "release", 0, 500, "the file's canary is another one")


def test_first_sight_is_a_release():
    result = advance(Rollout(), Release("v1", 500, "s"), 7.0)
    assert result.rollout == Rollout(revision=1, since=1, weight=500, salt="s", definition="v1")
    assert result.entry == Entry(1, "release", 0, 500, "first seen in the file")


def test_first_sight_of_a_service_without_canary_is_numbered_too():
    assert advance(Rollout(), Release("", 0, "s"), 7.0).rollout == Rollout(revision=1, since=1, salt="s")


@pytest.mark.parametrize("rollout", [RUNNING, TRIPPED], ids=lambda rollout: rollout.phase)
def test_another_weight_in_the_file_alone_changes_nothing(rollout):
    assert advance(rollout, Release("v2", 9000, "new"), 7.0) == Advance(rollout)


def test_a_weight_keeps_salt_and_evidence():
    result = advance(RUNNING, SetWeight(2500), 7.0)
    assert result.rollout == replace(RUNNING, revision=4, weight=2500)
    assert result.entry == Entry(4, "weight", 2000, 2500, "")


def test_the_weight_that_is_already_so_changes_nothing():
    assert advance(RUNNING, SetWeight(2000), 7.0) == Advance(RUNNING)
    assert advance(TRIPPED, SetWeight(0), 7.0) == Advance(TRIPPED)


def test_there_is_no_weight_without_a_canary():
    result = advance(BARE, SetWeight(100), 7.0)
    assert isinstance(result, Refused)
    assert "no canary" in result.reason


@pytest.mark.parametrize("parts", [-1, 10_001])
@pytest.mark.parametrize("order", [SetWeight, Resume])
def test_a_weight_out_of_range_is_an_error(order, parts):
    with pytest.raises(ValueError, match=r"outside 0\.\.10000"):
        advance(TRIPPED if order is Resume else RUNNING, order(parts), 7.0)


def test_a_failing_verdict_takes_the_canary_out():
    result = advance(RUNNING, Judged(FAILING, enforce=True), 7.5)
    assert result.rollout == replace(
        RUNNING,
        revision=4,
        phase=ROLLED_BACK,
        weight=0,
        weight_before=2000,
        trip=Trip(7.5, FINDING.sentence, FINDING),
    )
    assert result.rollout.halted
    assert result.entry == Entry(4, "trip", 2000, 0, FINDING.sentence, FINDING)


def test_a_canary_that_lives_on_pinned_requests_trips_at_weight_0():
    result = advance(replace(RUNNING, weight=0), Judged(FAILING, enforce=True), 7.0)
    assert result.rollout.halted
    assert (result.entry.before, result.entry.after) == (0, 0)


def test_the_first_failing_finding_is_the_reason():
    other = replace(FINDING, check="latency-p99")
    verdict = Verdict("failing", (HEALTHY.findings[0], other, FINDING))
    assert advance(RUNNING, Judged(verdict, enforce=True), 7.0).entry.finding is other


@pytest.mark.parametrize(
    "judged",
    [
        Judged(HEALTHY, enforce=True),
        Judged(Verdict("inconclusive", ()), enforce=True),
        Judged(FAILING, enforce=False),
    ],
    ids=["healthy", "inconclusive", "watch only"],
)
def test_other_verdicts_change_nothing(judged):
    for rollout in (RUNNING, TRIPPED, BARE):
        assert advance(rollout, judged, 7.0) == Advance(rollout)


def test_resume_goes_back_to_the_weight_before_with_fresh_evidence():
    result = advance(TRIPPED, Resume(), 7.0)
    assert result.rollout == replace(TRIPPED, revision=5, since=5, phase=IDLE, weight=2000, trip=None)
    assert result.entry == Entry(5, "resume", 0, 2000, "")


def test_resume_at_a_given_weight():
    assert advance(TRIPPED, Resume(100), 7.0).rollout.weight == 100
    assert advance(TRIPPED, Resume(0), 7.0).rollout.weight == 0


def test_what_a_worker_holds_beyond_the_ledger_stays_out():
    result = advance(RUNNING, Held(6, halted=True), 7.0)
    assert (result.rollout.revision, result.rollout.phase, result.rollout.weight_before) == (
        7,
        ROLLED_BACK,
        2000,
    )
    assert (result.entry.event, result.entry.before, result.entry.after) == ("trip", 2000, 0)
    assert "revision 6" in result.rollout.trip.sentence


def test_the_same_number_with_the_canary_out_is_unknown_too():
    assert advance(RUNNING, Held(3, halted=True), 7.0).rollout.halted
    assert advance(RUNNING, Held(3, halted=False), 7.0) == Advance(RUNNING)
    assert advance(TRIPPED, Held(4, halted=True), 7.0) == Advance(TRIPPED)


def test_an_unknown_lower_weight_is_put_to_zero_without_a_rollback():
    result = advance(RUNNING, Held(6, halted=False), 7.0)
    assert result.rollout == replace(RUNNING, revision=7, weight=0)
    assert (result.entry.event, result.entry.revision) == ("weight", 7)


@pytest.mark.parametrize("halted", [True, False])
def test_a_tripped_canary_keeps_its_reason_when_a_worker_is_ahead(halted):
    result = advance(TRIPPED, Held(8, halted), 7.0)
    assert result.rollout == replace(TRIPPED, revision=9)


def test_an_older_worker_is_no_news():
    assert advance(RUNNING, Held(2, halted=True), 7.0) == Advance(RUNNING)


@pytest.mark.parametrize(
    "rollout", [Rollout(), RUNNING, TRIPPED, replace(TRIPPED, trip=Trip(1.0, "lost", None))]
)
def test_json_round_trip(rollout):
    assert Rollout.from_json(json.loads(json.dumps(rollout.to_json()))) == rollout


def test_a_halted_canary_with_weight_is_no_state():
    with pytest.raises(ValueError, match="no weight"):
        replace(RUNNING, phase=ROLLED_BACK)


parts = st.integers(0, 10_000)
definitions = st.sampled_from(["", "v1", "v2"])
anything = st.one_of(
    st.builds(Release, definitions, parts, st.just("salt")),
    st.builds(SetWeight, parts),
    st.builds(Resume, st.none() | parts),
    st.builds(Judged, st.sampled_from([FAILING, HEALTHY]), st.booleans()),
    st.builds(Held, st.integers(0, 30), st.booleans()),
)


@given(st.lists(anything, max_size=30))
def test_after_a_trip_the_weight_stays_0_until_a_resume_or_a_release(story):
    rollout = Rollout()
    for happened in story:
        result = advance(rollout, happened, 7.0)
        after = result.rollout if isinstance(result, Advance) else rollout
        if rollout.halted and not after.halted:
            assert isinstance(happened, Resume | Release)
            assert after.since == after.revision
        assert not (after.halted and after.weight)
        rollout = after


@given(st.lists(anything, max_size=30))
def test_a_state_and_its_number_change_together(story):
    rollout = Rollout()
    for happened in story:
        result = advance(rollout, happened, 7.0)
        if isinstance(result, Refused):
            continue
        if result.entry is None:
            assert result.rollout == rollout
        else:
            assert result.entry.revision == result.rollout.revision > rollout.revision
            assert (result.entry.before, result.entry.after) == (rollout.weight, result.rollout.weight)
        rollout = result.rollout


@given(st.lists(anything, max_size=30))
def test_the_entries_alone_tell_phase_and_weight(story):
    rollout, entries = Rollout(), []
    for happened in story:
        result = advance(rollout, happened, 7.0)
        if isinstance(result, Advance) and result.entry:
            rollout = result.rollout
            entries.append(result.entry)
    last = entries[-1] if entries else None
    assert rollout.weight == (last.after if last else 0)
    tripped = False
    for entry in entries:
        tripped = entry.event == "trip" or (tripped and entry.event == "weight")
    assert rollout.halted == tripped
