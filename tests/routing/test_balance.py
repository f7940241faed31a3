from collections import Counter
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from proxy.routing.address import Address
from proxy.routing.balance import pick, pick_or_any, pick_or_try
from tests.kits.located import address

World = Callable[..., Any]

ADDRESSES = tuple(address(f"http://e{n}") for n in range(6))
DRAWS = st.integers(0, 2**64 - 1)


@given(st.integers(0, 6), st.sets(st.sampled_from(ADDRESSES)), DRAWS)
def test_never_a_dead_endpoint_while_one_is_alive(
    world: World, count: int, dead: set[Address], draw: int
) -> None:
    addresses = ADDRESSES[:count]
    alive = set(addresses) - dead
    chosen = pick(addresses, world(dead, busy=dict.fromkeys(alive, 1)), draw)  # the dead tempt: they are idle
    assert chosen in alive if alive else chosen is None


@given(st.lists(st.integers(0, 3), min_size=6, max_size=6), st.sets(st.sampled_from(ADDRESSES)), DRAWS)
def test_never_the_busiest_of_all(world: World, pending: list[int], dead: set[Address], draw: int) -> None:
    busy = dict(zip(ADDRESSES, pending, strict=True))
    chosen = pick(ADDRESSES, world(dead, busy), draw)
    loads = sorted(busy[address] for address in set(ADDRESSES) - dead)
    if chosen is not None and len(loads) > 1 and loads[-1] > loads[-2]:
        assert busy[chosen] < loads[-1]


def shares(addresses: tuple[Address, ...], live: Any) -> list[int]:
    # Every pair of digits that the draw is made of, as often: exact, and no luck in it.
    seen = Counter(pick(addresses, live, draw) for draw in range(3600))
    return [seen[address] for address in addresses]


def test_idle_addresses_share_evenly(world: World) -> None:
    assert shares(ADDRESSES[:2], world()) == [1800] * 2
    assert shares(ADDRESSES[:3], world()) == [1200] * 3
    assert shares(ADDRESSES, world()) == [600] * 6


def test_what_is_left_of_a_backend_shares_evenly(world: World) -> None:
    assert shares(ADDRESSES[:3], world({ADDRESSES[1]})) == [1800, 0, 1800]
    assert shares(ADDRESSES[:4], world({ADDRESSES[3]})) == [1200, 1200, 1200, 0]


def test_of_two_the_one_with_less_to_do(world: World) -> None:
    assert shares(ADDRESSES[:2], world(busy={ADDRESSES[0]: 1})) == [0, 3600]
    assert shares(ADDRESSES[:2], world(busy={ADDRESSES[1]: 1})) == [3600, 0]


@given(st.integers(0, 6), st.sets(st.sampled_from(ADDRESSES)), st.sets(st.sampled_from(ADDRESSES)), DRAWS)
def test_the_alive_first_then_those_worth_trying_then_for_stable_any(
    world: World, count: int, dead: set[Address], avoided: set[Address], draw: int
) -> None:
    addresses, live = ADDRESSES[:count], world(dead, avoided=avoided)
    alive, tried = set(addresses) - dead - avoided, set(addresses) - dead
    chosen = pick_or_try(addresses, live, draw)
    assert chosen in (alive or tried) if tried else chosen is None
    chosen = pick_or_any(addresses, live, draw)
    assert chosen in (alive or tried or addresses) if addresses else chosen is None


def test_those_that_are_tried_for_want_of_better_share_evenly_by_what_they_have_to_do(world: World) -> None:
    live = world(set(ADDRESSES))
    seen = Counter(pick_or_any(ADDRESSES[:3], live, draw) for draw in range(3600))
    assert [seen[address] for address in ADDRESSES[:3]] == [1200] * 3
    busy = world(set(ADDRESSES), busy={ADDRESSES[0]: 1})
    assert {pick_or_any(ADDRESSES[:2], busy, draw) for draw in range(10)} == {ADDRESSES[1]}
