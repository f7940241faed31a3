"""What the connections of a worker share."""

from proxy.forwarding.lane import Lane, NoAccessLog
from proxy.routing.table import RoutingTable
from proxy.telemetry.tally import Tally


def test_draws_are_128_bits_and_never_the_same(stage):
    draws = [stage.lane.draw() for _ in range(1000)]
    assert len(set(draws)) == 1000
    assert all(0 <= draw < 1 << 128 for draw in draws)
    assert len({draw >> 120 for draw in draws}) > 200
    assert len({draw & 0xFF for draw in draws}) > 200


def test_ids_of_requests_are_unlike_each_other_and_carry_the_prefix(stage):
    del stage.lane.request_id  # what makes playbooks readable
    assert [stage.lane.request_id() for _ in range(3)] == [b"w1-1", b"w1-2", b"w1-3"]


def test_it_says_how_it_stands(stage):
    assert repr(stage.lane) == "<Lane <Pool 0 idle, 0 pending>, <Deadlines of 0>>"
    stage.client()
    stage.lane.draining = True
    assert repr(stage.lane) == "<Lane <Pool 0 idle, 0 pending>, <Deadlines of 1>, draining>"


def test_its_clock_does_not_stand_still_within_a_turn(stage):
    lane = Lane(stage.turns, RoutingTable.build(1, ()), Tally("boot"), lambda: None, "w")
    before = lane.now()
    while lane.now() == before:
        pass
    assert lane.now() - before < 1.0


def test_the_access_log_that_is_off_takes_everything():
    NoAccessLog().note(None, "192.0.2.7", 1.0)
