"""Point 19: TLS on both sides, and unix sockets (RFC 8446, RFC 7301; RFC 9110 section 4.2.2)."""

import contextlib
import socket
import ssl
from collections.abc import Callable
from typing import Any

import pytest

from proxy.demo.ports import LOOPBACK
from proxy.demo.processes import wait_until
from tests.wire.case import case, cases
from tests.wire.client import Client
from tests.wire.front import Front
from tests.wire.upstream import OK, Link

GET = b"GET /t HTTP/1.1\r\nHost: shop.example\r\n\r\n"
OLD = b"GET /t HTTP/1.0\r\n\r\n"
MIB = 1 << 20


def to(path: bytes) -> bytes:
    return GET.replace(b"/t", b"/" + path)


@case("p19-rfc9110-4.2.2-served")
def test_a_client_is_served_through_tls(front: Front) -> None:
    front.wire.upstream.answers(OK)
    client = front.client(GET + GET)
    assert [client.answer().body, client.answer().body] == [b"ok", b"ok"]
    assert [each.one("x-forwarded-proto") for each in front.wire.upstream.requests] == ["https", "https"]


@cases(
    "offered, chosen",
    ("p19-rfc7301-3.2-http-1.1", ["http/1.1"], "http/1.1"),
    ("p19-rfc7301-3.2-h2-too", ["h2", "http/1.1"], "http/1.1"),
    ("p19-rfc7301-3.2-nothing", [], None),
)
def test_alpn_is_http_1_1(front: Front, offered: list[str], chosen: str | None) -> None:
    context = front.context()
    if offered:
        context.set_alpn_protocols(offered)
    with front.connect(context=context) as sock:
        assert sock.selected_alpn_protocol() == chosen


@cases(
    "asked, shown",
    ("p19-rfc6066-3-first", "shop.example", "shop.example"),
    ("p19-rfc6066-3-second", "blog.example", "blog.example"),
    ("p19-rfc6066-3-unknown", "unknown.example", "shop.example"),
    ("p19-rfc6066-3-none", None, "shop.example"),
)
def test_the_servers_name_chooses_the_certificate(front: Front, asked: str | None, shown: str) -> None:
    assert front.shown(asked) == {shown}


@pytest.mark.filterwarnings("ignore:.*TLSv1.* is deprecated:DeprecationWarning")
@case("p19-rfc8996-tls-1.1")
def test_tls_1_1_is_not_spoken(front: Front) -> None:
    context = front.context(minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion.TLSv1_1)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises(OSError):
        front.connect(context=context)


@cases(
    "version",
    ("p19-rfc5246-tls-1.2", ssl.TLSVersion.TLSv1_2),
    ("p19-rfc8446-tls-1.3", ssl.TLSVersion.TLSv1_3),
)
def test_tls_1_2_and_1_3_are(front: Front, version: ssl.TLSVersion) -> None:
    with front.connect(context=front.context(minimum_version=version, maximum_version=version)) as sock:
        assert sock.version() == version.name.replace("_", ".")


@cases(
    "sent",
    ("p19-plain-http-to-tls", GET),
    ("p19-garbage-to-tls", b"\x16\x03\x01\x00\x05hello" + b"\xff" * 100),
    ("p19-rfc8446-handshake-deadline", b""),
    ("p19-rfc8446-handshake-deadline-part", b"\x16\x03\x01\x02\x00"),
)
def test_who_does_not_finish_a_handshake_is_hung_up_on(front: Front, sent: bytes) -> None:
    client = Client(socket.create_connection((LOOPBACK, front.port)))
    client.send(sent)
    while client.receive():  # an alert, perhaps
        pass
    assert client.end
    client.close()
    front.wire.upstream.answers(OK)
    assert front.client(GET).answer().body == b"ok"
    assert len(front.wire.upstream.requests) == 1


@cases(
    "end",
    ("p19-rfc8446-6.1-until-close-goodbye", Link.say_goodbye),
)
def test_an_answer_until_close_ends_with_goodbye(front: Front, end: Callable[[Link], None]) -> None:
    client = front.client(to(b"secure"))
    link = front.upstreams["secure"].accept()
    link.request()
    link.send(b"HTTP/1.1 200 OK\r\n\r\nhello")
    end(link)
    assert client.answer().body == b"hello"
    link.finish()


