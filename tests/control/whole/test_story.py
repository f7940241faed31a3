"""Anything in any order."""

import asyncio
import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.control.command import OrderTerms
from proxy.control.errors import Conflict
from proxy.ledger.errors import NotDurable
from proxy.rollout.inputs import Resume, SetWeight
from tests.kits.control_stage import Stage
from tests.kits.properties import examples

PERSON = OrderTerms("because", "ann")


class Story:
    """One worker, one service, and whatever comes: orders, trips, a disk that fails, controls that die."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.resumed = False

    async def begin(self) -> None:
        self.control = await self.stage.begin()
        self.worker = self.stage.worker(self.control)
        self.held = self.worker.told()

    async def order(self, parts: int) -> None:
        with contextlib.suppress(Conflict, NotDurable):
            await self.control.orders.apply("checkout", SetWeight(parts), PERSON)

    async def resume(self) -> None:
        with contextlib.suppress(Conflict, NotDurable):
            await self.control.orders.apply("checkout", Resume(), PERSON)
            self.resumed = True

    async def trip(self) -> None:
        self.worker.serve(bad=20, revision=self.held.revision).report()

    async def trip_while_raising(self, parts: int) -> None:
        self.stage.ledger.held.clear()
        order = asyncio.create_task(self.order(parts))
        await asyncio.sleep(0)
        await self.trip()
        self.stage.ledger.held.set()
        await order

    async def disk(self, failing: bool) -> None:
        self.stage.ledger.failing = failing

    async def control_dies(self) -> None:
        self.control = await self.stage.restart()
        halted = {"checkout": tuple(self.held.halted)} if self.held.halted else {}
        self.worker.connect(self.control, {"checkout": self.held.revision}, halted)

    def look(self) -> None:
        """The worker takes what it was told, and it must never be what nobody wanted."""
        for table in self.worker.tables:
            for told in table.services:
                if told.name == "checkout":
                    assert told.revision >= self.held.revision
                    assert self.resumed or not self.held.halted or told.halted
                    assert not (told.halted and told.split.part("canary"))
                    self.held = told
        self.resumed = False
        self.worker.said.clear()

    async def end(self) -> None:
        self.stage.ledger.failing = False
        await self.stage.written(self.control)
        state = (await self.stage.ask(self.stage.ledger.states))["checkout"]
        shown = self.control.overview.view("checkout")
        assert shown["durable"]
        assert self.held.revision == state.revision == shown["revision"]
        assert self.held.split.part("canary") == state.weight == round(shown["weights"]["canary"] * 100)
        assert bool(self.held.halted) == state.halted == bool(shown["halted"])


chapters = st.one_of(
    st.tuples(st.sampled_from(["order", "trip_while_raising"]), st.sampled_from([0, 100, 2000, 5000])),
    st.tuples(st.sampled_from(["resume", "trip", "control_dies"])),
    st.tuples(st.just("disk"), st.booleans()),
)


@examples(60)
@given(st.lists(chapters, max_size=12))
def test_whatever_happens_workers_ledger_and_view_agree_in_the_end(
    tmp_path_factory: pytest.TempPathFactory, stages: type[Any], told: list[tuple[int | str, ...]]
) -> None:
    async def play() -> None:
        stage = stages(tmp_path_factory.mktemp("story") / "weir.db")
        story = Story(stage)
        await story.begin()
        try:
            for word, *how in told:
                await getattr(story, word)(*how)
                story.look()
            await story.end()
        finally:
            await stage.close()

    asyncio.run(play())
