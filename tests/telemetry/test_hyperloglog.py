"""Registers: about right for any number of users, and a union is a union."""

import json
import random
from base64 import b64encode
from zlib import compress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.telemetry.hyperloglog import REGISTERS, Registers

USERS = st.lists(st.integers(0, 2**64 - 1), max_size=30)


def registers(users: list[int]) -> Registers:
    it = Registers()
    for user in users:
        it.add(user)
    return it


def hashes(number: int, seed: int, *, low: int = 10_000) -> list[int]:
    """So many different 64-bit hashes that lie in the lowest `low` of 10,000 parts."""
    chance = random.Random(seed)
    return [chance.randrange(2**64 // 10_000) * 10_000 + chance.randrange(low) for _ in range(number)]


@pytest.mark.parametrize("low", [10_000, 500, 1])
@pytest.mark.parametrize("number", [10, 100, 1000, 4000, 6000, 20_000, 100_000])
def test_it_is_about_right_wherever_the_users_lie(number: int, low: int) -> None:
    # Four standard errors of 2.3 %; the fixed seeds make this the same on each run.
    for seed in range(2 if number > 10_000 else 5):
        assert registers(hashes(number, seed, low=low)).estimate() == pytest.approx(number, rel=0.092, abs=1)


def test_the_error_is_that_of_the_paper() -> None:
    off = [registers(hashes(3000, seed, low=500)).estimate() / 3000 - 1 for seed in range(60)]
    assert abs(sum(off) / len(off)) < 0.01
    assert (sum(each * each for each in off) / len(off)) ** 0.5 < 0.03


@given(USERS, USERS)
def test_a_union_knows_each_user_once(some: list[int], more: list[int]) -> None:
    both = registers(some)
    both.absorb(registers(more))
    assert both == registers(some + more) == registers(more + some)
    again = both.copy()
    again.absorb(registers(some))
    assert again == both


def test_a_union_takes_the_greater_of_all_that_there_can_be() -> None:
    chance = random.Random(4)
    some, more = (Registers(bytearray(chance.choices(range(42), k=REGISTERS))) for _ in range(2))
    greater = bytearray(map(max, some.cells, more.cells))
    some.absorb(more)
    assert some.cells == greater


def test_a_union_leaves_the_other_alone() -> None:
    some, more = Registers(), registers([1 << 40])
    some.absorb(more)
    some.add(3 << 50)
    assert more == registers([1 << 40])
    copied = more.copy()
    copied.add(3 << 50)
    assert more == registers([1 << 40])


def test_nobody_is_none() -> None:
    assert (Registers().estimate(), bool(Registers()), repr(Registers())) == (
        0,
        False,
        "<Registers of about 0>",
    )
    assert bool(registers([0]))


@given(USERS)
def test_json_round_trip(users: list[int]) -> None:
    it = registers(users)
    assert Registers.from_json(json.loads(json.dumps(it.to_json()))) == it


def test_json_is_small() -> None:
    assert len(registers(hashes(10, 1)).to_json()) < 100
    assert len(registers(hashes(100_000, 1)).to_json()) < 1500


@pytest.mark.parametrize(
    "data",
    [
        None,
        7,
        "?",
        "AAAA",
        b64encode(compress(b"\x01" * 7)).decode(),
        Registers(bytearray(b"\x2a" * REGISTERS)).to_json(),
    ],
)
def test_what_are_no_registers_is_a_value_error(data: int | str | None) -> None:
    with pytest.raises(ValueError):
        Registers.from_json(data)
