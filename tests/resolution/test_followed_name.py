"""What the look-ups of one name lead to: which addresses are in use, and when there is none."""

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.resolution.channel import Resolved
from proxy.resolution.followed_name import FAMILIES, FollowedName, routed

V4, V6 = FAMILIES
ONE, TWO, SIX = "192.0.2.1", "192.0.2.2", "2001:db8::1"


def followed() -> FollowedName:
    return FollowedName(lambda ip: True)


def test_it_is_unknown_until_an_address_is_found() -> None:
    name = followed()
    assert (name.known, name.addresses, name.failure) == (False, (), "")
    assert name.answered(V4, Resolved((ONE, TWO), 5))
    assert (name.known, name.addresses, name.failure) == (True, (ONE, TWO), "")
    assert name.answered(V6, Resolved((SIX,), 5))
    assert name.addresses == (ONE, TWO, SIX)
    assert not name.answered(V6, Resolved((SIX,), 5)), "that is no news"
    assert name.lookups == 3


def test_a_name_that_nobody_knows_is_known_to_be_none() -> None:
    name = followed()
    assert not name.answered(V4, Resolved((), 0))
    assert not name.known
    assert not name.answered(V6, Resolved((), 0))
    assert (name.known, name.failure) == (True, "there is no address of that name")


@pytest.mark.parametrize("ended", ["failed", "absent"])
def test_the_last_good_addresses_stay_in_use(ended: str) -> None:
    name = followed()
    name.answered(V4, Resolved((ONE,), 5))
    name.answered(V6, Resolved((), 0))
    assert name.failure == ""
    if ended == "failed":
        assert not name.failed(V4, "no name server answers")
        assert name.failure == "no name server answers"
    else:
        assert not name.answered(V4, Resolved((), 0))
        assert name.failure == "there is no address of that name"
    assert name.addresses == (ONE,)
    assert name.answered(V4, Resolved((TWO,), 5))
    assert (name.addresses, name.failure) == ((TWO,), "")


def test_a_family_that_is_gone_is_no_longer_used_beside_one_that_is_there() -> None:
    name = followed()
    name.answered(V4, Resolved((ONE,), 5))
    name.answered(V6, Resolved((SIX,), 5))
    assert name.answered(V4, Resolved((), 0))
    assert name.addresses == (SIX,)
    assert not name.failed(V6, "no name server answers")
    assert name.addresses == (SIX,), "its last good one, and not what is certainly gone"


def test_addresses_without_a_route_are_left_out_unless_there_are_no_others() -> None:
    name = FollowedName(lambda ip: ":" not in ip)
    name.answered(V6, Resolved((SIX,), 5))
    assert name.addresses == (SIX,)
    name.answered(V4, Resolved((ONE,), 5))
    assert name.addresses == (ONE,)


ANSWERS = st.sampled_from([Resolved((), 0), Resolved((ONE,), 5), Resolved((ONE, TWO), 5), None])


@given(st.lists(st.tuples(st.sampled_from(FAMILIES), ANSWERS)))
def test_once_there_was_an_address_there_is_one(
    history: list[tuple[socket.AddressFamily, Resolved | None]],
) -> None:
    name, ever = followed(), False
    for family, found in history:
        before = name.addresses
        moved = name.failed(family, "why") if found is None else name.answered(family, found)
        ever = ever or bool(found and found.addresses)
        assert bool(name.addresses) == ever
        assert moved == (name.addresses != before)
        assert not name.failure or name.known


@pytest.mark.process
def test_this_machine_has_a_route_to_itself() -> None:
    assert routed("127.0.0.1")
