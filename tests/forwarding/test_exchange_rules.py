"""What an exchange takes, expects and changes to, who is silent in it, and what an attempt leaves behind."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from proxy.forwarding.answer_head import choice_lines
from proxy.forwarding.exchange import Exchange
from proxy.http1.errors import BadMessage
from proxy.http1.framing import CHUNKED
from proxy.http1.head import RequestHead
from proxy.routing.choice import Choice
from proxy.routing.table import Service
from proxy.telemetry.outcome import Outcome
from tests.kits.located import address


@pytest.fixture
def exchange(service: Callable[..., Service]) -> Callable[..., Exchange | None]:
    def build(
        method: bytes = b"GET",
        length: int = 0,
        *,
        minor: int = 1,
        steering: dict[bytes, bytes] | tuple[()] = (),
        issue: bytes = b"",
        **settings: int | tuple[Any, ...] | None,
    ) -> Exchange | None:
        head = RequestHead(method, b"/", minor, [], b"a", dict(steering))
        shop = service(**settings)
        choice = Choice(shop, "stable", address("http://stable:9001"), "weight", True, b"", issue)
        return Exchange(head, choice, length, 10.0)

    return build


# Bodies that are too large.


@pytest.mark.parametrize(
    ("length", "most", "fits"),
    [(10, None, True), (10, 10, True), (11, 10, False), (0, 0, True), (1, 0, False), (CHUNKED, 0, True)],
)
def test_a_body_that_says_it_is_too_large_is_refused_at_once(
    exchange: Callable[..., Exchange | None], length: int, most: int | None, fits: bool
) -> None:
    if fits:
        assert exchange(b"POST", length, max_body=most).response == "awaited"
        return
    with pytest.raises(BadMessage) as caught:
        exchange(b"POST", length, max_body=most)
    assert (caught.value.status, caught.value.reason) == (413, "body")
    assert caught.value.detail == f"a body of more than {most} bytes"


@pytest.mark.parametrize("pieces", [[[b"0123456789", b"x"]], [[b"01234"], [b"56789", b""], [b"x"]]])
def test_one_that_says_nothing_is_refused_when_it_is(
    exchange: Callable[..., Exchange | None], pieces: list[list[bytes]]
) -> None:
    it = exchange(b"POST", CHUNKED, max_body=10)
    *fit, last = pieces
    for some in fit:
        it.request_came(some)
    with pytest.raises(BadMessage) as caught:
        it.request_came(last)
    assert (caught.value.status, caught.value.reason) == (413, "body")


def test_what_fits_is_counted(exchange: Callable[..., Exchange | None]) -> None:
    it = exchange(b"POST", CHUNKED, max_body=10)
    it.request_came([b"01234", b"567"])
    it.request_came([b"89"])
    assert it.received == 10
    any_size = exchange(b"POST", CHUNKED)
    any_size.request_came([b"x" * 1_000_000])
    assert any_size.received == 1_000_000


# Expectations and upgrades.

WAITS = {b"expect": b"100-continue"}
ASKS = {b"connection": b"upgrade", b"upgrade": b"WebSocket, h2c"}


def test_it_expects_until_the_first_byte_of_the_body(exchange: Callable[..., Exchange | None]) -> None:
    assert not exchange(b"POST", 5).expects
    it = exchange(b"POST", 5, steering=WAITS)
    assert it.expects
    it.request_came([b"x"])
    assert not it.expects


def test_an_expectation_that_nobody_knows_is_refused(exchange: Callable[..., Exchange | None]) -> None:
    with pytest.raises(BadMessage) as caught:
        exchange(b"POST", 5, steering={b"expect": b"the spanish inquisition"})
    assert (caught.value.status, caught.value.reason) == (417, "expectation")
    assert not exchange(b"POST", 5, minor=0, steering={b"expect": b"x"}).expects


@pytest.mark.parametrize(
    ("length", "upgrades", "offer"),
    [
        (0, ("websocket",), b"WebSocket"),
        (0, ("x", "websocket"), b"WebSocket"),
        (0, ("x",), b""),
        (0, (), b""),
        (5, ("websocket",), b""),
        (CHUNKED, ("websocket",), b""),
    ],
)
def test_a_request_without_a_body_may_change_to_what_the_service_allows(
    exchange: Callable[..., Exchange | None], length: int, upgrades: tuple[Any, ...], offer: bytes
) -> None:
    assert exchange(length=length, steering=ASKS, upgrades=upgrades).upgrade == offer


def test_what_is_remembered_of_a_tunnel(exchange: Callable[..., Exchange | None]) -> None:
    it = exchange(steering=ASKS)
    it.send(10.5, ())
    it.switched(11.0)
    assert (it.status, it.response) == (101, "tunnel")
    it.response_ended()
    assert it.outcome(70.0) == Outcome(
        ("shop", 7, "stable"), "GET", 101, "complete", "success", True, 0.5, 60.0
    )


# Silence.


@pytest.mark.parametrize(
    ("request_", "expects", "client_full", "endpoint_full", "who"),
    [
        ("done", False, False, False, "endpoint"),
        ("done", False, True, False, "client"),
        ("open", False, False, False, "client"),
        ("open", False, False, True, "endpoint"),
        ("open", False, True, True, "client"),
        ("open", True, False, False, "endpoint"),
        ("open", True, True, False, "client"),
    ],
)
def test_who_is_silent(
    exchange: Callable[..., Exchange | None],
    request_: str,
    expects: bool,
    client_full: bool,
    endpoint_full: bool,
    who: str,
) -> None:
    it = exchange(b"POST", 5)
    it.request, it.expects = request_, expects
    ending, status, detail = it.silence(client_full=client_full, endpoint_full=endpoint_full)
    assert (ending, status) == {"client": ("client-left", 408), "endpoint": ("timeout", 504)}[who]
    assert detail


# Another backend is asked.


def test_what_is_remembered_of_an_attempt_that_was_passed_on(service: Callable[..., Service]) -> None:
    shop = service(choice_header="x-choice")
    choice = Choice(shop, "canary", address("http://canary:9002"), "weight", True, b"k", b"", user=77)
    it = Exchange(RequestHead(b"GET", b"/a?b", 1, [], b"a"), choice, 0, 10.0)
    it.send(11.5, (0.1, 0.2, 0.3))
    it.fall_overdue()
    again = replace(
        choice, backend="stable", address=address("http://stable:9001"), why="rescued", drawn=False
    )
    outcome = it.pass_on(again, "complete", 503, 13.0)
    assert (outcome.key[2], outcome.status, outcome.ending, outcome.result) == (
        "canary",
        503,
        "complete",
        "failure",
    )
    assert (outcome.drawn, outcome.passed_on, outcome.rescue_of, outcome.taken_over) == (
        True,
        True,
        None,
        False,
    )
    assert (outcome.head_seconds, outcome.total_seconds, outcome.route) == (1.5, 3.0, b"/a")
    assert (outcome.thresholds, outcome.overdue, outcome.exposed) == ((0.1, 0.2, 0.3), True, True)

    assert (it.key, it.first, it.failed) == (("shop", 7, "stable"), ("shop", 7, "canary"), "canary 503")
    assert (it.response, it.status, it.ending, it.sent, it.answered) == ("awaited", 0, None, None, None)
    assert (it.thresholds, it.overdue) == ((), False)
    assert choice_lines(it, secure=False) == b"x-choice: stable; why=rescued\r\n"

    it.response_came_whole(200, 14.0, 5)
    last = it.outcome(15.0)
    assert (last.key[2], last.rescue_of, last.passed_on) == ("stable", ("shop", 7, "canary"), False)
    assert (last.drawn, last.taken_over, last.exposed, last.total_seconds) == (False, True, False, 5.0)


@pytest.mark.parametrize(
    ("ending", "status", "result", "told"),
    [
        ("connect", 502, "failure", "canary connect"),
        ("timeout", 504, "failure", "canary timeout"),
        ("halted", 0, "excluded", "canary halted"),
    ],
)
def test_how_it_failed_is_told_by_what_happened(
    service: Callable[..., Service], ending: str, status: int, result: str, told: str
) -> None:
    shop = service()
    choice = Choice(shop, "canary", address("http://canary:9002"), "weight", True, b"", b"")
    it = Exchange(RequestHead(b"GET", b"/", 1, [], b"a"), choice, 0, 10.0)
    outcome = it.pass_on(replace(choice, backend="stable"), ending, status, 11.0)
    assert (outcome.result, it.failed, outcome.head_seconds) == (result, told, None)


def test_an_answer_that_began_is_passed_on_no_more(service: Callable[..., Service]) -> None:
    shop = service()
    choice = Choice(shop, "canary", address("http://canary:9002"), "weight", True, b"", b"")
    it = Exchange(RequestHead(b"GET", b"/", 1, [], b"a"), choice, 0, 10.0)
    it.response_began(200, 11.0, 0)
    with pytest.raises(KeyError):
        it.pass_on(choice, "reset", 502, 12.0)
