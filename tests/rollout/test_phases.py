from typing import get_args

import pytest

from proxy.rollout.phases import (
    IDLE,
    MOVES,
    PAUSED,
    PROGRESSING,
    PROMOTED,
    PROMOTING,
    ROLLED_BACK,
    UNDER_WAY,
    OrderName,
    Phase,
    orders,
)

PHASES = get_args(Phase)


@pytest.mark.parametrize(
    ("phase", "expected"),
    [
        (IDLE, ("start", "promote", "abort", "set-weight")),
        (PROGRESSING, ("start", "promote", "pause", "abort", "set-weight")),
        (PAUSED, ("start", "promote", "resume", "abort", "set-weight")),
        (PROMOTING, ("start", "promote", "pause", "abort", "set-weight")),
        (PROMOTED, ("start", "undo")),
        (ROLLED_BACK, ("start", "resume", "abort", "retry")),
    ],
)
def test_what_can_be_ordered_in_a_phase(phase: str, expected: tuple[str, ...]) -> None:
    assert orders(phase) == expected


def test_only_a_persons_word_and_a_release_lead_back_from_a_rollback() -> None:
    back = {
        event for (phase, event), after in MOVES.items() if phase == ROLLED_BACK and after != (ROLLED_BACK,)
    }
    assert back == {"start", "resume", "retry", "release"}


def test_each_order_is_possible_somewhere() -> None:
    assert {order for phase in PHASES for order in orders(phase)} == set(get_args(OrderName))


@pytest.mark.parametrize("phase", PHASES)
def test_the_file_and_the_workers_are_listened_to_in_every_phase(phase: str) -> None:
    assert {"release", "reload", "adopt"} <= {event for at, event in MOVES if at == phase}
    assert MOVES[phase, "reload"] == (phase,)


@pytest.mark.parametrize("event", ["trip", "abort"])
def test_whoever_has_a_canary_can_lose_it_in_one_move(event: str) -> None:
    from_where = {
        phase for (phase, name), after in MOVES.items() if name == event and after == (ROLLED_BACK,)
    }
    assert from_where >= {IDLE, *UNDER_WAY}


def test_nothing_but_a_promotion_makes_the_canary_stable() -> None:
    ways = {(at, event) for (at, event), after in MOVES.items() if PROMOTED in after and at != PROMOTED}
    assert ways == {(PROMOTING, "switch"), (PROMOTING, "promote")}


def test_no_phase_is_a_dead_end() -> None:
    for phase in PHASES:
        assert any(set(after) - {phase} for (at, _), after in MOVES.items() if at == phase)
