"""How often a request is sent, what that costs, and what is counted and noted of it."""

from collections.abc import Callable
from typing import Any

import pytest

from proxy.forwarding.pool import Pool
from proxy.forwarding.rescue import CAPACITY
from proxy.routing.address import Address
from proxy.routing.match import RouteMatch
from proxy.routing.table import Service
from tests.kits.located import address
from tests.kits.stage import Stage
from tests.kits.transports import Client, Server

CANARY = "http://canary:9002"
STABLE = "http://stable:9001"
GET = b"GET /a HTTP/1.1\r\nHost: shop\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
UNAVAILABLE = b"HTTP/1.1 503 Oh\r\nContent-Length: 2\r\n\r\nno"


@pytest.fixture
def canary(staged: type[Stage], service: Callable[..., Service]) -> Callable[..., Stage]:
    def make(**more: tuple[()]) -> Stage:
        return staged(service(weight=10_000, **more))

    return make


@pytest.fixture
def noted(canary: Callable[..., Stage]) -> Callable[..., tuple[Stage, list[Any]]]:
    """Make a stage, and the list of the exchanges that its access log is told of."""

    def make(**more: Any) -> tuple[Stage, list[Any]]:
        stage, found = canary(**more), []
        sink = type("Sink", (), {"note": lambda self, exchange, *_: found.append(exchange)})
        stage.plane.accounts.access = sink()
        return stage, found

    return make


def counts(stage: Stage) -> tuple[Any, ...]:
    """The counts of canary and stable."""
    entries = {key[2]: entry for key, entry in stage.tally.everything().items()}
    return entries.get("canary"), entries.get("stable")


# When the client leaves.


@pytest.mark.parametrize("end", ["closes", "resets"])
@pytest.mark.parametrize("joined", [True, False])
def test_a_client_that_leaves_meanwhile_is_neither_rescued_nor_harmed(
    canary: Callable[..., Stage], end: str, joined: bool
) -> None:
    stage = canary()
    client = stage.client()
    client.sends(GET)
    stage.connects().sends(UNAVAILABLE)
    second = stage.connects() if joined else None
    getattr(client, end)()
    assert stage.outcomes() == [("complete", 503, "failure"), ("client-left", 0, "excluded")]
    at_canary, at_stable = counts(stage)
    assert (at_canary.rescued, at_canary.harmed, at_stable.harmed) == (0, 0, 0)
    second = second or stage.connects()
    assert (second.got() == b"", second.end, stage.idle()) == ((True, "", 1), (False, "abort", 0))[joined]


# How often it is sent.


def test_a_rescue_dials_even_when_a_connection_to_stable_waits(canary: Callable[..., Stage]) -> None:
    stage = canary()
    other = stage.client()
    other.sends(GET)
    stage.connects().resets()
    stage.connects().sends(OK)
    assert stage.idle() == 1
    client = stage.client()
    client.sends(GET)
    stage.connects().resets()
    assert (stage.dialled(), stage.idle()) == ([STABLE], 1), "that one could be stale, and there is no third"


def warm(stage: Stage, client: Client) -> Server:
    """A connection to the canary waits in the pool."""
    client.sends(GET)
    server = stage.connects()
    server.sends(OK)
    client.got(), stage.outcomes(), server.got()
    return server


@pytest.mark.parametrize("end", ["resets", "closes"])
def test_a_stale_connection_says_nothing_of_the_canary_and_stable_is_asked(
    canary: Callable[..., Stage], end: str
) -> None:
    stage = canary()
    client = stage.client()
    server = warm(stage, client)
    client.sends(GET)
    getattr(server, end)()
    assert stage.dialled() == [STABLE]
    stage.connects().sends(OK)
    assert client.got() == OK
    assert stage.outcomes() == [("stale", 0, "excluded"), ("complete", 200, "success")]
    assert counts(stage)[0].harmed == 0