@cases(
    "sent, end",
    ("p19-rfc8446-6.1-until-close-cut", GET, Link.finish),
    ("p19-rfc8446-6.1-until-close-reset", GET, Link.reset),
    ("p19-rfc8446-6.1-until-close-cut-for-1.0", OLD, Link.finish),
)
def test_without_a_goodbye_an_answer_until_close_is_cut(
    front: Front, sent: bytes, end: Callable[..., Any]
) -> None:
    client = front.client(sent.replace(b"/t", b"/secure"))
    link = front.upstreams["secure"].accept()
    link.request()
    link.send(b"HTTP/1.1 200 OK\r\n\r\nhello")
    assert client.head().status == 200
    end(link)
    client.cut()


@case("p19-rfc8446-6.1-answer-cut-for-a-tls-client")
def test_a_cut_answer_ends_without_a_goodbye(front: Front) -> None:
    client = front.client(OLD)
    link = front.wire.upstream.accept()
    link.request()
    link.send(b"HTTP/1.1 200 OK\r\n\r\nhello")
    assert client.head().status == 200
    link.reset()
    assert client.cut()[1] == "reset"


@case("p19-rfc8446-6.1-upload-cut")
def test_an_upload_cut_in_tls_is_never_completed(front: Front) -> None:
    client = front.client(b"POST /t HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello")
    link = front.wire.upstream.accept()
    link.head()
    client.finish()
    link.gone()
    front.wire.never_whole()


