import asyncio
from collections.abc import AsyncIterator, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from proxy.analysis.verdict import Finding, Verdict
from proxy.config.reader import read
from proxy.control.command import Command, OrderTerms
from proxy.control.errors import Conflict, StaleRevision
from proxy.control.managed_service import ManagedService
from proxy.control.propagation import Propagation
from proxy.control.schedule import Clock
from proxy.control.transitions import Transitions, moved, overtaken, why_not
from proxy.ledger.errors import NotDurable
from proxy.ledger.journal import Journal
from proxy.ledger.record import Record
from proxy.rollout.advance import advance
from proxy.rollout.entry import Entry
from proxy.rollout.inputs import Held, Look, Promote, Resume, SetWeight, Start, Undo
from proxy.rollout.plan import Plan, Step
from proxy.rollout.rollout import Rollout, Trip
from proxy.rollout.side import VACANT
from proxy.rollout.waiting import START, STEP
from proxy.routing.endpoint import Endpoint
from proxy.routing.service import Service
from proxy.settings.service import release, side, template

FILE = "services: {checkout: {stable: http://a, canary: http://b, weight: 20%}}"
FINDING = Finding(
    check="error-rate",
    state="failing",
    value=0.5,
    limit=0.1,
    stable=None,
    sample=40,
    needed=20,
    window=30.0,
    unit="ratio",
    sentence="it fails",
)
FAILING = Look(Verdict("failing", (FINDING,)), enforce=True)


PLAN = Plan((Step(1000, 0.0, 0), Step(10_000, 60.0, 0)))


def progressing(rollout: Rollout) -> Rollout:
    """A rollout that has begun."""
    return advance(rollout, Start(PLAN, "salt"), 5.0).rollout


LOCATED = ("located", "http://a", "http://b")
"""The wait for the addresses of the endpoints that get traffic."""


class Stage:
    """Transitions between a ledger and a broadcast that note in one list what comes first."""

    def __init__(self, thread: ThreadPoolExecutor) -> None:
        self.done = []
        self.failing = False
        self.generation = 0
        self.everywhere_up_to = 0
        self.time = 0.0
        self.paused = asyncio.Event()
        self.journal = Journal(self, thread, self.paused.wait)
        self.heard = asyncio.Event()
        self.heard.set()
        clock = Clock(lambda: 5.0, lambda: self.time)
        propagation = Propagation(self.journal, self, self.acknowledge, lambda managed, record: None)
        self.agreed = frozenset()
        self.transitions = Transitions(
            self.journal,
            propagation,
            clock,
            called=self.hear,
            locate=self.locate,
            agreed=lambda managed: self.agreed,
            spawn=lambda name, work: asyncio.create_task(work),
        )
        config = read(FILE, "weir.yaml", {})
        service = config.services["checkout"]
        self.managed = ManagedService(
            template("checkout", service, config.timeouts, None), service, Rollout()
        )

    def append(self, *records: Record) -> list[int]:
        if self.failing:
            raise NotDurable("the disk is full")
        self.done += [("written", each.entry.event, each.entry.after) for each in records]
        return [len(self.done)]

    def acknowledge(self, acknowledged: Iterable[tuple[Any, ...]]) -> None:
        self.done += [("acknowledged", *each) for _, *each in acknowledged]

    async def locate(self, endpoints: Iterable[Endpoint]) -> None:
        self.done.append(("located", *(each.url for each in endpoints)))

    async def hear(self) -> None:
        await self.heard.wait()
        self.done.append(("heard all",))

    def close(self) -> None:
        pass

    def publish(self, service: Service, removed: tuple[Any, ...] = ()) -> int:
        self.generation += 1
        self.done.append(("told", service.revision, service.split.part("canary")))
        return self.generation

    def acknowledged(self, generation: int) -> bool:
        return self.everywhere_up_to >= generation

    def released(self) -> "Stage":
        file = self.managed.file
        self.managed.enter(advance(self.managed.rollout, release(file, "salt"), 5.0).rollout)
        return self

    def progress(self) -> None:
        """A rollout has begun, and everybody who was asked agrees with its first step."""
        self.managed.enter(progressing(self.managed.rollout))
        self.agreed = frozenset({START, STEP})

    async def moved(self) -> None:
        await self.transitions.moving(self.managed)

    @property
    def stuck(self) -> str:
        return self.transitions.stuck(self.managed)

    async def order(self, wants: Resume | SetWeight, if_match: int | None = None) -> bool:
        return await self.transitions.order(
            self.managed, Command(wants, OrderTerms("because", "ann", if_match))
        )


