from dataclasses import replace

import pytest

from proxy.rollout.actions import Lower, Nothing, Raise, action
from proxy.rollout.advance import advance
from proxy.rollout.inputs import Held, Release, Resume, SetWeight
from proxy.rollout.rollout import Rollout, Trip
from proxy.rollout.side import VACANT, Side
from proxy.routing.endpoint import Endpoint

ONE, TWO, THREE = (Side((Endpoint.parse(f"http://v{n}"),), f"v{n}") for n in (1, 2, 3))

RUNNING = Rollout(
    revision=3,
    since=1,
    weight=2000,
    salt="s",
    stable=ONE,
    stable_definition=ONE.definition,
    canary=TWO,
    definition=TWO.definition,
)
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
        (RUNNING, Release(ONE, TWO, 9, "t"), Nothing),
        (RUNNING, Release(ONE, THREE, 100, "t"), Raise),
        (TRIPPED, Resume(), Raise),
        (TRIPPED, Resume(0), Raise),
        (Rollout(), Release(ONE, VACANT, 0, "t"), Raise),
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
