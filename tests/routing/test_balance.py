from collections import Counter
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from proxy.routing.balance import any_of, pick, pick_or_any
from proxy.routing.endpoint import Endpoint

World = Callable[..., Any]

ENDPOINTS = tuple(Endpoint.parse(f"http://e{n}") for n in range(6))
DRAWS = st.integers(0, 2**64 - 1)


@given(st.integers(0, 6), st.sets(st.sampled_from(ENDPOINTS)), DRAWS)
def test_never_a_dead_endpoint_while_one_is_alive(
    world: World, count: int, dead: set[Endpoint], draw: int
) -> None:
    endpoints = ENDPOINTS[:count]
    alive = set(endpoints) - dead
    chosen = pick(endpoints, world(dead, busy=dict.fromkeys(alive, 1)), draw)  # the dead tempt: they are idle
    assert chosen in alive if alive else chosen is None


@given(st.lists(st.integers(0, 3), min_size=6, max_size=6), st.sets(st.sampled_from(ENDPOINTS)), DRAWS)
def test_never_the_busiest_of_all(world: World, pending: list[int], dead: set[Endpoint], draw: int) -> None:
    busy = dict(zip(ENDPOINTS, pending, strict=True))
    chosen = pick(ENDPOINTS, world(dead, busy), draw)
    loads = sorted(busy[endpoint] for endpoint in set(ENDPOINTS) - dead)
    if chosen is not None and len(loads) > 1 and loads[-1] > loads[-2]:
        assert busy[chosen] < loads[-1]


def shares(endpoints: tuple[Endpoint, ...], live: Any) -> list[int]:
    # Every pair of digits that the draw is made of, as often: exact, and no luck in it.
    seen = Counter(pick(endpoints, live, draw) for draw in range(3600))
    return [seen[endpoint] for endpoint in endpoints]


def test_idle_endpoints_share_evenly(world: World) -> None:
    assert shares(ENDPOINTS[:2], world()) == [1800] * 2
    assert shares(ENDPOINTS[:3], world()) == [1200] * 3
    assert shares(ENDPOINTS, world()) == [600] * 6


def test_what_is_left_of_a_backend_shares_evenly(world: World) -> None:
    assert shares(ENDPOINTS[:3], world({ENDPOINTS[1]})) == [1800, 0, 1800]
    assert shares(ENDPOINTS[:4], world({ENDPOINTS[3]})) == [1200, 1200, 1200, 0]


def test_of_two_the_one_with_less_to_do(world: World) -> None:
    assert shares(ENDPOINTS[:2], world(busy={ENDPOINTS[0]: 1})) == [0, 3600]
    assert shares(ENDPOINTS[:2], world(busy={ENDPOINTS[1]: 1})) == [3600, 0]


@given(st.integers(0, 6), st.sets(st.sampled_from(ENDPOINTS)), DRAWS)
def test_where_none_may_be_missing_all_are_tried_while_none_is_alive(
    world: World, count: int, dead: set[Endpoint], draw: int
) -> None:
    endpoints, live = ENDPOINTS[:count], world(dead)
    expected = pick(endpoints, live, draw) if set(endpoints) - dead else any_of(endpoints, live, draw)
    assert pick_or_any(endpoints, live, draw) == expected
    assert expected in endpoints if endpoints else expected is None


def test_those_that_are_tried_for_want_of_better_share_evenly_by_what_they_have_to_do(world: World) -> None:
    live = world(set(ENDPOINTS))
    seen = Counter(pick_or_any(ENDPOINTS[:3], live, draw) for draw in range(3600))
    assert [seen[endpoint] for endpoint in ENDPOINTS[:3]] == [1200] * 3
    busy = world(set(ENDPOINTS), busy={ENDPOINTS[0]: 1})
    assert {any_of(ENDPOINTS[:2], busy, draw) for draw in range(10)} == {ENDPOINTS[1]}
