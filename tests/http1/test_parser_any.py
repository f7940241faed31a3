"""Any heads: a strict grammar written down here a second time is the judge of how they are read."""

import re
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from proxy.http1.errors import BadMessage
from proxy.http1.head import RequestHead, ResponseHead, value_of
from proxy.http1.limits import DEFAULT
from proxy.http1.parser import head_end, read_request, read_response

HOST = b"Host: shop.example\r\n"


def get(*lines: bytes, first: bytes = b"GET / HTTP/1.1", host: bytes = HOST) -> bytes:
    return first + b"\r\n" + host + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


def answer(*lines: bytes, first: bytes = b"HTTP/1.1 200 OK") -> bytes:
    return get(*lines, first=first, host=b"")


def pairs(head: RequestHead | ResponseHead) -> list[tuple[bytes, bytes]]:
    return [(field[0], value_of(field)) for field in head.fields]


def whole(read: Callable[..., Any], data: bytes) -> RequestHead | ResponseHead | int:
    """Cut the head off its stream and read it; the status of the refusal when there is one."""
    try:
        return read(data[: head_end(data, DEFAULT)])
    except BadMessage as bad:
        return bad.status


# A second reader, from the grammar of RFC 9112 sections 3, 4 and 5. It knows no limits and no semantics, so
# it accepts more; but whatever we accept, it has to read in the same way.

TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
REQUEST_LINE = re.compile(rb"(" + TOKEN + rb") ([!-~]+) HTTP/1\.([01])")
STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9]{2})(?: ([\t\x20-\x7e\x80-\xff]*))?")
VALUE = rb"(?:[!-~\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[!-~\x80-\xff])?)?"
FIELD_LINE = re.compile(rb"(" + TOKEN + rb"):[\t ]*(" + VALUE + rb")[\t ]*")


def by_the_grammar(first_line: Any, block: bytes) -> tuple[tuple[bytes, ...], list[tuple[bytes, bytes]]]:
    if not block.endswith(b"\r\n\r\n"):
        return None
    first, *lines = block[:-4].split(b"\r\n")
    matches = [first_line.fullmatch(first), *map(FIELD_LINE.fullmatch, lines)]
    if not all(matches):
        return None
    return matches[0].groups(), [(match[1].lower(), match[2]) for match in matches[1:]]


names = st.text("!#$%&'*+-.^_`|~09AZaz", min_size=1, max_size=12).map(str.encode)
values = st.binary(max_size=20).map(lambda raw: bytes(b for b in raw if b > 31 and b != 127).strip())
targets = st.text("/?&=%~.:;,!aZ09", max_size=30).map(lambda text: b"/" + text.encode())
methods = st.sampled_from([b"GET", b"POST", b"HEAD", b"PATCH", b"M-SEARCH", b"FROB"])
fields = st.lists(st.tuples(names, st.sampled_from([b"", b" ", b"\t "]), values), max_size=8)
reasons = st.binary(max_size=12).map(lambda raw: bytes(b for b in raw if b > 31 and b != 127).strip())


def lines_of(some: list[tuple[bytes, ...]]) -> list[bytes]:
    return [name + b":" + blank + value + blank for name, blank, value in some]


def harmless(some: list[tuple[bytes, ...]]) -> list[tuple[bytes, ...]]:
    steering = {b"host", b"content-length", b"transfer-encoding", b"connection", b"upgrade", b"expect"}
    return [one for one in some if one[0].lower() not in steering]


@given(methods, targets, fields.map(harmless), st.integers(0, 1))
def test_any_request_is_read_as_it_was_written(
    method: bytes, target: bytes, some: list[tuple[bytes, ...]], minor: int
) -> None:
    head = read_request(get(*lines_of(some), first=method + b" " + target + b" HTTP/1.%d" % minor))
    assert (head.method, head.target, head.minor) == (method, target, minor)
    assert head.path + (b"?" + head.query if b"?" in target else b"") == target
    assert pairs(head)[1:] == [(name.lower(), value) for name, _, value in some]


@given(st.integers(102, 599), reasons, fields.map(harmless), st.integers(0, 1))
def test_any_response_is_read_as_it_was_written(
    status: int, reason: bytes, some: list[tuple[bytes, ...]], minor: int
) -> None:
    head = read_response(answer(*lines_of(some), first=b"HTTP/1.%d %d %b" % (minor, status, reason)))
    assert (head.status, head.reason, head.minor) == (status, reason, minor)
    assert pairs(head) == [(name.lower(), value) for name, _, value in some]


NASTY = st.sampled_from(
    [b"\r", b"\n", b"\r\n", b"\0", b" ", b"\t", b":", b",", b"\x0b", b"\x7f", b"\xff", b"#", b"HTTP/1.1"]
)


@st.composite
def spoilt(draw: Callable[..., Any], block: bytes) -> bytes | None:
    """A head with a few bytes put in, taken out or put in the place of others."""
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(block)))
        block = block[:at] + draw(NASTY | st.just(b"")) + block[at + draw(st.integers(0, 2)) :]
    return block + b"\r\n\r\n"


@given(spoilt(get(b"Accept: text/html", b"Connection: close", first=b"GET /a?b HTTP/1.1")))
def test_a_spoilt_request_is_refused_or_read_as_the_grammar_reads_it(data: bytes) -> None:
    head = whole(read_request, data)
    if not isinstance(head, int):
        (method, target, minor), expected = by_the_grammar(REQUEST_LINE, data[: head_end(data, DEFAULT)])
        assert (head.method, head.target, head.minor) == (method, target, int(minor))
        assert pairs(head) == expected


@given(spoilt(answer(b"Server: a", b"Content-Length: 5", b"Set-Cookie: a=b")))
def test_a_spoilt_response_is_refused_or_read_as_the_grammar_reads_it(data: bytes) -> None:
    head = whole(read_response, data)
    if not isinstance(head, int):
        (minor, status, reason), expected = by_the_grammar(STATUS_LINE, data[: head_end(data, DEFAULT)])
        assert (head.status, head.reason, head.minor) == (int(status), reason or b"", int(minor))
        assert pairs(head) == expected
