"""The story judges honestly: it is content when v2 is promoted and v3 falls, and with nothing else."""

import asyncio
import io
import signal
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from proxy.demo.admin_api import AdminApi
from proxy.demo.customer_counts import ObservedRequest
from proxy.demo.deployment import Deployment
from proxy.demo.processes import LifelineProcess
from proxy.demo.screen import PlainScreen
from proxy.demo.story import Story, Timing, change

CANARY = {"shop": "v2", "search": "v3"}
TRIP = {"sentence": "errors 25.0 % of 28 canary answers", "acknowledged_ms": 3.2}
STEPS = (5.0, 25.0, 25.0, 50.0, 100.0)
GATE = 3
TIMING = Timing(act=0.01, rate=1.0, rollout=1.0, hold=1.0, settle=0.0, interval=0.0)


class World(AdminApi):
    """An admin API and its traffic in one: every look at a service lets 100 customers ask, and goes on."""

    def __init__(self, faults: Mapping[str, Any]) -> None:
        super().__init__("http://127.0.0.1:9")
        self.faults = faults
        self.phases = {"shop": "idle", "search": "idle"}
        self.steps = {"shop": 0, "search": 0}
        self.promotions: list[Mapping[str, Any]] = []
        self.signals: list[tuple[signal.Signals, int]] = []
        self.entries: dict[str, list[dict[str, Any]]] = {"shop": [], "search": []}
        self.story: Story | None = None

    def order(self, name: str, order: str, **body: Any) -> dict[str, Any]:
        self.phases[name] = "progressing"
        if order == "promote":
            self.promotions.append(body)
            self.steps[name] += 1
            self.enter(name, "step", actor=self.faults.get("actor", body["actor"]))
        else:
            self.enter(name, "release")
            self.enter(name, "start")
        return self.view(name)

    def enter(self, name: str, event: str, actor: str = "weir") -> None:
        entries = self.entries[name]
        before, share = entries[-1]["to"] if entries else 0.0, self.view(name)["weights"].get("canary", 0.0)
        made = {"at": "2026-01-01T00:00:00Z", "service": name, "revision": len(entries) + 1, "event": event}
        reason = f"step {self.steps[name]} of 5"
        entries.append(made | {"from": before, "to": share, "actor": actor, "reason": reason} | LATER)

    def history(self, name: str) -> list[dict[str, Any]]:
        return [entry for entry in self.entries[name] if entry["event"] != self.faults.get("lost")]

    def explain(self, name: str) -> str:
        return f"{name} is explained. {self.faults.get('advice', 'Now: weir undo shop, weir retry search')}"

    def send_signal(self, signum: signal.Signals) -> None:
        """To the sample of v3."""
        self.signals.append((signum, self.steps["search"]))

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
        bad = canary and ((self.signals and turn % 4 == 0) if name == "search" else self.faults.get("v2"))
        version = (CANARY[name] if canary else "v1") if not self.faults.get("gone") else ""
        self.story.counts.add(ObservedRequest(0, name, str(turn), version, 500 if bad else 200, 0.01))

    def go_on(self, name: str) -> None:
        """What the plan, or the verdict on v3, leads to."""
        if self.phases[name] != "progressing" or self.faults.get("stuck") == name:
            return
        falls = self.signals or self.steps[name] == self.faults.get("early")
        if name == "search" and falls and self.faults.get("trips", True):
            self.phases[name] = "rolled-back"
            self.enter(name, "trip")
        elif self.steps[name] == len(STEPS):
            self.phases[name] = "promoted"
            self.enter(name, "promotion")
        else:
            self.steps[name] += 1
            gate = name == "shop" and self.steps[name] == GATE
            self.phases[name] = "paused" if gate else "progressing"
            self.enter(name, "gate" if gate else "step")

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


def deployment_of(world: World) -> Deployment:
    sample = cast(LifelineProcess, SimpleNamespace(name="sample v3", process=world, check=lambda: None))
    return Deployment("http://127.0.0.1:8", world, {}, Path("weir.yaml"), (sample,))


