"""The story judges honestly: it is content when v2 is promoted and v3 falls, and with nothing else."""

import asyncio
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from proxy.demo.admin import Admin
from proxy.demo.screen import PlainScreen
from proxy.demo.seen import Sighting
from proxy.demo.stage import Stage
from proxy.demo.story import Pace, Story, change

CANARY = {"shop": "v2", "search": "v3"}
TRIP = {"sentence": "errors 25.0 % of 28 canary answers", "acknowledged_ms": 3.2}
STEPS = (5.0, 25.0, 25.0, 50.0, 100.0)
GATE = 3
PACE = Pace(act=0.01, rate=1.0, rollout=1.0, hold=1.0, settle=0.0, look=0.0)


class World(Admin):
    """An admin API and its traffic in one: every look at a service lets 100 customers ask, and goes on."""

    def __init__(self, faults: Mapping[str, Any]) -> None:
        super().__init__("http://127.0.0.1:9")
        self.faults = faults
        self.phases = {"shop": "idle", "search": "idle"}
        self.steps = {"shop": 0, "search": 0}
        self.promotions: list[Mapping[str, Any]] = []
        self.story: Story | None = None

    def order(self, name: str, order: str, **body: Any) -> dict[str, Any]:
        if order == "promote":
            self.promotions.append(body)
            self.steps[name] += 1
        self.phases[name] = "progressing"
        return self.view(name)

    def history(self, name: str) -> list[dict[str, Any]]:
        entry = {"at": "2026-01-01T00:00:00Z", "service": name, "revision": 1, "event": "step"}
        return [entry | {"from": 0.0, "to": 5.0, "actor": "weir", "reason": "step 1 of 5"} | LATER]

    def explain(self, name: str) -> str:
        return f"{name} is explained."

    def service(self, name: str) -> dict[str, Any]:
        assert self.story is not None
        over = self.phases["search"] == "rolled-back"
        for turn in range(100):
            self.ask(name, turn, over=over)
        self.go_on(name)
        return self.view(name)

    def ask(self, name: str, turn: int, *, over: bool) -> None:
        assert self.story is not None
        share = self.view(name)["weights"].get("canary", 100.0)
        share = self.faults.get("share", share) if over and name == "shop" else share
        late = over and name == "search" and turn < self.faults.get("late", 0)
        canary = turn < share or late
        bad = canary and ((name == "search" and turn % 4 == 0) or (name == "shop" and self.faults.get("v2")))
        version = (CANARY[name] if canary else "v1") if not self.faults.get("gone") else ""
        self.story.seen.add(Sighting(0, name, str(turn), version, 500 if bad else 200, 0.01))

    def go_on(self, name: str) -> None:
        """What the plan, or the verdict on v3, leads to."""
        if self.phases[name] != "progressing" or self.faults.get("stuck") == name:
            return
        if name == "search" and self.steps[name] == 2 and self.faults.get("trips", True):
            self.phases[name] = "rolled-back"
        elif self.steps[name] == len(STEPS):
            self.phases[name] = "promoted"
        else:
            self.steps[name] += 1
            if self.steps[name] == GATE:
                self.phases[name] = "paused"

    def view(self, name: str) -> dict[str, Any]:
        phase, step = self.phases[name], self.steps[name]
        stable, canary = {"version": "v1"}, {"version": CANARY[name]}
        share = 0.0 if phase == "rolled-back" or not step else STEPS[step - 1]
        weights, backends = {"stable": 100.0 - share, "canary": share}, {"stable": stable, "canary": canary}
        if phase == "promoted":
            weights, backends = {"stable": 100.0}, {"stable": canary}
        waiting = {"says": "paused: ask the on-call" if phase == "paused" else "holds for 1 s yet"}
        return {
            "phase": phase,
            "weights": weights,
            "backends": backends,
            "trip": TRIP if phase == "rolled-back" else None,
            "blast_radius": {"met": 29, "rescued": 9},
            "rollout": {"step": step, "of": len(STEPS), "waiting": waiting} if step else None,
        }


LATER = {"finding": None, "phase": "progressing", "step": 1, "generation": 1, "acknowledged_ms": 4.0}


async def told(faults: Mapping[str, Any]) -> tuple[list[str], str]:
    world, out = World(faults), io.StringIO()
    stage = Stage("http://127.0.0.1:8", world, {}, Path("weir.yaml"), ())
    pace = PACE if "stuck" not in faults else Pace(0.01, 1.0, rollout=0.05, hold=1.0, settle=0.0, look=0.0)
    world.story = Story(stage, PlainScreen(out), pace)
    return await world.story.play(), out.getvalue()


async def test_content_when_v2_is_promoted_and_v3_falls():
    complaints, text = await told({})
    assert complaints == []
    for line in (
        "progressing, step 2 of 5, the canary has 25 %",
        "paused, the canary has 25 % (paused: ask the on-call)",
        "promoted",
        "rolled-back, from 25 % to 0 %: errors 25.0 % of 28 canary answers",
        "v3 was taken out: errors 25.0 % of 28 canary answers",
        "29 requests had met it, 9 were rescued by v1",
        "search is explained.",
    ):
        assert line in text
    assert "every worker knew within 3 ms" in text
    assert text.count("step 1 of 5; everywhere after 4 ms") == 2, "the ledger of both"


async def test_the_gate_is_passed_by_a_person_with_a_reason():
    world = World({})
    world.story = Story(
        Stage("http://127.0.0.1:8", world, {}, Path("weir.yaml"), ()), PlainScreen(io.StringIO()), PACE
    )
    await world.story.play()
    assert world.promotions == [{"reason": "looks good to me", "actor": "on-call"}]


@pytest.mark.parametrize(
    ("faults", "complaint"),
    [
        ({"trips": False}, "v3 was not rolled back, but promoted"),
        ({"late": 2}, "requests met v3 after it had been taken out"),
        ({"share": 90}, "v2's share at the end: 0.9"),
        ({"v2": True}, "v2 failed"),
        ({"gone": True}, "unexpected answer"),
        ({"stuck": "shop"}, "v2 was not promoted: progressing"),
        ({"stuck": "search"}, "v3 was not rolled back, but progressing"),
    ],
)
async def test_whatever_is_wrong_is_a_complaint(faults: Mapping[str, Any], complaint: str):
    complaints, _ = await told(faults)
    assert any(complaint in one for one in complaints), complaints


class Changing(World):
    """At each look at shop, it has another canary weight; then it is over."""

    def __init__(self, weights: Iterable[float]) -> None:
        super().__init__({})
        self.weights = iter(weights)

    def service(self, name: str) -> dict[str, Any]:
        view = super().view(name)
        if name == "shop":
            percent = next(self.weights, None)
            if percent is None:
                raise asyncio.CancelledError
            view["weights"] = {"stable": 100 - percent, "canary": percent}
        return view


async def test_what_somebody_changes_afterwards_is_told():
    out = io.StringIO()
    world = Changing([50, 50, 40])
    stage = Stage("http://127.0.0.1:8", world, {}, Path("weir.yaml"), ())
    world.story = Story(stage, PlainScreen(out), PACE)
    with pytest.raises(asyncio.CancelledError):
        await world.story.linger()
    assert [line for line in out.getvalue().splitlines() if line] == ["shop: idle, the canary has 40 %"]


def test_a_trip_is_told_with_its_reason():
    world = World({})
    before = world.view("search")
    world.phases["search"] = "rolled-back"
    assert change(before, world.view("search")) == f"rolled-back, from 0 % to 0 %: {TRIP['sentence']}"
    assert change(before, before) == ""
