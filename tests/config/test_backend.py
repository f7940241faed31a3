"""Backends: their three forms, and what is wrong with them."""

from collections.abc import Callable
from typing import Any

import pytest

from proxy.config.backend import Backend
from proxy.config.reader import read


def stable(written: str) -> Backend:
    return read(f"services: {{a: {{stable: {written}}}}}", "f", {}).services["a"].stable


@pytest.mark.parametrize(
    ("written", "endpoints", "version"),
    [
        ("http://a:1", ("http://a:1",), ""),
        ("[http://a, unix:/b]", ("http://a", "unix:/b"), ""),
        ("{endpoints: http://a, version: 2.10}", ("http://a",), "2.10"),
        ("{endpoints: [http://a, http://b], version: v2}", ("http://a", "http://b"), "v2"),
    ],
)
def test_backends_have_three_forms(written: str, endpoints: tuple[str, ...], version: str) -> None:
    found = stable(written)
    assert (found.endpoints, found.version) == (endpoints, version)


@pytest.mark.parametrize(
    ("keys", "says", "advises"),
    [
        ("stable: [http://a, http://a/]", "`http://a` is in this list already", "remove one"),
        ("stable: {version: v1}", "`endpoints` is missing from `services.checkout.stable`", "`end"),
        ("stable: ftp://a", "`ftp://` is not a scheme of endpoints", "`https://host:port`"),
        (
            "stable: {endpoints: [http://a, 'unix:/b'], tls: {verify: false}}",
            "`tls` without an `https://` endpoint in `services.checkout.stable`",
            "write `https://` where an endpoint speaks TLS, or remove `tls`",
        ),
        ("stable: {endpoints: http://a, tls: {}}", "`tls` without an `https://` endpoint in", "`https://`"),
    ],
)
def test_what_is_wrong(of_service: Callable[..., Any], keys: str, says: str, advises: str) -> None:
    (problem,) = of_service(keys)
    assert says in problem.message
    assert any(advises in line for line in problem.advice)


def test_every_endpoint_of_a_list_is_underlined_by_itself(of_service: Callable[..., Any]) -> None:
    found = of_service("stable: [http://a, ftp://b, http://c:0]")
    assert [(one.span.line, one.span.column, one.span.width) for one in found] == [(3, 24, 7), (3, 33, 10)]


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("client", "client"),
        ("Endpoint", "endpoint"),
        ("App.Example", "app.example"),
        ("app_1.example.:8443", "app_1.example.:8443"),
        ("10.0.0.7:81", "10.0.0.7:81"),
        ("'[::1]:81'", "[::1]:81"),
    ],
)
def test_the_host_to_send(written: str, found: str) -> None:
    assert stable(f"{{endpoints: http://a, host: {written}}}").host == found


@pytest.mark.parametrize(
    ("written", "advises"),
    [
        ("off", "`client`"),
        ("true", "`client`"),
        ("a:0", "`app.example:8443`"),
        ("a:65536", "`app.example:8443`"),
        ("a..b", "a host such as"),
        ("'[::::]'", "a host such as"),
        ("'::1'", "a host such as"),
        ("'a b'", "a host such as"),
        ('"a\\r\\nX: 1"', "a host such as"),
        ("http://a", "the host alone"),
        ("a/b", "the host alone"),
    ],
)
def test_what_is_no_host_to_send(of_service: Callable[..., Any], written: str, advises: str) -> None:
    (problem,) = of_service(f"stable: {{endpoints: http://a, host: {written}}}")
    assert "is not a Host to send" in problem.message
    assert any(advises in line for line in problem.advice)
