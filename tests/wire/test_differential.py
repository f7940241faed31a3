"""The same legal requests through weir, nginx and HAProxy: upstream and client see the same.

What each of them adds by its documentation is left out of the comparison; what is different beyond that stands in
DIFFERENCES, with the reason.
"""

import gzip
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields

import pytest

from proxy.demo.ports import LOOPBACK
from tests.wire.case import cases
from tests.wire.peers import PEERS, all_peers, missing
from tests.wire.program import Wire
from tests.wire.reader import Fields, Message, Request
from tests.wire.upstream import Link

ADDED = ("x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-port", "x-real-ip")
ADDED += ("x-request-id", "via")
"""What weir adds to a request."""
OF_THE_HOP = ("connection", "keep-alive", "content-length", "transfer-encoding")
"""What each connection says for itself."""

H = b"Host: shop.example\r\n"
ZIPPED = gzip.compress(b"hello" * 50)


def get(target: bytes, *lines: bytes, method: bytes = b"GET", version: bytes = b"1.1") -> bytes:
    return (
        b"%b %b HTTP/%b\r\n" % (method, target, version)
        + H
        + b"".join(line + b"\r\n" for line in lines)
        + b"\r\n"
    )


def post(body: bytes, *lines: bytes, method: bytes = b"POST") -> bytes:
    return get(b"/p", *lines, b"Content-Length: %d" % len(body), method=method) + body


