"""The story judges honestly: it is content when v2 stays and v3 falls, and with nothing else."""

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
from proxy.demo.story import Pace, Story

VERSIONS = {"shop": ("v1", "v2"), "search": ("v1", "v3")}
TRIP = {"sentence": "error-rate 25.0 % over 30 s is above its limit", "acknowledged_ms": 3.2}


class World(Admin):
    """An admin API and its traffic in one: every look at a service lets 100 customers ask."""

    def __init__(self, faults: Mapping[str, Any]) -> None:
        super().__init__("http://127.0.0.1:9")
        self.faults = faults
        self.weights = {"shop": 0.0, "search": 0.0}
        self.trips: dict[str, Any] = {"shop": None, "search": None}
        self.story: Story | None = None

    def set_weight(self, name: str, percent: float, reason: str) -> dict[str, Any]:
        self.weights[name] = percent
        return self.view(name)

    def service(self, name: str) -> dict[str, Any]:
        assert self.story is not None
        tripped = self.trips["search"] is not None
        share = self.weights[name] if not (tripped and name == "shop") else self.faults.get("share", 50)
        for turn in range(100):
            canary = turn < share or (tripped and name == "search" and turn < self.faults.get("late", 0))
            bad = canary and (
                (name == "search" and turn % 4 == 0) or (name == "shop" and self.faults.get("v2"))
            )
            version = VERSIONS[name][canary] if not self.faults.get("gone") else ""
            self.story.seen.add(Sighting(0, name, str(turn), version, 500 if bad else 200, 0.01))
        if name == "search" and self.weights["search"] and self.faults.get("trips", True):
            self.trips["search"], self.weights["search"] = TRIP, 0.0
        return self.view(name)

    def view(self, name: str) -> dict[str, Any]:
        phase = "idle" if self.trips[name] is None else "rolled-back"
        weights, blast = {"canary": self.weights[name]}, {"met": 29, "rescued": 9}
        return {"weights": weights, "trip": self.trips[name], "phase": phase, "blast_radius": blast}


class Changing(World):
    """At each look at shop, the next change has been made; then it is over."""

    def __init__(self, changes: Iterable[tuple[str, float]]) -> None:
        super().__init__({"trips": False})
        self.changes = iter(changes)

    def service(self, name: str) -> dict[str, Any]:
        if name == "shop":
            changed, percent = next(self.changes, ("", 0.0))
            if not changed:
                raise asyncio.CancelledError
            self.weights[changed] = percent
        if self.weights["search"] == 30:
            self.trips["search"], self.weights["search"] = TRIP, 0.0
        return super().service(name)


async def test_what_somebody_changes_afterwards_is_told():
    out = io.StringIO()
    world = Changing([("shop", 50), ("shop", 50), ("shop", 40), ("search", 20), ("search", 30), ("shop", 40)])
    stage = Stage("http://127.0.0.1:8", world, {}, Path("weir.yaml"), ())
    world.story = Story(stage, PlainScreen(out), Pace(act=0.01, rate=1.0, trip=0.1, settle=0.0, look=0.0))
    with pytest.raises(asyncio.CancelledError):
        await world.story.linger()
    assert [line for line in out.getvalue().splitlines() if line] == [
        "shop: from 50 % to 40 %",
        "search: from 0 % to 20 %",
        f"search: from 20 % to 0 %, taken out: {TRIP['sentence']}",
    ]


async def told(faults: Mapping[str, Any]) -> tuple[list[str], str]:
    world, out = World(faults), io.StringIO()
    stage = Stage("http://127.0.0.1:8", world, {}, Path("weir.yaml"), ())
    world.story = Story(stage, PlainScreen(out), Pace(act=0.01, rate=1.0, trip=0.1, settle=0.0, look=0.01))
    return await world.story.play(), out.getvalue()


async def test_content_when_v2_stays_and_v3_falls():
    complaints, text = await told({})
    assert complaints == []
    assert "v3 was taken out: error-rate 25.0 %" in text
    assert "20 answers of it reached a customer, 5 of them bad; every worker knew within 3 ms" in text
    assert "29 requests had met it, 9 were rescued by v1" in text
    for percent in ("5 %", "25 %", "50 %"):
        assert f"v2 is good and gets {percent}" in text


@pytest.mark.parametrize(
    ("faults", "complaint"),
    [
        ({"trips": False}, "v3 was not taken out within 0.1 s"),
        ({"late": 2}, "requests met v3 after it had been taken out"),
        ({"share": 10}, "v2's share at the end: 0.1"),
        ({"share": 90}, "v2's share at the end: 0.9"),
        ({"v2": True}, "v2 failed"),
        ({"gone": True}, "unexpected answer"),
    ],
)
async def test_whatever_is_wrong_is_a_complaint(faults: Mapping[str, Any], complaint: str):
    complaints, _ = await told(faults)
    assert any(complaint in one for one in complaints), complaints
