"""Who is let in, with a token and without one."""

from collections.abc import Callable
from typing import Any

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from proxy.control.api.problems import HttpProblem
from proxy.control.api.security import AccessGuard, is_loopback, origin_parts, split_authority
from tests.control.conftest import FakeControl

LOOPBACK = AccessGuard(None, "127.0.0.1")
TOKEN = AccessGuard("s3cret-ü", "0.0.0.0")


def status(
    guard: AccessGuard, method: str = "GET", path: str = "/api/v1/services", **fields: str | list[str]
) -> int:
    """200 when the guard lets the request in, else the status of its refusal; Sec_Fetch_Site is a field."""
    headers: CIMultiDict[str] = CIMultiDict()
    for name, values in fields.items():
        for value in [values] if isinstance(values, str) else values:
            headers.add(name.replace("_", "-"), value)
    try:
        guard.admit(method, path, "http", CIMultiDictProxy(headers))
    except HttpProblem as problem:
        return problem.status
    return 200


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LocalHost:9900",
        "localhost.",
        "127.0.0.1:9900",
        "127.8.9.1",
        "[::1]:9900",
        "[::1]",
        "[0:0:0:0:0:0:0:1]:1",
    ],
)
def test_loopback_hosts_are_this_listener(host: str) -> None:
    assert status(LOOPBACK, Host=host) == 200
    assert status(LOOPBACK, "PUT", Host=host) == 200


@pytest.mark.parametrize(
    "host",
    [
        *(
            "evil.example",
            "evil.example:9900",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "a@localhost",
        ),
        *(
            "",
            " ",
            "localhost localhost",
            "::1",
            "[::1",
            "10.0.0.1",
            "0.0.0.0",
            "[::2]",
            "localhost:x",
            "0x7f.1",
            "\uff12.0.0.1",
        ),
        ["localhost", "localhost"],
        ["localhost", "evil.example"],
        [],
    ],
)
def test_other_hosts_are_not(host: list[str] | str) -> None:
    assert status(LOOPBACK, Host=host) == 403
    assert status(LOOPBACK, path="/openapi.json", Host=host) == 403


def test_the_listen_host_is_this_listener() -> None:
    assert status(AccessGuard(None, "weir.internal"), Host="Weir.internal:9900") == 200
    assert status(AccessGuard(None, "::1"), Host="[::1]:9900") == 200
    assert status(AccessGuard(None, ""), Host="") == 403


def test_a_health_check_without_host_is_let_in_to_the_probes_alone() -> None:
    assert status(LOOPBACK, path="/readyz") == 200
    assert status(LOOPBACK, path="/readyz", Host="evil.example") == 403
    assert status(LOOPBACK, path="/metrics") == 403


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH", "BREW"])
@pytest.mark.parametrize(
    ("origin", "site", "expected"),
    [
        ("http://localhost:9900", [], 200),
        ("HTTP://LOCALHOST:9900", "same-origin", 200),
        ([], "none", 200),
        ("http://localhost:9901", [], 403),
        ("http://127.0.0.1:9900", [], 403),
        ("https://localhost:9900", [], 403),
        ("http://evil.example", [], 403),
        ("http://evil.example:9900", [], 403),
        ("null", [], 403),
        ("", [], 403),
        (["http://localhost:9900", "http://evil.example"], [], 403),
        ([], "cross-site", 403),
        ([], "Cross-Site", 403),
        ([], "same-site", 403),
        ([], ["none", "cross-site"], 403),
        ("http://localhost:9900", "cross-site", 403),
    ],
)
def test_what_a_page_elsewhere_sends_changes_nothing(
    method: str, origin: list[str] | str, site: list[str] | str, expected: int
) -> None:
    assert status(LOOPBACK, method, Host="localhost:9900", Origin=origin, Sec_Fetch_Site=site) == expected


def test_reading_is_left_to_the_browsers_own_rule() -> None:
    assert (
        status(LOOPBACK, Host="localhost", Origin="http://evil.example", Sec_Fetch_Site="cross-site") == 200
    )


def test_the_default_port_may_be_written_or_not() -> None:
    assert status(LOOPBACK, "PUT", Host="localhost", Origin="http://localhost:80") == 200
    assert origin_parts("https://shop.example") == ("https", "shop.example", "443")
    assert split_authority("[::1]:80") == ("::1", "80")


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("Bearer s3cret-ü", 200),
        ("bearer  s3cret-ü", 200),
        ([], 401),
        ("", 401),
        ("Bearer", 401),
        ("Bearer ", 401),
        ("Bearer s3cret", 401),
        ("Bearer s3cret-ü2", 401),
        ("Basic s3cret-ü", 401),
        ("s3cret-ü", 401),
        (["Bearer s3cret-ü", "Bearer s3cret-ü"], 401),
    ],
)
def test_the_token(field: list[str] | str, expected: int) -> None:
    assert status(TOKEN, Authorization=field, Host="anything.example") == expected
    assert status(TOKEN, "PUT", Authorization=field, Host="anything.example") == expected


def test_probes_never_need_the_token_and_metrics_only_unless_open() -> None:
    assert [status(TOKEN, path=path) for path in ("/livez", "/readyz", "/metrics", "/", "/livez/")] == [
        200,
        200,
        401,
        401,
        401,
    ]
    open_metrics = AccessGuard("s3cret", "0.0.0.0", open_metrics=True)
    assert [status(open_metrics, path=path) for path in ("/metrics", "/openapi.json")] == [200, 401]


def test_the_names_below_localhost_are_not_loopback() -> None:
    assert not is_loopback("x.localhost")


def test_no_repr_tells_the_token() -> None:
    assert repr(TOKEN) == "<AccessGuard token 0.0.0.0>"
    assert repr(LOOPBACK) == "<AccessGuard loopback 127.0.0.1>"


async def test_over_http_the_challenge_comes_before_everything_else(
    serve: Callable[..., Any], fake_control: FakeControl
) -> None:
    client = await serve(token="s3cret")
    for method, path in (("GET", "/nowhere"), ("PUT", "/api/v1/services/checkout/weights"), ("OPTIONS", "/")):
        response = await client.request(method, path, data=b"x" * 100_000)
        assert response.status == 401
        assert response.content_type == "application/problem+json"
        assert response.headers["WWW-Authenticate"] == 'Bearer realm="weir"'
    response = await client.get("/", headers={"Authorization": "Bearer wrong"})
    assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]
    assert (await client.get("/", headers={"Authorization": "Bearer s3cret"})).status == 200
    assert (await client.get("/livez")).status == 200


async def test_over_http_a_rebound_name_is_refused(
    serve: Callable[..., Any], fake_control: FakeControl
) -> None:
    client = await serve()
    response = await client.get("/api/v1/services", headers={"Host": "evil.example"})
    assert response.status == 403
    assert "evil.example" in (await response.json(content_type="application/problem+json"))["detail"]
    headers = {"Origin": "http://evil.example"}
    assert (
        await client.put("/api/v1/services/checkout/weights", json={"canary": 1}, headers=headers)
    ).status == 403
    assert fake_control.calls == []
