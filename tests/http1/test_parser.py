"""Requests are read one way or not at all."""

from collections.abc import Callable
from typing import Any

import pytest

from proxy.http1.errors import BadMessage
from proxy.http1.head import RequestHead, ResponseHead, value_of
from proxy.http1.limits import DEFAULT
from proxy.http1.parser import cut_request, head_end, read_request, read_response

HOST = b"Host: shop.example\r\n"


def get(*lines: bytes, first: bytes = b"GET / HTTP/1.1", host: bytes = HOST) -> bytes:
    return first + b"\r\n" + host + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


def answer(*lines: bytes, first: bytes = b"HTTP/1.1 200 OK") -> bytes:
    return get(*lines, first=first, host=b"")


def pairs(head: RequestHead | ResponseHead) -> list[tuple[bytes, bytes]]:
    return [(field[0], value_of(field)) for field in head.fields]


def whole(read: Callable[..., Any], data: bytes) -> RequestHead | int:
    """Cut the head off its stream and read it; the status of the refusal when there is one."""
    try:
        return read(data[: head_end(data, DEFAULT)])
    except BadMessage as bad:
        return bad.status


def dripped(read: Callable[..., Any], data: bytes) -> RequestHead | int:
    """The same, byte by byte."""
    try:
        end = next(filter(None, (head_end(data[:at], DEFAULT) for at in range(1, len(data) + 1))))
        return read(data[:end])
    except BadMessage as bad:
        return bad.status


MAX_FIELDS = DEFAULT.fields


# Good requests.


@pytest.mark.parametrize(
    ("block", "method", "target", "minor", "host"),
    [
        (get(), b"GET", b"/", 1, b"shop.example"),
        (get(first=b"POST /a%2fb/../%7e?x=%20&y=// HTTP/1.1"), b"POST", b"/a%2fb/../%7e?x=%20&y=//", 1, None),
        (get(first=b"OPTIONS * HTTP/1.1"), b"OPTIONS", b"*", 1, None),
        (get(first=b"OPTIONS http://b.example HTTP/1.1"), b"OPTIONS", b"*", 1, b"b.example"),
        (get(first=b"OPTIONS http://b.example:81 HTTP/1.0"), b"OPTIONS", b"*", 0, b"b.example"),
        (get(first=b"OPTIONS http://b.example/ HTTP/1.1"), b"OPTIONS", b"/", 1, b"b.example"),
        (get(first=b"OPTIONS http://b.example?x HTTP/1.1"), b"OPTIONS", b"/?x", 1, b"b.example"),
        (get(first=b"GET //a HTTP/1.1"), b"GET", b"//a", 1, None),
        (get(first=b"GET /http://b.example HTTP/1.1"), b"GET", b"/http://b.example", 1, None),
        (get(first=b"PROPFIND / HTTP/1.1"), b"PROPFIND", b"/", 1, None),
        (get(first=b"FROBNICATE / HTTP/1.1"), b"FROBNICATE", b"/", 1, None),
        (get(first=b"get / HTTP/1.1"), b"get", b"/", 1, None),
        (get(first=b"!#$%&'*+-.^_`|~9 / HTTP/1.1"), b"!#$%&'*+-.^_`|~9", b"/", 1, None),
        (get(first=b"PRI / HTTP/1.1"), b"PRI", b"/", 1, None),
        (get(first=b"M-SEARCH http://b.example HTTP/1.1"), b"M-SEARCH", b"/", 1, b"b.example"),
        (get(first=b"connect / HTTP/1.1"), b"connect", b"/", 1, None),
        (get(first=b"GET / HTTP/1.0"), b"GET", b"/", 0, None),
        (get(first=b"GET / HTTP/1.0", host=b""), b"GET", b"/", 0, b""),
        (get(host=b"hOsT:\t SHOP.Example:8080 \r\n"), b"GET", b"/", 1, None),
        (get(host=b"Host: shop.example:\r\n"), b"GET", b"/", 1, None),
        (get(host=b"Host: 127.0.0.1:80\r\n"), b"GET", b"/", 1, b"127.0.0.1"),
        (get(host=b"Host: [2001:DB8::1]:80\r\n"), b"GET", b"/", 1, b"[2001:db8::1]"),
        (get(host=b"Host: [::ffff:192.0.2.7]\r\n"), b"GET", b"/", 1, b"[::ffff:192.0.2.7]"),
        (get(host=b"Host: shop.example:0\r\n"), b"GET", b"/", 1, None),
        (get(host=b"Host: shop.example:65535\r\n"), b"GET", b"/", 1, None),
        (get(host=b"Host: a_b-c~%41!\r\n"), b"GET", b"/", 1, b"a_b-c~%41!"),
        (get(host=b"Host: 1.2.3.4.5\r\n"), b"GET", b"/", 1, b"1.2.3.4.5"),
        (get(first=b"GET http://B.Example:81/x?y HTTP/1.1"), b"GET", b"/x?y", 1, b"b.example"),
        (get(first=b"GET HTTPS://b.example HTTP/1.1"), b"GET", b"/", 1, b"b.example"),
        (get(first=b"GET http://b.example?q=/ HTTP/1.1"), b"GET", b"/?q=/", 1, b"b.example"),
        (get(first=b"GET http://b.example/ HTTP/1.0", host=b""), b"GET", b"/", 0, b"b.example"),
        (get(b"Connection: Upgrade", b"Upgrade: websocket"), b"GET", b"/", 1, None),
        (get(b"Connection: close"), b"GET", b"/", 1, None),
        (get(b"Transfer-Encoding: \tchunked \t"), b"GET", b"/", 1, None),
        (get(b"Content-Length:\t5\t"), b"GET", b"/", 1, None),
        (get(b"A:\tb\tc\t"), b"GET", b"/", 1, None),
    ],
    ids=str,
)
def test_a_good_request(block: bytes, method: bytes, target: bytes, minor: int, host: bytes | None) -> None:
    head = whole(read_request, block)
    assert (head.method, head.target, head.minor) == (method, target, minor)
    assert head.host == (b"shop.example" if host is None else host)
    assert dripped(read_request, block) == head


