"""What both sides share."""

import random

import pytest

from proxy.simulation.scenario import Day, Incidents, Scenario
from proxy.simulation.shared_conditions import Climate, Weather


def climate(scenario: Scenario) -> Climate:
    return Climate(scenario, random.Random(1))


def test_calm() -> None:
    assert climate(Scenario()).at(1e6) == Weather()


def test_a_day_swings_around_the_average() -> None:
    day = climate(Scenario(day=Day(period=100, depth=0.5)))
    found = [day.at(float(second)) for second in range(100)]
    assert max(each.traffic for each in found) == pytest.approx(1.5)
    assert min(each.failures for each in found) == pytest.approx(0.5)
    assert sum(each.times for each in found) / 100 == pytest.approx(1)


def test_incidents_last_as_long_as_said_and_come_as_often() -> None:
    struck = climate(Scenario(incidents=Incidents(every=90, lasts=10, errors=0.4, slow=2)))
    found = [struck.at(float(second)) for second in range(100_000)]
    inside = [each for each in found if each.incident]
    assert {(each.incident, each.times) for each in inside} == {(0.4, 2.0)}
    assert len(inside) / len(found) == pytest.approx(0.1, abs=0.01)


def test_failures_of_a_side_and_of_the_incident_together() -> None:
    assert Weather(incident=0.5).failing(0.1) == pytest.approx(0.55)
    assert Weather(failures=20).failing(0.1) == 1
