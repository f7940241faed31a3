"""Scenarios as values: what they take, and what they say to what they don't."""

import pytest

from proxy.simulation.scenario import GOOD, BackendBehavior, Canary, Population, Scenario
from proxy.simulation.scenarios import SCENARIOS


def test_a_canary_is_described_by_how_it_differs() -> None:
    stable = BackendBehavior(errors=0.02, median=0.04)
    assert GOOD.beside(stable) == stable
    assert Canary(errors=0.5, times=2, hang=0.1).beside(stable) == BackendBehavior(
        0.5, 0.08, stable.spread, 0.1
    )
    assert Canary(errors=0.0).beside(stable).errors == 0


def test_as_bad_as_stable_is_good() -> None:
    assert Scenario().good
    assert Scenario(canary=Canary(errors=0.01)).good
    assert not Scenario(canary=Canary(errors=0.02)).good


def test_from_plain_values() -> None:
    made = Scenario.from_json(
        {"rate": 5, "stable": {"errors": 0}, "crowd": {"users": 7}, "canary": {"hang": 1}}
    )
    assert made == Scenario(
        rate=5, stable=BackendBehavior(errors=0), crowd=Population(users=7), canary=Canary(hang=1)
    )


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ([], "a scenario is a mapping"),
        ({"raet": 5}, "`raet` is not a key of a scenario; there are rate, weight"),
        ({"stable": {"latency": 5}}, "`latency` is not a key of `stable`; there are errors, median"),
        ({"stable": 5}, "`stable` is a mapping, not 5"),
        ({"weight": 5}, "`weight` is 5; it takes 0 to 1"),
        ({"rate": 0}, "`rate` is 0; it takes 0.01"),
        ({"weight": True}, "`weight` of a scenario is True; expected a number"),
        ({"rate": {}}, "`rate` is {}; it takes"),
        ({"ejection": {"pause": 60}}, "`longest` is 30.0; it takes 60"),
    ],
)
def test_what_is_wrong_is_named(data: object, said: str) -> None:
    with pytest.raises(ValueError, match=said.replace("{}", r"\{\}")):
        Scenario.from_json(data)


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_named_are_what_their_line_says(name: str) -> None:
    named = SCENARIOS[name]
    assert named.scenario.good == ("as good" in named.line)
