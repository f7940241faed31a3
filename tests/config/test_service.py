"""Services: what their keys mean, and what is wrong with keys taken together."""

from collections.abc import Callable
from typing import Any

import pytest

from proxy.config.backend import Backend
from proxy.config.health import Ejection, Health
from proxy.config.notices import Notify
from proxy.config.problems import Problems
from proxy.config.reader import read
from proxy.config.rollout import Rollout
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
    assert (found.rollout, found.health, found.ejection) == (None, None, Ejection())
    assert (found.fallback, found.hooks, found.notify) == (False, (), ())


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
        ("rollout: off", "rollout", None),
        ("rollout: {steps: [100%]}", "rollout", Rollout(steps=["100%"])),
        ("health: {path: /up}", "health", Health(path="/up")),
        ("health: off", "health", None),
        ("ejection: on", "ejection", Ejection()),
        ("ejection: off", "ejection", None),
        ("health: {path: /h}\nfallback: canary", "fallback", True),
        ("fallback: off", "fallback", False),
        ("hooks: []", "hooks", ()),
        ("notify: [http://n.example/x]", "notify", (Notify(url="http://n.example/x"),)),
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
        (BOTH + "timeout: 1s", "`timeout` is not a key", "did you mean `timeouts`?"),
        (BOTH + "weight: 0.5", "`0.5` is a number without its unit, not a percent", "write `0.5%`"),
        (BOTH + "weight: 05", "`05` is a number without its unit, not a percent", "write `05%`"),
        (BOTH + "weight: 500", "`500%` is more than 100 %", "from `0%` to `100%`"),
        (BOTH + "weight: on", "a word, which YAML 1.1 would read as true or false", "`5%`"),
        (BOTH + "weight: 101%", "more than 100 %", "`100%`"),
        (BOTH + "weight: 0.001%", "finer than 0.01 %", "`0.01%`"),
        (BOTH + "force: X-Canary", "the single value `X-Canary` stands where a mapping", "`header`"),
        (BOTH + "force: {}", "`header` is missing from `services.checkout.force`", "`force: {"),
        (BOTH + "sticky: {}", "`sticky` is incomplete", "`cookie`, `header` or `client_ip`"),
        (BOTH + "sticky: {cookie: a, header: b}", "`header` and `cookie` cannot be written", "one of"),
        (BOTH + "sticky: {client_ip: false}", "`client_ip` is only written to be `true`", "`sticky: off`"),
        (BOTH + "sticky: {header: a, issue: true}", "`issue` belongs to `cookie`", "remove"),
        (BOTH + "sticky: {cookie: a b}", "`a b` cannot be the name", "`session`"),
        (BOTH + "weight: 5%\nrollout: {steps: [100%]}", "`weight` and `rollout` cannot be", "remove one"),
        (BOTH + "steps: [100%]", "`steps` is not a key of", "write `rollout: {steps: ...}`"),
        (BOTH + "rollout: 5%", "the single value `5%` stands where a mapping", "`off` may stand here"),
        (BOTH + "ejection: true", "the single value `true` stands where a mapping", "`on` or `off` may"),
        (BOTH + "fallback: stable", "`stable` is not a fallback", "expected `canary` or `off`"),
        (BOTH + "hooks: off", "the single value `off` stands where a list is", "`hooks: []` for none"),
        (BOTH + "notify: {url: 'http://a'}", "a mapping stands where a list", "`notify: []` for none"),
        (BOTH + "upgrades: [h2c]", "`h2c` would take requests past all that is decided", "leave it out"),
        (BOTH + "upgrades: off", "`off` stands where a list is expected", "`[]` for none"),
        (
            BOTH + "checks: [{metric: error-rate, max: 5%}, {metric: error-rate, max: 9%, window: 30s}]",
            "`error-rate` is checked over this window already",
            "keep one",
        ),
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


def test_a_rollout_that_is_off_leaves_the_weight_alone() -> None:
    found = service(BOTH + "weight: 5%\nrollout: off")
    assert (found.weight, found.rollout) == (500, None)


def test_a_rollout_needs_no_canary_for_one_may_be_named_when_it_starts() -> None:
    assert service("stable: http://a\nrollout: {steps: [100%]}").rollout is not None


def test_a_weight_of_zero_needs_no_canary() -> None:
    assert service("stable: http://a\nweight: 0").weight == 0


@pytest.mark.parametrize("name", ["Content-Length", "transfer-encoding", "Set-Cookie", "Connection"])
def test_the_choice_header_has_a_name_of_its_own(name: str) -> None:
    with pytest.raises(Problems) as caught:
        service(f"stable: http://a\nchoice_header: {name}\n")
    assert f"`{name}` means something else in every answer" in caught.value.render()


def test_a_fallback_needs_somebody_who_knows_that_stable_is_dead() -> None:
    with pytest.raises(Problems, match="without `health` no stable is known to be dead"):
        service(BOTH + "fallback: canary")


def test_segments_may_name_a_canary_that_a_rollout_will_bring() -> None:
    segment = "segments: [{name: me, to: canary, match: {header: {X-Me: yes}}}]"
    with pytest.raises(Problems, match="`canary` names no backend"):
        service(f"stable: http://a\n{segment}")
    assert service(f"stable: http://a\nrollout: {{steps: [100%]}}\n{segment}").segments[0].to == "canary"


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        (f"endpoint_header: {name}", f"`{name}` means something else in every request")
        for name in (
            *(
                "Host",
                "Content-Length",
                "connection",
                "X-Forwarded-For",
                "X_Forwarded_Prefix",
                "Via",
                "Cookie",
            ),
            *("Content-Type", "If-Match", "Sec-Fetch-Site", "Accept", "User-Agent", "Proxy-Connection"),
            *("X-Request-ID", "x-real-ip", "Forwarded", "Transfer-Encoding", "traceparent"),
        )
    ]
    + [
        ("endpoint_header: X-User\nsticky: {header: x-user}", "`X-User` is the header of `sticky`"),
        ("endpoint_header: X-Canary\nforce: {header: X-Canary}", "`X-Canary` is the header of `force`"),
    ],
)
def test_endpoints_are_told_in_a_header_of_its_own(
    of_service: Callable[..., Any], keys: str, says: str
) -> None:
    (problem,) = of_service("stable: http://a\n" + keys)
    assert says in problem.message
    assert any("write a name of its own: `X-Weir-Backend`" in line for line in problem.advice)
