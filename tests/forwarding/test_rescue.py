"""Which failed requests are sent again, what is kept for that, and what may be spent on it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.forwarding import rescue
from proxy.forwarding.exchange import Exchange
from proxy.forwarding.rescue import CAPACITY, MOST_PARTS, PER_REQUEST, PER_SECOND, Budget, Replay
from proxy.http1.limits import DEFAULT
from proxy.http1.parser import read_request
from proxy.routing.address import Address
from proxy.routing.choice import Choice
from proxy.routing.endpoint import Endpoint
from proxy.routing.failures import Rescue
from proxy.routing.table import Backend, Service
from tests.kits.located import address
from tests.kits.stage import service

KEY = b"Idempotency-Key: a-1\r\n"
ENDINGS = ("connect", "tls", "timeout", "reset", "garbage", "complete", "halted", "stale")
DRAWS = st.integers(0, 2**64 - 1)


@pytest.fixture
def exchange(service: Callable[..., Service]) -> Callable[..., Exchange]:
    """Make an exchange that a coin sent to the canary."""

    def build(
        method: bytes = b"GET",
        backend: str = "canary",
        fields: bytes = b"",
        length: int = 0,
        **settings: Rescue | tuple[str, str],
    ) -> Exchange:
        shop = service(**settings)
        choice = Choice(shop, backend, address("http://canary:9002"), "weight", True, b"", b"")
        head = read_request(b"%b / HTTP/1.1\r\nHost: a\r\n%b\r\n" % (method, fields), DEFAULT)
        return Exchange(head, choice, length, 10.0)

    return build


# Whether.


@pytest.mark.parametrize(
    ("method", "repeatable", "safe"),
    [
        (b"GET", True, True),
        (b"HEAD", True, True),
        (b"OPTIONS", True, True),
        (b"PUT", True, False),
        (b"DELETE", True, False),
        (b"POST", False, False),
        (b"PATCH", False, False),
        (b"TRACE", False, False),
        (b"PURGE", False, False),
    ],
)
def test_what_may_be_sent_twice(
    exchange: Callable[..., Exchange], method: bytes, repeatable: bool, safe: bool
) -> None:
    it = exchange(method)
    it.send(11.0, ())
    for ending in (None, "connect", "tls", "timeout", "reset", "garbage", "complete"):
        assert rescue.may(it, ending) is repeatable
    withheld = [status for status in range(100, 600) if rescue.withholds(it, status)]
    assert withheld == ([500, 502, 503, 504] if safe else [502, 503, 504])


@pytest.mark.parametrize("keyed", [True, False])
@pytest.mark.parametrize("fields", [b"", KEY, KEY.lower() + KEY])
@pytest.mark.parametrize("method", [b"POST", b"PATCH"])
def test_a_key_makes_any_method_repeatable_where_the_owner_says_so(
    exchange: Callable[..., Exchange], method: bytes, fields: bytes, keyed: bool
) -> None:
    it = exchange(method, fields=fields, rescue=Rescue(keyed=keyed))
    assert rescue.may(it, "reset") is (keyed and bool(fields))
    assert not rescue.withholds(it, 500), "it isn't safe for that"


@pytest.mark.parametrize(
    "spoil",
    [
        {"response": "open"},
        {"response": "tunnel"},
        {"response": "done"},
        {"hinted": True},
        {"sends": 2},
        {"first": ("shop", 7, "canary")},
    ],
)
@pytest.mark.parametrize("ending", ["reset", "halted"])
def test_not_after_a_byte_of_an_answer_nor_twice(
    exchange: Callable[..., Exchange], spoil: dict[Any, Any], ending: str
) -> None:
    it = exchange()
    it.send(11.0, ())
    assert rescue.may(it, ending)
    for name, value in spoil.items():
        setattr(it, name, value)
    assert not rescue.may(it, ending)


def test_not_where_it_is_off(exchange: Callable[..., Exchange]) -> None:
    it = exchange(rescue=Rescue(on=False))
    it.send(11.0, ())
    for ending in ENDINGS:
        assert not rescue.may(it, ending)


def test_of_what_stable_failed_only_a_reset_is_sent_to_another_of_its_own(
    exchange: Callable[..., Exchange],
) -> None:
    it = exchange(backend="stable")
    it.send(11.0, ())
    assert [ending for ending in ENDINGS if rescue.may(it, ending)] == ["reset"]
    it.choice = replace(it.choice, address=address("http://stable:9001"))
    assert rescue.choice(it, Alive(), 0) is None, "there is no other"
    two = exchange(endpoints=("http://stable:9001", "http://stable:9003"), backend="stable")
    two.choice = replace(two.choice, address=address("http://stable:9001"))
    for draw in range(20):
        assert rescue.choice(two, Alive(), draw).address == address("http://stable:9003")


def test_what_was_never_sent_may_whatever_its_method(exchange: Callable[..., Exchange]) -> None:
    it = exchange(b"POST")
    assert [ending for ending in ENDINGS if rescue.may(it, ending)] == ["connect", "tls", "halted"]
    it.send(11.0, ())
    assert not any(rescue.may(it, ending) for ending in ENDINGS)


@given(st.sets(st.integers(0, 3)), st.sets(st.integers(0, 3)), st.sampled_from(["stable", "canary"]), DRAWS)
def test_a_sibling_is_another_address_of_the_backend_that_was_not_tried(
    tried: set[int], dead: set[int], backend: str, draw: int
) -> None:
    urls = [f"http://e{number}" for number in range(4)]
    here = Backend(backend, tuple(map(Endpoint.parse, urls)))
    other = Backend("canary" if backend == "stable" else "stable", (Endpoint.parse("http://other"),))
    backends = (here, other) if backend == "stable" else (other, here)
    choice = Choice(service(backends=backends), backend, None, "weight", True, b"", b"")
    left = [number for number in range(4) if number not in tried]
    alive = [number for number in left if number not in dead]
    found = rescue.sibling(
        choice,
        [address(urls[number]) for number in tried],
        Alive(*(urls[number] for number in dead)),
        draw,
    )
    expected = alive or (left if backend == "stable" else [])
    assert found in [address(urls[number]) for number in expected] if expected else found is None


@pytest.mark.parametrize("on", [True, False])
@pytest.mark.parametrize(
    ("ending", "sends", "expected"), [("halted", 0, True), ("halted", 1, False), ("timeout", 0, False)]
)
def test_any_may_when_the_backend_was_halted_before_it_was_sent(
    exchange: Callable[..., Exchange], ending: str, sends: int, expected: bool, on: bool
) -> None:
    it = exchange(b"POST", rescue=Rescue(on=on))
    for _ in range(sends):
        it.send(11.0, ())
    assert rescue.may(it, ending) is expected


# Where to.


class Alive:
    """All endpoints but these are alive."""

    def __init__(self, *dead: str) -> None:
        self._dead = dead

    def alive(self, one: Address) -> bool:
        return one.endpoint.url not in self._dead

    def worth_trying(self, one: Address) -> bool:
        return self.alive(one)

    def pending(self, _address: Address) -> int:
        return 0


def test_the_choice_is_another_of_the_same_service(exchange: Callable[..., Exchange]) -> None:
    before = exchange().choice
    before = replace(before, issue=b"key", user=77, key=b"key")
    it = exchange()
    it.choice = before
    found = rescue.choice(it, Alive(), 5)
    stable = address("http://stable:9001")
    assert (found.service, found.backend, found.address) == (before.service, "stable", stable)
    assert (found.why, found.drawn, found.pinned, found.diverted) == ("rescued", False, False, "")
    assert (found.issue, found.user, found.key) == (b"key", 77, b"key")


def test_a_pinned_or_diverted_one_is_neither_when_it_is_rescued(exchange: Callable[..., Exchange]) -> None:
    it = exchange()
    it.choice = replace(it.choice, drawn=False, pinned=True, diverted="other")
    found = rescue.choice(it, Alive(), 5)
    assert (found.drawn, found.pinned, found.diverted) == (False, False, "")


def test_only_endpoints_that_are_alive_are_asked(exchange: Callable[..., Exchange]) -> None:
    it = exchange(endpoints=("http://stable:9001", "http://stable:9003"))
    for draw in range(20):
        assert (
            rescue.choice(it, Alive("http://stable:9001"), draw).address.endpoint.url == "http://stable:9003"
        )
    assert rescue.choice(it, Alive("http://stable:9001", "http://stable:9003"), 0) is None


def test_stable_without_an_endpoint_rescues_nobody(exchange: Callable[..., Exchange]) -> None:
    assert rescue.choice(exchange(endpoints=()), Alive(), 0) is None


# What is kept.


@pytest.mark.parametrize(
    ("most", "parts", "whole"),
    [
        (5, [b"hello"], True),
        (5, [b"h", b"e", b"l", b"l", b"o"], True),
        (5, [b"hello", b""], True),
        (4, [b"hello"], False),
        (4, [b"hell", b"o"], False),
        (4, [b"hell", b"o", b""], False),
        (5, [], True),
    ],
)
def test_a_body_is_kept_whole_or_not_at_all(most: int, parts: list[bytes], whole: bool) -> None:
    replay, size = Replay(most), 0
    for part in parts:
        size += len(part)
        replay.keep(part, size)
    assert (replay.whole, replay.again()) == (whole, b"".join(parts) if whole else b"")
    assert replay.again() == replay.again(), "it may be asked for again"


def test_the_size_is_of_the_body_and_not_of_its_frame() -> None:
    replay = Replay(5)
    replay.keep(b"5\r\nhello\r\n0\r\n\r\n", 5)
    assert (replay.whole, replay.again()) == (True, b"5\r\nhello\r\n0\r\n\r\n")


def test_a_body_that_comes_byte_by_byte_is_kept_in_few_pieces() -> None:
    replay = Replay(1000)
    for size in range(1, 1001):
        replay.keep(b"%d" % (size % 10), size)
        assert len(replay) <= MOST_PARTS
    assert replay.again() == b"1234567890" * 100


def test_what_comes_in_large_parts_is_kept_as_it_came() -> None:
    replay, part = Replay(1000), b"x" * 500
    replay.keep(part, 500)
    replay.keep(b"", 500)
    assert replay.again() is part


def test_what_is_gone_stays_gone() -> None:
    replay = Replay(4)
    replay.keep(b"hello", 5)
    replay.keep(b"", 3)
    assert (replay.whole, replay.again(), repr(replay)) == (False, b"", "<Replay of 0 parts, gone>")


def test_it_says_what_it_keeps() -> None:
    replay = Replay(4)
    replay.keep(b"he", 2)
    replay.keep(b"ll", 4)
    assert repr(replay) == "<Replay of 2 parts>"


# What may be spent.


def spent(budget: Budget, now: float) -> int:
    """How many rescues in a row can be paid for."""
    count = 0
    while budget.spend(now):
        count += 1
    return count


def test_it_starts_full_and_ends_empty() -> None:
    budget = Budget(10.0)
    assert spent(budget, 10.0) == CAPACITY
    assert spent(budget, 10.0) == 0


@pytest.mark.parametrize(
    ("requests", "seconds", "expected"),
    [
        (5, 0.0, 1),
        (4, 0.0, 0),
        (0, 1.0, 3),
        (0, 0.25, 0),
        (100, 0.0, 20),
        (100, 2.0, 26),
        (1_000_000, 0.0, 50),
        (0, 1e9, 50),
    ],
)
def test_requests_to_stable_and_time_pay(requests: int, seconds: float, expected: int) -> None:
    budget = Budget(10.0)
    spent(budget, 10.0)
    budget.earn(requests)
    assert spent(budget, 10.0 + seconds) == expected
    assert budget.sent == 0, "each pays once"


def test_what_it_earned_but_did_not_spend_is_not_lost() -> None:
    budget = Budget(0.0)
    spent(budget, 0.0)
    for _ in range(4):
        budget.earn(1)
        assert not budget.spend(0.0)
    budget.earn(1)
    assert budget.spend(0.0)


def test_it_says_how_much_is_left() -> None:
    budget = Budget(0.0)
    budget.earn(3)
    assert repr(budget) == "<Budget 50.0 and of 3 requests>"


Steps = st.lists(st.tuples(st.integers(0, 500), st.floats(0, 60), st.integers(1, 80)), max_size=40)


@given(Steps)
def test_never_more_than_was_saved_up_and_earned(steps: list[tuple[int, float, int]]) -> None:
    budget, now, earned, paid = Budget(100.0), 100.0, 0.0, 0
    for requests, seconds, tries in steps:
        now += seconds
        budget.earn(requests)
        earned += requests * PER_REQUEST + seconds * PER_SECOND
        got = sum(budget.spend(now) for _ in range(tries))
        paid += got
        assert got <= CAPACITY
        assert paid <= CAPACITY + earned + 1e-6


@given(st.lists(st.tuples(st.integers(0, 4), st.floats(0, 0.3)), max_size=40))
def test_nothing_is_lost_while_there_is_room(steps: list[tuple[int, float]]) -> None:
    budget, now, earned, paid = Budget(0.0), 0.0, CAPACITY, 0
    paid = spent(budget, now)
    for requests, seconds in steps:
        now += seconds
        budget.earn(requests)
        earned += requests * PER_REQUEST + seconds * PER_SECOND
        paid += spent(budget, now)
        assert earned - 1 - 1e-6 <= paid <= earned + 1e-6
