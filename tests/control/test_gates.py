import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from typing import Any

import pytest

from proxy.analysis.verdict import Verdict
from proxy.config.notices import Hook
from proxy.config.reader import read
from proxy.control.gates import AGAIN, Answers, Gates, Respondents
from proxy.control.managed_service import ManagedService
from proxy.rollout.phases import PROGRESSING, PROMOTING
from proxy.rollout.plan import Gate, Plan, Step
from proxy.rollout.rollout import Rollout
from proxy.rollout.waiting import PROMOTION, START, STEP
from proxy.settings.service import side, template

CONFIG = read(
    """
services:
  shop:
    stable: http://a
    canary: http://b
    hooks:
      - {at: before-start, url: "http://ci/start"}
      - {at: before-step, url: "http://ci/step"}
      - {at: before-promotion, url: "http://ci/promotion"}
      - {at: after, url: "http://ci/after"}
""",
    "weir.yaml",
    {},
)
FILE = CONFIG.services["shop"]
PLAN = Plan((Step(1000, 10.0, 0), Gate("ask"), Step(10_000, 10.0, 0)))


def healthy(managed: ManagedService) -> ManagedService:
    """The service, with a verdict that its canary is good enough for the next step."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(managed.assessment.judge, "verdict", lambda now: Verdict("healthy", ()))
        managed.assessment.assess(0.0)
    return managed


class Stage:
    """Gates whose questions are noted, and answered as a test says."""

    def __init__(self) -> None:
        self.asked = []
        self.refuses = {}
        self.changed = []
        self.open = asyncio.Event()
        self.open.set()
        self.tasks = []
        self.time = 0.0
        respondents = Respondents(self._answers, self._agrees)
        self.gates = Gates(respondents, self._spawn, self.changed.append, lambda: self.time)
        self.managed = self.at(1, PROGRESSING, 0)

    def at(self, revision: int, phase: str, step: int, entered: float = 0.0) -> ManagedService:
        state = Rollout(
            revision=revision,
            phase=phase,
            plan=PLAN,
            step=step,
            entered=entered,
            stable=side(FILE.stable),
            canary=side(FILE.canary),
        )
        made = ManagedService(template("shop", FILE, CONFIG.timeouts, None), FILE, state)
        return healthy(made)

    def _spawn(self, name: str, work: Awaitable[Any]) -> asyncio.Task[Any]:
        self.tasks.append(asyncio.create_task(work))
        return self.tasks[-1]

    async def _answers(self, managed: ManagedService) -> str:
        return await self._say("canary")

    async def _agrees(self, hook: Hook, question: dict[str, Any]) -> str:
        assert question["at"] == hook.at
        return await self._say(hook.at)

    async def _say(self, who: str) -> str:
        self.asked.append(who)
        await self.open.wait()
        return self.refuses.get(who, "")

    def answers(self) -> Answers:
        return self.gates.answers(self.managed)

    async def look(self, wall: float = 100.0) -> None:
        self.gates.check(self.managed, wall)
        await asyncio.gather(*self.tasks, return_exceptions=True)


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.mark.parametrize(
    ("phase", "step", "asked", "opened"),
    [
        (PROGRESSING, 0, ["canary", "before-start", "before-step"], {START, STEP}),
        (PROGRESSING, 1, [], set()),
        (PROGRESSING, 3, [], set()),
        (PROMOTING, 3, ["before-promotion"], {PROMOTION}),
    ],
)
async def test_who_is_asked_before_which_move(
    stage: Stage, phase: str, step: int, asked: list[str], opened: set[str]
) -> None:
    stage.managed = stage.at(1, phase, step)
    await stage.look()
    assert stage.asked == asked
    assert stage.gates.agreed(stage.managed) == opened
    assert len(stage.tasks) == bool(asked), "a plan that asks nobody spares the question"


async def test_nobody_is_asked_while_anything_else_is_missing(stage: Stage) -> None:
    plan = Plan((Step(1000, 10.0, 0), Step(10_000, 10.0, 0)))
    stage.managed.enter(replace(stage.managed.rollout, plan=plan, step=1, entered=95.0))
    healthy(stage.managed)
    await stage.look(wall=104.9)
    assert stage.asked == []
    await stage.look(wall=105.0)
    assert stage.asked == ["before-step"]


async def test_who_agreed_is_not_asked_again(stage: Stage) -> None:
    await stage.look()
    await stage.look()
    assert len(stage.asked) == 3
    assert stage.changed == [stage.managed]


async def test_the_first_who_refuses_ends_it_and_all_are_asked_again_later(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.refuses["before-start"] = "http://ci answered 503"
    stage.time = 10.0
    await stage.look()
    assert stage.asked == ["canary", "before-start"]
    answers = stage.answers()
    assert (answers.refused_at, answers.refusal, answers.refusals) == (
        "before-start",
        "http://ci answered 503",
        1,
    )
    assert answers.agreed == frozenset()
    assert "shop: held at before-start: http://ci answered 503" in caplog.text
    stage.time = 10.0 + AGAIN - 0.1
    await stage.look()
    assert len(stage.asked) == 2
    stage.time = 10.0 + AGAIN
    await stage.look()
    assert stage.answers().refusals == 2
    assert caplog.text.count("shop: held at before-start: http://ci answered 503") == 1
    stage.refuses.clear()
    stage.time = 10.0 + 2 * AGAIN
    await stage.look()
    assert stage.gates.agreed(stage.managed) == {START, STEP}
    assert stage.answers().refusal == "", "nobody refuses any more"


async def test_whoever_thinks_it_over_for_long_is_left_alone_afterwards(stage: Stage) -> None:
    stage.open.clear()
    stage.refuses["canary"] = "no answer within 10 s"
    stage.gates.check(stage.managed, 100.0)
    await asyncio.sleep(0)
    stage.time = 2 * AGAIN
    stage.open.set()
    await asyncio.gather(*stage.tasks)
    await stage.look()
    assert len(stage.asked) == 1
    stage.time = 3 * AGAIN
    await stage.look()
    assert len(stage.asked) == 2


async def test_an_answer_about_another_revision_opens_nothing(stage: Stage) -> None:
    stage.open.clear()
    stage.gates.check(stage.managed, 100.0)
    await asyncio.sleep(0)
    stage.managed.enter(replace(stage.managed.rollout, revision=2, step_revision=2))
    stage.open.set()
    await asyncio.gather(*stage.tasks)
    assert stage.gates.agreed(stage.managed) == frozenset()


async def test_a_question_that_hangs_gives_way_to_one_about_another_revision(stage: Stage) -> None:
    stage.open.clear()
    stage.gates.check(stage.managed, 100.0)
    await asyncio.sleep(0)
    stage.gates.check(stage.managed, 100.0)
    assert len(stage.tasks) == 1, "one question at a time"
    stage.managed.enter(replace(stage.managed.rollout, revision=2, step_revision=2))
    healthy(stage.managed)
    stage.gates.check(stage.managed, 100.0)
    stage.open.set()
    await asyncio.gather(*stage.tasks, return_exceptions=True)
    assert [task.cancelled() for task in stage.tasks] == [True, False]
    assert stage.gates.agreed(stage.managed) == {START, STEP}
