"""What came of a policy before made traffic, in words and in JSON."""

import json
from dataclasses import replace

import pytest

from proxy.cli.trial import FEW, Trial
from proxy.simulation.scenario import Canary, Scenario
from proxy.simulation.summary import Spread, Summary

BAD = Summary(
    runs=40,
    rolled_back=38,
    early=2,
    requests=Spread(12.0, 30.0, None),
    seconds=Spread(1.25, 3.0, None),
    met=600,
    checks=(("errors", 37), ("latency-p99", 1)),
)
GOOD = Summary(
    runs=40,
    rolled_back=0,
    early=0,
    requests=Spread(None, None, None),
    seconds=Spread(None, None, None),
    met=4_010,
    checks=(),
)
TRIAL = Trial("shop by weir.yaml, scenario dead", Scenario(canary=Canary(errors=1.0)), 7, BAD, GOOD, 10_800.0)


def lines(tried: Trial) -> list[str]:
    return [tried.heading(), *tried.on_bad(), *tried.on_good()]


def test_both_canaries_are_told_of() -> None:
    setting, *told = lines(TRIAL)
    assert setting.startswith(
        "shop by weir.yaml, scenario dead: 100 requests/s, weight 5 %, stable fails 1 %"
    )
    assert ", the canary fails 100 %, takes 50 ms" in setting
    assert setting.endswith("; seed 7")
    assert told == [
        "canary requests until rollback: median 12, p95 30, largest never (40 runs)",
        "seconds until rollback: median 1.2, p95 3.0, largest never",
        "never rolled back within 10 m: 2 of 38 runs",
        "rolled back while the canary was still good: 2 of 40 runs",
        "  by errors (37), latency-p99 (1)",
        "false rollbacks of a good canary: 0 of 40 runs of 3 h, 100 canary requests each; "
        "fewer than 7.2 % with 95 % confidence",
    ]


def test_what_was_not_played_is_not_told_of() -> None:
    assert len(lines(replace(TRIAL, bad=None))) == 2
    assert len(lines(replace(TRIAL, good=None))) == 6
    good = lines(replace(TRIAL, scenario=Scenario(), bad=None))
    assert "the canary" not in good[0]


@pytest.mark.parametrize(("runs", "bounded"), [(FEW - 1, False), (FEW, True)])
def test_few_runs_bound_nothing(runs: int, bounded: bool) -> None:
    told = lines(replace(TRIAL, good=replace(GOOD, runs=runs)))[-1]
    assert ("with 95 % confidence" in told) is bounded
    assert told.endswith("too few runs for a bound") is not bounded


@pytest.mark.parametrize(
    ("canary", "onset", "words"),
    [
        (Canary(errors=1.0), 45.0, "the canary after 45 s fails 100 %"),
        (Canary(errors=1.0), 90.0, "the canary after 90 s fails 100 %"),
        (Canary(errors=1.0), 120.0, "the canary after 2 m fails 100 %"),
        (Canary(hang=0.5), 0.0, "hangs on 50 %"),
    ],
)
def test_a_canary_is_told_of_as_it_turns_out(canary: Canary, onset: float, words: str) -> None:
    setting = lines(replace(TRIAL, scenario=Scenario(canary=canary, onset=onset)))[0]
    assert words in setting


def test_json_has_all_of_it() -> None:
    data = json.loads(json.dumps(TRIAL.to_json()))
    assert data["bad"] == json.loads(json.dumps(BAD.to_json()))
    assert (data["seed"], data["watched"], data["scenario"]["rate"]) == (7, 10_800.0, 100.0)
    assert replace(TRIAL, good=None).to_json()["good"] is None
