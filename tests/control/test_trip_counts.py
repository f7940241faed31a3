from dataclasses import replace

import pytest

from proxy.analysis.verdict import UNRECORDED, Finding
from proxy.config.reader import read
from proxy.control.managed_service import ManagedService
from proxy.control.trip_counts import TripCounts
from proxy.ledger.record import Record
from proxy.rollout.entry import Entry
from proxy.rollout.rollout import Rollout
from proxy.settings.service import side, template

FILE = "services: {shop: {stable: http://a, canary: http://b, analysis: {enforce: ENFORCE}}}"
FINDING = Finding(
    check="guard",
    state="failing",
    value=0.5,
    limit=0.1,
    stable=None,
    sample=40,
    needed=20,
    window=30.0,
    unit="ratio",
    sentence="it fails",
)
TRIP = Record("shop", 5.0, "weir", "it fails", Entry(2, "trip", 500, 0, "it fails", FINDING), Rollout())


def managed(enforce: str = "true") -> ManagedService:
    config = read(FILE.replace("ENFORCE", enforce), "weir.yaml", {})
    file = config.services["shop"]
    state = Rollout(revision=1, weight=500, stable=side(file.stable), canary=side(file.canary))
    return ManagedService(template("shop", file, config.timeouts, None), file, state)


@pytest.mark.parametrize("enforce", ["true", "false"])
def test_checks_are_counted_from_zero_where_they_may_trip(enforce: str) -> None:
    counts, shop = TripCounts({}, []), managed(enforce)
    counts.expect(shop)
    none = {("shop", check): 0 for check in shop.assessment.policy.names}
    assert none
    expected = (none, {}) if enforce == "true" else ({}, none)
    assert (counts.trips, counts.would_trips) == expected


def test_the_checks_of_a_canary_that_is_still_to_come_are_counted_from_zero() -> None:
    config = read("services: {shop: {stable: http://a}}", "weir.yaml", {})
    file = config.services["shop"]
    state = Rollout(revision=1, stable=side(file.stable))
    counts = TripCounts({}, [])
    counts.expect(ManagedService(template("shop", file, config.timeouts, None), file, state))
    assert counts.trips["shop", "errors"] == 0


def test_a_trip_counts_for_its_check_beside_those_in_the_ledger() -> None:
    counts = TripCounts({("shop", "guard"): 4}, [])
    counts.written(7, TRIP)
    counts.written(8, replace(TRIP, entry=replace(TRIP.entry, event="weight")))
    counts.written(9, replace(TRIP, entry=replace(TRIP.entry, finding=None)))
    counts.expect(managed())
    assert counts.trips["shop", "guard"] == 5
    assert counts.trips["shop", UNRECORDED] == 1
    assert repr(counts) == "<TripCounts 6 trips, 0 not enforced>"


def test_a_canary_that_would_be_out_since_before_a_restart_is_counted_once() -> None:
    shop = managed("false")
    shop.assessment.record_would_trip("errors")
    counts = TripCounts({}, [shop, managed("false")])
    counts.would_trip("shop", "guard")
    assert counts.would_trips == {("shop", "errors"): 1, ("shop", "guard"): 1}
