"""Answers of the proxy's own: to what is refused, what can't be had, and what goes no further."""

from proxy.forwarding.accounts import UNREAD, Refusal
from proxy.forwarding.data_plane import DataPlane
from proxy.forwarding.sides import ClientSide
from proxy.http1 import answers
from proxy.http1.head import RequestHead


def answer(
    plane: DataPlane, side: ClientSide, status: int, detail: str, request_id: bytes, head: RequestHead | None
) -> int:
    """Write an answer that states what is wrong; return the size of its body in bytes."""
    close, as_json = not side.persistent, answers.prefers_json(head)
    ours, body = answers.problem(status, detail, request_id, plane.unix_now(), close=close, as_json=as_json)
    if head is not None and head.method == b"HEAD":
        body = b""
    side.write(ours + body)
    return len(body)


def turn_away(
    plane: DataPlane, side: ClientSide, status: int, reason: str, detail: str, head: RequestHead | None = None
) -> None:
    """Answer a request that never became an exchange; one that couldn't be read is the last."""
    if head is None:
        side.persistent = False
    request_id, client = _who(plane, side, head or UNREAD)
    size = answer(plane, side, status, detail, request_id, head)
    plane.accounts.turn_away(Refusal(head or UNREAD, status, reason, request_id, size), client)
    side.settled(b"")


def turn_connection_away(plane: DataPlane, side: ClientSide) -> None:
    """Answer a client for which there is no room: it may come back."""
    turn_away(plane, side, 503, "connections", "too many connections, try again in a while")


def answer_last_hop(plane: DataPlane, side: ClientSide, head: RequestHead) -> None:
    """Answer an OPTIONS or TRACE whose Max-Forwards says that it may go no further."""
    request_id, client = _who(plane, side, head)
    ours, body = answers.last_hop(head, request_id, plane.unix_now(), close=not side.persistent)
    side.write(ours + body)
    plane.accounts.turn_away(Refusal(head, 200, "last-hop", request_id, len(body)), client)
    side.settled(b"")


def _who(plane: DataPlane, side: ClientSide, head: RequestHead) -> tuple[bytes, str]:
    """Return the id of a request and the address of its client, as far as a trusted peer has given them."""
    return side.hop.request_id(head) or plane.request_id(), side.hop.client(head)
