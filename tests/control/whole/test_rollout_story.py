"""Any orders, files, verdicts and deaths in any order, while a plan is followed."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.config.reader import read
from proxy.control.command import OrderTerms
from proxy.control.errors import Conflict
from proxy.ledger.errors import NotDurable
from proxy.rollout.inputs import Abort, Pause, Promote, Resume, Retry, SetWeight, Start, Undo
from proxy.rollout.phases import PROMOTED, ROLLED_BACK
from proxy.routing.service import Service
from tests.kits.control_stage import Stage
from tests.kits.properties import examples

PERSON = OrderTerms("because", "ann")
FILE = """
services:
  checkout:
    stable: {endpoints: [http://127.0.0.1:9001], version: v1}
    canary: {endpoints: [http://127.0.0.1:9002], version: %s}
    analysis: {step_up: off}
    upgrades: %s
    rollout: {steps: [5%%, {pause: "ask"}, 50%%, 100%%], hold: 10s, min_requests: 0}
    hooks: [{at: before-step, url: 'http://ci/'}]
  other: {match: {path: /other}, stable: 'http://127.0.0.1:9009'}
"""
FILES = {
    "v2": FILE % ("v2", "[]"),
    "v2 otherwise": FILE % ("v2", "[websocket]"),
    "v3": FILE % ("v3", "[]"),
    "gone": "services: {other: {match: {path: /other}, stable: 'http://127.0.0.1:9009'}}",
}
ORDERS = (
    Start(None, ""), Promote(), Promote(full=True), Pause("ann"), Resume(), Abort("ann"), Retry(""), Undo(""),
    SetWeight(0), SetWeight(2000), SetWeight(10_000),
)  # fmt: skip
LETS_IN = (Start, Resume, Retry)


class Story:
    """One worker, and whatever comes. What the worker holds is kept here as a worker keeps it."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.text = FILES["v2"]
        self.held = {}
        self.let_in = False
        self.one = asyncio.Lock()
        """Of reloads there is one at a time."""

    async def begin(self) -> None:
        self.control = await self.stage.begin(text=self.text)
        self.worker = self.stage.worker(self.control)
        await self.order(ORDERS[0])
        await self.time(0)

    async def order(self, order: Any) -> None:
        self.let_in |= isinstance(order, LETS_IN)
        with contextlib.suppress(Conflict, NotDurable, KeyError):
            await self.control.orders.apply("checkout", order, PERSON)

    async def reload(self, which: str) -> None:
        self.let_in = True  # another canary is another release
        async with self.one:
            with contextlib.suppress(NotDurable):
                await self.control.reload(read(FILES[which], "weir.yaml", {}))
                self.text = FILES[which]

    async def time(self, seconds: int) -> None:
        await self.stage.look(self.control, seconds)

    async def good(self) -> None:
        self._serve(good=300)
        await self.time(10)

    async def trip(self) -> None:
        self._serve(bad=40)

    def _serve(self, **canary: int) -> None:
        if (held := self.held.get("checkout")) and len(held.backends) == 2:
            revision = held.revision
            self.worker.serve("stable", good=300, revision=revision).serve(revision=revision, **canary)
            self.worker.report()

    async def meanwhile(self, first: Callable[..., Any], second: Callable[..., Any]) -> None:
        """A trip or another order comes while the first is being written."""
        self.stage.ledger.held.clear()
        under_way = asyncio.create_task(first())
        await asyncio.sleep(0)
        later = asyncio.create_task(second())
        await asyncio.sleep(0)
        self.stage.ledger.held.set()
        await asyncio.gather(under_way, later)

    async def hook(self, says: str | None) -> None:
        """What it answers from now on, and to who still waits; None: nothing, and they wait."""
        outside = self.stage.outside
        outside.agrees["before-step"] = says
        (outside.open.clear if says is None else outside.open.set)()
        await asyncio.sleep(0)

    async def disk(self, failing: bool) -> None:
        self.stage.ledger.failing = failing

    async def control_dies(self) -> None:
        self.control = await self.stage.restart(text=self.text)
        halted = {name: tuple(each.halted) for name, each in self.held.items() if each.halted}
        held = {name: each.revision for name, each in self.held.items()}
        self.worker.connect(self.control, held, halted)

    async def look(self) -> None:
        """The worker takes what it was told."""
        await asyncio.sleep(0)
        entries = await self.stage.ask(self.stage.ledger.entries, "checkout")
        written = {entry["revision"]: entry for entry in entries}
        for table in self.worker.tables:
            for told in table.services:
                self._take(told, written)
            if table.complete:
                self.held = {each.name: each for each in table.services}
            for name in table.removed:
                self.held.pop(name, None)
        self.let_in = False
        self.worker.said.clear()

    def _take(self, told: Service, written: Any) -> None:
        held = self.held.get(told.name)
        self.held[told.name] = told
        if held is None or told.name != "checkout":
            return
        assert told.revision >= held.revision
        assert told.revision > held.revision or told == held, "a worker keeps what it has under a revision"
        assert not (told.halted and told.split.part("canary"))
        assert self.let_in or not held.halted or told.halted or len(told.backends) == 1
        if told.split.part("canary") > held.split.part("canary"):
            assert written[told.revision]["to"] == told.split.part("canary") / 100

    async def end(self) -> None:
        """The worker, the ledger and the view agree, and what is out is what the ledger says."""
        self.stage.ledger.failing = False
        await self.stage.written(self.control)
        await self.look()
        assert set(self.held) == set(self.control.overview.names())
        states = await self.stage.ask(self.stage.ledger.states)
        for name, held in self.held.items():
            state, managed = states[name], self.control.services[name]
            assert state == managed.rollout
            assert held.revision == state.revision
            assert held == managed.service
            assert bool(held.halted) == (state.phase == ROLLED_BACK)
            assert state.phase != PROMOTED or len(held.backends) == 1
        assert self.stage.outside.probed == set(self.control.overview.names())
        moved = [entry["revision"] for entry in await self.control.history.entries("other")]
        assert moved == sorted(set(moved))


def told(story: Story, chapter: tuple[Any, ...]) -> Callable[..., Any]:
    """What a chapter does."""
    word, *how = chapter
    return lambda: getattr(story, word)(*how)


plain = st.one_of(
    st.tuples(st.just("order"), st.sampled_from(ORDERS)),
    st.tuples(st.just("reload"), st.sampled_from(sorted(FILES))),
    st.tuples(st.sampled_from(["good", "trip"])),
    st.tuples(st.just("time"), st.sampled_from([0, 5, 10, 100_000])),
)
raising = st.sampled_from(
    [("order", ORDERS[-1]), ("order", ORDERS[1]), ("reload", "v2 otherwise"), ("good",)]
)
chapters = st.one_of(
    plain,
    st.tuples(st.just("meanwhile"), plain, plain),
    st.tuples(st.just("meanwhile"), raising, st.just(("trip",))),
    st.tuples(st.just("hook"), st.sampled_from([None, "", "answered 503"])),
    st.tuples(st.just("disk"), st.booleans()),
    st.tuples(st.just("control_dies")),
)


@examples(60)
@given(st.lists(chapters, max_size=14))
def test_whatever_happens_to_a_rollout_worker_ledger_and_view_agree_in_the_end(
    tmp_path_factory: pytest.TempPathFactory, stages: type[Any], chapters: list[tuple[Any, ...]]
) -> None:
    async def play() -> None:
        stage = stages(tmp_path_factory.mktemp("story") / "weir.db")
        story = Story(stage)
        await story.begin()
        await story.look()
        try:
            for chapter in chapters:
                if chapter[0] == "meanwhile":
                    await story.meanwhile(told(story, chapter[1]), told(story, chapter[2]))
                else:
                    await told(story, chapter)()
                await story.look()
            await story.hook("")
            await story.time(0)
            await story.end()
        finally:
            await stage.close()

    asyncio.run(play())
