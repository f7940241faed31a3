"""The order of choosing, case by case and then for everything at once."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.http1.head import RequestHead
from proxy.routing.choice import Choice, choose
from proxy.routing.match import Condition
from proxy.routing.segment import Segment
from proxy.routing.split import TOTAL, Split
from proxy.routing.sticky import Sticky
from proxy.routing.table import Backend, Service
from tests.kits.located import IP

Ask = Callable[..., RequestHead]
Serve = Callable[..., Service]
World = Callable[..., Any]

LOW, HIGH = 0, 9_999
"""Draws whose coin lies in the canary's tenth, and above it."""

BETA = Segment("beta", "canary", (Condition("header", "X-Beta", "present"),))
OFFICE = Segment("office", "stable", (Condition("cookie", "site", "exact", ("office",)),))
STICKY = Sticky("cookie", "weir", issue=True, salt="s")


def user(sticky: Sticky, low: bool) -> str:
    """A key that lies in the canary's tenth, or above it."""
    return next(f"u{n}" for n in range(1000) if (sticky.user(b"u%d" % n) % TOTAL < 1_000) is low)


def answer(choice: Choice) -> tuple[str, str, bool]:
    return choice.backend, choice.why, choice.drawn


@pytest.fixture
def shop(serve: Serve) -> Service:
    """A service with everything switched on."""
    return serve(force="x-canary", segments=(OFFICE, BETA), sticky=STICKY)


LEFT, RIGHT = f"weir={user(STICKY, True)}", f"weir={user(STICKY, False)}"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ([("Cookie", LEFT)], ("canary", "sticky", True)),
        ([("Cookie", RIGHT)], ("stable", "sticky", True)),
        ([("Cookie", RIGHT), ("X-Beta", "1")], ("canary", "segment:beta", False)),
        ([("Cookie", f"{LEFT}; site=office"), ("X-Beta", "1")], ("stable", "segment:office", False)),
        ([("Cookie", LEFT), ("X-Canary", "never"), ("X-Beta", "1")], ("stable", "force", False)),
        ([("Cookie", "site=office"), ("X-Canary", "always")], ("canary", "force", False)),
        ([("Cookie", "site=office"), ("X-Canary", "ALWAYS")], ("canary", "force", False)),
        ([("Cookie", LEFT), ("X-Canary", "Never")], ("stable", "force", False)),
        ([("Cookie", LEFT), ("X-Canary", "yes")], ("canary", "sticky", True)),
        ([("Cookie", RIGHT), ("X-Canary", "")], ("stable", "sticky", True)),
        ([("Cookie", RIGHT), ("X-Canary", "maybe"), ("X-Canary", "always")], ("canary", "force", False)),
    ],
)
def test_the_order(
    ask: Ask, world: World, shop: Service, fields: Any, expected: tuple[str, str, bool]
) -> None:
    for draw in (LOW, HIGH):
        assert answer(choose(shop, ask(fields=fields), "192.0.2.7", draw, world())) == expected


OUT = ["halted", "dead"]


@pytest.mark.parametrize("out", OUT)
@pytest.mark.parametrize(
    ("fields", "drawn"),
    [([("Cookie", LEFT)], True), ([("X-Beta", "1")], False), ([("X-Canary", "always")], False)],
)
def test_a_canary_that_is_out_is_out_for_everybody(
    ask: Ask, world: World, shop: Service, out: str, fields: Any, drawn: bool
) -> None:
    if out == "halted":
        shop, live = replace(shop, halted=frozenset({"canary"})), world()
    else:
        live = world(dead=set(shop.addresses(shop.backends[1])))
    choice = choose(shop, ask(fields=fields), "", LOW, live)
    assert answer(choice) == ("stable", "diverted", False)
    assert choice.pinned is not drawn
    assert choice.diverted == ("" if out == "halted" else "canary")
    assert choice.address in tuple(shop.addresses(shop.backends[0]))