def test_fields_keep_order_multiplicity_and_bytes() -> None:
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


def test_repeated_steering_fields_are_joined_and_others_left_out() -> None:
    lines = [b"Connection: keep-alive", b"X-A: b", b"connection:  X-A ,, close", b"Expect: 100-continue"]
    expected = {b"connection": b"keep-alive,X-A ,, close", b"expect": b"100-continue"}
    assert read_response(answer(*lines)).steering == expected
    assert read_request(get(*lines)).steering == expected | {b"host": b"shop.example"}


def test_the_authority_of_an_absolute_target_takes_the_place_of_the_host() -> None:
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
        (get(first=b"GET / HTTP/3.0"), 505),
        (get(first=b"GET / HTTP/1.1x"), 400),
        (get(first=b"GET / HTTP/1,1"), 400),
        (get(first=b"GET / HTTP/-1.1"), 400),
        (get(first=b"GET / HTTPS/1.1"), 400),
        (get(first=b"G(T / HTTP/1.1"), 400),
        (get(first=b"G\xc9T / HTTP/1.1"), 400),
        (get(first=b" / HTTP/1.1"), 400),
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
        (get(first=b"OPTIONS /* HTTP/1.1 *"), 400),
        (get(first=b"options * HTTP/1.1"), 400),
        (get(first=b"OPTIONS http://b.example# HTTP/1.1"), 400),
        (get(first=b"FROB * HTTP/1.1"), 400),
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
        (get(host=b"Host: a:65536\r\n"), 400),
        (get(host=b"Host: a:-1\r\n"), 400),
        (get(host=b"Host: a:80:80\r\n"), 400),
        (get(host=b"Host: a:\xb2\r\n"), 400),
        (get(host=b"Host: :80\r\n"), 400),
        (get(host=b"Host:\r\n"), 400),
        (get(host=b"Host: a%4\r\n"), 400),
        (get(host=b"Host: a%zz\r\n"), 400),
        (get(host=b"Host: http://a\r\n"), 400),
        (get(host=b"Host: a\\b\r\n"), 400),
        (get(host=b'Host: "a"\r\n'), 400),
        (get(host=b"Host: a\tb\r\n"), 400),
        (get(host=b"Host: []\r\n"), 400),
        (get(host=b"Host: [a]\r\n"), 400),
        (get(host=b"Host: [127.0.0.1]\r\n"), 400),
        (get(host=b"Host: [::1]a\r\n"), 400),
        (get(host=b"Host: [:::]\r\n"), 400),
        (get(host=b"Host: [fe80::1%25eth0]\r\n"), 400),
        (get(first=b"GET http://[::1/ HTTP/1.1"), 400),
        (get(first=b"GET http://a:65536/ HTTP/1.1"), 400),
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
        (get(b"\tA: b"), 400),
        (get(b"A\t: b"), 400),
        (get(b"A\tB: c"), 400),
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
def test_a_bad_request_is_refused_however_it_comes(block: bytes, status: int) -> None:
    assert whole(read_request, block) == status
    assert dripped(read_request, block) == status


