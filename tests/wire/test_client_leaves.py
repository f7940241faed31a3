"""Point 17: a client that leaves takes its exchange along; a cut upload is never completed (RFC 9112 8)."""

from collections.abc import Callable

from tests.wire.case import case, cases
from tests.wire.client import Client
from tests.wire.kernel import await_let_go, await_taken, fill
from tests.wire.program import Wire

GET = b"GET /l HTTP/1.1\r\nHost: shop.example\r\n\r\n"
POST = b"POST /l HTTP/1.1\r\nHost: shop.example\r\n"
SIZED = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"
Leave = Callable[[Client], None]
LEAVES: tuple[tuple[str, Leave], ...] = (
    ("closes", Client.close),
    ("resets", Client.reset),
    ("ends-its-direction", Client.finish),
)
SOON = 10.0
"""Seconds: it takes half a second at most, and a deadline would take a minute, as it would for `link.gone`."""


def each_way(*names: str) -> tuple[tuple[str, Leave], ...]:
    """Every case with every way to leave."""
    return tuple((f"{name}-{how}", leave) for name in names for how, leave in LEAVES)


@cases("leave", *each_way("p17-rfc9112-8-before-the-answer"))
def test_a_client_that_leaves_before_its_answer_takes_the_exchange_with_it(wire: Wire, leave: Leave) -> None:
    client = wire.client(GET)
    link = wire.upstream.accept()
    link.request()
    leave(client)
    link.gone()
    wire.serves_on()


@cases("leave", *each_way("p17-rfc9112-8-within-the-answer"))
def test_a_client_that_leaves_within_its_answer_does_so_too(wire: Wire, leave: Leave) -> None:
    client = wire.client(GET)
    link = wire.upstream.accept()
    link.request()
    link.send(SIZED + b"x")
    assert client.head().status == 200
    leave(client)
    link.gone()
    wire.serves_on()


@cases("leave", *each_way("p17-rfc9112-8-answer-not-read")[:2])
def test_a_client_that_reads_nothing_and_leaves(wire: Wire, leave: Leave) -> None:
    client = wire.client(GET)
    link = wire.upstream.accept()
    link.request()
    link.send(SIZED)
    fill(link.sock, 64 << 20)
    leave(client)
    link.gone()
    wire.serves_on()


@case("p17-rfc9112-8-upload-not-taken")
def test_a_client_that_resets_while_its_upload_is_not_taken(wire: Wire) -> None:
    client = wire.client(POST + b"Content-Length: 1000000000\r\n\r\n")
    link = wire.upstream.accept()
    link.head()
    fill(client.sock, 64 << 20)  # nobody reads the client now, so the event loop doesn't tell that it leaves
    client.reset()
    await_let_go(link.sock, SOON)
    link.gone()
    wire.never_whole()
    wire.serves_on()


@cases(
    "sent",
    ("p17-rfc9112-8-upload-sized", POST + b"Content-Length: 10\r\n\r\nhello"),
    ("p17-rfc9112-8-upload-sized-without-a-byte", POST + b"Content-Length: 10\r\n\r\n"),
    ("p17-rfc9112-8-upload-sized-all-but-one", POST + b"Content-Length: 6\r\n\r\nhello"),
    ("p17-rfc9112-8-upload-chunked", POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"),
    ("p17-rfc9112-8-upload-within-a-chunk", POST + b"Transfer-Encoding: chunked\r\n\r\n9\r\nhello"),
    (
        "p17-rfc9112-8-upload-before-the-last-chunk",
        POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
    ),
    (
        "p17-rfc9112-8-upload-within-trailers",
        POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nA: b\r\n",
    ),
)
def test_a_cut_upload_is_never_completed(wire: Wire, sent: bytes) -> None:
    for _, leave in LEAVES:
        client = wire.client(sent)
        link = wire.upstream.accept()
        link.head()
        await_taken([client.sock])
        leave(client)
        link.gone()
        client.close()
    wire.never_whole()
    wire.serves_on()


@case("p17-rfc9112-8-upload-cut-anywhere")
def test_a_chunked_upload_cut_anywhere_is_never_completed(wire: Wire) -> None:
    sent = POST + b"Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX: 1\r\n\r\n"
    head = sent.index(b"\r\n\r\n") + 4
    for at in range(head, len(sent)):
        client = wire.client(sent[:at])
        link = wire.upstream.accept()
        link.head()
        client.finish()
        link.gone()
        client.close()
    wire.never_whole()
    wire.serves_on()


@case("p17-rfc9112-8-within-the-head")
def test_a_client_that_leaves_within_its_head_troubles_nobody(wire: Wire) -> None:
    for at in range(len(GET)):
        client = wire.client(GET[:at])
        client.finish()
        client.close()
    wire.serves_on()


@case("p17-rfc9112-9.3.2-pipelined")
def test_a_pipeline_ends_with_its_client(wire: Wire) -> None:
    client = wire.client(GET * 3)
    link = wire.upstream.accept()
    link.request()
    client.close()
    link.gone()
    assert len(wire.upstream.links) == 1
    wire.serves_on()


@case("p17-rfc9112-8-early-answer-then-leaves")
def test_a_client_may_leave_once_it_has_its_whole_answer(wire: Wire) -> None:
    client = wire.client(POST + b"Content-Length: 10\r\n\r\nhello")
    link = wire.upstream.accept()
    link.head()
    link.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    assert client.answer().body == b"ok"
    client.close()
    link.gone()
    wire.never_whole()
    wire.serves_on()
