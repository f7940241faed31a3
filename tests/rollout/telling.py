"""Stories of a rollout: whatever comes, in whatever order, at whatever time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from proxy.rollout.advance import advance
from proxy.rollout.inputs import (
    Abort,
    Held,
    Look,
    Order,
    Pause,
    Promote,
    Release,
    Resume,
    Retry,
    SetWeight,
    Start,
    Undo,
)
from proxy.rollout.phases import Phase, orders
from proxy.rollout.plan import Gate, Plan, Step
from proxy.rollout.rollout import Advance, Refused, Rollout
from proxy.rollout.side import VACANT
from proxy.rollout.waiting import PROMOTION, START, STEP
from tests.kits.properties import examples
from tests.rollout.rollouts import FAILING, FOUR, GATE, HEALTHY, INCONCLUSIVE, ONE, THREE, TWO

WORDS = frozenset({START, STEP, PROMOTION})

sides = st.sampled_from([ONE, TWO, THREE, FOUR])
parts = st.sampled_from([0, 1, 100, 500, 2500, 9_999, 10_000])
samples = st.integers(0, 3)
LAST = Step(10_000, 1.0, 1)
WAYS: list[tuple[Step | Gate, ...]] = [
    (Step(100, 1.0, 1), Step(500, 5.0, 2), GATE, Step(2500, 1.0, 3), LAST),
    (GATE, Step(1, 0.0, 0), GATE, GATE, Step(9_999, 5.0, 0), LAST, GATE),
    (Step(1, 0.0, 0), Step(2, 0.0, 0), Step(3, 0.0, 0), Step(10_000, 0.0, 0)),
    (LAST,),
]
plans = st.sampled_from([Plan(way, deadline) for way in WAYS for deadline in (None, 3.0, 30.0)])
verdicts = st.sampled_from([HEALTHY, HEALTHY, HEALTHY, INCONCLUSIVE, FAILING])
asked = st.just(WORDS) | st.frozensets(st.sampled_from(sorted(WORDS)))
looks = st.builds(Look, verdicts, st.booleans(), samples, asked)
good = st.builds(Look, st.just(HEALTHY), st.booleans(), st.just(3), st.just(WORDS))
releases = st.builds(
    Release,
    st.sampled_from([ONE, ONE, TWO, THREE]),
    st.sampled_from([VACANT, TWO, TWO, THREE, FOUR]),
    parts,
    st.text(max_size=2),
    st.sampled_from([(), (), ("timeouts",)]),
    st.none() | plans,
)
orders_of = {
    "start": st.builds(Start, st.none() | plans | plans, st.just("s"), st.none() | sides, st.booleans()),
    "promote": st.builds(Promote, st.booleans()),
    "pause": st.builds(Pause, st.sampled_from(["", "ann"])),
    "resume": st.builds(Resume, st.none() | st.none() | parts),
    "abort": st.builds(Abort),
    "retry": st.builds(Retry, st.just("t"), st.none() | plans),
    "undo": st.builds(Undo, st.just("u"), st.none() | plans),
    "set-weight": st.builds(SetWeight, parts),
}
ordered = st.one_of(*orders_of.values())
held = st.builds(Held, st.integers(-2, 2), st.booleans())
"""The revision is counted from the present one."""


@dataclass(frozen=True)
class Wanted:
    """One of the orders that are legal when it is given."""

    among: dict[str, Any]
    which: int

    def order(self, phase: Phase) -> Order:
        legal = orders(phase)
        return self.among[legal[self.which % len(legal)]]


wanted = st.builds(Wanted, st.fixed_dictionaries(orders_of), st.integers(0, 11))
likely = [good] * 6 + [looks] * 2 + [wanted] * 4 + [ordered, releases, held]
anything = st.sampled_from(range(len(likely))).flatmap(likely.__getitem__)
stories = st.lists(
    st.tuples(st.sampled_from([5.0, 5.0, 0.0, 0.5, 1.0, 20.0]), anything), min_size=20, max_size=40
)
begun = st.tuples(releases) | st.tuples(
    st.builds(Release, st.just(ONE), st.sampled_from([VACANT, TWO]), parts, st.just("r")),
    st.builds(Start, plans, st.just("s"), st.just(THREE)),
)
"""The file speaks first, of every service."""


@dataclass(frozen=True)
class Moment:
    """One thing that happened."""

    before: Rollout
    happened: Any
    at: float
    result: Advance | Refused
    after: Rollout

    @property
    def event(self) -> str:
        entry = self.result.entry if isinstance(self.result, Advance) else None
        return entry.event if entry else ""

    @property
    def ordered(self) -> bool:
        return isinstance(self.happened, Order)


def play(beginning: tuple[Release | Start, ...], story: list[tuple[float, Any]]) -> Iterator[Moment]:
    rollout, at = Rollout(), 1000.0
    for seconds, happened in [(0.0, each) for each in beginning] + story:
        at += seconds
        if isinstance(happened, Wanted):
            happened = happened.order(rollout.phase)
        elif isinstance(happened, Held):
            happened = replace(happened, revision=max(0, rollout.revision + happened.revision))
        result = advance(rollout, happened, at)
        after = result.rollout if isinstance(result, Advance) else rollout
        yield Moment(rollout, happened, at, result, after)
        rollout = after


def every(check: Callable[[list[Moment]], None]) -> Callable[..., None]:
    """Run a check of a whole story over all kinds of them."""

    @examples(60)
    @given(begun, stories)
    def test(beginning: tuple[Release | Start, ...], story: list[tuple[float, Any]]) -> None:
        check(list(play(beginning, story)))

    test.__name__, test.__doc__ = check.__name__, check.__doc__
    return test
