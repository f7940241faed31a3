"""Addresses to listen on and URLs of endpoints: every form, and every way to get one wrong."""

import re

import pytest

from proxy.config.addresses import (
    URL_PATTERN,
    HostPort,
    SocketPath,
    address,
    endpoint,
    listening,
    receiver,
    server_name,
)
from proxy.config.problems import Unfit


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        (":8080", "", 8080), ("127.0.0.1:8080", "127.0.0.1", 8080), ("[::1]:80", "::1", 80),
        ("localhost:1", "localhost", 1), ("LOCALHOST:65535", "localhost", 65535), ("[0::1]:80", "::1", 80),
        ("my_host.example:9", "my_host.example", 9), ("0.0.0.0:80", "0.0.0.0", 80),
    ],
)  # fmt: skip
def test_addresses(text: str, host: str, port: int) -> None:
    assert address(text) == HostPort(host, port)


@pytest.mark.parametrize(
    ("text", "says", "advises"),
    [
        ("8080", "a port without an address", "write `:8080`"),
        ("localhost", "has no port", "`localhost:8080`"),
        ("::1:8080", "is not the address", "in brackets"),
        ("http://a:80", "is a URL", "`:8080`"),
        (":0", "`0` in `:0` is not a port", "from 1 to 65535"),
        (":65536", "is not a port", "from 1 to 65535"),
        (":http", "is not a port", "from 1 to 65535"),
        (":" + "9" * 5000, "is not a port", "from 1 to 65535"),
        ("*:80", "no valid host", "`:8080` for every address"),
        ("[::g]:80", "is not an IPv6 address", "`[::1]:8080`"),
        ("127.0.0.256:80", "is not an IPv4 address", "0 to 255"),
        ("", "has no port", "`:8080`"),
        ("a b:80", "no valid host", "`:8080`"),
    ],
)
def test_what_is_no_address(text: str, says: str, advises: str) -> None:
    with pytest.raises(Unfit) as caught:
        address(text)
    assert says in caught.value.message
    assert advises in caught.value.advice


@pytest.mark.parametrize(
    ("text", "loopback"),
    [
        ("127.0.0.1:1", True), ("127.8.9.1:1", True), ("[::1]:1", True), ("localhost:1", True),
        (":1", False), ("0.0.0.0:1", False), ("[::]:1", False), ("10.0.0.1:1", False), ("host:1", False),
    ],
)  # fmt: skip
def test_loopback(text: str, loopback: bool) -> None:
    assert address(text).loopback is loopback


@pytest.mark.parametrize(
    ("one", "other", "clash"),
    [
        (":80", ":80", True), (":80", ":81", False), (":80", "127.0.0.1:80", True), (":80", "[::1]:80", True),
        ("0.0.0.0:80", "10.0.0.1:80", True), ("0.0.0.0:80", "[::1]:80", False), ("[::]:80", "[::1]:80", True),
        ("[::]:80", "127.0.0.1:80", False), ("localhost:80", "127.0.0.1:80", True), ("a:80", "b:80", False),
        ("localhost:80", "10.0.0.1:80", False), ("0.0.0.0:80", "localhost:80", True),
    ],
)  # fmt: skip
def test_clashes(one: str, other: str, clash: bool) -> None:
    assert address(one).clashes(address(other)) is clash
    assert address(other).clashes(address(one)) is clash


@pytest.mark.parametrize("text", [":80", "127.0.0.1:80", "[::1]:80", "localhost:80"])
def test_an_address_is_shown_as_it_is_written(text: str) -> None:
    assert str(address(text)) == text


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://127.0.0.1:9001", "http://127.0.0.1:9001"), ("HTTP://Shop.Example/", "http://shop.example"),
        ("https://a:443", "https://a"), ("HTTPS://A:80", "https://a:80"), ("http://a:443", "http://a:443"),
        ("http://a:80", "http://a"), ("http://a_b:8080", "http://a_b:8080"), ("http://[0::1]:90", "http://[::1]:90"),
        ("unix:/run/app.sock", "unix:/run/app.sock"), ("unix:///run/app.sock", "unix:/run/app.sock"),
    ],
)  # fmt: skip
def test_endpoints_have_one_spelling(text: str, url: str) -> None:
    assert endpoint(text) == url


