import pytest

from proxy.analysis.check import Check
from proxy.control.evidence import Evidence
from proxy.telemetry.tally import Counts

ERRORS = Check("error-rate", max=0.1, window=10.0, min_requests=10)
SLOW = Check("error-rate", max=0.2, window=60.0, min_requests=10)


def answers(good=0, bad=0, excluded=0):
    return Counts(drawn={"success": good, "failure": bad, "excluded": excluded})


def test_without_answers_there_is_nothing_and_no_verdict():
    evidence = Evidence([ERRORS])
    assert not evidence.heard
    assert evidence.verdict(0.0).state == "inconclusive"
    assert evidence.shown("canary", 0.0) is None
    assert evidence.shares(["stable", "canary"], 0.0) is None


def test_each_check_looks_at_its_own_window():
    evidence = Evidence([ERRORS, SLOW])
    evidence.add("canary", answers(good=30), 0.0)
    evidence.add("canary", answers(good=8, bad=2), 20.0)
    short, long = evidence.verdict(20.0).findings
    assert (short.state, short.value, short.sample) == ("failing", 0.2, 10)
    assert (long.state, long.value, long.sample) == ("healthy", 0.05, 40)


def test_what_is_shown_has_a_window_of_its_own():
    evidence = Evidence([ERRORS])
    evidence.add("canary", answers(good=5), 0.0)
    assert evidence.shown("canary", 20.0).requests == 5
    assert evidence.verdict(20.0).findings[0].sample == 0
    assert evidence.shown("canary", 40.0) is None


def test_shares_are_of_all_requests():
    evidence = Evidence([])
    evidence.add("stable", answers(good=5, bad=1), 0.0)
    evidence.add("canary", answers(good=1, excluded=1), 0.0)
    assert evidence.shares(["stable", "canary"], 0.0) == {"stable": 0.75, "canary": 0.25}


def test_it_begins_anew():
    evidence = Evidence([ERRORS])
    evidence.add("canary", answers(bad=50), 0.0)
    evidence.clear()
    assert evidence.verdict(0.0).state == "inconclusive"
    assert not evidence.heard


@pytest.mark.parametrize("stable", [0, 100])
def test_stable_is_judged_beside_it(stable):
    evidence = Evidence([Check("error-rate", max=0.1, window=10.0, min_requests=10, times_stable=3)])
    evidence.add("canary", answers(good=7, bad=3), 0.0)
    evidence.add("stable", answers(good=80, bad=20) if stable else answers(), 0.0)
    assert evidence.verdict(0.0).state == ("healthy" if stable else "failing")


def test_its_repr_says_on_whom():
    evidence = Evidence([])
    assert repr(evidence) == "<Evidence on nobody>"
    evidence.add("canary", answers(good=1), 0.0)
    assert repr(evidence) == "<Evidence on canary>"
