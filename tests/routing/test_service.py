import json
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.routing.address import Address
from proxy.routing.endpoint import OWN_HOST, SYSTEM, Endpoint, Trust
from proxy.routing.failures import Ejection
from proxy.routing.match import Condition, RouteMatch
from proxy.routing.segment import Segment
from proxy.routing.sources import Source
from proxy.routing.split import TOTAL, Split
from proxy.routing.sticky import CookieAttributes, Sticky
from proxy.routing.table import Backend, Service, Timeouts

Serve = Callable[..., Service]

TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
TRUST = st.sampled_from((SYSTEM, Trust(verify=False), Trust("/ca.pem", "shop", True, "/c.pem", "/c.key")))
ENDPOINTS = st.builds(
    Endpoint.parse,
    st.sampled_from(("http://a:1", "https://[::1]", "unix:/run/a b.sock")),
    TRUST,
    st.sampled_from(("", OWN_HOST, "b.example:2")),
)
CONDITIONS = st.one_of(
    st.builds(
        Condition,
        st.sampled_from(get_args(Source)),
        TEXTS,
        st.sampled_from(("exact", "prefix", "in")),
        st.lists(TEXTS, min_size=1, max_size=3).map(tuple),
    ),
    st.builds(Condition, st.just("header"), TEXTS, st.just("regex"), st.just(("a+|[b]",))),
    st.builds(Condition, st.just("query"), TEXTS, st.just("present")),
)
SECONDS = st.floats(0.001, 3600)


@st.composite
def services(draw: st.DrawFn) -> Service:
    names = ("stable", "canary", "next")[: draw(st.integers(1, 3))]
    canaries = names[1:]
    parts = st.integers(0, TOTAL // 2)
    return Service(
        name=draw(TEXTS),
        revision=draw(st.integers(0, 2**53)),
        match=RouteMatch(draw(st.sampled_from(("", "shop.example", "*.example"))), "/" + draw(TEXTS)),
        backends=tuple(
            Backend(name, tuple(draw(st.lists(ENDPOINTS, max_size=3))), draw(TEXTS)) for name in names
        ),
        split=Split(tuple((name, draw(parts)) for name in canaries)),
        halted=frozenset(draw(st.sets(st.sampled_from(canaries)))) if canaries else frozenset(),
        segments=tuple(
            draw(
                st.lists(
                    st.builds(
                        Segment,
                        TEXTS,
                        st.sampled_from(names),
                        st.lists(CONDITIONS, min_size=1, max_size=2).map(tuple),
                    ),
                    max_size=3,
                )
            )
        ),
        sticky=draw(
            st.sampled_from(
                (
                    Sticky.off(),
                    Sticky("cookie", "weir", True, "s"),
                    Sticky("cookie", "weir", True, cookie=CookieAttributes("none", "a.b", "/c", 60, True)),
                    Sticky("client-ip"),
                )
            )
        ),
        force=draw(st.sampled_from(("", "x-canary"))),
        choice_header=draw(st.sampled_from(("", "X-Weir-Choice"))),
        endpoint_header=draw(st.sampled_from(("", "X-Weir-Backend"))),
        timeouts=Timeouts(*(draw(SECONDS) for _ in fields(Timeouts))),
        max_body=draw(st.none() | st.integers(1, 2**50)),
        upgrades=draw(st.sampled_from(((), ("websocket",), ("websocket", "x-own")))),
        fallback=draw(st.booleans()),
        ejection=draw(st.none() | st.builds(Ejection, st.integers(1, 100), SECONDS, SECONDS)),
    )


@given(services())
def test_survives_json(service: Service) -> None:
    again = Service.from_json(json.loads(json.dumps(service.to_json())))
    assert again == service
    assert again.to_json() == service.to_json()
    assert hash(again) == hash(service)


@given(services())
def test_a_halted_backend_has_no_endpoint_in_service(service: Service) -> None:
    for backend in service.backends:
        assert service.in_service[backend.name] == (
            () if backend.name in service.halted else tuple(service.addresses(backend))
        )


def test_a_dead_endpoint_of_a_backend_is_out_of_service_there_and_travels_no_further() -> None:
    named, numeric, unix = map(Endpoint.parse, ("http://one:81", "http://[::1]:82", "unix:/run/app"))
    backends = (Backend("stable", (named, numeric)), Backend("canary", (unix, Endpoint.parse("http://two"))))
    dead = frozenset({("http://one:81", "192.0.2.1"), ("http://gone", "192.0.2.1")})
    located = {"one": ("192.0.2.1", "192.0.2.2")}
    shop = Service("shop", 1, RouteMatch(), backends, Split(), dead=dead, located=located)
    assert shop.in_service == {
        "stable": (Address(named, "192.0.2.2"), Address(numeric, "::1")),
        "canary": (Address(unix, ""),),
    }
    assert shop.names == {"one", "two"}
    assert Service.from_json(shop.to_json()) == replace(shop, dead=frozenset(), located={})


STABLE, CANARY = Backend("stable", ()), Backend("canary", ())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"backends": ()}, "stable comes first"),
        ({"backends": (CANARY, STABLE)}, "stable comes first"),
        ({"backends": (STABLE, CANARY, CANARY)}, "each backend once"),
        ({"halted": frozenset({"stable"})}, "stable never halts"),
        ({"backends": (STABLE,)}, "no backend canary"),
        ({"split": Split((("next", 1),))}, "no backend next"),
        ({"segments": (Segment("s", "gone", (Condition("path", "", "present"),)),)}, "no backend gone"),
    ],
)
def test_refuses_what_does_not_fit_together(serve: Serve, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        replace(serve(), **changes)


def test_a_halt_may_outlive_its_backend(serve: Serve) -> None:
    left = replace(serve(), backends=(STABLE,), split=Split(), halted=frozenset({"canary"}))
    assert dict(left.in_service) == {"stable": ()}


@pytest.mark.parametrize("change", [{"name": None}, {"backends": 7}, {"match": {}}, {"split": [["canary"]]}])
def test_says_so_when_json_describes_no_service(serve: Serve, change: dict[str, Any]) -> None:
    value = {**serve().to_json(), **change}
    if change == {"name": None}:
        del value["name"]
    with pytest.raises(ValueError):
        Service.from_json(value)


def test_timeouts_are_those_of_the_documentation() -> None:
    assert Timeouts() == Timeouts(connect=5, response=60, body=60, tunnel=3600)


def test_a_service_takes_any_body_and_upgrades_to_websocket_unless_told(serve: Serve) -> None:
    assert (serve().max_body, serve().upgrades) == (None, ("websocket",))


def test_what_services_have_alike_is_there_once(serve: Serve) -> None:
    written = [json.dumps(serve(name, f"{name}.example").to_json()) for name in ("one", "two")]
    one, two = (Service.from_json(json.loads(text)) for text in written)
    for part in ("timeouts", "failures", "rescue", "sticky", "split", "halted", "segment_index"):
        assert getattr(one, part) is getattr(two, part), part
    assert one.match != two.match
    other = Service.from_json(json.loads(written[0]) | {"halted": ["canary"]})
    assert (other.halted, one.halted) == ({"canary"}, frozenset())


def test_of_two_endpoints_of_one_url_the_dead_one_is_out(serve: Serve) -> None:
    one, other = (Endpoint.parse("http://10.0.0.7", host_sent=f"{name}.example") for name in "ab")
    backends = (Backend("stable", (one,)), Backend("canary", (other,)))
    dead = frozenset({(other.identity, "10.0.0.7")})
    found = serve(backends=backends, dead=dead).in_service
    assert (len(found["stable"]), len(found["canary"])) == (1, 0)
