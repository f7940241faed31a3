"""What goes out: whole heads as they are on the wire, and what any reader makes of them."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.http1 import serializer
from proxy.http1.fields import HOP_BY_HOP
from proxy.http1.framing import CHUNKED, UNTIL_CLOSE, Chunks, request_length, response_length
from proxy.http1.head import RequestHead, ResponseHead, value_of
from proxy.http1.parser import read_request, read_response

OURS = b"X-Forwarded-For: 192.0.2.7\r\nVia: 1.1 weir\r\n"


def request(
    *lines: bytes, first: bytes = b"GET /a%2fb?x HTTP/1.1", host: bytes = b"Host: Shop.Example:8080\r\n"
) -> RequestHead:
    return read_request(first + b"\r\n" + host + b"".join(line + b"\r\n" for line in lines) + b"\r\n")


def response(*lines: bytes, first: bytes = b"HTTP/1.1 200 OK") -> ResponseHead:
    return read_response(first + b"\r\n" + b"".join(line + b"\r\n" for line in lines) + b"\r\n")


def sent(head: RequestHead, length: int, ours: bytes) -> bytes:
    return serializer.request_head(head, head.steering.get(b"host", b"h"), length, ours)


def naive(block: bytes) -> tuple[str, list[tuple[str, str]]]:
    """First line and field lines, as somebody would read them who never heard of our reader."""
    text = block.decode("latin-1")
    assert text.endswith("\r\n\r\n")
    first, *lines = text[:-4].split("\r\n")
    parts = [line.split(":", 1) for line in lines]
    return first, [(name, value.strip(" \t")) for name, value in parts]


# Requests.


def test_a_request_as_the_endpoint_gets_it() -> None:
    head = request(b"Accept: */*", b"x-UPPER:  kept ", b"Accept: text/html", b"X-Empty:")
    assert sent(head, 0, OURS) == (
        b"GET /a%2fb?x HTTP/1.1\r\n"
        b"Host: Shop.Example:8080\r\n"
        b"Accept: */*\r\n"
        b"x-UPPER:  kept \r\n"
        b"Accept: text/html\r\n"
        b"X-Empty:\r\n"
        b"X-Forwarded-For: 192.0.2.7\r\n"
        b"Via: 1.1 weir\r\n"
        b"\r\n"
    )


def test_a_request_of_http_1_0_without_a_host() -> None:
    head = request(first=b"GET / HTTP/1.0", host=b"")
    assert sent(head, 0, OURS) == (b"GET / HTTP/1.1\r\nHost: h\r\n" + OURS + b"\r\n")


def test_the_authority_of_an_absolute_target_becomes_the_host() -> None:
    head = request(first=b"GET http://b.example:81/x HTTP/1.1")
    first, fields = naive(sent(head, 0, OURS))
    assert first == "GET /x HTTP/1.1"
    assert [value for name, value in fields if name == "Host"] == ["b.example:81"]


HOPS = [
    b"Keep-Alive: timeout=5",
    b"Proxy-Connection: keep-alive",
    b"TE: trailers",
    b"Trailer: Digest",
    b"Upgrade: websocket",
]


def test_fields_of_one_connection_stop_here() -> None:
    nominated = [
        b"Connection: X-A, close",
        b"connection: x-b,Via",
        b"X-A: 1",
        b"x-B: 2",
        b"X-A: 3",
        b"X-C: 4",
    ]
    _, fields = naive(sent(request(*HOPS, *nominated), 0, OURS))
    assert [name for name, _ in fields] == [
        *("Host", "X-C", "X-Forwarded-For", "Via"),
    ]
    _, fields = naive(serializer.response_head(response(*HOPS, *nominated), 0, b""))
    assert fields == [("X-C", "4")]
    _, fields = naive(serializer.interim_head(response(*HOPS, *nominated, first=b"HTTP/1.1 103 Early Hints")))
    assert fields == [("X-C", "4")]


def test_a_nomination_strips_neither_host_nor_lengths_nor_what_is_ours() -> None:
    names = (
        b"Host, Content-Length, Transfer-Encoding, X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Host, Via"
    )
    head = request(b"Connection: " + names, b"Content-Length: 5", first=b"POST / HTTP/1.1")
    _, fields = naive(sent(head, 5, OURS))
    assert fields == [
        ("Host", "Shop.Example:8080"),
        ("Content-Length", "5"),
        ("X-Forwarded-For", "192.0.2.7"),
        ("Via", "1.1 weir"),
    ]
    head = response(b"Connection: Content-Length, Set-Cookie", b"Content-Length: 5", b"Set-Cookie: a")
    _, fields = naive(serializer.response_head(head, 5, b"Connection: close\r\nSet-Cookie: ours\r\n"))
    assert fields == [("Content-Length", "5"), ("Connection", "close"), ("Set-Cookie", "ours")]


def test_what_a_client_says_of_itself_is_replaced_and_others_vias_are_kept() -> None:
    said = [
        b"X-Forwarded-For: 1.2.3.4",
        b"x-forwarded-proto: https",
        b"X-Forwarded-Host: evil",
        b"Forwarded: for=1",
    ]
    _, fields = naive(sent(request(*said, b"Via: 1.0 other"), 0, OURS))
    assert fields[1:] == [
        ("Via", "1.0 other"),
        ("X-Forwarded-For", "192.0.2.7"),
        ("Via", "1.1 weir"),
    ]


FRAMED = (b"content-length", b"transfer-encoding")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], []),
        ([b"Content-Length: 0"], [(b"content-length", b"0")]),
        ([b"content-length: 007"], [(b"content-length", b"7")]),
        ([b"Transfer-Encoding: Chunked"], [(b"transfer-encoding", b"chunked")]),
    ],
)
def test_a_request_is_framed_afresh(lines: list[bytes], expected: list[tuple[bytes, bytes]]) -> None:
    head = request(*lines, first=b"POST / HTTP/1.1")
    ours = read_request(sent(head, request_length(head), OURS))
    assert [(one[0], value_of(one)) for one in ours.fields if one[0] in FRAMED] == expected


# Responses.


def test_an_answer_as_the_client_gets_it() -> None:
    head = response(b"Server: a", b"Set-Cookie: a=1", b"Content-Length: 5", b"set-cookie:b=2")
    assert serializer.response_head(head, 5, b"Connection: close\r\nX-Weir: stable\r\n") == (
        b"HTTP/1.1 200 OK\r\n"
        b"Server: a\r\n"
        b"Set-Cookie: a=1\r\n"
        b"set-cookie:b=2\r\n"
        b"Content-Length: 5\r\n"
        b"Connection: close\r\n"
        b"X-Weir: stable\r\n"
        b"\r\n"
    )


@pytest.mark.parametrize(
    ("first", "status_line"),
    [
        (b"HTTP/1.1 200 OK", b"HTTP/1.1 200 OK"),
        (b"HTTP/1.0 404 Not Found", b"HTTP/1.1 404 Not Found"),
        (b"HTTP/1.1 200 Fine", b"HTTP/1.1 200 Fine"),
        (b"HTTP/1.1 200 O", b"HTTP/1.1 200 O"),
        (b"HTTP/1.1 200 HTTP", b"HTTP/1.1 200 HTTP"),
        (b"HTTP/1.1 200 ", b"HTTP/1.1 200 "),
        (b"HTTP/1.1 200", b"HTTP/1.1 200 "),
        (b"HTTP/1.1 299 \xc3\xa9", b"HTTP/1.1 299 \xc3\xa9"),
    ],
)
def test_the_status_line_keeps_its_reason_under_our_version(first: bytes, status_line: bytes) -> None:
    assert serializer.response_head(response(first=first), 0, b"") == status_line + b"\r\n\r\n"


@pytest.mark.parametrize(
    ("status", "lines", "length", "expected"),
    [
        (200, [b"Content-Length: 5"], 5, [(b"content-length", b"5")]),
        (200, [b"Content-Length: 0"], 0, [(b"content-length", b"0")]),
        (200, [b"Transfer-Encoding: chunked"], CHUNKED, [(b"transfer-encoding", b"chunked")]),
        (200, [], CHUNKED, [(b"transfer-encoding", b"chunked")]),
        (200, [], UNTIL_CLOSE, []),
        (200, [b"Transfer-Encoding: chunked"], UNTIL_CLOSE, []),
        (200, [b"Content-Length: 5"], 0, [(b"content-length", b"5")]),  # the answer to HEAD
        (304, [b"Content-Length: 5"], 0, [(b"content-length", b"5")]),
        (304, [], 0, []),
        (204, [b"Content-Length: 0"], 0, []),
        (200, [b"Transfer-Encoding: chunked"], 0, []),  # the answer to HEAD
    ],
)
def test_an_answer_is_framed_afresh(
    status: int, lines: list[bytes], length: int, expected: list[tuple[bytes, bytes]]
) -> None:
    head = response(*lines, first=b"HTTP/1.1 %d " % status)
    ours = read_response(serializer.response_head(head, length, b""))
    assert [(one[0], value_of(one)) for one in ours.fields if one[0] in FRAMED] == expected


def test_an_interim_answer_has_no_length() -> None:
    head = response(b"Link: </a>", b"Content-Length: 5", first=b"HTTP/1.1 103 Early Hints")
    assert serializer.interim_head(head) == b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"


# What is written reads back as it was, by our own reader and by a naive one.

names = st.text("!#$%&'*+-.^_`|~09AZaz", min_size=1, max_size=12).filter(
    lambda name: (
        name.lower() not in ("host", "content-length", "transfer-encoding", "connection", "via", "expect")
    )
)
values = st.binary(max_size=20).map(lambda raw: bytes(b for b in raw if b > 31 and b != 127).strip())
fields = st.lists(st.tuples(names.map(str.encode), values), max_size=8)
nominations = st.lists(st.sampled_from([b"a", b"A", b"0", b"z", b"close", b"host"]), max_size=3)


def as_lines(some: list[tuple[bytes, bytes]]) -> list[bytes]:
    return [name + b": " + value for name, value in some]


def as_text(some: Iterator[Any]) -> list[tuple[str, str]]:
    return [(name.decode(), value.decode("latin-1")) for name, value in some]


@given(fields, nominations, st.sampled_from([0, 5, CHUNKED]))
def test_any_request_reads_back_as_it_was_written(
    some: list[tuple[bytes, bytes]], nominated: list[bytes], length: int
) -> None:
    framing = {0: [], 5: [b"Content-Length: 5"], CHUNKED: [b"Transfer-Encoding: chunked"]}[length]
    lines = [*as_lines(some), *framing, b"Connection: " + b", ".join(nominated)]
    wire = sent(request(*lines, first=b"POST /x?y HTTP/1.0"[:-1] + b"1"), length, OURS)
    gone = HOP_BY_HOP | {one.lower() for one in nominated}
    expected = [("Host", "Shop.Example:8080")]
    expected += as_text((name, value) for name, value in some if name.lower() not in gone)
    expected += as_text(tuple(line.split(b": ")) for line in framing)
    first, read = naive(wire)
    assert first == "POST /x?y HTTP/1.1"
    assert read[:-2] == expected
    again = read_request(wire)
    assert (again.method, again.target, again.host) == (b"POST", b"/x?y", b"shop.example")
    assert [(one[0].decode(), value_of(one).decode("latin-1")) for one in again.fields] == [
        (name.lower(), value) for name, value in read
    ]
    assert request_length(again) == length


@given(fields, nominations, st.integers(200, 599), st.sampled_from([0, 5, CHUNKED, UNTIL_CLOSE]))
def test_any_answer_reads_back_as_it_was_written(
    some: list[tuple[bytes, bytes]], nominated: list[bytes], status: int, length: int
) -> None:
    lines = [*as_lines(some), b"Connection: " + b", ".join(nominated)]
    head = response(*lines, first=b"HTTP/1.1 %d Why not" % status)
    wire = serializer.response_head(head, length, b"Connection: close\r\n")
    gone = HOP_BY_HOP | {b"content-length"} | {one.lower() for one in nominated}
    first, read = naive(wire)
    assert first == f"HTTP/1.1 {status} Why not"
    kept = as_text((name, value) for name, value in some if name.lower() not in gone)
    framing = {5: [("Content-Length", "5")], CHUNKED: [("Transfer-Encoding", "chunked")]}.get(length, [])
    assert read == [*kept, *framing, ("Connection", "close")]
    again = read_response(wire)
    assert (again.status, again.reason) == (status, b"Why not")
    if length and status not in (204, 304):
        assert response_length(again) == length


# Bodies.


@given(st.lists(st.lists(st.binary(max_size=20), max_size=3), max_size=5))
def test_pieces_framed_as_chunks_are_read_as_the_same_body(parts: list[list[bytes]]) -> None:
    content = [b"".join(pieces) for pieces in parts]
    wire = b"".join(serializer.framed(pieces, last=False, rechunk=True) for pieces in parts)
    wire += serializer.framed([b"end"], last=True, rechunk=True)
    body = Chunks()
    assert b"".join(body.feed(wire)) == b"".join(content) + b"end"
    assert (body.done, body.rest) == (True, b"")


@pytest.mark.parametrize(
    ("pieces", "last", "plain", "chunked"),
    [
        ([], False, b"", b""),
        ([b""], False, b"", b""),
        ([], True, b"", b"0\r\n\r\n"),
        ([b"ab"], False, b"ab", b"2\r\nab\r\n"),
        ([b"ab", b"c" * 8], True, b"ab" + b"c" * 8, b"a\r\nabcccccccc\r\n0\r\n\r\n"),
    ],
)
def test_pieces_go_on_as_they_are_or_as_one_chunk(
    pieces: list[bytes], last: bool, plain: bytes, chunked: bytes
) -> None:
    assert serializer.framed(pieces, last, rechunk=False) == plain
    assert serializer.framed(pieces, last, rechunk=True) == chunked


def test_one_piece_isnt_copied() -> None:
    piece = bytes(1000)
    assert serializer.framed([piece], last=True, rechunk=False) is piece