@pytest.fixture
async def stage() -> AsyncIterator[Any]:
    with ThreadPoolExecutor(1) as thread:
        made = Stage(thread)
        yield made.released()
        made.failing = False
        await made.journal.close()


async def test_raising_hears_all_writes_and_tells(stage: Stage) -> None:
    await stage.order(SetWeight(3000))
    assert stage.done == [("heard all",), LOCATED, ("written", "weight", 3000), ("told", 2, 3000)]


async def test_lowering_tells_and_writes(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    await stage.order(SetWeight(1000))
    assert caplog.messages == ["checkout: weight, the canary goes from 20 % to 10 % (ann: because)"]
    assert stage.done == [("told", 2, 1000), ("written", "weight", 1000)]


async def test_a_raise_that_waits_its_turn_gives_way_to_a_later_lowering(stage: Stage) -> None:
    stage.heard.clear()
    raising = asyncio.create_task(stage.order(SetWeight(3000)))
    await asyncio.sleep(0)
    await stage.order(SetWeight(0))
    stage.heard.set()
    with pytest.raises(Conflict, match="changed otherwise: it is at revision 2, its canary at 0 %"):
        await raising
    assert [each for each in stage.done if each not in (("heard all",), LOCATED)] == [
        ("told", 2, 0),
        ("written", "weight", 0),
    ]
    await stage.order(SetWeight(3000))
    assert stage.done[-1] == ("told", 3, 3000)


async def test_an_order_for_what_is_in_force_is_the_last_word_over_a_raise_on_its_way(stage: Stage) -> None:
    stage.heard.clear()
    raising = asyncio.create_task(stage.order(SetWeight(3000)))
    staying = asyncio.create_task(stage.order(SetWeight(2000)))
    await asyncio.sleep(0)
    stage.heard.set()
    await asyncio.gather(raising, staying)
    assert stage.done[-2:] == [("told", 3, 2000), ("written", "weight", 2000)]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (Entry(2, "start", 0, 0, ""), "stays at 0 %"),
        (Entry(2, "step", 0, 1050, ""), "goes from 0 % to 10.5 %"),
        (Entry(2, "promotion", 10_000, 0, ""), "is stable now"),
    ],
)
def test_what_became_of_the_canary(entry: Entry, said: str) -> None:
    assert moved(entry) == said


