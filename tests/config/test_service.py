"""Services: what their keys mean, and what is wrong with keys taken together."""

from collections.abc import Callable
from typing import Any

import pytest

from proxy.config.backend import Backend
from proxy.config.problems import Problems
from proxy.config.reading import read
from proxy.config.service import Force, Match, Service, Sticky

BOTH = "stable: http://a\ncanary: http://b\n"


def service(keys: str) -> Service:
    lines = "".join(f"    {line}\n" for line in keys.splitlines())
    return read(f"services:\n  checkout:\n{lines}", "f", {}).services["checkout"]


def test_a_service_is_at_least_its_stable_backend() -> None:
    found = service("stable: http://127.0.0.1:9001")
    assert found.stable == Backend(endpoints=["http://127.0.0.1:9001"])
    assert (found.canary, found.weight, found.match.host, found.match.path) == (None, 0, "", "/")
    assert (found.force, found.sticky, found.segments, found.choice_header) == (None, None, (), "")
    assert found.upgrades == ("websocket",)


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
    found = service(f"stable: {written}").stable
    assert (found.endpoints, found.version) == (endpoints, version)


@pytest.mark.parametrize(
    ("keys", "name", "value"),
    [
        ("weight: 0.25%", "weight", 25),
        ("weight: 0", "weight", 0),
        ("force: {header: X-Canary}", "force", Force(header="X-Canary")),
        ("force: off", "force", None),
        ("sticky: {cookie: weir}", "sticky", Sticky(cookie="weir")),
        ("sticky: {cookie: sid, issue: false}", "sticky", Sticky(cookie="sid", issue="false")),
        ("sticky: {header: X-User}", "sticky", Sticky(header="X-User")),
        ("sticky: {client_ip: true}", "sticky", Sticky(client_ip="true")),
        ("sticky: off", "sticky", None),
        ("choice_header: X-Weir", "choice_header", "X-Weir"),
        ("choice_header: off", "choice_header", ""),
        ("segments: []", "segments", ()),
        ("upgrades: []", "upgrades", ()),
        ("upgrades: [websocket, x.y]", "upgrades", ("websocket", "x.y")),
        ("match: {host: '*.Shop.example', path: /a}", "match", Match(host="*.shop.example", path="/a")),
    ],
)
def test_keys(keys: str, name: str, value: object) -> None:
    assert getattr(service(BOTH + keys), name) == value


def test_a_cookie_is_issued_unless_it_is_the_application_s() -> None:
    assert Sticky(cookie="weir").issue is True
    assert Sticky(cookie="weir", issue="false").issue is False


@pytest.mark.parametrize(
    ("keys", "says", "advises"),
    [
        ("canary: http://b", "`stable` is missing from `services.checkout`", "`stable: http://"),
        ("stable: http://a\nweight: 5%", "a weight is the share of the canary, and there", "add `canary"),
        (BOTH + "weigth: 5%", "`weigth` is not a key of `services.checkout`", "did you mean `weight`?"),
        (BOTH + "timeouts: 1s", "`timeouts` is not a key", "`match`, `stable`, `canary`, `weight`"),
        (BOTH + "weight: 5", "`5` is a number without its unit, not a percent", "write `5%`"),
        (BOTH + "weight: on", "a word, which YAML 1.1 would read as true or false", "`5%`"),
        (BOTH + "weight: 101%", "more than 100 %", "`100%`"),
        (BOTH + "weight: 0.001%", "finer than 0.01 %", "`0.01%`"),
        (BOTH + "force: X-Canary", "the single value `X-Canary` stands where a mapping", "`header`"),
        (BOTH + "force: {}", "`header` is missing from `services.checkout.force`", "`force: {"),
        (BOTH + "sticky: {}", "`sticky` says nothing", "`cookie`, `header` or `client_ip`"),
        (BOTH + "sticky: {cookie: a, header: b}", "`header` and `cookie` cannot be written", "one of"),
        (BOTH + "sticky: {client_ip: false}", "`client_ip` is only written to be `true`", "`sticky: off`"),
        (BOTH + "sticky: {header: a, issue: true}", "`issue` belongs to `cookie`", "remove"),
        (BOTH + "sticky: {cookie: a b}", "`a b` cannot be the name", "`session`"),
        (BOTH + "upgrades: [h2c]", "`h2c` would take requests past all that is decided", "leave it out"),
        (BOTH + "upgrades: off", "`off` stands where a list is expected", "`[]` for none"),
        (
            BOTH + "checks: [{metric: error-rate, max: 5%}, {metric: error-rate, max: 9%, window: 30s}]",
            "`error-rate` is checked over this window already",
            "keep one",
        ),
        ("stable: [http://a, http://a/]", "`http://a` is in this list already", "remove one"),
        ("stable: {version: v1}", "`endpoints` is missing from `services.checkout.stable`", "`end"),
        ("stable: ftp://a", "`ftp://` is not a scheme of endpoints", "`https://host:port`"),
        (
            "stable: {endpoints: [http://a, 'unix:/b'], tls: {verify: false}}",
            "`tls` without an `https://` endpoint in `services.checkout.stable`",
            "write `https://` where an endpoint speaks TLS, or remove `tls`",
        ),
        ("stable: {endpoints: http://a, tls: {}}", "`tls` without an `https://` endpoint in", "`https://`"),
        ("stable: http://a\nmatch: {host: 'a:80'}", "`a:80` is not a host to match", "write `a`"),
        (
            "stable: http://a\nsegments: [{name: s, to: canary, match: {path: /a}}]",
            "`canary` names no backend of `services.checkout`",
            "add a `canary`",
        ),
        (BOTH + "segments: [{name: s, to: blue, match: {path: /a}}]", "`blue` is not a backend", "`stable`"),
        (BOTH + "segments: [{name: s, to: canry, match: {path: /a}}]", "`canry` is not a", "mean `canary`?"),
        (BOTH + "segments: [{to: canary, match: {path: /a}}]", "`name` is missing from", "name it"),
        (
            BOTH
            + "segments:\n- {name: s, to: canary, match: {path: /}}\n"
            "- {name: s, to: stable, match: {path: /a}}",
            "`s` has the name of a segment above",
            "keep one",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong(of_service: Callable[..., Any], keys: str, says: str, advises: str) -> None:
    (problem,) = of_service(keys)
    assert says in problem.message
    assert any(advises in line for line in problem.advice)


def test_a_weight_of_zero_needs_no_canary() -> None:
    assert service("stable: http://a\nweight: 0").weight == 0


def test_every_endpoint_of_a_list_is_underlined_by_itself(of_service: Callable[..., Any]) -> None:
    found = of_service("stable: [http://a, ftp://b, http://c:0]")
    assert [(one.span.line, one.span.column, one.span.width) for one in found] == [(3, 24, 7), (3, 33, 10)]


@pytest.mark.parametrize("name", ["Content-Length", "transfer-encoding", "Set-Cookie", "Connection"])
def test_the_choice_header_has_a_name_of_its_own(name: str) -> None:
    with pytest.raises(Problems) as caught:
        service(f"stable: http://a\nchoice_header: {name}\n")
    assert f"`{name}` means something else in every answer" in caught.value.render()
