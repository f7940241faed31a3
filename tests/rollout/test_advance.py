"""Every pair of a phase and what happens, against the table of moves."""

from dataclasses import replace
from typing import Any, get_args

import pytest

from proxy.rollout.advance import ORDERS, advance
from proxy.rollout.inputs import (
    Abort,
    Held,
    Pause,
    Promote,
    Release,
    Resume,
    Retry,
    SetWeight,
    Start,
    Undo,
)
from proxy.rollout.phases import (
    IDLE,
    MOVES,
    PAUSED,
    PROGRESSING,
    PROMOTED,
    PROMOTING,
    ROLLED_BACK,
    OrderName,
    Phase,
    orders,
)
from proxy.rollout.plan import AT_ONCE, Plan
from proxy.rollout.rollout import Advance, Refused, Rollout
from proxy.rollout.side import VACANT
from tests.rollout.rollouts import (
    BARE,
    FAILING,
    GATE,
    LATER,
    ONE,
    PLAN,
    STATES,
    THREE,
    TWO,
    at_step,
    look,
    tripped,
)

ORDERED = {
    "start": Start(PLAN, "new", THREE, replace=True),
    "promote": Promote(full=True),
    "pause": Pause(),
    "resume": Resume(),
    "abort": Abort(),
    "retry": Retry("new"),
    "undo": Undo("new"),
    "set-weight": SetWeight(300),
}
TWO_GATES = Plan((GATE, GATE, *AT_ONCE.steps, GATE), None)


@pytest.mark.parametrize("order", get_args(OrderName))
@pytest.mark.parametrize("phase", get_args(Phase))
def test_every_pair_of_phase_and_order(phase: str, order: str) -> None:
    before = STATES[phase]
    result = advance(before, ORDERED[order], 1100.0)
    if (phase, order) not in MOVES:
        assert result == Refused(
            f"{order} is not possible while the rollout is {phase}", phase, orders(phase)
        )
    elif (phase, order) == (ROLLED_BACK, "abort"):
        assert result == Advance(before)
    else:
        assert isinstance(result, Advance)
        assert result.rollout.phase in MOVES[phase, order]
        assert result.entry.revision == result.rollout.revision == before.revision + 1
        assert (result.entry.before, result.entry.after) == (before.weight, result.rollout.weight)


@pytest.mark.parametrize("order", get_args(OrderName))
def test_the_orders_are_called_what_they_are(order: str) -> None:
    assert ORDERS[type(ORDERED[order])][0] == order
    assert len(ORDERS) == len(ORDERED)


@pytest.mark.parametrize("phase", get_args(Phase))
def test_the_weight_that_is_already_so_is_no_illegal_order(phase: str) -> None:
    before = STATES[phase]
    result = advance(before, SetWeight(before.weight), 1100.0)
    if phase in (PROGRESSING, PROMOTING):
        assert result.rollout == replace(
            before, revision=10, phase=PAUSED, pause="the weight was set by hand"
        )
    else:
        assert result == Advance(before)


WORKER = Held(15, halted=False)
HALTED = Held(15, halted=True)
OTHER = Release(ONE, THREE, 100, "new")
BEGINS = replace(OTHER, plan=PLAN)
SAME = Release(ONE, TWO, 100, "new", ("timeouts",))