@pytest.mark.parametrize("how", ["resets", "closes", 503])
def test_a_stale_connection_and_a_failure_are_two(canary: Callable[..., Stage], how: int | str) -> None:
    stage = canary()
    client = gone(stage)  # or stable would be asked
    server = warm(stage, client)
    client.sends(GET)
    server.resets()
    assert stage.dialled() == [CANARY], "it says nothing about the canary"
    stage.now += 1  # and there is something to pay with again
    fresh = stage.connects()
    fresh.sends(UNAVAILABLE) if how == 503 else getattr(fresh, how)()
    assert (stage.dialled(), client.got()[:13]) == ([], b"HTTP/1.1 503 " if how == 503 else b"HTTP/1.1 502 ")
    assert len(stage.outcomes()) == 1
    assert counts(stage)[0].harmed == 1


def test_a_pooled_connection_that_begins_to_answer_and_fails_is_a_failure(
    canary: Callable[..., Stage],
) -> None:
    stage = canary()
    client = stage.client()
    server = warm(stage, client)
    client.sends(GET)
    server.sends(b"HTTP/1.1 200 O")
    server.resets()
    assert stage.dialled() == [STABLE]
    stage.connects().sends(OK)
    assert client.got() == OK


# What is counted and noted.


def test_the_canary_is_charged_and_the_whole_time_is_the_client_s(canary: Callable[..., Stage]) -> None:
    stage = canary()
    client = stage.client()
    client.sends(GET)
    server = stage.connects()
    stage.now += 2
    server.sends(UNAVAILABLE)
    second = stage.connects()
    stage.now += 1
    second.sends(OK)
    first, last = stage.tally.outcomes
    assert (first.head_seconds, first.total_seconds) == (2, 2)
    assert (last.head_seconds, last.total_seconds, last.route) == (1, 3, b"")
    at_canary, at_stable = counts(stage)
    assert (at_canary.drawn, at_canary.rescued, at_canary.harmed) == ({"failure": 1}, 1, 0)
    assert (at_stable.drawn, at_stable.taken_over, at_stable.in_flight) == ({}, {"success": 1}, 0)
    assert stage.failures == [1], "it is told at once"


def test_both_are_in_flight_one_after_the_other(canary: Callable[..., Stage]) -> None:
    stage = canary()
    client = stage.client()
    client.sends(GET)
    assert counts(stage)[0].in_flight == 1
    stage.refuses()
    assert [entry.in_flight for entry in counts(stage)] == [0, 1]
    client.resets()
    assert [entry.in_flight for entry in counts(stage)] == [0, 0]


def test_one_that_was_overdue_is_so_no_more(canary: Callable[..., Stage]) -> None:
    stage = canary()
    stage.plane.thresholds.set({"shop": {"canary": (0.1, 0.2, 0.3), "stable": (0.1, 0.2, 0.3)}})
    client = stage.client()
    client.sends(GET)
    server = stage.connects()
    stage.now += 1
    stage.plane.thresholds.look(stage.now)
    assert counts(stage)[0].overdue == 1
    server.sends(UNAVAILABLE)
    second = stage.connects()
    stage.now += 1
    stage.plane.thresholds.look(stage.now)
    assert [entry.overdue for entry in counts(stage)] == [0, 0], "nobody's coin sent it to stable"
    second.sends(OK)
    assert counts(stage)[1].labels == {}


@pytest.mark.parametrize(
    ("how", "told"),
    [(UNAVAILABLE, "canary 503"), (b"SSH-2\r\n\r\n", "canary garbage"), (None, "canary timeout")],
)
def test_the_log_has_one_line_and_says_who_failed(
    noted: Callable[..., tuple[Stage, list[Any]]], how: bytes | None, told: str
) -> None:
    stage, found = noted()
    client = stage.client()
    client.sends(GET)
    server = stage.connects()
    stage.passes(61) if how is None else server.sends(how)
    stage.connects().sends(OK)
    [exchange] = found
    assert (exchange.failed, exchange.status, exchange.choice.backend) == (told, 200, "stable")
    client.sends(GET)
    stage.connects().sends(OK)
    assert found[1].failed == ""


