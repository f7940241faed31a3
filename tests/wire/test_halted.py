"""Point 22: the canary is taken out: who waits for it, what goes on there, and that nobody is sent there any more."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.wire.case import case
from tests.wire.kernel import PATIENCE
from tests.wire.pair import Pair, running
from tests.wire.program import SWITCHED, UPGRADE
from tests.wire.upstream import OK, Link

DRAIN = 0.4
SETTINGS = f"""
services:
  shop:
    stable: "http://127.0.0.1:{{stable}}"
    canary: "http://127.0.0.1:{{canary}}"
    weight: 50%
    force: {{header: X-To}}
    halt: {{drain: {DRAIN * 1000:.0f}ms}}
"""
TO_CANARY = b"X-To: always\r\n"
STREAM = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"


@pytest.fixture
def pair(tmp_path: Path, deaf: socket.socket) -> Iterator[Pair]:
    with running(tmp_path, SETTINGS, deaf) as pair:
        yield pair
        pair.fresh()


class Canary:
    """Fails everything but what its path says."""

    def __init__(self) -> None:
        self.tripped = threading.Event()
        self.asked = 0

    def serve(self, link: Link) -> None:
        while True:
            request = link.head()
            self.asked += 1
            if request.target == "/tunnel":
                link.request_of_upgrade()
                link.send(SWITCHED + b"hello")
                link.gone()
            link.request()
            if request.target == "/stream":
                link.send(STREAM)
                link.gone()
            elif request.target == "/wait":
                link.gone()
            elif request.target == "/post":
                assert self.tripped.wait(PATIENCE)
                link.send(OK)
            elif request.target == "/late":
                assert self.tripped.wait(PATIENCE)
                link.send(STREAM)
                link.gone()
            else:
                link.send(b"HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n")


@case("p22-trip")
def test_a_trip(pair: Pair) -> None:
    canary = Canary()
    pair.canary.serve(canary.serve)
    stream, wait = (pair.client(pair.request("GET", path, TO_CANARY)[0]) for path in ("/stream", "/wait"))
    post, late = (pair.client(pair.request("POST", path, TO_CANARY)[0]) for path in ("/post", "/late"))
    tunnel = pair.client(UPGRADE.replace(b"\r\n\r\n", b"\r\n" + TO_CANARY + b"\r\n"))
    assert tunnel.answer().status == 101
    assert tunnel.read(5) == b"hello"
    assert stream.head().status == 200

    client, marks = pair.client(), []
    while pair.running.admin.service("shop")["trip"] is None:
        for _ in range(10):
            request, mark = pair.request("GET", "/a")
            client.send(request)
            assert client.answer().status == 200, "nobody sees that the canary fails"
            marks.append(mark)
    trip = pair.running.admin.await_trip("shop", PATIENCE)["trip"]
    assert trip["acknowledged_ms"] is not None
    asked = canary.asked

    # At once: who can be, is answered by stable.
    answer = wait.answer()
    assert (answer.status, answer.body) == (200, b"st")
    # After the drain: what goes on ends, and nobody takes the half for the whole.
    assert stream.cut() == (b"hello", "reset")
    assert tunnel.ended() == "closed"
    # Who can't be sent again has its answer, however late; one without end has an end as well.
    canary.tripped.set()
    assert post.answer().body == b"ok"
    assert late.head().status == 200
    assert late.cut("POST") == (b"hello", "reset")

    for more in (b"", TO_CANARY):
        request, mark = pair.request("GET", "/a", more)
        client.send(request)
        assert client.answer().body == b"st"
        assert pair.seen(mark) == (0, 1)
    assert canary.asked == asked
    assert all(sum(pair.seen(mark)) <= 2 for mark in marks)
