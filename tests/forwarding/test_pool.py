"""Connections that wait: last in, first out, not too many, not too long; and how many requests there are."""

from collections.abc import Callable
from typing import Any

import pytest

from proxy.defaults import POOL_IDLE_TIMEOUT, POOL_MAX_IDLE
from proxy.forwarding.pool import Pool, Shelf
from proxy.forwarding.upstream import Upstream
from proxy.health.ejection import EjectionRecord
from proxy.routing.address import Address
from proxy.routing.endpoint import Endpoint
from tests.kits.located import address
from tests.kits.transports import Transport

HERE, THERE = address("http://here:80"), address("unix:/there")


@pytest.fixture
def upstream(transport_of: Callable[..., Transport]) -> Callable[..., tuple[Upstream, Transport]]:
    def build(shelf: Shelf) -> tuple[Upstream, Transport]:
        one = Upstream(shelf.address, shelf.forget)
        return one, transport_of(one)

    return build


def test_without_a_word_64_are_kept_for_less_than_applications_keep_them() -> None:
    pool = Pool()
    assert (pool.max_idle, pool.idle_seconds) == (POOL_MAX_IDLE, POOL_IDLE_TIMEOUT) == (64, 4.0)


def test_the_connection_used_last_is_taken_first(upstream: Callable[..., tuple[Upstream, Transport]]) -> None:
    shelf = Pool().shelf(HERE)
    (first, _), (second, _) = upstream(shelf), upstream(shelf)
    shelf.give(first, 1.0)
    shelf.give(second, 2.0)
    assert [shelf.take(), shelf.take(), shelf.take()] == [second, first, None]


def test_more_than_enough_are_closed(upstream: Callable[..., tuple[Upstream, Transport]]) -> None:
    shelf = Pool().shelf(HERE)
    ends = []
    for _ in range(POOL_MAX_IDLE + 1):
        one, transport = upstream(shelf)
        shelf.give(one, 1.0)
        ends.append(transport.end)
    assert ends == [""] * POOL_MAX_IDLE + ["close"]
    assert len(shelf) == POOL_MAX_IDLE


def test_what_waits_for_too_long_is_closed_from_the_bottom(
    upstream: Callable[..., tuple[Upstream, Transport]],
) -> None:
    pool = Pool()
    shelf = pool.shelf(HERE)
    transports = []
    for now in (1.0, 2.0, 3.0):
        one, transport = upstream(shelf)
        shelf.give(one, now)
        transports.append(transport)
    pool.expire(2.0 + POOL_IDLE_TIMEOUT)
    assert [transport.end for transport in transports] == ["close", "", ""]
    pool.expire(2.1 + POOL_IDLE_TIMEOUT)
    assert [transport.end for transport in transports] == ["close", "close", ""]
    assert len(shelf) == 1


def test_it_waits_anew_each_time(upstream: Callable[..., tuple[Upstream, Transport]]) -> None:
    pool = Pool()
    shelf = pool.shelf(HERE)
    one, transport = upstream(shelf)
    shelf.give(one, 1.0)
    shelf.give(shelf.take(), 50.0)
    pool.expire(2.0 + POOL_IDLE_TIMEOUT)
    assert transport.end == ""


def test_a_connection_that_ends_while_it_waits_is_forgotten(
    upstream: Callable[..., tuple[Upstream, Transport]],
) -> None:
    shelf = Pool().shelf(HERE)
    (one, transport), (other, _) = upstream(shelf), upstream(shelf)
    shelf.give(one, 1.0)
    shelf.give(other, 1.0)
    transport.lose(None)
    assert [shelf.take(), shelf.take()] == [other, None]


def test_one_that_does_not_wait_here_can_be_forgotten_too(
    upstream: Callable[..., tuple[Upstream, Transport]],
) -> None:
    shelf = Pool().shelf(HERE)
    _, transport = upstream(shelf)
    transport.lose(None)
    assert len(shelf) == 0


def test_closing_closes_all_of_them(upstream: Callable[..., tuple[Upstream, Transport]]) -> None:
    pool = Pool()
    transports = []
    for shelf in (pool.shelf(HERE), pool.shelf(THERE), pool.shelf(HERE)):
        one, transport = upstream(shelf)
        shelf.give(one, 1.0)
        transports.append(transport)
    pool.close()
    assert [transport.end for transport in transports] == ["close"] * 3
    assert repr(pool) == "<Pool 0 idle, 0 pending>"


def test_an_endpoint_has_one_shelf_and_its_requests_are_counted() -> None:
    pool = Pool()
    assert pool.pending(HERE) == 0
    pool.shelf(HERE).pending += 1
    pool.shelf(address("http://HERE")).pending += 1
    assert (pool.pending(HERE), pool.pending(THERE)) == (2, 0)
    assert pool.alive(HERE)