def test_as_many_fields_as_are_allowed() -> None:
    assert len(read_request(get(*[b"A: b"] * (MAX_FIELDS - 1))).fields) == MAX_FIELDS
    assert len(read_response(answer(*[b"A: b"] * MAX_FIELDS)).fields) == MAX_FIELDS


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        (get(first=b"GET"), "malformed"),
        (get(b"A : b"), "malformed"),
        (get(first=b"GET / HTTP/2.0"), "version"),
        (get(first=b"CONNECT a:1 HTTP/1.1"), "method"),
        (get(first=b"GET * HTTP/1.1"), "target"),
        (get(first=b"GET /#a HTTP/1.1"), "target"),
        (get(host=b""), "host"),
        (get(first=b"GET http://a@b/ HTTP/1.1"), "host"),
        (get(b"Content-Length: 5", b"Content-Length: 6"), "length"),
        (get(b"Content-Length: +5"), "length"),
        (get(b"Content-Length: 5", b"Transfer-Encoding: chunked"), "length"),
        (get(b"Transfer-Encoding: chunked, gzip"), "length"),
        (get(b"Transfer-Encoding: gzip"), "coding"),
        (get(*[b"A: b"] * MAX_FIELDS), "fields"),
    ],
    ids=str,
)
def test_what_is_at_fault_is_said_in_one_word(block: bytes, reason: str) -> None:
    with pytest.raises(BadMessage) as caught:
        read_request(block)
    assert caught.value.reason == reason


@pytest.mark.parametrize("size", [1000, 5000])
def test_the_same_fields_are_read_in_the_same_way_under_another_line(size: int) -> None:
    more = [b"X-Size: " + b"x" * size]
    first, again = (read_request(get(*more, first=b"GET /%d HTTP/1.1" % number)) for number in (1, 2))
    assert (first.target, again.target) == (b"/1", b"/2")
    assert (first.fields, first.onward, first.host) == (again.fields, again.onward, again.host)
    other = read_request(get(*more, first=b"GET http://other/ HTTP/1.1"))
    assert (other.host, read_request(get(*more)).host) == (b"other", b"shop.example")
    old = read_request(get(*more, b"Expect: 100-continue", first=b"GET / HTTP/1.0"))
    new = read_request(get(*more, b"Expect: 100-continue"))
    assert (old.minor, b"Expect" in old.onward, b"Expect" in new.onward) == (0, False, True)


@pytest.mark.parametrize(
    ("written", "host"),
    [
        (b"Shop.Example.", b"shop.example"),
        (b"shop.example.:81", b"shop.example"),
        (b"a..", b"a."),
        (b".", b""),
    ],
)
def test_a_dot_at_the_end_of_a_host_names_the_same_host(written: bytes, host: bytes) -> None:
    head = read_request(b"GET / HTTP/1.1\r\nHost: %b\r\n\r\n" % written)
    assert (head.host, head.steering[b"host"]) == (host, written)


PROXY_2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\0\1\x7f\0\0\1\xc0\1\x1f\x90"


@pytest.mark.parametrize(
    ("data", "reason", "says"),
    [
        (
            b"PROXY TCP4 192.0.2.1 192.0.2.2 5 80\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "proxy-protocol",
            "PROXY",
        ),
        (PROXY_2 + b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "proxy-protocol", "PROXY protocol"),
        (PROXY_2, "proxy-protocol", "PROXY protocol"),
        ("GET /caf\u00e9 HTTP/1.1\r\nHost: a\r\n\r\n".encode(), "target", "percent-encoded"),
        (b"GET /caf\xe9 HTTP/1.1\r\nHost: a\r\n\r\n", "target", "percent-encoded"),
        (b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "malformed", "isn't HTTP/1.0 or HTTP/1.1"),
    ],
)
def test_frequent_mistakes_are_refused_with_their_reason(data: bytes, reason: str, says: str) -> None:
    with pytest.raises(BadMessage, match=says) as refused:
        read_request(cut_request(data, DEFAULT)[0])
    assert (refused.value.status, refused.value.reason) == (400, reason)


def test_a_method_may_be_called_proxy() -> None:
    assert read_request(b"PROXY /a HTTP/1.1\r\nHost: a\r\n\r\n").method == b"PROXY"
    assert cut_request(b"PROXY /a HTTP/1.1\r\n", DEFAULT) == (b"", b"PROXY /a HTTP/1.1\r\n")
