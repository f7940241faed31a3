from dataclasses import replace

import pytest

from proxy.rollout.actions import Lower, Nothing, Raise, action
from proxy.rollout.inputs import Held, Release, Resume, SetWeight
from proxy.rollout.rollout import Rollout, Trip, advance

RUNNING = Rollout(revision=3, since=1, weight=2000, salt="s", definition="v2")
TRIPPED = replace(
    RUNNING, phase="rolled-back", weight=0, weight_before=2000, trip=Trip(5.0, "it failed", None), revision=4
)


@pytest.mark.parametrize(
    ("rollout", "happened", "kind"),
    [
        (RUNNING, SetWeight(2000), Nothing),
        (RUNNING, SetWeight(2001), Raise),
        (RUNNING, SetWeight(1999), Lower),
        (RUNNING, SetWeight(0), Lower),
        (RUNNING, Held(9, True), Lower),
        (RUNNING, Held(3, False), Nothing),
        (RUNNING, Release("v2", 9, "t"), Nothing),
        (RUNNING, Release("v3", 100, "t"), Raise),
        (TRIPPED, Resume(), Raise),
        (TRIPPED, Resume(0), Raise),
        (Rollout(), Release("v1", 0, "t"), Raise),
    ],
    ids=repr,
)
def test_traffic_to_the_canary_is_written_first_and_traffic_away_from_it_is_told_first(
    rollout, happened, kind
):
    advanced = advance(rollout, happened, 7.0)
    decided = action(rollout, advanced)
    assert type(decided) is kind
    if kind is not Nothing:
        assert (decided.rollout, decided.entry) == (advanced.rollout, advanced.entry)