@pytest.mark.parametrize(
    ("text", "says", "advises"),
    [
        ("https://a/x", "has a path, `/x`", "write `https://a`"),
        ("ftp://a", "`ftp://` is not a scheme", "`http://host:port`"),
        ("127.0.0.1:9001", "has no scheme", "write `http://127.0.0.1:9001`"),
        ("localhost", "has no scheme", "write `http://localhost`"),
        ("http://a/b", "has a path, `/b`", "write `http://a`"),
        ("http://a:1?b", "has a query, `?b`", "write `http://a:1`"),
        ("http://a#b", "has a fragment, `#b`", "write `http://a`"),
        ("http://a:0", "`0` in `http://a:0` is not a port", "1 to 65535"),
        ("http://a:65536", "is not a port", "1 to 65535"),
        ("http://a:", "is not a port", "1 to 65535"),
        ("http://", "no valid host", "`http://host:port`"),
        ("http://::1", "is not the host and port", "in brackets"),
        ("http://[x]", "is not an IPv6 address", "`http://host:port`"),
        ("http://a b", "no valid host", "`http://host:port`"),
        ("unix:run/app.sock", "by its whole path", "`unix:/run/app.sock`"),
        ("unix:/", "by its whole path", "`unix:/run/app.sock`"),
        ("unix:/a\x01", "by its whole path", "`unix:/run/app.sock`"),
        ("unix:/" + "x" * 103, "too long", "103 bytes"),
        ("", "is not the URL", "`http://host:port`"),
        ("web server", "is not the URL", "`http://host:port`"),
    ],
)
def test_what_is_no_endpoint(text: str, says: str, advises: str) -> None:
    with pytest.raises(Unfit) as caught:
        endpoint(text)
    assert says in caught.value.message
    assert advises in caught.value.advice


def test_a_password_in_a_url_is_never_repeated() -> None:
    with pytest.raises(Unfit, match="user name or password") as caught:
        endpoint("http://me:hunter2@host")
    assert "hunter2" not in caught.value.message + caught.value.advice


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://Hook.Example", "http://hook.example/"),
        ("HTTPS://a:443/T0/B0?x=1", "https://a/T0/B0?x=1"),
        ("http://a:8080?x", "http://a:8080/?x"),
        ("http://[0::1]:80/A/", "http://[::1]/A/"),
    ],
)
def test_receivers_have_one_spelling_of_their_host(text: str, url: str) -> None:
    assert receiver(text) == url
    assert re.fullmatch(URL_PATTERN, text)


@pytest.mark.parametrize(
    ("text", "says", "advises"),
    [
        ("a.example/hunter2", "this is not a URL", "`https://ci.example/hook`"),
        ("unix:/hunter2", "this is not a URL", "`https://ci.example/hook`"),
        ("ftp://a/hunter2", "this is not a URL", "`https://ci.example/hook`"),
        ("https://me:hunter2@a/x", "carries a user name or password", "`secret` signs"),
        ("https://a/hunter2#x", "a `#`", "leave it out"),
        ("https://a/hunter2 x", "has a space", "percent-encode it"),
        ("https://a/hunter2é", "not ASCII", "percent-encode it"),
        ("https:///hunter2", "no valid host", "`https://ci.example/hook`"),
        ("https://a:0/hunter2", "`0` in `a:0` is not a port", "1 to 65535"),
        ("https://::1/hunter2", "is not the host and port of a URL", "in brackets"),
    ],
)
def test_what_is_no_receiver_is_told_without_its_path(text: str, says: str, advises: str) -> None:
    with pytest.raises(Unfit) as caught:
        receiver(text)
    assert says in caught.value.message
    assert advises in caught.value.advice
    assert "hunter2" not in caught.value.message + caught.value.advice


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (":80", HostPort("", 80)),
        ("unix:/run/weir.sock", SocketPath("/run/weir.sock")),
        ("UNIX:///run/weir.sock", SocketPath("/run/weir.sock")),
        ("unix:80", HostPort("unix", 80)),
    ],
)
def test_where_clients_connect(text: str, found: HostPort | SocketPath) -> None:
    assert listening(text) == found
    assert listening(str(found)) == found


@pytest.mark.parametrize("text", ["unix:run/weir.sock", "unix:/", "unix:", "/run/weir.sock"])
def test_where_nobody_can_connect(text: str) -> None:
    with pytest.raises(Unfit):
        listening(text)


def test_paths_clash_with_themselves_alone() -> None:
    one, other = SocketPath("/a"), SocketPath("/b")
    assert one.clashes(SocketPath("/a"))
    assert not one.clashes(other)
    assert not one.clashes(HostPort("", 80))
    assert not HostPort("", 80).clashes(one)


@pytest.mark.parametrize(
    ("text", "name"),
    [("Shop.", "shop"), ("a_b.c", "a_b.c"), ("::1", "::1"), ("0::1", "::1"), ("10.0.0.5", "10.0.0.5")],
)
def test_names_of_servers(text: str, name: str) -> None:
    assert server_name(text) == name


@pytest.mark.parametrize("text", ["", "a:1", "https://a", "a b", "*.a", "10.0.0.256", "é.example"])
def test_what_is_no_name_of_a_server(text: str) -> None:
    with pytest.raises(Unfit):
        server_name(text)
