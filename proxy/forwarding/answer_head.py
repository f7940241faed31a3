"""The head of an answer as its client gets it: how the body is framed, and the lines that the proxy adds.

Decisions on an exchange as its answer begins. `length` is of the answer's body: in bytes, CHUNKED or
UNTIL_CLOSE.
"""

from proxy.forwarding.exchange import Exchange
from proxy.forwarding.sides import ClientSide
from proxy.http1 import serializer
from proxy.http1.framing import CHUNKED, UNTIL_CLOSE
from proxy.http1.head import ResponseHead, value_of
from proxy.routing.choice import Choice


def client_head(exchange: Exchange, side: ClientSide, head: ResponseHead, length: int) -> bytes:
    """Return the head of an answer as its client gets it; `side` isn't persistent any more if it is the last.

    `length`: of the body as the client gets it.
    """
    if side.persistent and is_plain(exchange, length):
        return serializer.response_head(head, length, b"")
    # What came behind a request may be of the protocol that was offered and not taken.
    if is_last(exchange, length) or (exchange.upgrade and side.buffered):
        side.persistent = False
    ours = own_lines(exchange, persistent=side.persistent, secure=side.secure)
    return serializer.response_head(head, length, ours)


def is_last(exchange: Exchange, length: int) -> bool:
    """Return whether no other request can follow this one, as its answer begins."""
    # While the request is open it isn't known whether the rest of it will be wanted.
    return exchange.request == "open" or length == UNTIL_CLOSE


def is_plain(exchange: Exchange, length: int) -> bool:
    """Return whether the answer goes on as it came, on a connection that stays open. Most do."""
    if exchange.request == "open" or length == UNTIL_CLOSE or exchange.upgrade:  # is_last(), written out
        return False
    choice = exchange.choice
    return bool(exchange.head.minor) and not choice.issue and not choice.service.choice_header


def is_events(head: ResponseHead) -> bool:
    """Return whether an answer is an event stream (HTML Living Standard, section 9.2)."""
    kinds = (value_of(one).partition(b";")[0] for one in head.fields if one[0] == b"content-type")
    return any(kind.strip().lower() == b"text/event-stream" for kind in kinds)


def framed_length(exchange: Exchange, length: int) -> int:
    """Return how a body that comes with this length is framed for the client.

    Only chunks distinguish a whole body of unknown length from a cut one; HTTP/1.0 doesn't know them.
    """
    if length >= 0:
        return length
    return CHUNKED if exchange.head.minor else UNTIL_CLOSE


def own_lines(exchange: Exchange, *, persistent: bool, secure: bool) -> bytes:
    """Return the lines that the proxy adds to an answer, each with its CRLF.

    Args:
        exchange: the one that is answered.
        persistent: whether the client's connection stays open.
        secure: whether it speaks TLS.
    """
    lines = b""
    if not persistent:
        lines = b"Connection: close\r\n"
    elif not exchange.head.minor:
        lines = b"Connection: keep-alive\r\n"
    return lines + choice_lines(exchange, secure=secure)


def choice_lines(exchange: Exchange, *, secure: bool) -> bytes:
    """Return the lines that result from the choice: the sticky cookie and the choice header."""
    choice = exchange.choice
    service = choice.service
    lines = b""
    if choice.issue:
        lines = b"Set-Cookie: %b\r\n" % service.sticky.set_cookie(choice.issue, secure=secure)
    if service.choice_header:
        lines += choice_line(choice, service.choice_header)
    return lines


def choice_line(choice: Choice, name: str) -> bytes:
    """Return a line with the backend that was chosen, and why."""
    return f"{name}: {choice.backend}; why={choice.why}\r\n".encode()
