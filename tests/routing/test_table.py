from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from proxy.http1.head import RequestHead
from proxy.routing.match import RouteMatch
from proxy.routing.table import RoutingTable, Service

Ask = Callable[..., RequestHead]
Serve = Callable[..., Service]
World = Callable[..., Any]


def test_chooses_for_the_service_that_a_request_is_for(ask: Ask, world: World, serve: Serve) -> None:
    shop, pay = serve("shop", "shop.example"), serve("pay", "pay.example", revision=7)
    table = RoutingTable.build(3, [shop, pay])
    assert table.route(ask(host="shop.example")) is shop
    choice = table.choose(ask(host="pay.example"), "192.0.2.7", 0, world())
    assert choice is not None
    assert (choice.service, choice.revision, choice.backend) == (pay, 7, "canary")
    assert table.route(ask(host="other.example")) is None
    assert table.choose(ask(host="other.example"), "192.0.2.7", 0, world()) is None


def test_a_change_makes_another_table_and_keeps_the_rest(ask: Ask, serve: Serve) -> None:
    shop, pay, old = serve("shop", "shop.example"), serve("pay", "pay.example"), serve("old", "old.example")
    before = RoutingTable.build(1, [shop, pay, old])
    moved, new = replace(pay, revision=2), serve("new", "new.example")
    after = before.replace(2, [moved, new], removed=["old", "never-was"])
    assert (before.generation, after.generation) == (1, 2)
    assert list(before.services) == ["shop", "pay", "old"]
    assert set(after.services) == {"shop", "pay", "new"}
    assert after.services["shop"] is after.route(ask(host="shop.example")) is shop
    assert after.route(ask(host="pay.example")) is moved
    assert after.route(ask(host="new.example")) is new
    assert after.route(ask(host="old.example")) is None
    assert before.route(ask(host="pay.example")) is pay
    assert before.route(ask(host="old.example")) is old


def test_the_index_is_made_anew_only_when_somebody_matches_otherwise(ask: Ask, serve: Serve) -> None:
    shop, pay = serve("shop", "shop.example"), serve("pay", "pay.example")
    before = RoutingTable.build(1, [shop, pay])
    weighed = before.replace(2, [replace(pay, revision=2)])
    assert weighed.routes is before.routes
    assert weighed.route(ask(host="pay.example")) is weighed.services["pay"] is not pay
    assert before.route(ask(host="pay.example")) is pay
    other = serve("other", "other.example")
    assert weighed.replace(3, [other]).route(ask(host="other.example")) is other
    moved = weighed.replace(3, [replace(pay, match=RouteMatch("new.example"))])
    assert moved.route(ask(host="pay.example")) is None
    assert moved.route(ask(host="new.example")) is moved.services["pay"]
    assert moved.replace(4, [], ["pay"]).route(ask(host="new.example")) is None
    with pytest.raises(TypeError):
        weighed.services["other"] = shop  # type: ignore[index]  # this is what is tested


def test_a_name_in_both_lists_is_removed(serve: Serve) -> None:
    assert not RoutingTable.build(1, []).replace(2, [serve("shop")], removed=["shop"]).services


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_a_match_in_dispute_goes_by_name_and_not_by_chance(
    ask: Ask, serve: Serve, names: tuple[str, str]
) -> None:
    found = RoutingTable.build(1, map(serve, names)).route(ask())
    assert found is not None
    assert found.name == "a"


def test_cannot_be_edited(serve: Serve) -> None:
    table = RoutingTable.build(1, [serve()])
    with pytest.raises(TypeError):
        table.services["other"] = serve("other")  # type: ignore[index]  # this is what is tested
    with pytest.raises(AttributeError):
        table.generation = 2  # type: ignore[misc]  # this is what is tested


def test_says_its_state_in_one_line(serve: Serve) -> None:
    assert repr(RoutingTable.build(4, [serve()])) == "<RoutingTable 4: 1 services>"
