"""Point 7 with `trusted_proxies`, `via: off` and `forwarded: on` (RFC 7239)."""

import re

from tests.wire.case import case, cases
from tests.wire.program import Wire
from tests.wire.reader import Request
from tests.wire.upstream import OK

GET = b"GET /t HTTP/1.1\r\nHost: shop.example\r\n"


def told(wire: Wire, *sent: bytes, head: bytes = GET) -> Request:
    wire.upstream.answers(OK)
    assert wire.ask(head + b"".join(line + b"\r\n" for line in sent) + b"\r\n").status == 200
    return wire.passed()


@cases(
    "sent, name, value",
    ("p07-trusted-xff-absent", (), "X-Forwarded-For", "127.0.0.1"),
    ("p07-trusted-xff", (b"X-Forwarded-For: 203.0.113.9",), "X-Forwarded-For", "203.0.113.9, 127.0.0.1"),
    ("p07-trusted-xff-list", (b"X-Forwarded-For: 1.2.3.4, 5.6.7.8",), "X-Forwarded-For", "1.2.3.4, 5.6.7.8, 127.0.0.1"),
    ("p07-trusted-xff-lines", (b"X-Forwarded-For: 1.2.3.4", b"x-forwarded-for: ::1"), "X-Forwarded-For", "1.2.3.4, ::1, 127.0.0.1"),
    ("p07-trusted-xfp-absent", (), "X-Forwarded-Proto", "http"),
    ("p07-trusted-xfp", (b"X-Forwarded-Proto: https",), "X-Forwarded-Proto", "https"),
    ("p07-trusted-xfh-absent", (), "X-Forwarded-Host", "shop.example"),
    ("p07-trusted-xfh", (b"X-Forwarded-Host: www.example",), "X-Forwarded-Host", "www.example"),
    ("p07-trusted-request-id", (b"X-Request-Id: abc-123",), "X-Request-Id", "abc-123"),
    ("p07-via-off", (), "Via", None),
    ("p07-via-off-keeps-the-others", (b"Via: 1.1 front",), "Via", "1.1 front"),
)  # fmt: skip
def test_the_word_of_a_trusted_peer_is_kept(
    trusting: Wire, sent: tuple[bytes, ...], name: str, value: str | None
) -> None:
    assert told(trusting, *sent).one(name) == value


@cases(
    "sent",
    ("p07-trusted-request-id-absent", ()),
    ("p07-trusted-request-id-empty", (b"X-Request-Id:",)),
    ("p07-trusted-request-id-twice", (b"X-Request-Id: a", b"X-Request-Id: b")),
    ("p07-trusted-request-id-too-long", (b"X-Request-Id: " + b"a" * 5000,)),
)
def test_an_id_that_can_not_be_kept_is_made(trusting: Wire, sent: tuple[bytes, ...]) -> None:
    assert re.fullmatch(r"[!-~]{8,128}", told(trusting, *sent).one("x-request-id"))


def elements(value: str) -> list[dict[str, str]]:
    """What a Forwarded field says, unquoted."""
    pairs = [[pair.partition("=") for pair in element.split(";")] for element in value.split(", ")]
    return [{name.strip().lower(): said.strip('"') for name, _, said in element} for element in pairs]


@cases(
    "host, said",
    ("p07-rfc7239-4-token", b"shop.example", "shop.example"),
    ("p07-rfc7239-4-port", b"shop.example:8080", "shop.example:8080"),
    ("p07-rfc7239-4-ipv6", b"[2001:db8::1]:80", "[2001:db8::1]:80"),
)
def test_forwarded_is_added_when_asked_for(trusting: Wire, host: bytes, said: str) -> None:
    value = told(trusting, head=b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n").one("forwarded")
    assert elements(value) == [{"for": "127.0.0.1", "host": said, "proto": "http"}]
    if ":" in said:
        assert f'host="{said}"' in value, "a colon is no token (RFC 7239 section 4)"


@case("p07-rfc7239-4-appended")
def test_forwarded_comes_behind_a_trusted_peers(trusting: Wire) -> None:
    value = told(trusting, b'Forwarded: for="[2001:db8::9]";proto=https', b"Forwarded: for=unknown").one(
        "forwarded"
    )
    first, second, ours = elements(value)
    assert (first["for"], first["proto"], second["for"]) == ("[2001:db8::9]", "https", "unknown")
    assert ours == {"for": "127.0.0.1", "host": "shop.example", "proto": "http"}


@case("p07-rfc7239-4-no-host")
def test_forwarded_makes_up_no_host(trusting: Wire) -> None:
    assert elements(told(trusting, head=b"GET / HTTP/1.0\r\n").one("forwarded")) == [
        {"for": "127.0.0.1", "proto": "http"}
    ]


@case("p06-rfc9110-7.6.1-nominated-by-a-trusted-peer")
def test_not_even_a_trusted_peer_can_nominate_our_fields_away(trusting: Wire) -> None:
    passed = told(
        trusting, b"Connection: Forwarded, X-Forwarded-For, X-Request-Id", b"X-Forwarded-For: 203.0.113.9"
    )
    assert passed.one("x-forwarded-for").endswith("127.0.0.1")
    assert passed.one("forwarded")
    assert passed.one("x-request-id")