@pytest.mark.parametrize("out", OUT)
def test_who_was_drawn_for_stable_is_not_diverted(ask: Ask, world: World, serve: Serve, out: str) -> None:
    shop = serve(halted=frozenset({"canary"} if out == "halted" else ()))
    live = world(dead=set(shop.addresses(shop.backends[1])))
    assert answer(choose(shop, ask(), "", HIGH, live)) == ("stable", "weight", True)
    assert answer(choose(shop, ask(), "", LOW, live)) == ("stable", "diverted", False)


STABLE_DEAD, CANARY_DEAD = ("http://stable:9001", IP), ("http://canary:9002", IP)


def test_a_dead_stable_has_no_stand_in(ask: Ask, world: World, serve: Serve) -> None:
    shop = serve(dead=frozenset({STABLE_DEAD}))
    choice = choose(shop, ask(), "", HIGH, world())
    assert (answer(choice), choice.address, choice.diverted) == (("stable", "weight", True), None, "")
    assert choose(shop, ask(), "", LOW, world()).address in tuple(shop.addresses(shop.backends[1]))
    nobody = serve(dead=frozenset({STABLE_DEAD, CANARY_DEAD}))
    choice = choose(nobody, ask(), "", LOW, world())
    assert (answer(choice), choice.address) == (("stable", "diverted", False), None)
    assert choice.diverted == "canary"


@pytest.mark.parametrize(
    ("fields", "pinned"),
    [([("Cookie", RIGHT)], False), ([("Cookie", "site=office")], True), ([("X-Canary", "never")], True)],
)
def test_the_canary_stands_in_for_a_dead_stable_where_the_service_says_so(
    ask: Ask, world: World, shop: Service, fields: Any, pinned: bool
) -> None:
    shop = replace(shop, fallback=True, dead=frozenset({STABLE_DEAD}))
    choice = choose(shop, ask(fields=fields), "", LOW, world())
    assert answer(choice) == ("canary", "diverted", False)
    assert choice.address in tuple(shop.addresses(shop.backends[1]))
    assert (choice.diverted, choice.pinned) == ("stable", pinned)
    assert choice.user == (0 if pinned else STICKY.user(choice.key))


@pytest.mark.parametrize("out", ["halted", "dead", "ejected", "absent"])
def test_a_canary_that_is_out_stands_in_for_nobody(ask: Ask, world: World, serve: Serve, out: str) -> None:
    shop = serve(
        fallback=True,
        weight=0,
        halted=frozenset({"canary"} if out == "halted" else ()),
        dead=frozenset({STABLE_DEAD, CANARY_DEAD} if out == "dead" else {STABLE_DEAD}),
    )
    live = world(dead=set(shop.addresses(shop.backends[1])) if out == "ejected" else set())
    if out == "absent":
        shop = replace(shop, backends=shop.backends[:1], split=Split())
    choice = choose(shop, ask(), "", LOW, live)
    assert (answer(choice), choice.address, choice.diverted) == (("stable", "weight", True), None, "")


@pytest.mark.parametrize("fallback", [False, True])
@pytest.mark.parametrize("draw", [LOW, HIGH])
def test_endpoints_of_stable_are_tried_once_all_of_them_are_ejected(
    ask: Ask, world: World, serve: Serve, fallback: bool, draw: int
) -> None:
    shop = serve(fallback=fallback)
    live = world(dead={one for backend in shop.backends for one in shop.addresses(backend)})
    choice = choose(shop, ask(), "", draw, live)
    assert answer(choice) == (("stable", "weight", True) if draw else ("stable", "diverted", False))
    assert choice.address in tuple(shop.addresses(shop.backends[0]))