REACHED = [
    (STATES[IDLE], "start", ORDERED["start"], PROGRESSING),
    (STATES[PROMOTED], "start", ORDERED["start"], PROGRESSING),
    (STATES[ROLLED_BACK], "start", ORDERED["start"], PROGRESSING),
    (at_step(1), "start", ORDERED["start"], PROGRESSING),
    (at_step(2, PAUSED), "start", ORDERED["start"], PROGRESSING),
    (at_step(5, PROMOTING), "start", ORDERED["start"], PROGRESSING),
    (STATES[IDLE], "promote", Promote(full=True), PROMOTING),
    (at_step(1), "promote", Promote(), PROGRESSING),
    (at_step(2), "promote", Promote(), PAUSED),
    (at_step(5), "promote", Promote(), PROMOTING),
    (at_step(3, PAUSED), "promote", Promote(), PROGRESSING),
    (at_step(2, PAUSED), "promote", Promote(), PAUSED),
    (at_step(2, PAUSED), "promote", Promote(full=True), PROMOTING),
    (at_step(5, PROMOTING), "promote", Promote(), PROMOTED),
    (at_step(2), "pause", Pause(), PAUSED),
    (at_step(5, PROMOTING), "pause", Pause(), PAUSED),
    (at_step(2, PAUSED), "resume", Resume(), PROGRESSING),
    (at_step(3, PAUSED, weight=1), "resume", Resume(), PAUSED),
    (at_step(4, PAUSED, plan=TWO_GATES, weight=10_000), "resume", Resume(), PROMOTING),
    (tripped(STATES[IDLE]), "resume", Resume(), IDLE),
    (tripped(at_step(2)), "resume", Resume(), PROGRESSING),
    (tripped(at_step(3, PAUSED)), "resume", Resume(), PAUSED),
    (STATES[IDLE], "abort", Abort(), ROLLED_BACK),
    (at_step(2), "abort", Abort(), ROLLED_BACK),
    (at_step(3, PAUSED), "abort", Abort(), ROLLED_BACK),
    (at_step(5, PROMOTING), "abort", Abort(), ROLLED_BACK),
    (STATES[ROLLED_BACK], "abort", Abort(), ROLLED_BACK),
    (STATES[ROLLED_BACK], "retry", Retry("new"), PROGRESSING),
    (STATES[PROMOTED], "undo", Undo("new"), IDLE),
    (STATES[PROMOTED], "undo", Undo("new", PLAN), PROGRESSING),
    (STATES[IDLE], "set-weight", SetWeight(300), IDLE),
    (at_step(2), "set-weight", SetWeight(300), PAUSED),
    (at_step(3, PAUSED), "set-weight", SetWeight(300), PAUSED),
    (at_step(5, PROMOTING), "set-weight", SetWeight(300), PAUSED),
    (at_step(1), "step", look(), PROGRESSING),
    (at_step(2), "gate", look(), PAUSED),
    (at_step(2, began=0.0, plan=replace(PLAN, deadline=60.0)), "deadline", look(), PAUSED),
    (at_step(5, PROMOTING, plan=replace(PLAN, deadline=60.0)), "deadline", look(), PAUSED),
    (at_step(5), "finish", look(), PROMOTING),
    (at_step(5, PROMOTING), "switch", look(), PROMOTED),
    (STATES[IDLE], "trip", look(FAILING), ROLLED_BACK),
    (at_step(2), "trip", look(FAILING), ROLLED_BACK),
    (at_step(3, PAUSED), "trip", look(FAILING), ROLLED_BACK),
    (at_step(5, PROMOTING), "trip", look(FAILING), ROLLED_BACK),
    *((state, "release", OTHER, IDLE) for state in STATES.values()),
    *((state, "release", BEGINS, PROGRESSING) for state in STATES.values()),
    *((state, "reload", SAME, phase) for phase, state in STATES.items()),
    (STATES[IDLE], "adopt", WORKER, IDLE),
    (STATES[IDLE], "adopt", HALTED, ROLLED_BACK),
    *((STATES[phase], "adopt", WORKER, PAUSED) for phase in (PROGRESSING, PAUSED, PROMOTING)),
    *((STATES[phase], "adopt", HALTED, ROLLED_BACK) for phase in (PROGRESSING, PAUSED, PROMOTING)),
    (STATES[PROMOTED], "adopt", HALTED, PROMOTED),
    (STATES[ROLLED_BACK], "adopt", HALTED, ROLLED_BACK),
]


@pytest.mark.parametrize(
    ("before", "event", "happened", "phase"),
    REACHED,
    ids=[f"{before.phase} {event} {phase}" for before, event, _, phase in REACHED],
)
def test_every_move_of_the_table_is_made_by_something(
    before: Rollout, event: str, happened: Any, phase: str
) -> None:
    result = advance(before, happened, 1200.0)
    assert isinstance(result, Advance)
    assert result.rollout.phase == phase
    assert phase in MOVES[before.phase, event]


def test_no_move_of_the_table_is_left_out() -> None:
    reached = {(before.phase, event, phase) for before, event, _, phase in REACHED}
    assert reached == {(*pair, phase) for pair, phases in MOVES.items() for phase in phases}


@pytest.mark.parametrize("phase", [IDLE, PAUSED, PROMOTED, ROLLED_BACK])
def test_time_alone_moves_nothing_that_no_plan_moves(phase: str) -> None:
    assert advance(STATES[phase], look(), LATER) == Advance(STATES[phase])


@pytest.mark.parametrize("parts", [-1, 10_001])
@pytest.mark.parametrize(
    ("before", "order"),
    [(STATES[IDLE], SetWeight), (STATES[PROGRESSING], SetWeight), (STATES[ROLLED_BACK], Resume)],
)
def test_a_weight_out_of_range_is_an_error(before: Rollout, order: type[Any], parts: int) -> None:
    with pytest.raises(ValueError, match=r"outside 0\.\.10000"):
        advance(before, order(parts), 1100.0)


def test_there_is_no_weight_without_a_canary() -> None:
    result = advance(BARE, SetWeight(100), 1100.0)
    assert isinstance(result, Refused)
    assert "no canary" in result.reason
    assert advance(BARE, SetWeight(0), 1100.0) == Advance(BARE)
    assert BARE.canary == VACANT
