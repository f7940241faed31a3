"""The blast radius, and the caps on it."""

import json
import random

import pytest
from made import counts

from proxy.analysis.policy import Caps
from proxy.analysis.radius import Radius
from proxy.telemetry.registers import Registers


def users(*numbers):
    registers = Registers()
    for number in numbers:
        registers.add(random.Random(number).getrandbits(64))
    return registers


def found(radius, **caps):
    return {finding.check: (finding.state, finding.value) for finding in radius.findings(Caps(**caps))}


def test_what_it_counts():
    radius = Radius()
    more = {"taken_over": {"success": 3, "excluded": 1}, "harmed": 2, "rescued": 5}
    radius.add(counts(ok=10, bad=7, pinned_ok=4, diverted=50, exposed=users(1, 2, 3), **more))
    radius.add(counts(ok=1, harmed=1, exposed=users(3, 4)))
    assert (radius.met, radius.harmed, radius.rescued, radius.users) == (26, 3, 5, 4)


def test_without_users_there_are_none():
    radius = Radius()
    radius.add(counts(ok=1))
    assert (radius.exposed, radius.users) == (None, 0)


@pytest.mark.parametrize(
    ("harmed", "state"), [(0, "healthy"), (49, "healthy"), (50, "failing"), (51, "failing")]
)
def test_reaching_a_cap_fails(harmed, state):
    radius = Radius()
    radius.add(counts(bad=60, harmed=harmed))
    assert found(radius, harmed=50) == {"harmed": (state, harmed)}
    assert found(radius) == {}


def test_users_are_capped():
    radius = Radius()
    radius.add(counts(exposed=users(*range(9))))
    assert found(radius, exposed_users=10, harmed=1) == {
        "harmed": ("healthy", 0),
        "exposed-users": ("healthy", 9),
    }
    radius.add(counts(exposed=users(8, 9)))
    [finding] = radius.findings(Caps(exposed_users=10))
    assert (finding.state, finding.limit, finding.unit) == ("failing", 10, "count")
    assert finding.sentence == "exposed-users: 10 users met the canary; the cap is 10"


def test_what_is_forgiven_counts_towards_no_cap_and_stays_in_the_radius():
    radius = Radius()
    radius.add(counts(harmed=60, exposed=users(*range(30))))
    radius.forgive()
    assert found(radius, harmed=50, exposed_users=20) == {
        "harmed": ("healthy", 0),
        "exposed-users": ("healthy", 0),
    }
    radius.add(counts(harmed=49, exposed=users(*range(40))))
    assert found(radius, harmed=50, exposed_users=20) == {
        "harmed": ("healthy", 49),
        "exposed-users": ("healthy", pytest.approx(10, abs=1)),
    }
    radius = Radius.from_json(json.loads(json.dumps(radius.to_json())))
    radius.add(counts(harmed=1))
    assert (radius.harmed, radius.users) == (110, pytest.approx(40, abs=1))
    assert found(radius, harmed=50) == {"harmed": ("failing", 50)}


@pytest.mark.parametrize("radius", [Radius(), Radius(7, 5, 3, users(1, 2), {"harmed": 4})])
def test_json_round_trip(radius):
    assert Radius.from_json(json.loads(json.dumps(radius.to_json()))) == radius


@pytest.mark.parametrize("change", [{"exposed": 7}, {"exposed": "?"}, {"forgiven": 3}])
def test_nonsense_is_refused(change):
    with pytest.raises((KeyError, TypeError, ValueError)):
        Radius.from_json(Radius().to_json() | change)
