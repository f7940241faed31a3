"""What the connections of a worker share."""

import pytest

from proxy.forwarding.exchange import Exchange
from proxy.forwarding.lane import Lane, NoAccessLog
from proxy.forwarding.refusal import UNREAD, Refusal
from proxy.http1.forwarded_fields import Provenance
from proxy.http1.head import RequestHead
from proxy.http1.limits import DEFAULT
from proxy.routing.choice import Choice
from proxy.routing.table import RoutingTable
from proxy.telemetry.outcome import UNROUTED, Outcome, refused
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


def test_without_a_word_it_has_the_limits_and_times_of_the_readme(stage):
    lane = Lane(stage.turns, RoutingTable.build(1, ()), Tally("boot"), lambda: None, "w")
    assert (lane.header_seconds, lane.idle_seconds, lane.heads.limits) == (10.0, 75.0, DEFAULT)
    assert (lane.provenance, lane.draining) == (Provenance(), False)


def test_what_was_read_under_other_limits_is_read_anew(stage):
    lane, block = stage.lane, b"GET /a HTTP/1.1\r\nHost: shop\r\nA: b\r\n\r\n"
    _, remembered = (lane.heads.request(block) for _ in range(2))
    lane.limit(line=DEFAULT.line, head=DEFAULT.head, fields=DEFAULT.fields)
    assert lane.heads.requests[block] is remembered
    lane.limit(line=DEFAULT.line, head=DEFAULT.head, fields=1)
    client = stage.client()
    client.sends(block)
    assert client.got().startswith(b"HTTP/1.1 431 ")


def test_its_clock_does_not_stand_still_within_a_turn(stage):
    lane = Lane(stage.turns, RoutingTable.build(1, ()), Tally("boot"), lambda: None, "w")
    before = lane.now()
    while lane.now() == before:
        pass
    assert lane.now() - before < 1.0


def test_the_access_log_that_is_off_takes_everything():
    NoAccessLog().note(None, "192.0.2.7", 1.0)
    NoAccessLog().refused(None, "192.0.2.7", 1.0)


# Counting and noting.


class Everywhere:
    """A tally and an access log in one: what was told to which, in order."""

    def __init__(self):
        self.told = []

    def add(self, outcome):
        self.told.append(outcome)

    def note(self, exchange, client, now):
        self.told.append(("noted", exchange, client, now))

    def refused(self, refusal, client, now):
        self.told.append(("refused", refusal, client, now))


@pytest.fixture
def lane(stage):
    everywhere = Everywhere()
    failures = []
    lane = Lane(stage.turns, RoutingTable.build(1, ()), everywhere, lambda: failures.append(1), "w")
    lane.access = everywhere
    lane.now = lambda: 12.0
    return lane, everywhere, failures


@pytest.fixture
def exchange(service):
    shop = service()
    choice = Choice(shop, "stable", shop.backends[0].endpoints[0], "weight", True, b"", b"")
    return Exchange(RequestHead(b"POST", b"/", 1, [], b"a"), choice, 5, 10.0)


@pytest.mark.parametrize(
    ("status", "ending", "result", "failed"),
    [
        (502, "reset", "failure", 1),
        (503, "refused", "failure", 1),
        (408, "client-left", "excluded", 0),
        (400, "refused", "excluded", 0),
    ],
)
def test_an_exchange_is_counted_and_noted_once_and_a_failure_is_told(
    lane, exchange, status, ending, result, failed
):
    lane, everywhere, failures = lane
    exchange.answered_by_us(status, ending)
    lane.account(exchange, "192.0.2.7", None)
    assert everywhere.told == [
        Outcome(("shop", 7, "stable"), "POST", status, ending, result, True, None, 2.0, b"/" * failed),
        ("noted", exchange, "192.0.2.7", 12.0),
    ]
    assert len(failures) == failed


def test_one_that_was_refused_on_its_way_is_counted_by_its_reason_as_well(lane, exchange):
    lane, everywhere, failures = lane
    exchange.answered_by_us(413, "refused")
    exchange.reason = "body"
    lane.account(exchange, "192.0.2.7", None)
    assert everywhere.told == [
        Outcome(("shop", 7, "stable"), "POST", 413, "refused", "excluded", True, None, 2.0),
        ("noted", exchange, "192.0.2.7", 12.0),
        Outcome((UNROUTED, 0, "body"), "POST", 413, "refused", "excluded", False, None, 0.0),
    ]
    assert failures == []


@pytest.mark.parametrize("head", [UNREAD, RequestHead(b"GET", b"/", 1, [])])
def test_who_was_turned_away_is_counted_by_the_reason_and_noted(lane, head):
    lane, everywhere, failures = lane
    refusal = Refusal(head, 503, "connections", b"w-1", 40)
    lane.turned_away(refusal, "192.0.2.7")
    assert everywhere.told == [
        refused("connections", head.method, 503),
        ("refused", refusal, "192.0.2.7", 12.0),
    ]
    assert failures == [], "that says nothing about any backend"


def test_what_was_turned_away_without_a_word_is_only_counted(lane):
    lane, everywhere, failures = lane
    lane.count_refusal("handshake")
    assert everywhere.told == [refused("handshake", b"", 0)]
    assert failures == []


# What begins, and who was meant.


@pytest.mark.parametrize(
    ("pinned", "diverted", "told"), [(False, "canary", (1, 0)), (True, "canary", (0, 1)), (False, "", None)]
)
def test_a_diverted_request_is_counted_under_the_backend_that_was_meant_and_told(
    stage, service, pinned, diverted, told
):
    shop = service()
    choice = Choice(
        shop, "stable", shop.backends[0].endpoints[0], "diverted", False, b"", b"", 77, pinned, diverted
    )
    stage.lane.begin(Exchange(RequestHead(b"GET", b"/", 1, [], b"a"), choice, 0, 10.0))
    entries = stage.tally.everything()
    assert entries["shop", 7, "stable"].in_flight == 1
    meant = entries.get(("shop", 7, "canary"))
    assert told == (meant and (meant.diverted, meant.pins_diverted))
    assert len(stage.failures) == (told is not None)