async def test_a_verdict_tells_before_anything_else_can_run(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.failing = True
    caplog.set_level("INFO")
    stage.transitions.apply(stage.managed, FAILING)
    assert stage.done == [("told", 2, 0)]
    assert caplog.messages == ["checkout: the canary is taken out at 20 %: it fails"]
    stage.transitions.apply(stage.managed, FAILING)
    assert stage.done == [("told", 2, 0)]


async def test_a_lowering_on_a_failing_ledger_is_in_force_all_the_same(stage: Stage) -> None:
    stage.failing = True
    await stage.order(SetWeight(1000))
    assert stage.done == [("told", 2, 1000)]
    assert not stage.journal.durable("checkout")


async def test_a_raise_that_failed_leaves_its_number_unused(stage: Stage) -> None:
    stage.failing = True
    with pytest.raises(NotDurable):
        await stage.order(SetWeight(3000))
    assert stage.done == [("heard all",), LOCATED]
    assert (stage.managed.rollout.revision, stage.managed.rollout.weight) == (1, 2000)
    stage.failing = False
    await stage.order(SetWeight(3000))
    assert stage.done[2:] == [("heard all",), LOCATED, ("written", "weight", 3000), ("told", 3, 3000)]


@pytest.mark.parametrize("wants", [SetWeight(3000), SetWeight(1000)])
async def test_an_old_picture(stage: Stage, wants: SetWeight) -> None:
    with pytest.raises(StaleRevision, match="at revision 1, the order expects 7"):
        await stage.order(wants, if_match=7)
    assert stage.done == []


async def test_refusals_say_what_to_do(stage: Stage) -> None:
    with pytest.raises(
        Conflict, match=r"not possible while the rollout is idle; possible now: .*stays at 20 %"
    ):
        await stage.order(Resume())
    stage.transitions.apply(stage.managed, FAILING)
    with pytest.raises(Conflict, match=r"\(it fails\).*weir resume checkout"):
        await stage.order(SetWeight(1))
    await stage.order(Resume(100))
    assert stage.done[-2:] == [("written", "resume", 100), ("told", 3, 100)]


async def test_what_a_worker_holds_is_taken_over(stage: Stage) -> None:
    stage.transitions.apply(stage.managed, Held(1, halted=False))
    assert stage.done == []
    stage.transitions.apply(stage.managed, Held(4, halted=True))
    assert stage.done == [("told", 5, 0)]
    assert stage.managed.rollout.halted


async def test_a_rollout_goes_where_its_plan_leads_once_the_ledger_has_it(stage: Stage) -> None:
    stage.progress()
    stage.transitions.proceed(stage.managed)
    stage.transitions.proceed(stage.managed)
    await stage.moved()
    assert stage.done == [("heard all",), ("written", "step", 1000), ("told", 3, 1000)]
    assert (stage.transitions.moving(stage.managed), stage.stuck) == (None, "")


async def test_a_step_is_judged_once_more_when_its_turn_has_come(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.progress()
    stage.transitions.proceed(stage.managed)
    await stage.moved()
    assessment = stage.managed.assessment
    with monkeypatch.context() as patched:
        patched.setattr(assessment.judge, "verdict", lambda now: Verdict("healthy", ()))
        assessment.assess(0.0)
    assert stage.managed.look(stage.agreed).verdict.state == "healthy"
    stage.agreed = frozenset({STEP})
    stage.transitions.proceed(stage.managed)
    await stage.moved()
    assert stage.managed.rollout.weight == 1000, "no canary requests yet"


async def test_a_canary_that_fails_when_a_step_has_its_turn_is_not_written_first(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.progress()
    stage.transitions.proceed(stage.managed)
    monkeypatch.setattr(stage.managed.assessment.judge, "verdict", lambda now: FAILING.verdict)
    await stage.moved()
    assert stage.done == [("heard all",)], "the next look tells it first"
    stage.transitions.proceed(stage.managed)
    assert stage.done[-1] == ("told", 3, 0)


async def test_a_ledger_that_fails_holds_a_rollout_and_is_said(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.progress()
    stage.failing = True
    for _ in range(2):
        stage.transitions.proceed(stage.managed)
        await stage.moved()
    assert stage.stuck == "the disk is full"
    assert stage.managed.rollout.weight == 0
    assert caplog.text.count("the rollout can't go on: the disk is full") == 1
    stage.failing = False
    stage.transitions.proceed(stage.managed)
    await stage.moved()
    assert (stage.stuck, stage.managed.rollout.weight) == ("", 1000)


async def test_a_trip_overtakes_a_step_that_waits_for_the_ledger(stage: Stage) -> None:
    stage.progress()
    stage.heard.clear()
    stage.transitions.proceed(stage.managed)
    moving = stage.transitions.moving(stage.managed)
    await asyncio.sleep(0)
    stage.transitions.apply(stage.managed, FAILING)
    assert stage.done == [("told", 3, 0)]
    stage.heard.set()
    await moving
    assert stage.managed.rollout.halted
    assert ("written", "step", 1000) not in stage.done


SHOP = read("services: {shop: {stable: http://a, canary: http://b}}", "weir.yaml", {})
SHOP_FILE = SHOP.services["shop"]
RUNNING = Rollout(revision=3, weight=525, stable=side(SHOP_FILE.stable), canary=side(SHOP_FILE.canary))
OUT = replace(RUNNING, weight=0, phase="rolled-back", trip=Trip(1.0, "it fails", None))


def shop(rollout: Rollout) -> ManagedService:
    return ManagedService(template("shop", SHOP_FILE, SHOP.timeouts, None), SHOP_FILE, rollout)


def refusal(rollout: Rollout, order: Promote | SetWeight | Undo) -> str:
    return why_not(shop(rollout), advance(rollout, order, 5.0))


def test_what_is_possible_now_and_what_stays() -> None:
    assert refusal(RUNNING, Undo("")) == (
        "shop: undo is not possible while the rollout is idle; "
        "possible now: start, promote, abort, set-weight. The canary stays at 5.25 %"
    )


def test_a_canary_that_is_out_names_the_way_back() -> None:
    text = refusal(OUT, SetWeight(100))
    assert "was taken out (it fails) and stays at 0 % until it is resumed: weir resume shop" in text


def test_without_a_canary_nothing_was_changed() -> None:
    text = refusal(replace(RUNNING, weight=0, canary=VACANT), Promote())
    assert text.endswith("possible now: start, promote, abort, set-weight. Nothing was changed")


def test_who_was_overtaken_hears_by_what() -> None:
    assert "it is at revision 3, its canary at 5.25 %, and stays so" in overtaken(shop(RUNNING))