@given(
    st.sampled_from(["stable", "canary"]),
    st.sets(st.sampled_from([STABLE_DEAD, CANARY_DEAD])),
    st.sets(st.sampled_from(["stable", "canary"])),
    st.booleans(),
    st.booleans(),
)
def test_who_answers_for_whom(
    ask: Ask,
    world: World,
    serve: Serve,
    meant: str,
    dead: set[tuple[str, str]],
    ejected: set[str],
    halted: bool,
    fallback: bool,
) -> None:
    shop = serve(dead=frozenset(dead), fallback=fallback, halted=frozenset({"canary"} if halted else ()))
    out = {each for backend in shop.backends for each in shop.addresses(backend) if backend.name in ejected}
    choice = choose(shop, ask(), "", LOW if meant == "canary" else HIGH, world(dead=out))
    able = {
        "stable": STABLE_DEAD not in dead,
        "canary": not (halted or CANARY_DEAD in dead or "canary" in ejected),
    }
    instead = "stable" if meant == "canary" else "canary" if fallback else meant
    expected = next((each for each in (meant, instead) if able[each]), None)
    assert (choice.backend if choice.address else None) == expected
    assert choice.drawn == (choice.why == "weight") == (choice.backend == meant)
    assert choice.diverted == ("" if choice.drawn or (meant == "canary" and halted) else meant)


def test_the_weight_is_drawn_exactly_with_the_low_bits(ask: Ask, world: World, serve: Serve) -> None:
    shop, head, live = serve(weight=1234), ask(), world()
    above = 0x5EED << 64
    seen = Counter(answer(choose(shop, head, "", above + n, live)) for n in range(TOTAL))
    assert seen == {("canary", "weight", True): 1234, ("stable", "weight", True): 8766}
    wrapped = choose(shop, head, "", (1 << 64) - 1, live)
    assert wrapped.backend == shop.split.pick(((1 << 64) - 1) % TOTAL)


def test_the_endpoint_is_drawn_with_bits_of_its_own(ask: Ask, world: World, serve: Serve) -> None:
    stable, canary = serve().backends
    two = Backend("stable", stable.endpoints + canary.endpoints)
    shop = serve(backends=(two, canary), weight=0)
    seen = [choose(shop, ask(), "", (n << 64) + HIGH, world()).address for n in range(2)]
    assert set(seen) == set(shop.addresses(two))


def test_a_user_without_a_key_is_given_one_and_placed_by_it(ask: Ask, world: World, serve: Serve) -> None:
    shop = serve(sticky=STICKY, weight=5000)
    seen = set()
    for draw in [n * 0x9E3779B97F4A7C15F39CC0605CEDC834 % 2**128 for n in range(1, 40)]:
        choice = choose(shop, ask(), "", draw, world())
        assert choice.issue == choice.key == b"%032x" % draw
        assert len(choice.key) == 32
        again = choose(shop, ask(fields=[("Cookie", f"weir={choice.key.decode()}")]), "", draw + 1, world())
        assert (again.backend, again.key, again.issue) == (choice.backend, choice.key, b"")
        assert answer(choice) == answer(again) == (choice.backend, "sticky", True)
        seen.add(choice.backend)
    assert seen == {"stable", "canary"}


@pytest.mark.parametrize(
    "sticky", [Sticky("cookie", "session"), Sticky("header", "X-User"), Sticky("client-ip")]
)
def test_without_a_key_and_none_to_issue_the_weight_decides(
    ask: Ask, world: World, serve: Serve, sticky: Sticky
) -> None:
    shop = serve(sticky=sticky)
    for draw, backend in ((LOW, "canary"), (HIGH, "stable")):
        choice = choose(shop, ask(), "", draw, world())
        assert answer(choice) == (backend, "weight", True)
        assert (choice.key, choice.issue) == (b"", b"")


def test_the_pinned_are_given_no_key(ask: Ask, world: World, shop: Service) -> None:
    choice = choose(shop, ask(fields=[("X-Beta", "1")]), "", LOW, world())
    assert (choice.key, choice.issue) == (b"", b"")