# What it costs.


def gone(stage: Stage) -> Client:
    """Spend the whole budget, and send what stable gets to tell it."""
    client = stage.client()
    for _ in range(int(CAPACITY)):
        client.sends(GET)
        stage.refuses()
        stage.connects().sends(OK)
    client.got(), stage.outcomes()
    return client


def rescued(stage: Stage, client: Client) -> bool:
    """Whether one more is."""
    client.sends(GET)
    stage.refuses()
    for _ in stage.dialled():
        stage.connects().sends(OK)
    stage.outcomes()
    return client.got() == OK


def test_only_requests_that_are_sent_to_stable_in_the_first_place_pay(
    staged: type[Stage], service: Callable[..., Service]
) -> None:
    stage = staged(service(force="X-To", weight=10_000))
    client = gone(stage)
    assert [rescued(stage, client) for _ in range(10)] == [False] * 10, "rescues pay for none"
    for _ in range(5):
        client.sends(GET[:-2] + b"X-To: never\r\n\r\n")
        client.resets()
        for _ in stage.dialled():
            stage.refuses()
        client = stage.client()
    stage.outcomes()
    assert [rescued(stage, client) for _ in range(3)] == [True, False, False]


def test_time_pays_as_well(canary: Callable[..., Stage]) -> None:
    stage = canary()
    client = gone(stage)
    stage.now += 1
    assert [rescued(stage, client) for _ in range(5)] == [True] * 3 + [False] * 2


def test_each_service_has_a_budget_of_its_own(staged: type[Stage], service: Callable[..., Service]) -> None:
    stage = staged(service(weight=10_000), service("other", weight=10_000, match=RouteMatch(host="other")))
    client = gone(stage)
    assert not rescued(stage, client)
    client.sends(GET.replace(b"shop", b"other"))
    stage.refuses()
    assert stage.dialled() == [STABLE]


@pytest.mark.parametrize("out", ["none", "dead"])
def test_without_an_endpoint_of_stable_the_client_is_told_and_nothing_is_spent(
    canary: Callable[..., Stage], out: str
) -> None:
    stage = canary(endpoints=()) if out == "none" else canary()
    if out == "dead":
        stage.plane.pool = DeadStable(stage.plane.pool)
    client = stage.client()
    client.sends(GET)
    stage.connects().sends(UNAVAILABLE)
    assert (client.got()[:13], stage.dialled()) == (b"HTTP/1.1 503 ", [])
    assert stage.outcomes() == [("complete", 503, "failure")]
    assert (stage.plane.accounts.budgets, counts(stage)[0].harmed) == ({}, 1)


class DeadStable:
    """A pool that knows stable's endpoint to be dead."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return getattr(self._pool, name)

    def alive(self, one: Address) -> bool:
        return one != address(STABLE)

    def worth_trying(self, one: Address) -> bool:
        return one != address(STABLE)


# What is left behind.


def test_a_head_that_proves_to_be_garbage_has_no_time(canary: Callable[..., Stage]) -> None:
    stage = canary()
    client = stage.client()
    client.sends(GET.replace(b"GET", b"POST"))
    stage.connects().sends(b"HTTP/1.1 503 Oh\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n")
    assert stage.outcomes() == [("garbage", 502, "failure")]
    assert stage.tally.outcomes[0].head_seconds is None


def test_the_copy_of_a_body_is_kept_no_longer_than_it_may_be_needed(canary: Callable[..., Stage]) -> None:
    stage = canary()
    client = stage.client()
    client.sends(b"PUT /a HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\n\r\nhello")
    crossing = client.transport.protocol.crossing
    server = stage.connects()
    assert crossing.attempts.upload.again() == b"hello"
    server.sends(UNAVAILABLE[:-2].replace(b"503", b"200"))
    assert crossing.attempts.upload.again() == b""
    server.sends(b"no")
    assert crossing.attempts.upload is None
