"""An exchange makes the moves of its tables, and every other is an error where it happens."""

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from proxy.forwarding.exchange import REQUEST_MOVES, RESPONSE_MOVES, Exchange
from proxy.http1.framing import CHUNKED
from proxy.http1.head import IDEMPOTENT, RequestHead
from proxy.routing.choice import Choice
from proxy.routing.table import Service
from proxy.telemetry.outcome import Outcome

REQUEST_STATES = ("open", "done", "cut")
RESPONSE_STATES = ("awaited", "open", "done", "cut", "tunnel")


@pytest.fixture
def exchange(service: Callable[..., Service]) -> Callable[..., Exchange]:
    def build(method: bytes = b"GET", length: int = 0, drawn: bool = True) -> Exchange:
        head = RequestHead(method, b"/", 1, [], b"a")
        shop = service()
        choice = Choice(
            shop, "stable", shop.backends[0].endpoints[0], "weight", drawn, b"", b"", pinned=not drawn
        )
        return Exchange(head, choice, length, 10.0)

    return build


def test_the_tables_hold_nothing_but_known_words() -> None:
    assert {state for state, _ in REQUEST_MOVES} | set(REQUEST_MOVES.values()) == set(REQUEST_STATES)
    assert {state for state, _ in RESPONSE_MOVES} | set(RESPONSE_MOVES.values()) == set(RESPONSE_STATES)


# A method of the exchange moves one side, or both.
MOVES = [
    (lambda it: it.request_ended(), "end", None),
    (lambda it: it.response_began(200, 11.0, 0), None, "head"),
    (lambda it: it.response_came_whole(200, 11.0, 5), None, "whole"),
    (lambda it: it.switched(11.0), None, "switch"),
    (lambda it: it.response_ended(), None, "end"),
    (lambda it: it.answered_by_us(502, "reset", 0), "break", "own"),
    (lambda it: it.broke("truncated"), "break", "break"),
]


@pytest.mark.parametrize(
    ("move", "request_event", "response_event"),
    MOVES,
    ids=[
        "request_ended",
        "response_began",
        "response_came_whole",
        "switched",
        "response_ended",
        "answered_by_us",
        "broke",
    ],
)
@pytest.mark.parametrize(("request_state", "response_state"), list(product(REQUEST_STATES, RESPONSE_STATES)))
def test_every_legal_move_and_no_other(
    exchange: Callable[..., Exchange],
    move: Callable[..., Any],
    request_event: str | None,
    response_event: str | None,
    request_state: str,
    response_state: str,
) -> None:
    it = exchange()
    it.request, it.response = request_state, response_state
    legal = (request_event is None or (request_state, request_event) in REQUEST_MOVES) and (
        response_event is None or (response_state, response_event) in RESPONSE_MOVES
    )
    if not legal:
        with pytest.raises(KeyError):
            move(it)
        return
    move(it)
    assert it.request == REQUEST_MOVES.get((request_state, request_event), request_state)
    assert it.response == RESPONSE_MOVES.get((response_state, response_event), response_state)


@pytest.mark.parametrize(("length", "state"), [(0, "done"), (1, "open"), (CHUNKED, "open")])
def test_a_request_without_a_body_is_done_when_its_head_is(
    exchange: Callable[..., Exchange], length: int, state: str
) -> None:
    assert exchange(length=length).request == state


def test_it_says_where_it_stands(exchange: Callable[..., Exchange]) -> None:
    it = exchange(b"POST", 5)
    seen = [repr(it)]
    it.request_ended()
    it.response_began(200, 11.0, 0)
    seen.append(repr(it))
    it.response_ended()
    seen.append(repr(it))
    assert seen == [
        "<Exchange shop/stable request open, response awaited, open>",
        "<Exchange shop/stable request done, response open, open>",
        "<Exchange shop/stable request done, response done, complete>",
    ]


@pytest.mark.parametrize(
    ("method", "length", "sends", "may"),
    [(method, 0, 1, True) for method in sorted(IDEMPOTENT)]
    + [(b"POST", 0, 1, False), (b"PATCH", 0, 1, False), (b"CUSTOM", 0, 1, False)]
    + [(b"GET", 5, 1, False), (b"PUT", CHUNKED, 1, False), (b"GET", 0, 2, False)],
)
def test_what_may_be_sent_once_more(
    exchange: Callable[..., Exchange], method: bytes, length: int, sends: int, may: bool
) -> None:
    it = exchange(method, length)
    for _ in range(sends):
        it.send(11.0, ())
    assert it.may_retry() is may


def test_what_is_remembered_of_a_whole_answer(exchange: Callable[..., Exchange]) -> None:
    it = exchange(b"POST", 5, drawn=False)
    it.send(10.5, ())
    it.request_ended()
    it.response_began(201, 12.0, 0)
    it.response_ended()
    assert it.outcome(15.0) == Outcome(
        ("shop", 7, "stable"), "POST", 201, "complete", "success", False, 1.5, 5.0
    )


def test_what_is_remembered_of_an_answer_of_our_own(exchange: Callable[..., Exchange]) -> None:
    it = exchange(b"FROB")
    it.answered_by_us(504, "timeout", 0)
    assert it.outcome(11.0) == Outcome(
        ("shop", 7, "stable"), "_OTHER", 504, "timeout", "failure", True, None, 1.0, b"/"
    )


def test_nothing_is_remembered_before_the_end(exchange: Callable[..., Exchange]) -> None:
    with pytest.raises(AssertionError):
        exchange().outcome(11.0)
