"""The scenarios that have a name."""

import pytest

from proxy.simulation.scenario import Scenario
from proxy.simulation.scenarios import SCENARIOS


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_name_has_a_line_and_a_scenario_of_its_own(name: str) -> None:
    assert SCENARIOS[name].line
    assert [each for each, other in SCENARIOS.items() if other.scenario == SCENARIOS[name].scenario] == [name]


def test_good_canaries_are_as_good_as_stable_for_an_hour() -> None:
    good = {name: each.scenario for name, each in SCENARIOS.items() if each.scenario.good}
    assert set(good) == {"good", "day", "incidents", "retries", "speeds"}
    assert {scenario.lasts for scenario in good.values()} == {3600.0}
    assert good["good"] == Scenario(lasts=3600.0)
