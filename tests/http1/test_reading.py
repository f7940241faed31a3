"""Heads are read one way or not at all; a strict grammar written down here a second time is the judge."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.http1.errors import BadMessage
from proxy.http1.head import value_of
from proxy.http1.limits import DEFAULT
from proxy.http1.reading import head_end, read_request, read_response

HOST = b"Host: shop.example\r\n"


def get(*lines, first=b"GET / HTTP/1.1", host=HOST):
    return first + b"\r\n" + host + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


def answer(*lines, first=b"HTTP/1.1 200 OK"):
    return get(*lines, first=first, host=b"")


def pairs(head):
    return [(field[0], value_of(field)) for field in head.fields]


def whole(read, data):
    """Cut the head off its stream and read it; the status of the refusal when there is one."""
    try:
        return read(data[: head_end(data, DEFAULT)])
    except BadMessage as bad:
        return bad.status


def dripped(read, data):
    """The same, byte by byte."""
    try:
        end = next(filter(None, (head_end(data[:at], DEFAULT) for at in range(1, len(data) + 1))))
        return read(data[:end])
    except BadMessage as bad:
        return bad.status


# Where a head ends.


@pytest.mark.parametrize("block", [get(), get(b"A: b"), answer()])
@pytest.mark.parametrize("behind", [b"", b"\r\n\r\n", b"body", get()])
def test_a_head_ends_at_its_blank_line_and_not_before(block, behind):
    assert head_end(block + behind, DEFAULT) == len(block)
    assert {head_end(block[:at], DEFAULT) for at in range(len(block))} == {0}


MAX_LINE, MAX_HEAD, MAX_FIELDS = DEFAULT.line, DEFAULT.head, DEFAULT.fields


def line_of(size):
    return b"GET /" + b"a" * (size - len(b"GET / HTTP/1.1\r\n")) + b" HTTP/1.1\r\n"


def head_of(size):
    block = get(*[b"A: " + b"a" * 8000] * 7)
    return block[:-2] + b"B: " + b"b" * (size - len(block) - len(b"B: \r\n")) + b"\r\n\r\n"


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (line_of(MAX_LINE) + b"\r\n", 0),
        (line_of(MAX_LINE + 1) + b"\r\n", 414),
        (b"GET /" + b"a" * MAX_LINE, 414),
        (head_of(MAX_HEAD), 0),
        (head_of(MAX_HEAD) + b"body" * 50_000, 0),
        (head_of(MAX_HEAD + 1), 431),
        (head_of(MAX_HEAD + 1)[:-4] + b"c" * 50_000, 431),
        (b"GET / HTTP/1.1\nHost: a\n\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\nA: b", 400),
        (b"\nGET", 400),
        (b"\x16\x03\x01", 400),
    ],
    ids=lambda value: str(value)[:40],
)
def test_limits_hold_however_the_bytes_come(data, status):
    def at_pace(step):
        try:
            cuts = (data[:at] for at in range(step, len(data) + step, step))
            return next(filter(None, (head_end(cut, DEFAULT) for cut in cuts)), 0)
        except BadMessage as bad:
            return -bad.status

    for step in (len(data), len(data) - 1, 4099, 1000):
        end = at_pace(step)
        assert -end == status if status else end == data.index(b"\r\n\r\n") + 4


# Good requests.


@pytest.mark.parametrize(
    ("block", "method", "target", "minor", "host"),
    [
        (get(), b"GET", b"/", 1, b"shop.example"),
        (get(first=b"POST /a%2fb/../%7e?x=%20&y=// HTTP/1.1"), b"POST", b"/a%2fb/../%7e?x=%20&y=//", 1, None),
        (get(first=b"OPTIONS * HTTP/1.1"), b"OPTIONS", b"*", 1, None),
        (get(first=b"GET //a HTTP/1.1"), b"GET", b"//a", 1, None),
        (get(first=b"GET /http://b.example HTTP/1.1"), b"GET", b"/http://b.example", 1, None),
        (get(first=b"PROPFIND / HTTP/1.1"), b"PROPFIND", b"/", 1, None),
        (get(first=b"GET / HTTP/1.0"), b"GET", b"/", 0, None),
        (get(first=b"GET / HTTP/1.0", host=b""), b"GET", b"/", 0, b""),
        (get(host=b"hOsT:\t SHOP.Example:8080 \r\n"), b"GET", b"/", 1, None),
        (get(host=b"Host: shop.example:\r\n"), b"GET", b"/", 1, None),
        (get(host=b"Host: 127.0.0.1:80\r\n"), b"GET", b"/", 1, b"127.0.0.1"),
        (get(host=b"Host: [2001:DB8::1]:80\r\n"), b"GET", b"/", 1, b"[2001:db8::1]"),
        (get(host=b"Host: a_b-c~%41!\r\n"), b"GET", b"/", 1, b"a_b-c~%41!"),
        (get(first=b"GET http://B.Example:81/x?y HTTP/1.1"), b"GET", b"/x?y", 1, b"b.example"),
        (get(first=b"GET HTTPS://b.example HTTP/1.1"), b"GET", b"/", 1, b"b.example"),
        (get(first=b"GET http://b.example?q=/ HTTP/1.1"), b"GET", b"/?q=/", 1, b"b.example"),
        (get(first=b"GET http://b.example/ HTTP/1.0", host=b""), b"GET", b"/", 0, b"b.example"),
        (get(b"Connection: Upgrade", b"Upgrade: websocket"), b"GET", b"/", 1, None),
        (get(b"Connection: close"), b"GET", b"/", 1, None),
    ],
    ids=str,
)
def test_a_good_request(block, method, target, minor, host):
    head = whole(read_request, block)
    assert (head.method, head.target, head.minor) == (method, target, minor)
    assert head.host == (b"shop.example" if host is None else host)
    assert dripped(read_request, block) == head


def test_fields_keep_order_multiplicity_and_bytes():
    lines = [b"X-B: 1", b"x-a:2", b"X-B:\t 3 , 4 \t", b"x-b:", b'Cookie: a="\xff\xe9"; b', b"X-B: 1"]
    head = read_request(get(*lines))
    assert pairs(head)[1:] == [
        (b"x-b", b"1"),
        (b"x-a", b"2"),
        (b"x-b", b"3 , 4"),
        (b"x-b", b""),
        (b"cookie", b'a="\xff\xe9"; b'),
        (b"x-b", b"1"),
    ]
    assert pairs(read_response(answer(*lines))) == pairs(head)[1:]


def test_repeated_steering_fields_are_joined_and_others_left_out():
    lines = [b"Connection: keep-alive", b"X-A: b", b"connection:  X-A ,, close", b"Expect: 100-continue"]
    expected = {b"connection": b"keep-alive,X-A ,, close", b"expect": b"100-continue"}
    assert read_response(answer(*lines)).steering == expected
    assert read_request(get(*lines)).steering == expected | {b"host": b"shop.example"}


def test_the_authority_of_an_absolute_target_takes_the_place_of_the_host():
    head = read_request(get(first=b"GET http://B.example:81/ HTTP/1.1"))
    assert head.steering[b"host"] == b"B.example:81"
    assert head.values(b"host") == [b"shop.example"]


# Bad requests.


@pytest.mark.parametrize(
    ("block", "status"),
    [
        (b"\r\n\r\n", 400),
        (get(first=b""), 400),
        (get(first=b"\r"), 400),
        (b"\r\r\n" + get(), 400),
        (b" " + get(), 400),
        (get(first=b"GET"), 400),
        (get(first=b"GET /"), 400),
        (get(first=b"GET / HTTP/0.9"), 505),
        (get(first=b"GET / HTTP/1.2"), 505),
        (get(first=b"GET / HTTP/2.0"), 505),
        (get(first=b"GET / HTTP/1"), 400),
        (get(first=b"GET / HTTP/1.10"), 400),
        (get(first=b"GET / HTTP/01.1"), 400),
        (get(first=b"GET / http/1.1"), 400),
        (get(first=b"GET / HTTP/1.1 "), 400),
        (get(first=b"GET /  HTTP/1.1"), 400),
        (get(first=b"GET  / HTTP/1.1"), 400),
        (get(first=b"GET\t/ HTTP/1.1"), 400),
        (get(first=b"GET /\tHTTP/1.1"), 400),
        (get(first=b"GET /a b HTTP/1.1"), 400),
        (get(first=b"GET /?a\nb: HTTP/1.1"), 400),
        (get(first=b"PRI * HTTP/2.0"), 505),
        (get(first=b"DESCRIBE / RTSP/1.0"), 400),
        (get(first=b"SOURCE / ICE/1.0"), 400),
        (get(first=b"GET a HTTP/1.1"), 400),
        (get(first=b"GET * HTTP/1.1"), 400),
        (get(first=b"OPTIONS *a HTTP/1.1"), 400),
        (get(first=b"GET ftp://b.example/ HTTP/1.1"), 400),
        (get(first=b"GET http:///a HTTP/1.1"), 400),
        (get(first=b"GET http://:80/ HTTP/1.1"), 400),
        (get(first=b"GET http://user@b.example/ HTTP/1.1"), 400),
        (get(first=b"GET http://b.example/#a HTTP/1.1"), 400),
        (get(first=b"GET /#a HTTP/1.1"), 400),
        (get(first=b"GET /\x00 HTTP/1.1"), 400),
        (get(first=b"GET /\x7f HTTP/1.1"), 400),
        (get(first=b"GET /\xe9 HTTP/1.1"), 400),
        (get(first=b"CONNECT shop.example:80 HTTP/1.1"), 501),
        (get(first=b"CONNECT / HTTP/1.1"), 501),
        (get(host=b""), 400),
        (get(host=HOST + HOST), 400),
        (get(host=b"Host: a\r\nhost:\r\n"), 400),
        (get(host=b"Host: a, b\r\n"), 400),
        (get(host=b"Host: a b\r\n"), 400),
        (get(host=b"Host: a/b\r\n"), 400),
        (get(host=b"Host: a@b\r\n"), 400),
        (get(host=b"Host: a:b\r\n"), 400),
        (get(host=b"Host: a:123456\r\n"), 400),
        (get(host=b"Host: [::1\r\n"), 400),
        (get(host=b"Host: ::1\r\n"), 400),
        (get(host=b"Host: \xe9\r\n"), 400),
        (get(first=b"GET http://b.example/ HTTP/1.1", host=b""), 400),
        (get(first=b"GET http://b.example/ HTTP/1.1", host=HOST + HOST), 400),
        (get(first=b"GET / HTTP/1.0", host=HOST + HOST), 400),
        (get(b"A : b"), 400),
        (get(b"A"), 400),
        (get(b": b"), 400),
        (get(b"A@: b"), 400),
        (get(b"\xe9: b"), 400),
        (get(b" A: b"), 400),
        (get(b"A: b", b" c"), 400),
        (get(b"A: b", b"\tc: d"), 400),
        (get(b"A: b\rc"), 400),
        (get(b"A: b\nC: d"), 400),
        (get(b"A: b\r\r"), 400),
        (get(b"A: b\x00"), 400),
        (get(b"A: b\x1f"), 400),
        (get(b"A: b\x7f"), 400),
        (get(b"Content-Length: 5", b"Content-Length: 5"), 400),
        (get(b"Content-Length: 5", b"Content-Length: 6"), 400),
        (get(b"Content-Length: +5"), 400),
        (get(b"Content-Length: 5", b"Transfer-Encoding: chunked"), 400),
        (get(b"Content-Length: 5", b"Transfer-Encoding: gzip"), 400),
        (get(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"), 400),
        (get(b"Transfer-Encoding: chunked, gzip"), 400),
        (get(b"Transfer-Encoding: gzip"), 501),
        (get(*[b"A: b"] * MAX_FIELDS), 431),
    ],
    ids=str,
)
def test_a_bad_request_is_refused_however_it_comes(block, status):
    assert whole(read_request, block) == status
    assert dripped(read_request, block) == status


def test_as_many_fields_as_are_allowed():
    assert len(read_request(get(*[b"A: b"] * (MAX_FIELDS - 1))).fields) == MAX_FIELDS
    assert len(read_response(answer(*[b"A: b"] * MAX_FIELDS)).fields) == MAX_FIELDS


# Responses.


@pytest.mark.parametrize(
    ("first", "status", "reason", "minor"),
    [
        (b"HTTP/1.1 200 OK", 200, b"OK", 1),
        (b"HTTP/1.0 404 Not here, sorry", 404, b"Not here, sorry", 0),
        (b"HTTP/1.1 200 ", 200, b"", 1),
        (b"HTTP/1.1 200", 200, b"", 1),
        (b"HTTP/1.1 299 \xc3\xa9\t!", 299, b"\xc3\xa9\t!", 1),
        (b"HTTP/1.1 100 Continue", 100, b"Continue", 1),
        (b"HTTP/1.1 599 ?", 599, b"?", 1),
        (b"HTTP/1.1 101 Switching Protocols", 101, b"Switching Protocols", 1),
    ],
)
def test_a_good_response(first, status, reason, minor):
    block = answer(b"Connection: upgrade", b"Upgrade: websocket", first=first)
    head = whole(read_response, block)
    assert (head.status, head.reason, head.minor) == (status, reason, minor)
    assert dripped(read_response, block) == head


@pytest.mark.parametrize(
    "block",
    [
        answer(first=b""),
        b"\r\r\n" + answer(),
        b" " + answer(),
        answer(first=b"HTTP/1.1"),
        answer(first=b"HTTP/1.1 "),
        answer(first=b"HTTP/1.1 OK"),
        answer(first=b"HTTP/1.1 20 OK"),
        answer(first=b"HTTP/1.1 2000 OK"),
        answer(first=b"HTTP/1.1 000 OK"),
        answer(first=b"HTTP/1.1 099 OK"),
        answer(first=b"HTTP/1.1 600 OK"),
        answer(first=b"HTTP/1.1  200 OK"),
        answer(first=b"HTTP/1.1 200OK"),
        answer(first=b"HTTP/1.1 +20 OK"),
        answer(first=b"HTTP/2.0 200 OK"),
        answer(first=b"HTTP/0.9 200 OK"),
        answer(first=b"HTTP/1.2 200 OK"),
        answer(first=b"http/1.1 200 OK"),
        answer(first=b"RTSP/1.0 200 OK"),
        answer(first=b"ICE/1.0 200 OK"),
        answer(first=b"ICY 200 OK"),
        answer(first=b"HTTP/1.1 200 O\x00K"),
        answer(first=b"HTTP/1.1 200 O\x7fK"),
        answer(first=b"HTTP/1.1 200 O\rK"),
        answer(first=b"HTTP/1.1 200 OK\nA: b"),
        answer(first=b"HTTP/1.1 101 Switching to nothing"),
        answer(b"A : b"),
        answer(b"A"),
        answer(b"A: b", b" c"),
        answer(b"A: b\x00"),
        answer(b"A: b\nC: d"),
        answer(b"Content-Length: 5", b"Content-Length: 5"),
        answer(b"Content-Length: x"),
        answer(b"Content-Length: 5", b"Transfer-Encoding: chunked"),
        answer(*[b"A: b"] * (MAX_FIELDS + 1)),
        get(),
    ],
    ids=str,
)
def test_a_bad_response_is_refused_however_it_comes(block):
    assert isinstance(whole(read_response, block), int)
    assert isinstance(dripped(read_response, block), int)


# A second reader, from the grammar of RFC 9112 sections 3, 4 and 5. It knows no limits and no semantics, so
# it accepts more; but whatever we accept, it has to read in the same way.

TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
REQUEST_LINE = re.compile(rb"(" + TOKEN + rb") ([!-~]+) HTTP/1\.([01])")
STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9]{2})(?: ([\t\x20-\x7e\x80-\xff]*))?")
VALUE = rb"(?:[!-~\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[!-~\x80-\xff])?)?"
FIELD_LINE = re.compile(rb"(" + TOKEN + rb"):[\t ]*(" + VALUE + rb")[\t ]*")


def by_the_grammar(first_line, block):
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
methods = st.sampled_from([b"GET", b"POST", b"HEAD", b"PATCH", b"M-SEARCH"])
fields = st.lists(st.tuples(names, st.sampled_from([b"", b" ", b"\t "]), values), max_size=8)
reasons = st.binary(max_size=12).map(lambda raw: bytes(b for b in raw if b > 31 and b != 127).strip())


def lines_of(some):
    return [name + b":" + blank + value + blank for name, blank, value in some]


def harmless(some):
    steering = {b"host", b"content-length", b"transfer-encoding", b"connection", b"upgrade", b"expect"}
    return [one for one in some if one[0].lower() not in steering]


@given(methods, targets, fields.map(harmless), st.integers(0, 1))
def test_any_request_is_read_as_it_was_written(method, target, some, minor):
    head = read_request(get(*lines_of(some), first=method + b" " + target + b" HTTP/1.%d" % minor))
    assert (head.method, head.target, head.minor) == (method, target, minor)
    assert head.path + (b"?" + head.query if b"?" in target else b"") == target
    assert pairs(head)[1:] == [(name.lower(), value) for name, _, value in some]


@given(st.integers(102, 599), reasons, fields.map(harmless), st.integers(0, 1))
def test_any_response_is_read_as_it_was_written(status, reason, some, minor):
    head = read_response(answer(*lines_of(some), first=b"HTTP/1.%d %d %b" % (minor, status, reason)))
    assert (head.status, head.reason, head.minor) == (status, reason, minor)
    assert pairs(head) == [(name.lower(), value) for name, _, value in some]


NASTY = st.sampled_from(
    [b"\r", b"\n", b"\r\n", b"\0", b" ", b"\t", b":", b",", b"\x0b", b"\x7f", b"\xff", b"#", b"HTTP/1.1"]
)


@st.composite
def spoilt(draw, block):
    """A head with a few bytes put in, taken out or put in the place of others."""
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(block)))
        block = block[:at] + draw(NASTY | st.just(b"")) + block[at + draw(st.integers(0, 2)) :]
    return block + b"\r\n\r\n"


@given(spoilt(get(b"Accept: text/html", b"Connection: close", first=b"GET /a?b HTTP/1.1")))
def test_a_spoilt_request_is_refused_or_read_as_the_grammar_reads_it(data):
    head = whole(read_request, data)
    if not isinstance(head, int):
        (method, target, minor), expected = by_the_grammar(REQUEST_LINE, data[: head_end(data, DEFAULT)])
        assert (head.method, head.target, head.minor) == (method, target, int(minor))
        assert pairs(head) == expected


@given(spoilt(answer(b"Server: a", b"Content-Length: 5", b"Set-Cookie: a=b")))
def test_a_spoilt_response_is_refused_or_read_as_the_grammar_reads_it(data):
    head = whole(read_response, data)
    if not isinstance(head, int):
        (minor, status, reason), expected = by_the_grammar(STATUS_LINE, data[: head_end(data, DEFAULT)])
        assert (head.status, head.reason, head.minor) == (int(status), reason or b"", int(minor))
        assert pairs(head) == expected