@given(st.binary(min_size=1, max_size=20), st.integers(0, TOTAL), st.integers(0, TOTAL))
def test_raising_the_weight_only_adds_users(
    world: World, serve: Serve, key: bytes, one: int, other: int
) -> None:
    sticky = Sticky("header", "x-user", salt="release")
    head = RequestHead(b"GET", b"/", 1, [(b"x-user", b"X-User: " + key)])
    low, high = (
        choose(serve(weight=weight, sticky=sticky), head, "", 0, world()).backend
        for weight in sorted((one, other))
    )
    assert (low, high) != ("canary", "stable")


def test_force_needs_no_segment_beside_it(ask: Ask, world: World, serve: Serve) -> None:
    shop = serve(force="x-canary")
    choice = choose(shop, ask(fields=[("X-Canary", "always")]), "", HIGH, world())
    assert answer(choice) == ("canary", "force", False)


def test_force_without_a_canary_is_ignored(ask: Ask, world: World, serve: Serve) -> None:
    alone = serve(backends=serve().backends[:1], split=Split(), force="x-canary")
    assert answer(choose(alone, ask(fields=[("X-Canary", "always")]), "", LOW, world())) == (
        "stable",
        "weight",
        True,
    )


@given(
    st.sampled_from(["", "always", "never"]),
    st.booleans(),
    st.sampled_from([LEFT, RIGHT, "weir=", "site=office"]),
    st.integers(0, TOTAL),
    st.integers(0, 2**128 - 1),
    st.booleans(),
    st.booleans(),
)
def test_nobody_meets_a_halted_backend(
    ask: Ask,
    world: World,
    serve: Serve,
    force: str,
    beta: bool,
    cookies: str,
    weight: int,
    draw: int,
    halted: bool,
    dead: bool,
) -> None:
    shop = serve(
        force="x-canary",
        segments=(OFFICE, BETA),
        sticky=STICKY,
        weight=weight,
        halted=frozenset({"canary"} if halted else ()),
    )
    fields = [("Cookie", cookies), ("X-Canary", force), *([("X-Beta", "1")] if beta else [])]
    stable, canary = (tuple(shop.addresses(backend)) for backend in shop.backends)
    choice = choose(shop, ask(fields=fields), "", draw, world(dead=set(canary) if dead else set()))
    assert choice.address in (stable if halted or dead else (*stable, *canary))
    assert choice.backend == ("stable" if choice.address in stable else "canary")
    assert choice.revision == shop.revision


def test_a_user_is_told_by_the_hash_that_places_them(ask: Ask, world: World, shop: Service) -> None:
    choice = choose(shop, ask(fields=[("Cookie", LEFT)]), "", HIGH, world())
    assert choice.user == STICKY.user(choice.key)
    assert (choice.user % TOTAL < 1_000, choice.backend) == (True, "canary")


def test_who_has_no_key_is_a_user_of_their_own_by_the_draw(ask: Ask, world: World, serve: Serve) -> None:
    shop = serve(sticky=Sticky("header", "X-User"))
    draws = [(5 << 64) + 77, (6 << 64) + 10_077]
    assert [choose(shop, ask(), "", draw, world()).user for draw in draws] == [77, 10_077]


def test_nobody_is_told_apart_where_nobody_is_kept_and_the_pinned_are_not(
    ask: Ask, world: World, serve: Serve, shop: Service
) -> None:
    assert choose(serve(), ask(), "", 77, world()).user == 0
    pinned = choose(shop, ask(fields=[("Cookie", LEFT), ("X-Beta", "1")]), "", 77, world())
    assert (pinned.user, pinned.pinned, pinned.drawn) == (0, True, False)


def test_who_is_diverted_is_still_the_same_user(ask: Ask, world: World, shop: Service) -> None:
    live = world(dead=set(shop.addresses(shop.backends[1])))
    choice = choose(shop, ask(fields=[("Cookie", LEFT)]), "", HIGH, live)
    assert (choice.diverted, choice.user, choice.pinned) == ("canary", STICKY.user(choice.key), False)