def test_they_say_what_they_hold(upstream: Callable[..., tuple[Upstream, Transport]]) -> None:
    pool = Pool()
    shelf = pool.shelf(HERE)
    shelf.pending += 2
    shelf.give(upstream(shelf)[0], 1.0)
    assert repr(shelf) == "<Shelf http://here (192.0.2.9) 1 idle, 2 pending>"
    assert repr(pool) == "<Pool 1 idle, 2 pending>"


@pytest.mark.parametrize("arrived", [b"x", None, ConnectionResetError()])
def test_a_connection_on_which_something_lies_is_not_handed_out(
    upstream: Callable[..., tuple[Upstream, Transport]], arrived: Any
) -> None:
    shelf = Pool().shelf(HERE)
    (clean, _), (has_input, transport), (another, _) = upstream(shelf), upstream(shelf), upstream(shelf)
    for one in (clean, has_input, another):
        shelf.give(one, 1.0)
    transport.hold(arrived)
    assert [shelf.take(), shelf.take(), shelf.take()] == [another, clean, None]
    assert transport.end == "abort"
    transport.turns.run()
    assert (len(shelf), has_input.reusable()) == (0, False)


def test_when_something_lies_on_all_of_them_there_is_none(
    upstream: Callable[..., tuple[Upstream, Transport]],
) -> None:
    shelf = Pool().shelf(HERE)
    for _ in range(3):
        one, transport = upstream(shelf)
        shelf.give(one, 1.0)
        transport.hold(None)
    assert (shelf.take(), len(shelf)) == (None, 0)


@pytest.mark.parametrize("most", [0, 1, 3])
def test_each_endpoint_keeps_as_many_as_the_pool_says(
    upstream: Callable[..., tuple[Upstream, Transport]], most: int
) -> None:
    pool = Pool()
    pool.max_idle = most
    for endpoint in (HERE, THERE):
        ends = []
        for _ in range(most + 2):
            one, transport = upstream(pool.shelf(endpoint))
            pool.shelf(endpoint).give(one, 1.0)
            ends.append(transport.end)
        assert ends == [""] * most + ["close"] * 2
    assert repr(pool) == f"<Pool {2 * most} idle, 0 pending>"


def test_they_are_kept_for_as_long_as_the_pool_says(
    upstream: Callable[..., tuple[Upstream, Transport]],
) -> None:
    pool = Pool()
    pool.idle_seconds = 5.0
    one, transport = upstream(pool.shelf(HERE))
    pool.shelf(HERE).give(one, 10.0)
    pool.expire(15.0)
    assert transport.end == ""
    pool.expire(15.1)
    assert transport.end == "close"


# Endpoints that fail.


class Sent:
    """A request that an endpoint was sent."""

    def __init__(self) -> None:
        self.response, self.status = "awaited", 0


def test_one_that_is_counted_against_is_still_alive() -> None:
    pool = Pool()
    shelf = pool.begin(HERE, Sent())
    pool.remember(shelf, EjectionRecord("counting", 4))
    assert (pool.alive(HERE), shelf.record.row, shelf.pending) == (True, 4, 1)


def test_an_ejected_one_is_left_alone_and_then_tried_with_one_request() -> None:
    pool = Pool()
    shelf = pool.shelf(HERE)
    pool.remember(shelf, EjectionRecord("ejected", 5, 10.0, until=110.0))
    pool.readmit(109.9)
    assert (pool.alive(HERE), pool.alive(THERE)) == (False, True)
    pool.readmit(110.0)
    assert pool.alive(HERE)
    trial = Sent()
    assert pool.begin(HERE, trial) is shelf
    assert (pool.alive(HERE), shelf.record.trial, shelf.pending) == (False, trial, 1)
    pool.begin(HERE, Sent())
    pool.readmit(200.0)
    assert (pool.alive(HERE), shelf.record.trial) == (False, trial)
    trial.response, trial.status = "open", 200
    pool.readmit(200.0)
    assert (pool.alive(HERE), shelf.record) == (True, None)


def test_an_endpoint_is_ejected_when_all_of_its_addresses_are() -> None:
    pool, endpoint = Pool(), Endpoint.parse("http://app.test:9001")
    one, other = (pool.shelf(Address(endpoint, ip)) for ip in ("10.0.0.1", "10.0.0.2"))
    out = EjectionRecord("ejected", 5, 10.0, until=110.0, out=True)
    assert pool.ejected() == ()
    pool.remember(one, out)
    assert pool.ejected() == (), "the other address gets requests"
    pool.remember(other, EjectionRecord("avoided", 1, 0.1, until=101.0))
    assert pool.ejected() == (), "one that is avoided for a moment is no proof"
    pool.remember(other, out)
    assert pool.ejected() == ("http://app.test:9001",)
    pool.readmit(110.0)
    assert pool.ejected() == (), "they are due to be tried"
    pool.begin(one.address, Sent())
    pool.begin(other.address, Sent())
    assert pool.ejected() == ("http://app.test:9001",), "one request each is on trial"


