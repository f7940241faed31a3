"""What the connections of a worker share."""

from proxy.forwarding.data_plane import DataPlane
from proxy.http1.forwarded_fields import Provenance
from proxy.http1.limits import DEFAULT
from proxy.routing.table import RoutingTable
from proxy.telemetry.tally import Tally
from tests.kits.stage import Stage


def test_it_says_how_it_stands(stage: Stage) -> None:
    assert repr(stage.plane) == "<DataPlane <Pool 0 idle, 0 pending>, <Deadlines of 0>>"
    stage.client()
    stage.plane.draining = True
    assert repr(stage.plane) == "<DataPlane <Pool 0 idle, 0 pending>, <Deadlines of 1>, draining>"


def test_without_a_word_it_has_the_limits_and_times_of_the_readme(stage: Stage) -> None:
    plane = DataPlane(stage.turns, RoutingTable.build(1, ()), Tally("boot"), lambda: None, "w")
    assert (plane.header_seconds, plane.idle_seconds, plane.heads.limits) == (10.0, 75.0, DEFAULT)
    assert (plane.provenance, plane.draining) == (Provenance(), False)


def test_what_was_read_under_other_limits_is_read_anew(stage: Stage) -> None:
    plane, block = stage.plane, b"GET /a HTTP/1.1\r\nHost: shop\r\nA: b\r\n\r\n"
    _, remembered = (plane.heads.request(block) for _ in range(2))
    plane.limit(line=DEFAULT.line, head=DEFAULT.head, fields=DEFAULT.fields)
    assert plane.heads.requests[block] is remembered
    plane.limit(line=DEFAULT.line, head=DEFAULT.head, fields=1)
    client = stage.client()
    client.sends(block)
    assert client.got().startswith(b"HTTP/1.1 431 ")


def test_its_clock_does_not_stand_still_within_a_turn(stage: Stage) -> None:
    plane = DataPlane(stage.turns, RoutingTable.build(1, ()), Tally("boot"), lambda: None, "w")
    before = plane.now()
    while plane.now() == before:
        pass
    assert plane.now() - before < 1.0