@cases(
    "event",
    ("p19-stale-answer-just-before-post", lambda link: link.send(OK.replace(b"ok", b"no"))),
    ("p19-stale-goodbye-just-before-post", Link.say_goodbye),
    ("p19-stale-end-just-before-post", Link.finish),
    ("p19-stale-reset-just-before-post", Link.reset),
)
def test_a_stale_tls_connection_surfaces_nowhere(front: Front, event: Callable[..., Any]) -> None:
    client = front.wire.client(to(b"secure"))
    link = front.upstreams["secure"].accept()
    link.request()
    link.send(OK)
    assert client.answer().body == b"ok"
    front.upstreams["secure"].answers(OK.replace(b"ok", b"me"))
    event(link)
    client.send(b"POST /secure HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
    assert client.answer().body == b"me"


@case("p19-pooled")
def test_a_tls_connection_is_used_again(front: Front) -> None:
    front.upstreams["secure"].answers(OK)
    for _ in range(5):
        assert front.wire.ask(to(b"secure")).body == b"ok"
    assert len(front.upstreams["secure"].links) == 1


@case("p19-rfc8446-6.1-client-says-goodbye")
def test_a_goodbye_before_the_answer_counts_as_leaving(front: Front) -> None:
    client = front.client(GET)
    link = front.wire.upstream.accept()
    link.request()
    with contextlib.suppress(OSError):
        client.sock.unwrap()
    link.gone()


@cases(
    "path, upstream",
    ("p19-rfc9110-4.3.4-verified", b"secure", "secure"),
    ("p19-rfc9110-4.3.4-server-name", b"named", "named"),
    ("p19-rfc9110-4.3.4-unverified", b"unverified", "named"),
    ("p19-rfc8446-4.4.2-client-certificate", b"known", "mutual"),
    ("p19-unix-upstream", b"unix", "unix"),
)
def test_an_upstream_is_reached(front: Front, path: bytes, upstream: str) -> None:
    front.upstreams[upstream].answers(OK)
    client = front.wire.client(to(path) * 2)
    assert [client.answer().body, client.answer().body] == [b"ok", b"ok"]
    (link,) = front.upstreams[upstream].links
    assert {request.one("host") for request in front.upstreams[upstream].requests} == {"shop.example"}
    if isinstance(link.sock, ssl.SSLSocket):
        assert link.sock.selected_alpn_protocol() in (None, "http/1.1")
        assert (link.sock.getpeercert() is not None) == (upstream == "mutual")


def answers_anything(link: Link) -> None:
    """To whatever comes, even to a handshake."""
    link.receive()
    link.send(OK)
    link.gone()


@cases(
    "path, upstream",
    ("p19-rfc9110-4.3.4-another-name", b"misnamed", "named"),
    ("p19-rfc9110-4.3.4-unknown-authority", b"unknown", "secure"),
    ("p19-rfc8446-4.4.2-no-client-certificate", b"anonymous", "mutual"),
    ("p19-rfc9110-4.3.4-no-tls-at-all", b"mistaken", "shop"),
)
def test_an_upstream_that_is_not_who_it_should_be_gets_no_request(
    front: Front, path: bytes, upstream: str
) -> None:
    front.upstreams[upstream].serve(answers_anything)
    answer = front.wire.ask(to(path))
    assert answer.status in (502, 503)
    assert b"localhost" not in answer.body
    assert all(b"HTTP/1.1" not in link.ended() for link in front.upstreams[upstream].links)


@case("p19-large-both-ways")
def test_much_goes_through_tls_on_both_sides(front: Front) -> None:
    def echo(link: Link) -> None:
        body = link.request().body
        link.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    front.upstreams["secure"].serve(echo)
    body = bytes(range(256)) * 4096 * 4
    client = front.client(
        b"POST /secure HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    )
    assert client.answer().body == body


@case("p19-rfc9112-2.2-bytes-through-tls")
def test_a_request_may_come_in_a_record_for_each_byte(front: Front) -> None:
    front.wire.upstream.answers(OK)
    client = front.client()
    client.drip(GET)
    assert client.answer().body == b"ok"


@cases("through", ("p19-tunnel-of-tls", "tls"), ("p19-tunnel-of-unix", "unix"))
def test_a_tunnel(front: Front, through: str) -> None:
    asked = GET.replace(b"\r\n\r\n", b"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
    client = front.client(asked) if through == "tls" else front.unix_client(asked)
    link = front.wire.upstream.accept()
    link.request_of_upgrade()
    link.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nat once")
    assert client.answer().status == 101
    assert client.read(7) == b"at once"
    client.send(b"ping")
    assert link.read(4) == b"ping"
    client.close()
    link.gone()


@case("p19-unix-client")
def test_a_client_is_served_through_a_unix_socket(front: Front) -> None:
    front.wire.upstream.answers(OK)
    client = front.unix_client(GET[:-2] + b"X-Forwarded-For: 203.0.113.9\r\n\r\n", GET)
    assert [client.answer().body, client.answer().body] == [b"ok", b"ok"]
    first, second = front.wire.upstream.requests
    assert first.one("x-forwarded-for").startswith("203.0.113.9, "), "`unix` is among trusted_proxies"
    assert second.one("x-forwarded-proto") == "http"


@case("p19-unix-client-leaves")
def test_a_client_of_a_unix_socket_may_leave(front: Front) -> None:
    client = front.unix_client(GET)
    link = front.wire.upstream.accept()
    link.request()
    client.close()
    link.gone()


@case("p19-reload")
def test_sighup_shows_the_new_certificate_and_drops_nobody(front: Front) -> None:
    front.wire.upstream.answers(OK)
    kept = front.client(GET)
    assert kept.answer().body == b"ok"
    renewed = front.authority.issue("shop.example", "renewed.example")
    front.replace_pair(renewed.cert, renewed.key)
    wait_until(lambda: "renewed.example" in front.shown("shop.example"), "the new certificate is shown", 5)
    kept.send(GET)
    assert kept.answer().body == b"ok"
    other = front.authority.issue("shop.example")
    said = front.wire.running.log()
    front.replace_pair(renewed.cert, other.key)  # the key of another certificate
    wait_until(lambda: front.wire.running.log() != said, "the bad pair is noticed", 5)
    for _ in range(20):
        assert "renewed.example" in front.shown("shop.example"), "a bad pair changes nothing"
    kept.send(GET)
    assert kept.answer().body == b"ok"