def test_of_two_endpoints_of_one_url_the_one_is_ejected_that_failed() -> None:
    pool = Pool()
    one, other = (Endpoint.parse("http://10.0.0.7", host_sent=f"{name}.example") for name in "ab")
    pool.shelf(Address(one, "10.0.0.7"))
    failed = pool.shelf(Address(other, "10.0.0.7"))
    pool.remember(failed, EjectionRecord("ejected", 5, 10.0, until=110.0, out=True))
    assert pool.ejected() == ("http://10.0.0.7 (Host b.example)",)
    assert (pool.alive(Address(one, "10.0.0.7")), pool.alive(failed.address)) == (True, False)


def test_one_that_is_held_to_be_well_again_is_alive() -> None:
    pool = Pool()
    shelf = pool.shelf(HERE)
    pool.remember(shelf, EjectionRecord("ejected", 5, 10.0, until=110.0))
    pool.remember(shelf, None)
    pool.readmit(500.0)
    assert (pool.alive(HERE), shelf.record) == (True, None)


def test_a_connection_that_is_old_is_not_kept(
    upstream: Callable[..., tuple[Upstream, Transport]],
) -> None:
    shelf = Pool().shelf(HERE)
    one, transport = upstream(shelf)
    one.good_until = 60.0
    shelf.give(one, 59.9)
    assert (shelf.take(), transport.end) == (one, "")
    shelf.give(one, 60.0)
    assert (len(shelf), transport.end) == (0, "close")


def test_a_connection_that_grows_old_while_it_waits_gets_no_request_any_more(
    upstream: Callable[..., tuple[Upstream, Transport]],
) -> None:
    pool = Pool()
    pool.idle_seconds = 3600.0
    shelf = pool.shelf(HERE)
    (old, old_transport), (new, new_transport) = upstream(shelf), upstream(shelf)
    new.good_until, old.good_until = 300.0, 60.0
    for one in (new, old):
        shelf.give(one, 59.0)
    pool.expire(59.9)
    assert (old_transport.end, new_transport.end) == ("", "")
    pool.expire(60.1)
    assert (old_transport.end, new_transport.end) == ("close", "")
    assert (shelf.take(), shelf.take()) == (new, None)


def test_what_is_no_longer_in_the_table_keeps_no_connection_and_is_forgotten(
    upstream: Callable[..., tuple[Upstream, Transport]],
) -> None:
    pool = Pool()
    here, there = pool.shelf(HERE), pool.shelf(THERE)
    idle, transport = upstream(here)
    here.give(idle, 1.0)
    there.give(upstream(there)[0], 1.0)
    busy, under_way = upstream(here)
    here.pending += 1
    pool.remember(here, EjectionRecord("ejected", 5, 10.0, 99.0, out=True))
    pool.retain({THERE})
    assert (transport.end, len(there), under_way.end) == ("close", 1, "")
    assert pool.alive(HERE), "nothing is held against what isn't there"
    here.give(busy, 2.0)
    assert (len(here), under_way.end) == (0, "close")
    here.pending -= 1
    pool.retain({THERE})
    assert (pool.shelf(HERE) is here, pool.shelf(THERE) is there) == (False, True)


def test_what_is_back_in_the_table_keeps_connections_again(
    upstream: Callable[..., tuple[Upstream, Transport]],
) -> None:
    pool = Pool()
    shelf = pool.shelf(HERE)
    shelf.pending += 1
    pool.retain(set())
    pool.retain({HERE})
    one, transport = upstream(pool.shelf(HERE))
    pool.shelf(HERE).give(one, 1.0)
    assert (pool.shelf(HERE), len(shelf), transport.end) == (shelf, 1, "")


@pytest.mark.parametrize("state", ["avoided", "ejected"])
def test_what_failed_while_it_was_not_in_the_table_is_not_held_against_it_when_it_is_back(state: str) -> None:
    pool = Pool()
    shelf = pool.begin(HERE, Sent())
    pool.retain(set())
    pool.remember(shelf, EjectionRecord(state, 1, 1.0, until=9.0))
    shelf.pending -= 1
    pool.retain({HERE})
    assert (pool.alive(HERE), pool.shelf(HERE).record) == (True, None)


@pytest.mark.parametrize(
    ("state", "out", "alive", "worth_trying"),
    [
        ("counting", False, True, True),
        ("avoided", False, False, True),
        ("due", False, True, True),
        ("trial", False, False, True),
        ("ejected", True, False, False),
        ("due", True, True, True),
        ("trial", True, False, False),
    ],
)
def test_which_addresses_get_requests(state: str, out: bool, alive: bool, worth_trying: bool) -> None:
    pool = Pool()
    pool.remember(pool.shelf(HERE), EjectionRecord(state, 1, 1.0, 9.0, out=out))
    assert (pool.alive(HERE), pool.worth_trying(HERE)) == (alive, worth_trying)
    assert (pool.alive(THERE), pool.worth_trying(THERE)) == (True, True)
