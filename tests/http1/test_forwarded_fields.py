"""Where requests came from: the socket is believed, and of peers only those that the operator trusts."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.http1.forwarded_fields import LONGEST_ID, Hop, Provenance, peer_address
from proxy.http1.head import RequestHead
from proxy.http1.parser import read_request

CLIENT = "192.0.2.7"
PROXY = "10.0.0.1"
TRUSTED = ("10.0.0.0/8", "2001:db8:ffff::/48")


def request(*lines: bytes, first: bytes = b"GET / HTTP/1.1", host: bytes = b"Shop:81") -> RequestHead:
    named = [b"Host: " + host] if host else []
    return read_request(b"\r\n".join((first, *named, *lines, b"", b"")))


def forwarded_for(*values: bytes) -> RequestHead:
    return request(*[b"X-Forwarded-For: " + value for value in values])


def hop(peer: str = CLIENT, *, secure: bool = False, **settings: bool | tuple[Any, ...]) -> Hop | None:
    return Provenance(**settings).hop(peer, secure=secure)


def lines(hop: Hop, head: RequestHead) -> list[str]:
    """Our lines, one by one."""
    *said, end = hop.lines(head, b"id-1").split(b"\r\n")
    assert end == b""
    return [line.decode() for line in said]


# What the socket says.


@pytest.mark.parametrize(
    ("peername", "address"),
    [
        (("192.0.2.7", 50000), "192.0.2.7"),
        (("2001:db8::1", 50000, 0, 0), "2001:db8::1"),
        (("2001:DB8:0:0::1", 50000, 0, 0), "2001:db8::1"),
        (("::ffff:192.0.2.7", 50000, 0, 0), "192.0.2.7"),
        (("fe80::1%eth0", 50000, 0, 2), "fe80::1%eth0"),
        (("somewhere", 1), "somewhere"),
        ("", ""),
        (b"\0abstract", ""),
        ("/run/client.sock", ""),
        (None, ""),
    ],
)
def test_the_address_of_a_peer(peername: bytes | str | tuple[Any, ...] | None, address: str) -> None:
    assert peer_address(peername) == address


@pytest.mark.parametrize(
    ("peer", "trusted", "believed"),
    [
        (CLIENT, (), False),
        (CLIENT, TRUSTED, False),
        (PROXY, TRUSTED, True),
        (PROXY, ("10.0.0.1",), True),
        (PROXY, ("10.0.0.2",), False),
        (PROXY, ("unix",), False),
        (PROXY, ("unix", "10.0.0.0/8"), True),
        ("2001:db8:ffff::9", TRUSTED, True),
        ("2001:db8:fffe::9", TRUSTED, False),
        ("fe80::1%eth0", ("fe80::/10",), True),
        (PROXY, ("::/0",), False),
        ("unix", (), False),
        ("unix", ("0.0.0.0/0", "::/0"), False),
        ("unix", ("unix",), True),
        ("unix", ("unix", "10.0.0.0/8"), True),
    ],
)
def test_who_is_believed(peer: str, trusted: tuple[Any, ...], believed: bool) -> None:
    one = hop(peer, trusted=trusted)
    assert one.trusted is believed
    assert repr(one) == f"<Hop from {peer}{', trusted' if believed else ''}>"


def test_a_network_that_is_none_is_an_error() -> None:
    with pytest.raises(ValueError):
        hop(trusted=("10.0.0.0/33",))


# The lines for the endpoint.

SAYS = (
    b"X-Forwarded-For: 1.2.3.4",
    b"X-Forwarded-Proto: gopher",
    b"X-Forwarded-Host: evil",
    b"Forwarded: for=1.2.3.4",
    b"X-Request-Id: forged",
    b"X-Forwarded-Port: 1",
    b"X-Real-IP: 1.2.3.4",
    b"X-Forwarded-Prefix: /evil",
    b"x-forwarded-ssl: on",
    b"X-FORWARDED-SERVER: evil",
    b"X_Forwarded_For: 1.2.3.4",
    b"X-Real_IP: 1.2.3.4",
    b"X_Request-Id: forged",
)


@pytest.mark.parametrize("said", SAYS)
def test_each_claim_is_dropped_also_when_it_is_the_only_one(said: bytes) -> None:
    assert request(said).onward == request().onward


@pytest.mark.parametrize(
    "said", [b"X-Forward: a", b"X-Real: a", b"Z-Real-IP: a", b"X-Request: a", b"XForwarded-For: a"]
)
def test_what_is_no_claim_crosses(said: bytes) -> None:
    assert said in request(said).onward


@pytest.mark.parametrize("said", [(), SAYS])
@pytest.mark.parametrize(("secure", "proto"), [(False, "http"), (True, "https")])
def test_of_a_stranger_the_socket_is_told_whatever_it_says_itself(
    said: tuple[bytes, ...], secure: bool, proto: str
) -> None:
    assert lines(hop(secure=secure, trusted=TRUSTED), request(*said)) == [
        "X-Forwarded-For: 192.0.2.7",
        f"X-Forwarded-Proto: {proto}",
        "X-Forwarded-Host: Shop:81",
        "X-Forwarded-Port: 81",
        "X-Real-IP: 192.0.2.7",
        "X-Request-Id: id-1",
    ]
    assert request(*said).onward == b"", "and none of its own words goes on"


def test_what_only_looks_like_such_a_word_goes_on() -> None:
    others = (b"X-Forwarded: a", b"Forwarded-For: b", b"X-Realm: c", b"Really: forwarded")
    assert request(*others).onward == b"".join(line + b"\r\n" for line in others)


def test_of_a_stranger_on_a_unix_socket_no_address_is_made_up() -> None:
    told = lines(hop("unix"), request())
    assert told[0] == "X-Forwarded-For: unknown"
    assert not [line for line in told if line.startswith("X-Real-IP")]


@pytest.mark.parametrize(
    ("host", "secure", "port"),
    [
        (b"shop", False, "80"),
        (b"shop", True, "443"),
        (b"shop:81", True, "81"),
        (b"[::1]", False, "80"),
        (b"[::1]:82", False, "82"),
        (b"shop:", False, "80"),
    ],
)
def test_the_port_is_the_one_that_the_client_named_or_the_usual_one(
    host: bytes, secure: bool, port: str
) -> None:
    for trusted in ((), (CLIENT,)):
        assert f"X-Forwarded-Port: {port}" in lines(hop(secure=secure, trusted=trusted), request(host=host))


def test_of_a_request_without_a_host_no_host_is_told() -> None:
    head = request(first=b"GET / HTTP/1.0", host=b"")
    told = [
        "X-Forwarded-For: 192.0.2.7",
        "X-Forwarded-Proto: http",
        "X-Forwarded-Port: 80",
        "X-Real-IP: 192.0.2.7",
        "X-Request-Id: id-1",
    ]
    assert lines(hop(), head) == told
    assert lines(hop(trusted=(CLIENT,)), head) == told


def test_the_host_is_the_authority_of_an_absolute_target() -> None:
    told = lines(hop(), request(first=b"GET http://other:82/ HTTP/1.1"))
    assert "X-Forwarded-Host: other:82" in told


def test_what_a_trusted_peer_says_is_kept_and_this_hop_is_added() -> None:
    head = request(
        b"X-Forwarded-For: 1.2.3.4, 5.6.7.8",
        b"x-forwarded-for:10.0.0.9 ",
        b"X-Forwarded-Proto: https",
        b"X-Forwarded-Host: shop.example",
        b"Forwarded: for=1.2.3.4",
        b"Forwarded: for=5.6.7.8;by=9",
        b"X-Forwarded-Prefix: /app",
        b"X_Forwarded_Ssl: on",
    )
    assert lines(hop(PROXY, trusted=TRUSTED), head) == [
        "X-Forwarded-For: 1.2.3.4, 5.6.7.8, 10.0.0.9, 10.0.0.1",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Host: shop.example",
        "X-Forwarded-Port: 443",
        "X-Real-IP: 5.6.7.8",
        "Forwarded: for=1.2.3.4, for=5.6.7.8;by=9",
        "X-Forwarded-Prefix: /app",
        "X_Forwarded_Ssl: on",
        "X-Request-Id: id-1",
    ]
    head = request(b"X-Forwarded-Port: 8443", b"X-Real-IP: 4.4.4.4")
    told = lines(hop(PROXY, trusted=TRUSTED), head)
    assert "X-Forwarded-Port: 8443" in told
    assert "X-Real-IP: 4.4.4.4" in told


def test_what_a_trusted_peer_does_not_say_is_said_by_the_socket() -> None:
    assert lines(hop(PROXY, secure=True, trusted=TRUSTED), request()) == [
        "X-Forwarded-For: 10.0.0.1",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Host: Shop:81",
        "X-Forwarded-Port: 81",
        "X-Real-IP: 10.0.0.1",
        "X-Request-Id: id-1",
    ]


def test_a_trusted_peer_on_a_unix_socket() -> None:
    head = request(b"X-Forwarded-For: 1.2.3.4")
    assert lines(hop("unix", trusted=("unix",)), head)[0] == "X-Forwarded-For: 1.2.3.4, unknown"


@pytest.mark.parametrize(
    ("minor", "via", "line"),
    [(b"0", True, ["Via: 1.0 weir"]), (b"1", True, ["Via: 1.1 weir"]), (b"0", False, []), (b"1", False, [])],
)
def test_via_tells_the_version_that_came_or_is_off(minor: bytes, via: bool, line: list[str]) -> None:
    told = lines(hop(via=via), request(b"Via: 1.1 other", first=b"GET / HTTP/1." + minor))
    assert [one for one in told if one.startswith("Via")] == line


# Forwarded (RFC 7239).


@pytest.mark.parametrize(
    ("peer", "host", "element"),
    [
        (CLIENT, b"shop", "for=192.0.2.7;proto=http;host=shop"),
        (CLIENT, b"shop:81", 'for=192.0.2.7;proto=http;host="shop:81"'),
        (CLIENT, b"[::1]", 'for=192.0.2.7;proto=http;host="[::1]"'),
        (CLIENT, b"", "for=192.0.2.7;proto=http"),
        ("2001:db8::1", b"shop", 'for="[2001:db8::1]";proto=http;host=shop'),
        ("unix", b"shop", "for=unknown;proto=http;host=shop"),
    ],
)
def test_forwarded_is_quoted_where_its_grammar_asks_for_it(peer: str, host: bytes, element: str) -> None:
    head = request(first=b"GET / HTTP/1.0", host=host)
    told = lines(hop(peer, forwarded=True), head)
    assert [one for one in told if one.startswith("Forwarded:")] == [f"Forwarded: {element}"]


@pytest.mark.parametrize(
    ("peer", "chain"),
    [(CLIENT, ""), (PROXY, "for=1.2.3.4, for=_x;proto=https, ")],
)
def test_forwarded_of_a_trusted_peer_goes_on_and_of_others_does_not(peer: str, chain: str) -> None:
    head = request(b"Forwarded: for=1.2.3.4", b"forwarded: for=_x;proto=https")
    told = lines(hop(peer, secure=True, trusted=TRUSTED, forwarded=True), head)
    assert [one for one in told if one.startswith("Forwarded:")] == [
        f'Forwarded: {chain}for={peer};proto=https;host="Shop:81"'
    ]


# The client's address.


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ([], PROXY),
        ([b""], PROXY),
        ([b"1.2.3.4"], "1.2.3.4"),
        ([b"1.2.3.4, 5.6.7.8"], "5.6.7.8"),
        ([b"1.2.3.4", b"5.6.7.8"], "5.6.7.8"),
        ([b"5.6.7.8", b"1.2.3.4"], "1.2.3.4"),
        ([b"9.9.9.9, 1.2.3.4, 10.1.1.1"], "1.2.3.4"),
        ([b"1.2.3.4, 10.1.1.1,10.2.2.2"], "1.2.3.4"),
        ([b"10.3.3.3, 10.1.1.1, 10.2.2.2"], "10.3.3.3"),
        ([b"1.2.3.4, 2001:db8:ffff::1"], "1.2.3.4"),
        ([b"1.2.3.4:5678"], "1.2.3.4"),
        ([b"2001:DB8::1"], "2001:db8::1"),
        ([b"[2001:db8::1]"], "2001:db8::1"),
        ([b"[2001:db8::1]:5678"], "2001:db8::1"),
        ([b"::ffff:1.2.3.4"], "1.2.3.4"),
        ([b"9.9.9.9, [::ffff:10.0.0.7]:80"], "9.9.9.9"),
        ([b"\t1.2.3.4 "], "1.2.3.4"),
        ([b"1.2.3.4, "], PROXY),
        ([b"1.2.3.4, unknown"], PROXY),
        ([b"1.2.3.4, unknown, 10.1.1.1"], "10.1.1.1"),
        ([b"1.2.3.4, _hidden"], PROXY),
        ([b"1.2.3.4.5"], PROXY),
        ([b"999.2.3.4"], PROXY),
        ([b"\xb2.2.3.4"], PROXY),
        ([b"for=1.2.3.4"], PROXY),
        ([b'"1.2.3.4"'], PROXY),
        ([b":80"], PROXY),
        ([b"[]"], PROXY),
        ([b"::1:::"], PROXY),
    ],
    ids=str,
)
def test_the_last_address_that_is_no_trusted_proxy_is_the_client(said: list[bytes], address: str) -> None:
    assert hop(PROXY, trusted=TRUSTED).client(forwarded_for(*said)) == address
    assert hop("unix", trusted=("unix", *TRUSTED)).client(forwarded_for(*said)) == address.replace(
        PROXY, "unix"
    )


def test_a_stranger_is_the_client_whatever_it_says() -> None:
    assert hop(trusted=TRUSTED).client(forwarded_for(b"1.2.3.4")) == CLIENT
    assert hop("unix").client(forwarded_for(b"1.2.3.4")) == "unix"


def test_a_unix_peer_alone_is_trusted_with_one_step() -> None:
    assert hop("unix", trusted=("unix",)).client(forwarded_for(b"1.2.3.4, 10.0.0.1")) == PROXY


addresses = st.ip_addresses(v=4).map(str)


@given(st.lists(addresses, max_size=4), st.lists(st.sampled_from(["10.1.1.1", "10.255.0.1"]), max_size=4))
def test_nobody_in_front_of_the_first_stranger_matters(forged: list[str], proxies: list[str]) -> None:
    chain = ", ".join((*forged, "192.0.2.7", *proxies)).encode()
    assert hop(PROXY, trusted=TRUSTED).client(forwarded_for(chain)) == "192.0.2.7"


@given(st.binary(max_size=40).map(lambda raw: bytes(byte for byte in raw if byte > 31 and byte != 127)))
def test_nothing_that_a_peer_says_is_an_error(said: bytes) -> None:
    head = request(b"X-Forwarded-For: " + said, b"X-Request-Id: " + said)
    for peer in (CLIENT, PROXY, "unix"):
        one = hop(peer, trusted=(*TRUSTED, "unix"))
        assert one.client(head)
        assert one.request_id(head).isascii()


# The request's id.


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ([], b""),
        ([b""], b""),
        ([b"abc-1"], b"abc-1"),
        ([b" abc "], b"abc"),
        ([b"f3a8 {x}"], b"f3a8 {x}"),
        ([b"a", b"b"], b""),
        ([b"a", b"a"], b""),
        ([b"a" * LONGEST_ID], b"a" * LONGEST_ID),
        ([b"a" * (LONGEST_ID + 1)], b""),
        ([b"a\xe9"], b""),
        ([b"a\tb"], b""),
    ],
    ids=str,
)
def test_a_trusted_peers_id_is_kept_if_it_is_one_and_can_be_shown(said: list[bytes], kept: bytes) -> None:
    head = request(*[b"X-Request-Id: " + one for one in said])
    assert hop(PROXY, trusted=TRUSTED).request_id(head) == kept
    assert hop(CLIENT, trusted=TRUSTED).request_id(head) == b""