async def played(faults: Mapping[str, Any]) -> tuple[list[str], str]:
    world, out = World(faults), io.StringIO()
    deployment = deployment_of(world)
    timing = (
        TIMING
        if "stuck" not in faults
        else Timing(0.01, 1.0, rollout=0.05, hold=1.0, settle=0.0, interval=0.0)
    )
    world.story = Story(deployment, PlainScreen(out), timing)
    return await world.story.play(), out.getvalue()


async def test_content_when_v2_is_promoted_and_v3_falls() -> None:
    problems, text = await played({})
    assert problems == []
    for line in (
        "progressing, step 2 of 5, the canary has 25 %",
        "paused, the canary has 25 % (paused: ask the on-call)",
        "promoted",
        "step 3 of 5, the canary has 25 %\n  v3 turns bad: from now on it fails one answer in four\n",
        "rolled-back, from 25 % to 0 %: errors 25.0 % of 28 canary answers",
        "v3 was taken out: errors 25.0 % of 28 canary answers",
        "v3 got 29 requests, and v1 rescued 9 of them",
        "shop is explained.",
        "search is explained.",
    ):
        assert line in text
    assert "every worker had applied it after 3 ms" in text
    assert text.count("step 1 of 5; everywhere after 4 ms") == 2, "the ledger of both"


async def test_v3_turns_bad_once_and_in_its_third_step() -> None:
    world = World({})
    world.story = Story(deployment_of(world), PlainScreen(io.StringIO()), TIMING)
    await world.story.play()
    assert world.signals == [(signal.SIGUSR1, 3)]


async def test_the_gate_is_passed_by_a_person_with_a_reason() -> None:
    world = World({})
    world.story = Story(deployment_of(world), PlainScreen(io.StringIO()), TIMING)
    await world.story.play()
    assert world.promotions == [{"reason": "looks good to me", "actor": "on-call"}]


@pytest.mark.parametrize(
    ("faults", "problem"),
    [
        ({"trips": False}, "v3 was not rolled back, but promoted"),
        ({"late": 2}, "requests met v3 after its rollback"),
        ({"share": 90}, "v2's share at the end is 0.9"),
        ({"v2": True}, "v2 failed"),
        ({"gone": True}, "unexpected answer"),
        ({"stuck": "shop"}, "v2 was not promoted: progressing"),
        ({"stuck": "search"}, "v3 was not rolled back, but progressing"),
        ({"early": 2}, "v3's rollout ended in step 2, before v3 turned bad"),
        ({"lost": "trip"}, "the ledger of search: its events are release, start, step, step, step; expected"),
        ({"lost": "start"}, "the ledger of shop: its revisions are [1, 3,"),
        ({"actor": "weir"}, "the ledger of shop: its gates were opened by ['weir']; expected ['on-call']"),
        ({"advice": "Now: weir undo shop"}, "`weir explain search` does not advise `weir retry search`"),
        ({"advice": "Now: weir retry search"}, "`weir explain shop` does not advise `weir undo shop`"),
    ],
)
async def test_whatever_is_wrong_is_a_complaint(faults: Mapping[str, Any], problem: str) -> None:
    problems, _ = await played(faults)
    assert any(problem in one for one in problems), problems


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


async def test_what_somebody_changes_afterwards_is_printed() -> None:
    out = io.StringIO()
    world = Changing([50, 50, 40])
    world.story = Story(deployment_of(world), PlainScreen(out), TIMING)
    with pytest.raises(asyncio.CancelledError):
        await world.story.watch()
    assert [line for line in out.getvalue().splitlines() if line] == ["shop: idle, the canary has 40 %"]


def test_a_trip_is_printed_with_its_reason() -> None:
    world = World({})
    before = world.view("search")
    world.phases["search"] = "rolled-back"
    assert change(before, world.view("search")) == f"rolled-back, from 0 % to 0 %: {TRIP['sentence']}"
    assert change(before, before) == ""
