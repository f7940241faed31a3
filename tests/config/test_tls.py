"""Certificates for clients, and whom to trust as an endpoint."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from proxy.config.reader import read
from proxy.config.schema import Config, HostPort, Pair, SocketPath

ONE = "services: {a: {stable: http://a}}\n"


def config(text: str, source: str = "conf/weir.yaml") -> Config:
    return read(text, source, {})


def pairs(listen: str) -> list[tuple[str, str]]:
    (listener,) = config(f"{ONE}listen: {listen}").listen
    return [(pair.cert, pair.key) for pair in listener.tls]


def here(name: str) -> str:
    return str(Path("conf", name).absolute())


def test_all_forms_of_a_listener() -> None:
    found = config(
        ONE + "listen: [':80', 'unix:///run/weir.sock', {address: '[::1]:81'}, "
        "{address: ':443', tls: {cert: a.pem, key: a.key}}]"
    ).listen
    assert [str(each.address) for each in found] == [":80", "unix:/run/weir.sock", "[::1]:81", ":443"]
    assert (found[1].address, found[2].address) == (SocketPath("/run/weir.sock"), HostPort("::1", 81))
    assert [len(each.tls) for each in found] == [0, 0, 0, 1]


def test_paths_start_at_the_directory_of_the_file_and_are_absolute() -> None:
    assert pairs("{address: ':443', tls: {cert: a.pem, key: /etc/a.key}}") == [(here("a.pem"), "/etc/a.key")]
    assert pairs("{address: ':443', tls: [{cert: a, key: b}, {cert: c, key: d}]}") == [
        (here("a"), here("b")),
        (here("c"), here("d")),
    ]


def test_whom_to_trust() -> None:
    text = (
        "services: {a: {stable: {endpoints: https://a, tls: {ca: ca.pem, server_name: Shop.Internal, %s}}}}"
    )
    found = config(text % "cert: c.pem, key: c.key").services["a"].stable.tls
    assert found is not None
    assert (found.ca, found.server_name, found.verify) == (here("ca.pem"), "shop.internal", True)
    assert (found.cert, found.key) == (here("c.pem"), here("c.key"))
    found = config(text % "verify: false").services["a"].stable.tls
    assert found is not None
    assert (found.verify, found.cert, found.key) == (False, None, None)
    assert config(ONE).services["a"].stable.tls is None


@pytest.mark.parametrize(
    ("written", "name"),
    [("Shop.Internal", "shop.internal"), ("shop.", "shop"), ("10.0.0.5", "10.0.0.5"), ("'0::1'", "::1")],
)
def test_names_of_servers(written: str, name: str) -> None:
    keys = f"{{endpoints: https://a, tls: {{server_name: {written}}}}}"
    found = config(f"services: {{a: {{stable: {keys}}}}}").services["a"].stable.tls
    assert found is not None
    assert found.server_name == name


@pytest.mark.parametrize(
    ("listen", "says", "advises"),
    [
        ("{tls: {cert: a, key: b}}", "`address` is missing from `listen[0]`", '`address: ":8443"`'),
        ("{address: ':443', tls: {cert: a}}", "`key` is missing from `listen[0].tls[0]`", "`key: shop.key`"),
        ("{address: ':443', tls: {key: a}}", "`cert` is missing from `listen[0].tls[0]`", "`cert: shop.pem`"),
        ("{address: ':443', tls: []}", "this list is empty", "`{cert: shop.pem, key: shop.key}`"),
        (
            "{address: ':443', tls: a.pem}",
            "`a.pem` stands where a list is expected",
            "or a list of such pairs",
        ),
        ("{address: ':443', tls: [a.pem]}", "`a.pem` stands where a mapping is expected", "`cert` and `key`"),
        ("{address: ':443', tls: {cert: [], key: b}}", "a list stands where the path of a file", "the path"),
        ("{address: ':443', cert: a}", "`cert` is not a key of `listen[0]`", "`tls` and `proxy_protocol`"),
        ("{address: ':80', proxy_protocol: on}", "`on` is not a network or an address", "`10.0.0.0/8`"),
        (
            "{address: ':80', proxy_protocol: []}",
            "this list is empty",
            "`[10.0.0.0/8]` of the load balancers",
        ),
        ("{address: ':80', proxy_protocol: unix}", "nobody who connects to `:80` is among these", "networks"),
        (
            "{address: 'unix:/x', proxy_protocol: '::1'}",
            "nobody who connects to `unix:/x`",
            "`proxy_protocol: [unix]`",
        ),
        ("{address: 443}", "`443` is a port without an address", "`:443`"),
        ("'unix:weir.sock'", "does not name a socket by its whole path", "`unix:/run/app.sock`"),
        ("'unix:/" + "x" * 103 + "'", "is too long for the path of a socket", "at most 103 bytes"),
        ("['unix:/x', {address: 'unix:/x'}]", "takes the same path as an address above", "another path"),
    ],
)
def test_wrong_listeners(wrong: Callable[..., Any], listen: str, says: str, advises: str) -> None:
    (problem,) = wrong(f"{ONE}listen: {listen}")
    assert says in problem.message
    assert advises in problem.advice[0]
    assert problem.span.line == 2


@pytest.mark.parametrize(
    ("tls", "says", "advises"),
    [
        ("{cert: a}", "`cert` is written without `key`", "go together"),
        ("{key: a}", "`key` is written without `cert`", "go together"),
        ("{verify: perhaps}", "`perhaps`", "`true`"),
        ("{server_name: 'https://a'}", "`https://a` is more than a name", "write the host alone"),
        ("{server_name: 'a:443'}", "`a:443` is more than a name", "write the host alone"),
        ("{server_name: 'a b'}", "has no valid host name or address", "as the certificate has it"),
        ("{name: a}", "`name` is not a key of `services.checkout.stable.tls`", "`server_name`"),
        ("ca.pem", "stands where a mapping is expected", "`ca`"),
    ],
)
def test_wrong_trust(of_service: Callable[..., Any], tls: str, says: str, advises: str) -> None:
    (problem,) = of_service(f"stable: {{endpoints: https://a, tls: {tls}}}")
    assert says in problem.message
    assert advises in problem.advice[0]


def test_who_speaks_the_proxy_protocol() -> None:
    (one,) = config(ONE + "listen: {address: ':80', proxy_protocol: 10.0.0.1}").listen
    assert one.proxy_protocol == ("10.0.0.1/32",)
    (one,) = config(ONE + "listen: {address: ':80', proxy_protocol: [10.0.0.0/8, unix]}").listen
    assert one.proxy_protocol == ("10.0.0.0/8", "unix")
    (one,) = config(ONE + "listen: {address: 'unix:/x', proxy_protocol: unix}").listen
    assert one.proxy_protocol == ("unix",)


def test_a_pair_is_what_the_names_say() -> None:
    assert Pair.known() == ("cert", "key")
