"""What people read of each check by bets."""

import pytest

from proxy.analysis import compared
from proxy.analysis.events import Events
from proxy.analysis.pace import Pace
from proxy.analysis.policy import Policy, Slower
from proxy.telemetry.histogram import Histogram

FULL = Policy(error_limit=0.05)
NAMES = ("errors", "p50", "p90", "p99", "error-limit")
SEEN = Events(3, 59, 5, 1_175)


def times(count, seconds):
    made = Histogram()
    for _ in range(count):
        made.add(seconds)
    return made


def find(policy=FULL, seen=SEEN, answers=500, **capitals):
    pace = Pace(Slower())
    pace.add(times(answers, 0.02), 0.0)
    pace.thresholds(0.0)
    by_check = {name: capitals.get(name.replace("-", "_"), 0.2) for name in NAMES}
    found = compared.findings(policy, dict.fromkeys(NAMES, seen), by_check, pace, times(9, 0.5))
    return {finding.check: finding for finding in found}


@pytest.mark.parametrize(
    ("capitals", "failing"),
    [
        ({"errors": 98.0}, []),
        ({"errors": 140.0}, ["errors"]),
        ({"errors": 40.0, "p99": 60.0}, ["p99"]),
        ({"errors": 40.0, "error_limit": 70.0, "p50": 30.0}, ["error-limit"]),
    ],
)
def test_where_the_bar_is_reached_the_check_with_the_most_fails(capitals, failing):
    assert [name for name, each in find(**capitals).items() if each.state == "failing"] == failing


@pytest.mark.parametrize(
    ("seen", "capital", "state"),
    [(SEEN, 9.9, "healthy"), (SEEN, 10.0, "inconclusive"), (Events(0, 0, 9, 9), 0.5, "inconclusive")],
)
def test_others_are_good_once_they_saw_something_and_little_of_it_is_bad(seen, capital, state):
    assert find(seen=seen, errors=capital)["errors"].state == state


def test_errors():
    found = find(errors=140.0)["errors"]
    assert (found.value, found.stable, found.sample) == (3 / 62, 5 / 1180, 62)
    assert (found.limit, found.unit, found.odds) == (pytest.approx(5 / 1180 + 0.001), "ratio", 140.0)
    assert (found.needed, found.window) == (None, None)
    assert found.sentence == (
        "errors 4.8 % of 62 canary answers, stable 0.4 % of 1,180; evidence that it is worse: 140:1, "
        "out at 100:1"
    )


def test_errors_without_stable_have_no_limit():
    found = find(seen=Events(1, 1))["errors"]
    assert (found.limit, found.stable) == (None, None)
    assert "errors 50.0 % of 2 canary answers, no stable answers yet; no evidence" in found.sentence


def test_the_limit():
    found = find(error_limit=12.0)["error-limit"]
    assert (found.value, found.limit, found.odds) == (3 / 62, 0.05, 12.0)
    assert found.sentence == (
        "error-limit: 4.8 % of 62 canary answers failed; evidence that more than 5.0 % do: 12:1, out at 100:1"
    )
    assert find(error_limit=0.0)["error-limit"].sentence.endswith(
        "the limit of 5.0 % counts once the evidence that it is worse than stable is 10:1"
    )


def test_latencies():
    found = find(p99=12.0)["p99"]
    assert (found.unit, found.sample, found.odds) == ("seconds", 62, 12.0)
    assert (found.value, found.stable) == (pytest.approx(0.5, rel=0.09), pytest.approx(0.02, rel=0.09))
    assert found.limit == max(found.stable * 1.25, found.stable + 0.005)
    stable, limit = (round(each * 1000) for each in (found.stable, found.limit))
    assert found.sentence == (
        f"p99: 4.8 % of 62 canary answers took longer than {limit} ms (its limit is 25 % above stable's), "
        f"0.4 % of 1,180 stable answers longer than {stable} ms; "
        "evidence that it is slower: 12:1, out at 100:1"
    )


@pytest.mark.parametrize(
    ("check", "kind"),
    [("errors", "canary"), ("p50", "good canary"), ("p99", "good canary"), ("error-limit", "canary")],
)
def test_before_there_is_anything_to_compare(check, kind):
    found = find(seen=Events(0, 0, 5, 40))[check]
    assert found.sentence == f"{check}: no {kind} answers to compare yet"


def test_a_quantile_without_a_threshold():
    found = find(answers=31)
    assert (found["p99"].limit, found["p99"].stable) == (None, None)
    assert found["p99"].sentence == "p99: no threshold yet: 31 of 100 stable answers"
    assert found["p50"].limit is not None
