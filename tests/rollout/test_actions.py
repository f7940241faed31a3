from dataclasses import replace
from typing import Any

import pytest

from proxy.rollout.actions import Lower, Nothing, Raise, action
from proxy.rollout.advance import advance
from proxy.rollout.inputs import Abort, Held, Pause, Promote, Release, Resume, Retry, SetWeight, Start, Undo
from proxy.rollout.phases import PAUSED, PROMOTING
from proxy.rollout.rollout import Rollout
from proxy.rollout.side import VACANT
from tests.rollout.rollouts import (
    BARE,
    FAILING,
    ONE,
    PLAN,
    PROMOTED_STATE,
    RUNNING,
    THREE,
    TWO,
    at_step,
    look,
    tripped,
    went,
)

TRIPPED = tripped(RUNNING)
BY_HAND = at_step(2, PAUSED, weight=100, pause="by hand")


@pytest.mark.parametrize(
    ("rollout", "happened", "kind"),
    [
        (RUNNING, SetWeight(2000), Nothing),
        (RUNNING, SetWeight(2001), Raise),
        (RUNNING, SetWeight(1999), Lower),
        (RUNNING, SetWeight(0), Lower),
        (at_step(2), SetWeight(500), Lower),  # it pauses, no more
        (at_step(2), SetWeight(501), Raise),
        (RUNNING, Held(19, True), Lower),
        (RUNNING, Held(19, False), Lower),
        (RUNNING, Held(9, False), Nothing),
        (PROMOTED_STATE, Held(19, False), Lower),
        (RUNNING, Release(ONE, TWO, 9, "t"), Nothing),
        (RUNNING, Release(ONE, THREE, 100, "t"), Raise),
        (RUNNING, Release(ONE, VACANT, 0, "t"), Raise),  # it changes who is on trial
        (RUNNING, Release(ONE, TWO, 9, "t", ("timeouts",)), Raise),
        (Rollout(), Release(ONE, VACANT, 0, "t"), Raise),
        (TRIPPED, Resume(), Raise),
        (TRIPPED, Resume(0), Raise),  # pinned requests come back
        (tripped(at_step(2)), Retry("t"), Raise),
        (TRIPPED, Abort(), Nothing),
        (RUNNING, Abort(), Lower),
        (RUNNING, look(FAILING), Lower),
        (at_step(2), look(FAILING), Lower),
        (RUNNING, Start(PLAN, "t"), Raise),
        (BARE, Start(PLAN, "t", TWO), Raise),
        (at_step(1), look(), Raise),
        (at_step(2), look(), Lower),  # a gate keeps the weight
        (at_step(5), look(), Raise),
        (at_step(5, PROMOTING), look(), Raise),
        (at_step(2), Pause(), Lower),
        (at_step(2), Promote(), Lower),
        (BY_HAND, Promote(), Raise),  # into a gate as well, but from less than the plan's weight
        (BY_HAND, Resume(), Raise),
        (PROMOTED_STATE, Undo("t"), Raise),
        (PROMOTED_STATE, Undo("t", PLAN), Raise),
    ],
    ids=repr,
)
def test_traffic_to_the_canary_is_written_first_and_traffic_away_from_it_is_told_first(
    rollout: Rollout, happened: Any, kind: type[Any]
) -> None:
    advanced = advance(rollout, happened, 1200.0)
    decided = action(rollout, advanced)
    assert type(decided) is kind
    if kind is not Nothing:
        assert (decided.rollout, decided.entry) == (advanced.rollout, advanced.entry)


def test_a_deadline_is_told_first() -> None:
    rollout = at_step(1)
    assert went(rollout, look(), 9999.0)[1].event == "deadline"
    assert isinstance(action(rollout, advance(rollout, look(), 9999.0)), Lower)


@pytest.mark.parametrize("event", ["trip", "abort", "pause", "gate", "deadline", "weight"])
def test_whatever_it_is_called_more_traffic_is_written_first(event: str) -> None:
    advanced = advance(RUNNING, SetWeight(2500), 1200.0)
    assert isinstance(action(RUNNING, replace(advanced, entry=replace(advanced.entry, event=event))), Raise)
