"""What the fuzzer has kept, played again; and faults put into the proxy, each of which the oracle sees."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import oracle
import pytest
import script

from proxy.forwarding import downstream
from proxy.forwarding.crossing import Crossing
from proxy.forwarding.downstream import Downstream
from proxy.forwarding.exchange import Exchange
from proxy.forwarding.upstream import Upstream
from proxy.http1 import serializer

CORPUS = sorted((Path(oracle.__file__).parent / "corpus").iterdir())
GET = b"GET /a HTTP/1.1\r\nHost: shop\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\n\r\nhello"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"


def test_the_corpus_is_small() -> None:
    assert 50 < len(CORPUS) < 200
    assert sum(one.stat().st_size for one in CORPUS) < 300_000


@pytest.mark.parametrize("one", CORPUS, ids=lambda one: one.name)
def test_the_corpus(one: Path) -> None:
    oracle.judge(one.read_bytes())


def swapped(method: str, target: ModuleType, old: bytes, new: bytes) -> Callable[..., Any]:
    """A method whose result has one piece of bytes for another."""
    original = getattr(target, method)
    return lambda *positional, **named: original(*positional, **named).replace(old, new)


def unasked_stays(upstream: type[Any]) -> Callable[..., Any]:
    """An unasked answer is kept for whoever comes next."""
    received = Upstream.data_received

    def kept(self: Upstream, data: bytes) -> None:
        if self._phase == "idle":
            self._buffer = data
        else:
            received(self, data)

    return kept


def clean_end(downstream: type[Any]) -> Callable[..., Any]:
    """A cut answer ends like a whole one."""

    def end(self: Downstream) -> None:
        self._phase = "closed"
        self._transport.close()

    return end


def shortened(crossing: type[Any]) -> Callable[..., Any]:
    """An answer loses its last byte."""
    whole = crossing.answer_whole
    return lambda self, head, body: whole(self, head, body[:-1])


def completed(crossing: type[Any]) -> Callable[..., Any]:
    """A cut answer is completed."""
    cut = crossing._cut

    def complete(self: Crossing, exchange: Exchange, ending: str) -> None:
        self._side.write(serializer.LAST_CHUNK)
        cut(self, exchange, ending)

    return complete


def forgetful(crossing: type[Any]) -> Callable[..., Any]:
    """Who leaves is not accounted for."""
    return lambda self: None


FAULTS = {
    "an unasked answer is handed on": (Upstream, "data_received", unasked_stays, [("u", OK), ("u", OK)]),
    "a cut that isn't evident": (Downstream, "reset", clean_end, [("u", OK[:-1]), ("E", b"")]),
    "a cut answer is completed": (Crossing, "_cut", completed, [("u", CHUNKED[:-5]), ("E", b"")]),
    "an exchange is forgotten": (Crossing, "client_left", forgetful, [("d", b""), ("x", b"")]),
    "a request is sent twice": (
        Exchange,
        "may_retry",
        lambda _: lambda self: self.sends < 2,
        [("u", OK), ("c", POST), ("X", b""), ("d", b""), ("u", OK)],
    ),
    "another method": (
        serializer,
        "request_head",
        lambda on: swapped("request_head", on, b"GET", b"PUT"),
        [("u", OK)],
    ),
    "another target": (
        serializer,
        "request_head",
        lambda on: swapped("request_head", on, b"/a", b"/%61"),
        [("u", OK)],
    ),
    "a field is lost": (
        serializer,
        "response_head",
        lambda on: swapped("response_head", on, b"X: y\r\n", b""),
        [("u", OK.replace(b"\r\n\r\n", b"\r\nX: y\r\n\r\n"))],
    ),
    "two Hosts": (
        serializer,
        "request_head",
        lambda on: swapped("request_head", on, b"Host: shop\r\n", b"Host: shop\r\nHost: b\r\n"),
        [("u", OK)],
    ),
    "a bare LF": (
        serializer,
        "request_head",
        lambda on: swapped("request_head", on, b"X-Real-IP: ", b"X-Real-IP:\n"),
        [("u", OK)],
    ),
    "a byte of the body is lost": (
        Crossing,
        "answer_whole",
        shortened,
        [("u", OK)],
    ),
    "another length": (
        downstream,
        "request_length",
        lambda _: lambda head: 4 if head.method == b"POST" else 0,
        [("u", OK), ("c", POST), ("u", OK)],
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_in_the_proxy_is_seen(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    where, attribute, fault, steps = FAULTS[name]
    play = script.write(("c", GET), *steps, ("n", b"1"), ("c", GET), ("u", OK))
    oracle.judge(play)
    monkeypatch.setattr(where, attribute, fault(where))
    with pytest.raises(AssertionError):
        oracle.judge(play)
