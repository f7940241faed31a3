"""The routing table follows what control sends, in parts, and without dead endpoints."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.forwarding.data_plane import DataPlane
from proxy.link.messages import PART, Table
from proxy.routing.address import addresses
from proxy.routing.endpoint import Endpoint
from proxy.routing.match import RouteMatch
from proxy.routing.split import Split
from proxy.routing.table import Backend, RoutingTable, Service
from proxy.telemetry.tally import Tally
from proxy.worker.tables import Swap, Tables
from tests.kits.transports import Turns

URL, NEW = "http://127.0.0.1:9001", "http://127.0.0.1:9002"
BACKENDS = (Backend("stable", (Endpoint.parse(URL),)), Backend("canary", (Endpoint.parse(NEW),)))
OUT = frozenset(["canary"])


def service(revision: int = 1, halted: frozenset[str] = frozenset(), name: str = "shop") -> Service:
    return Service(name, revision, RouteMatch(name), BACKENDS, Split((("canary", 0),)), halted)


def dead(*urls: str) -> frozenset[tuple[str, str]]:
    return frozenset((url, "127.0.0.1") for url in urls)


class Stage:
    """Tables of a data plane that carries no traffic."""

    def __init__(self, plane: DataPlane) -> None:
        self.plane = plane
        self.tables = Tables(plane)
        self.take(1, service(), complete=True)

    def take(self, generation: int, *services: Service, complete: bool = False) -> Swap:
        swap = self.tables.take(Table(generation, services, (), complete))
        assert swap is not None
        return swap

    @property
    def shop(self) -> Service:
        return self.plane.table.services["shop"]

    def in_service(self) -> dict[str, list[str]]:
        return {
            backend: [each.endpoint.url for each in left] for backend, left in self.shop.in_service.items()
        }


@pytest.fixture
async def stage() -> Stage:
    loop = asyncio.get_running_loop()
    return Stage(DataPlane(loop, RoutingTable.build(0, ()), Tally("b0"), lambda: None, "b0"))


def test_a_service_under_the_same_revision_stays_the_object_that_it_is(stage: Stage) -> None:
    before = stage.shop
    stage.take(2, service(), complete=True)
    assert stage.shop is before
    stage.take(3, service(revision=2))
    assert (stage.shop.revision, stage.plane.table.generation) == (2, 3)


def test_a_table_in_parts_is_in_force_with_the_last(stage: Stage) -> None:
    names = [f"shop{number}" for number in range(2 * PART)]
    made = [service(2), *(service(name=name) for name in names)]
    *parts, last = Table(2, tuple(made), (), complete=True).parts()
    assert len(parts) == 2
    for part in parts:
        assert stage.tables.take(part) is None
        assert (stage.shop.revision, len(stage.plane.table.services)) == (1, 1)
    assert repr(stage.tables) == f"<Tables generation 1: 1 services, {2 * PART} coming>"
    assert stage.tables.take(last) is not None
    assert set(stage.plane.table.services) == {"shop", *names}
    assert (stage.shop.revision, stage.plane.table.generation) == (2, 2)


def test_of_a_table_that_broke_off_nothing_is_kept(stage: Stage) -> None:
    other = service(name="other")
    assert stage.tables.take(Table(2, (other,), (), complete=True, more=True)) is None
    stage.tables.begin()
    stage.take(3, service(2), complete=True)
    assert list(stage.plane.table.services) == ["shop"]


def test_dead_endpoints_are_out_of_service_under_whatever_revision(stage: Stage) -> None:
    stage.tables.set_dead({"shop": dead(NEW), "unknown": dead(URL)})
    assert stage.in_service() == {"stable": [URL], "canary": []}
    for generation, revision in ((2, 2), (3, 2)):
        stage.take(generation, service(revision))
        assert stage.in_service() == {"stable": [URL], "canary": []}
    stage.tables.set_dead({"other": dead(URL)})
    stage.tables.set_dead({"shop": dead(URL)})
    assert stage.in_service() == {"stable": [], "canary": [NEW]}
    assert stage.plane.table.generation == 3
    stage.tables.set_dead({"shop": dead()})
    assert stage.in_service() == {"stable": [URL], "canary": [NEW]}


NAMED = (Backend("stable", (Endpoint.parse("http://app.test:81"), Endpoint.parse("http://two.test"))),)


def test_a_name_is_in_service_at_the_addresses_that_are_known(stage: Stage) -> None:
    stage.tables.locate({"app.test": ("192.0.2.1", "192.0.2.2")})
    stage.take(2, replace(service(2), backends=NAMED, split=Split()))
    one, two = addresses(NAMED[0].endpoints[0], {"app.test": ("192.0.2.1", "192.0.2.2")})
    assert stage.shop.in_service == {"stable": (one, two)}, "known before the service, and one name isn't"
    stage.tables.set_dead({"shop": frozenset({("http://app.test:81", "192.0.2.1")})})
    assert stage.shop.in_service == {"stable": (two,)}
    assert stage.tables.addresses() == {one, two}
    before = stage.plane.table
    stage.tables.locate({"app.test": ("192.0.2.1", "192.0.2.2"), "other.test": ("192.0.2.9",)})
    assert stage.plane.table is before, "that is no news"
    stage.tables.locate({"app.test": ("2001:db8::1",), "two.test": ("192.0.2.7",)})
    assert [(one.endpoint.host, one.ip) for one in stage.shop.in_service["stable"]] == [
        ("app.test", "2001:db8::1"),
        ("two.test", "192.0.2.7"),
    ]
    assert stage.shop.revision == 2
    stage.tables.locate({"app.test": (), "two.test": ()})
    assert stage.shop.in_service == {"stable": ()}


def test_who_is_dead_may_be_known_before_the_service(stage: Stage) -> None:
    stage.tables.set_dead({"other": dead(NEW)})
    stage.take(2, service(name="other"))
    assert stage.plane.table.services["other"].in_service["canary"] == ()


def test_health_that_is_no_news_makes_no_table(stage: Stage) -> None:
    stage.tables.set_dead({"shop": dead(), "unknown": dead()})
    table = stage.plane.table
    stage.take(2)
    assert stage.shop is table.services["shop"]
    before = stage.plane.table
    stage.tables.set_dead({"shop": dead()})
    assert stage.plane.table is before


def test_who_was_dead_is_forgotten_with_the_service(stage: Stage) -> None:
    stage.tables.set_dead({"shop": dead(URL)})
    stage.tables.take(Table(2, (), ("shop",), complete=False))
    stage.take(3, service(revision=2))
    assert stage.in_service()["stable"] == [URL]


def test_who_was_dead_is_forgotten_with_a_service_that_a_whole_table_lacks(stage: Stage) -> None:
    """Its end was missed: the link was down."""
    stage.tables.set_dead({"shop": dead(URL)})
    stage.take(2, service(name="other"), complete=True)
    stage.take(3, service(revision=2))
    assert stage.in_service()["stable"] == [URL]


def test_a_backend_is_halted_when_it_comes_to_be_and_only_then(stage: Stage) -> None:
    halts = [
        [(halted.revision, backend) for halted, backend in stage.take(generation, made).halts()]
        for generation, made in enumerate((service(2), service(3, OUT), service(4, OUT), service(5)), 2)
    ]
    assert halts == [[], [(3, "canary")], [], []]
    unknown = stage.take(9, service(1, OUT, name="new"))
    assert list(unknown.halts()) == [], "nobody was ever sent there"


@pytest.mark.parametrize(
    ("made", "moved"),
    [
        (lambda stage: stage.take(2, service(2)), False),
        (lambda stage: stage.take(2, service(), complete=True), True),
        (lambda stage: stage.take(2, service(name="new")), True),
        (lambda stage: stage.take(2, replace(service(2), backends=BACKENDS[:1], split=Split())), True),
        (lambda stage: stage.tables.take(Table(2, (), ("shop",), complete=False)), True),
    ],
    ids=["weight", "complete", "new", "backends", "removed"],
)
def test_endpoints_may_have_moved(stage: Stage, made: Callable[[Stage], Swap], moved: bool) -> None:
    assert made(stage).moved is moved


def test_its_endpoints_are_counted_once(stage: Stage) -> None:
    stage.take(2, replace(service(2), backends=(BACKENDS[0], Backend("canary", BACKENDS[0].endpoints))))
    assert [each.url for each in stage.tables.endpoints()] == [URL]
    assert [each.endpoint.url for each in stage.tables.addresses()] == [URL]


IPS = ("192.0.2.1", "192.0.2.2", "2001:db8::1")
URLS = ("http://app.test:81", "http://two.test")
SHOPS = ("shop", "cart")
FOUND = st.dictionaries(
    st.sampled_from(["app.test", "two.test", "other.test"]),
    st.lists(st.sampled_from(IPS), unique=True).map(tuple),
    min_size=1,
)
DEAD = st.dictionaries(
    st.sampled_from(SHOPS), st.frozensets(st.tuples(st.sampled_from(URLS), st.sampled_from(IPS))), min_size=1
)
SENT = st.lists(st.tuples(st.sampled_from(SHOPS), st.integers(1, 3)), unique_by=lambda each: each[0])


@given(st.lists(st.one_of(FOUND, DEAD.map(lambda dead: ("dead", dead)), SENT), max_size=30))
def test_in_any_order_what_is_known_and_not_dead_is_in_service(history: list[Any]) -> None:
    loop: Any = Turns()
    stage = Stage(DataPlane(loop, RoutingTable.build(0, ()), Tally("b0"), lambda: None, "b0"))
    located: dict[str, tuple[str, ...]] = {}
    dead: dict[str, frozenset[tuple[str, str]]] = {}
    for generation, message in enumerate(history, 2):
        match message:
            case dict():
                stage.tables.locate(message)
                located |= message
            case ("dead", told):
                stage.tables.set_dead(told)
                dead |= told
            case sent:
                made = [
                    replace(service(revision, name=name), backends=NAMED, split=Split())
                    for name, revision in sent
                ]
                stage.take(generation, *made)
        for name in SHOPS:
            shop = stage.plane.table.services.get(name)
            if shop is not None and shop.backends == NAMED:
                expected = {
                    (endpoint.url, ip)
                    for endpoint in NAMED[0].endpoints
                    for ip in located.get(endpoint.host, ())
                } - dead.get(name, frozenset())
                assert {(one.endpoint.url, one.ip) for one in shop.in_service["stable"]} == expected