def chunks(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def answer(*lines: bytes, body: bytes = b"ok", status: bytes = b"200 OK") -> bytes:
    told = b"".join(line + b"\r\n" for line in lines)
    return b"HTTP/1.1 %b\r\n%bContent-Length: %d\r\n\r\n%b" % (status, told, len(body), body)


EXCHANGES = (
    ("d01-get", get(b"/"), OK),
    ("d02-query", get(b"/a?b=c&d=%20e"), OK),
    ("d03-percent-lower", get(b"/%7euser/%c3%a4"), OK),
    ("d04-percent-slash", get(b"/a%2Fb"), OK),
    ("d05-dots", get(b"/a/./b/../c"), OK),
    ("d06-slashes", get(b"//a///b//"), OK),
    ("d07-empty-query", get(b"/a?"), OK),
    ("d08-delimiters", get(b"/:@!$&'()*+,;=?:@!$'()*+,;=/?"), OK),
    ("d09-long-target", get(b"/" + b"a" * 4000), OK),
    ("d10-head", get(b"/", method=b"HEAD"), b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"),
    ("d11-delete", get(b"/", method=b"DELETE"), b"HTTP/1.1 204 No Content\r\n\r\n"),
    ("d12-options-asterisk", get(b"*", method=b"OPTIONS"), OK),
    ("d13-propfind", get(b"/", b"Depth: 1", method=b"PROPFIND"), OK),
    ("d14-extension-method", get(b"/", method=b"PURGE"), OK),
    ("d15-field-order", get(b"/", b"B: 1", b"A: 2", b"C: 3"), OK),
    ("d16-repeated-fields", get(b"/", b"A: 1", b"B: 2", b"A: 3"), OK),
    ("d17-cookies", get(b"/", b"Cookie: a=1; b=2"), OK),
    ("d18-empty-value", get(b"/", b"A:", b"B: 1"), OK),
    ("d19-blanks", get(b"/", b"A: \t b c \t"), OK),
    ("d20-beyond-ascii", get(b"/", b"A: \xe4\xff"), OK),
    ("d21-quotes-and-commas", get(b"/", b'A: "b, \\"c", d'), OK),
    ("d22-accept-encoding", get(b"/", b"Accept-Encoding: gzip, br;q=0.5"), OK),
    ("d23-conditions", get(b"/", b'If-None-Match: "a", W/"b"'), b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n'),
    ("d24-range", get(b"/", b"Range: bytes=0-1"), answer(b"Content-Range: bytes 0-1/5", status=b"206 Partial Content")),
    ("d25-authorization", get(b"/", b"Authorization: Basic YTpi"), OK),
    ("d26-trace-context", get(b"/", b"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), OK),
    ("d27-te-trailers", get(b"/", b"A: 1", b"TE: trailers", b"Connection: TE"), OK),
    ("d28-nominated", get(b"/", b"Connection: X-Hop", b"X-Hop: 1", b"A: 1"), OK),
    ("d29-large-field", get(b"/", b"A: " + b"v" * 8000), OK),
    ("d30-post", post(b"hello"), OK),
    ("d31-post-empty", post(b""), OK),
    ("d32-post-zipped", post(ZIPPED, b"Content-Encoding: gzip"), OK),
    ("d33-post-every-byte", post(bytes(range(256)) * 40), OK),
    ("d34-put-1-mib", post(bytes(1 << 20), method=b"PUT"), OK),
    ("d35-post-chunks", get(b"/p", b"Transfer-Encoding: chunked", method=b"POST") + chunks(b"hel", b"lo"), OK),
    ("d36-post-no-chunks", get(b"/p", b"Transfer-Encoding: chunked", method=b"POST") + chunks(), OK),
    ("d37-http-1.0", get(b"/", version=b"1.0"), OK),
    ("d38-answer-in-chunks", get(b"/"), b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks(b"hel", b"lo")),
    ("d39-answer-until-close", get(b"/"), b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello"),
    ("d40-answer-zipped", get(b"/"), answer(b"Content-Encoding: gzip", body=ZIPPED)),
    ("d41-answer-large", get(b"/"), answer(body=bytes(1 << 20))),
    ("d42-set-cookies", get(b"/"), answer(b"Set-Cookie: a=1", b"X: 1", b"Set-Cookie: b=2, c")),
    ("d43-answer-field-order", get(b"/"), answer(b"Vary: a", b"B: 1", b"A: 2", b"Vary: b")),
    ("d44-answer-nominated", get(b"/"), answer(b"Connection: X-Hop", b"X-Hop: 1", b"A: 1")),
    ("d45-redirect", get(b"/"), answer(b"Location: /a", status=b"302 Found", body=b"")),
    ("d46-404", get(b"/"), answer(status=b"404 Not Found", body=b"gone")),
    ("d47-500", get(b"/"), answer(status=b"500 Internal Server Error", body=b"no")),
    ("d48-server-and-date", get(b"/"), answer(b"Server: origin", b"Date: Thu, 01 Jan 1970 00:00:00 GMT")),
    ("d49-absolute-form", get(b"http://shop.example/a?b"), OK),
)  # fmt: skip

NOMINATED = "RFC 9110 section 7.6.1: what Connection names goes no further. We take it out, they don't."
DIFFERENCES: Mapping[tuple[str, str], tuple[set[str], str]] = {
    ("d12", "nginx"): (
        {"method", "target", "asked", "status", "told", "body"},
        "RFC 9112 section 3.2.4: the asterisk form is for OPTIONS. nginx refuses it.",
    ),
    ("d27", "haproxy"): (
        {"asked"},
        "HAProxy hands `TE: trailers` on, as it does trailers. We drop both, which RFC 9110 section 6.5.1 allows.",
    ),
    ("d28", "nginx"): ({"asked"}, NOMINATED),
    ("d28", "haproxy"): ({"asked"}, NOMINATED),
    ("d44", "nginx"): ({"told"}, NOMINATED),
    ("d44", "haproxy"): ({"told"}, NOMINATED),
    ("d49", "haproxy"): (
        {"target"},
        "RFC 9112 section 3.2.1: an origin is asked in origin form. HAProxy hands the absolute form on.",
    ),
}
"""(exchange, peer): in what the two differ, and why."""


@dataclass(frozen=True)
class Seen:
    """What an exchange looked like on both ends."""

    method: str
    target: str
    asked: Fields
    sent: bytes
    status: int
    told: Fields
    body: bytes


def end_to_end(message: Message, *dropped: str) -> Fields:
    """The fields that a proxy has to hand on as they are; their names say the same in any case."""
    return [(name.lower(), value) for name, value in message.without(*OF_THE_HOP, *dropped)]


@pytest.fixture(scope="module")
def rivals(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Wire, Mapping[str, int]]]:
    if lacking := missing():
        pytest.skip(f"{lacking} not installed")
    settings = 'services: {shop: {stable: "http://127.0.0.1:{port}"}}\n'
    with all_peers(tmp_path_factory.mktemp("peers"), settings) as started:
        yield started


def seen(wire: Wire, port: int, sent: bytes, reply: bytes) -> Seen:
    """What comes of an exchange through the proxy on this port."""

    def script(link: Link) -> None:
        link.request()
        link.send(reply)
        if b"Connection: close" not in reply:
            link.gone()

    wire.upstream.serve(script)
    client = wire.client(sent, sock=socket.create_connection((LOOPBACK, port)))
    answer = client.answer(sent.partition(b" ")[0].decode())
    client.close()
    passed = next(iter(wire.upstream.requests), Request([]))
    wire.fresh()
    return Seen(
        passed.method,
        passed.target,
        end_to_end(passed, *ADDED),
        passed.body,
        answer.status,
        end_to_end(answer),
        answer.body,
    )


@cases("sent, reply", *EXCHANGES)
def test_all_proxies_agree(
    rivals: tuple[Wire, dict[str, int]], request: pytest.FixtureRequest, sent: bytes, reply: bytes
) -> None:
    wire, ports = rivals
    ours = seen(wire, ports["weir"], sent, reply)
    for peer in PEERS:
        theirs = seen(wire, ports[peer], sent, reply)
        differing = {
            each.name for each in fields(Seen) if getattr(ours, each.name) != getattr(theirs, each.name)
        }
        number = request.node.callspec.id.partition("-")[0]
        expected, reason = DIFFERENCES.get((number, peer), (set(), "no difference is known"))
        assert differing == expected, f"{peer}: {reason}\n{ours}\n{theirs}"
