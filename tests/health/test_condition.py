"""How many probes it takes until an endpoint is dead, or alive again."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.health.condition import UNKNOWN, EndpointCondition, probed, together


@dataclass
class Proof:
    healthy_after: int = 2
    unhealthy_after: int = 3


def after(probes: str, start: EndpointCondition = UNKNOWN, proof: Proof | None = None) -> str:
    """The states after each of these probes: `+` was answered, `-` was not."""
    condition, states = start, ""
    for each in probes:
        condition = probed(condition, "answered 503" if each == "-" else "", proof or Proof())
        states += condition.state[0]
    return states


@pytest.mark.parametrize(
    ("probes", "states"),
    [
        ("+", "a"),
        ("---", "uud"),
        ("--+", "uua"),
        ("+--+--", "aaaaaa"),
        ("+---", "aaad"),
        ("---+-++", "uudddda"),
        ("---++---", "uuddaaad"),
        ("---+-+-+", "uudddddd"),
    ],
)
def test_it_takes_several_in_a_row(probes: str, states: str) -> None:
    assert after(probes) == states


def test_what_was_wrong_last_is_known_whatever_the_state() -> None:
    alive = probed(UNKNOWN, "", Proof())
    doubted = probed(alive, "answered 503", Proof())
    assert str(doubted) == "alive, but the last probe failed: answered 503"
    assert probed(doubted, "", Proof()) == alive


def test_one_is_enough_where_that_is_said() -> None:
    assert after("+-+-", proof=Proof(1, 1)) == "adad"


@given(st.text("+-", max_size=30), st.integers(1, 4), st.integers(1, 4))
def test_a_state_changes_only_with_so_many_in_a_row_and_always_with_them(
    probes: str, healthy: int, unhealthy: int
) -> None:
    states = after(probes, proof=Proof(healthy, unhealthy))
    for at, (before, now) in enumerate(zip("u" + states, states, strict=False)):
        upto = probes[: at + 1]
        if upto.endswith("-" * unhealthy):
            assert now == "d"
        if upto.endswith("+" * healthy):
            assert now == "a"
        if (before, now) == ("d", "a"):
            assert upto.endswith("+" * healthy)
        if now == "d" != before:
            assert upto.endswith("-" * unhealthy)


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (UNKNOWN, "not known yet"),
        (EndpointCondition("unknown", 1, "answered 503"), "not known yet: answered 503"),
        (EndpointCondition("alive"), "alive"),
        (EndpointCondition("alive", 1, "answered 503"), "alive, but the last probe failed: answered 503"),
        (EndpointCondition("dead", 0, "answered 503"), "dead: answered 503"),
        (EndpointCondition("dead", 1), "dead, but the last probe was answered"),
    ],
)
def test_it_says_how_it_stands(condition: EndpointCondition, words: str) -> None:
    assert str(condition) == words


@pytest.mark.parametrize(
    ("conditions", "words"),
    [
        ({"a:1": "alive"}, "alive"),
        ({"a:1": "dead: answered 503"}, "dead: answered 503"),
        ({"a:1": "alive", "b:1": "alive"}, "alive"),
        (
            {"a:1": "alive", "b:1": "dead: refused"},
            "alive at 1 of 2 addresses: b:1 is dead: refused",
        ),
        ({"a:1": "dead: x", "b:1": "dead: y"}, "dead: a:1 is dead: x; b:1 is dead: y"),
        ({"a:1": "alive", "b:1": "not known yet"}, "alive at 1 of 2 addresses"),
    ],
)
def test_an_endpoint_does_as_its_addresses_do(conditions: dict[str, str], words: str) -> None:
    assert together(conditions) == words


def test_an_endpoint_of_which_no_address_is_known_to_be_alive_is_not_called_alive() -> None:
    assert not together({"a:1": "not known yet", "b:1": "not known yet: refused"}).startswith("alive")
