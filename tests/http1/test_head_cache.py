"""That heads are remembered, which ones, and that the memory is bounded."""

from collections.abc import Callable
from typing import Any

import pytest

from proxy.http1.errors import BadMessage
from proxy.http1.head_cache import LONGEST, MET, MOST, MOST_FIELDS, HeadCache, Heads
from proxy.http1.limits import DEFAULT, Limits
from proxy.http1.parser import read_request, read_response


def get(*lines: bytes, target: bytes = b"/") -> bytes:
    return b"\r\n".join((b"GET " + target + b" HTTP/1.1", b"Host: shop", *lines, b"", b""))


def answer(*lines: bytes) -> bytes:
    return b"\r\n".join((b"HTTP/1.1 200 OK", *lines, b"", b""))


def kept_of(heads: Heads, kind: str) -> HeadCache:
    return heads.requests if kind == "request" else heads.responses


def padded(kind: str, size: int) -> bytes:
    """A head of exactly this many bytes."""
    make = get if kind == "request" else answer
    return make(b"X: " + b"x" * (size - len(make(b"X: "))))


KINDS = [("request", get, read_request), ("response", answer, read_response)]


@pytest.mark.parametrize(("kind", "make", "read"), KINDS)
def test_what_was_read_twice_is_found_by_all_of_its_bytes(
    kind: str, make: Callable[..., Any], read: Callable[..., Any]
) -> None:
    heads = Heads(DEFAULT)
    block = make(b"A: b")
    assert getattr(heads, kind)(block) == read(block)
    assert not kept_of(heads, kind)
    head = getattr(heads, kind)(block)
    assert head == read(block)
    assert kept_of(heads, kind).get(bytes(bytearray(block))) is head
    assert kept_of(heads, kind).get(make(b"A: c")) is None
    assert repr(heads) == f"<Heads {int(kind == 'request')} requests, {int(kind == 'response')} responses>"


@pytest.mark.parametrize(("kind", "make", "read"), KINDS)
def test_what_is_refused_is_not_remembered(
    kind: str, make: Callable[..., Any], read: Callable[..., Any]
) -> None:
    heads = Heads(DEFAULT)
    for _ in range(2):
        with pytest.raises(BadMessage):
            getattr(heads, kind)(make(b"Content-Length : 5"))
    assert not kept_of(heads, kind)


@pytest.mark.parametrize(("kind", "make", "read"), KINDS)
def test_heads_that_are_long_or_have_many_fields_are_read_each_time(
    kind: str, make: Callable[..., Any], read: Callable[..., Any]
) -> None:
    heads = Heads(DEFAULT)
    read_one = getattr(heads, kind)
    host = int(kind == "request")
    kept = [padded(kind, LONGEST), make(*[b"A: b"] * (MOST_FIELDS - host))]
    for block in (padded(kind, LONGEST + 1), make(*[b"A: b"] * (MOST_FIELDS - host + 1)), *kept):
        assert read_one(block) == read_one(block) == read(block)
    assert [*kept_of(heads, kind)] == kept


@pytest.mark.parametrize(("kind", "make", "read"), KINDS)
def test_the_memory_is_bounded_and_begins_anew(
    kind: str, make: Callable[..., Any], read: Callable[..., Any]
) -> None:
    heads = Heads(DEFAULT)
    blocks = [make(b"A: %d" % number) for number in range(MOST + 1)]
    for block in blocks:
        getattr(heads, kind)(block)
        getattr(heads, kind)(block)
    assert [*kept_of(heads, kind)] == blocks[-1:]


@pytest.mark.parametrize(("kind", "make", "read"), KINDS)
def test_who_was_met_too_long_ago_is_met_for_the_first_time(
    kind: str, make: Callable[..., Any], read: Callable[..., Any]
) -> None:
    heads = Heads(DEFAULT)
    for number in (*range(MET + 1), 0, MET):
        getattr(heads, kind)(make(b"A: %d" % number))
    assert [*kept_of(heads, kind)] == [make(b"A: %d" % MET)]


def test_the_fields_of_a_client_are_remembered_whatever_its_target(monkeypatch: pytest.MonkeyPatch) -> None:
    heads = Heads(DEFAULT)
    blocks = [get(b"A: b", target=b"/%d" % number) for number in range(4)]
    read = [heads.request(block) for block in blocks[:2]]
    monkeypatch.setattr("proxy.http1.head_cache.request_fields", None)
    read += [heads.request(block) for block in blocks[2:]]
    assert read == [read_request(block) for block in blocks]


def test_fields_of_http_1_0_are_not_those_of_http_1_1() -> None:
    heads = Heads(DEFAULT)
    for version in (b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0", b"HTTP/1.0"):
        block = b"GET / " + version + b"\r\nHost: shop\r\nExpect: x\r\n\r\n"
        assert heads.request(block) == read_request(block)


def test_the_limits_hold_for_what_is_read() -> None:
    heads = Heads(Limits(fields=2))
    with pytest.raises(BadMessage) as caught:
        heads.request(get(b"A: b", b"C: d"))
    assert caught.value.status == 431
