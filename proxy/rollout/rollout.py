"""The state of one service's rollout, as a value.

A state is numbered: every entry makes `revision` one higher. `since` is the revision from which on evidence
counts against this canary, so answers to requests that were routed before a release or a resume, and end
after it, count against no canary any more.
"""

from dataclasses import dataclass, fields, replace
from typing import Any, Self

from proxy.analysis.verdict import Finding
from proxy.rollout.entry import Entry, EntryKind
from proxy.rollout.phases import (
    IDLE,
    MOVES,
    PROGRESSING,
    ROLLED_BACK,
    UNDER_WAY,
    OrderName,
    Phase,
    Trigger,
    orders,
)
from proxy.rollout.plan import Plan
from proxy.rollout.side import VACANT, Side
from proxy.routing.split import TOTAL

OUT_BY_HAND = "taken out by hand"
"""How the sentence about a canary begins that a person took out."""


@dataclass(frozen=True, slots=True)
class Trip:
    """When (unix seconds) and why the canary was taken out.

    No finding: a person took it out, or the finding was lost with its entry.
    """

    at: float
    sentence: str
    finding: Finding | None

    @property
    def by_hand(self) -> bool:
        """Whether a person took it out, and no verdict."""
        return self.finding is None and self.sentence.startswith(OUT_BY_HAND)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        finding = self.finding.to_json() if self.finding else None
        return {"at": self.at, "sentence": self.sentence, "finding": finding}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Return the trip that `to_json` wrote."""
        finding = Finding.from_json(data["finding"]) if data["finding"] else None
        return cls(data["at"], data["sentence"], finding)


@dataclass(frozen=True, slots=True)
class Rollout:
    """Weights are parts of 10,000, times unix seconds.

    `stable` and `canary` are those in force. `stable_definition` and `definition` are what the file had for
    them when they were put there: as long as it has the same, what is in force stays.
    """

    revision: int = 0
    since: int = 0
    phase: Phase = IDLE
    weight: int = 0
    weight_before: int = 0
    """The weight when the canary was taken out: where a resume goes back to."""
    salt: str = ""
    stable_definition: str = ""
    definition: str = ""
    trip: Trip | None = None
    stable: Side = VACANT
    """Vacant in a state that an older version wrote: the file's."""
    canary: Side = VACANT
    previous: Side = VACANT
    """The stable before the last promotion."""
    plan: Plan | None = None
    """Of the rollout under way, or of the last one."""
    step: int = 0
    """How many steps of the plan were entered."""
    step_revision: int = 0
    """The revision under which the last was entered, or gone on with: its sample counts from there."""
    entered: float = 0.0
    """When that was."""
    began: float = 0.0
    """From when on the deadline runs."""
    released: float = 0.0
    """When the release began whose harm is counted; 0 in a state that an older version wrote."""
    pause: str = ""
    """Why it is paused, and what for; "" when it isn't."""

    def __post_init__(self) -> None:
        if not 0 <= self.weight <= TOTAL:
            raise ValueError(f"a weight of {self.weight} parts is outside 0..{TOTAL}")
        if self.phase == ROLLED_BACK and self.weight:
            raise ValueError(f"a canary that was rolled back has no weight, not {self.weight} parts")
        if self.phase in UNDER_WAY and self.plan is None:
            raise ValueError(f"a rollout that is {self.phase} follows a plan, and there is none")

    @property
    def halted(self) -> bool:
        """Whether the canary is out for everybody, pinned requests included."""
        return self.phase == ROLLED_BACK

    @property
    def has_canary(self) -> bool:
        """Whether a canary is on trial."""
        return self.canary != VACANT

    def begun_by(self, now: float) -> Self:
        """Return the state with nothing in it that begins later than now."""
        if max(self.entered, self.began) <= now:
            return self
        return replace(self, entered=min(self.entered, now), began=min(self.began, now))

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        plain = {each.name: getattr(self, each.name) for each in fields(self)}
        made = {name: value.to_json() for name, value in plain.items() if hasattr(value, "to_json")}
        return plain | made

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Return the state that `to_json` wrote; what an older version didn't know is at its default."""
        made = {
            name: kind.from_json(data[name]) for name, kind in _VALUES.items() if data.get(name) is not None
        }
        return cls(**data | made)


_VALUES: dict[str, Any] = {"trip": Trip, "stable": Side, "canary": Side, "previous": Side, "plan": Plan}


@dataclass(frozen=True, slots=True)
class Advance:
    """The next state and the entry that leads to it. No entry: nothing changed."""

    rollout: Rollout
    entry: Entry | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """What happened has no place in this phase; `legal` are the orders that have."""

    reason: str
    phase: Phase
    legal: tuple[OrderName, ...]


def move(
    before: Rollout, event: Trigger, after: Rollout, word: EntryKind, why: str = ""
) -> Advance | Refused:
    """Go to `after` under the next revision, if the table has that move. `why` goes into the entry."""
    if after.phase not in MOVES.get((before.phase, event), ()):
        return refused(before, f"{event} is not possible while the rollout is {before.phase}")
    revision = before.revision + 1
    rollout = replace(after, revision=revision)
    finding = rollout.trip.finding if rollout.trip and word == "trip" else None
    return Advance(rollout, Entry(revision, word, before.weight, rollout.weight, why, finding))


def refused(rollout: Rollout, reason: str) -> Refused:
    """Return that what happened can't be; nothing has changed."""
    return Refused(reason, rollout.phase, orders(rollout.phase))


def taken_out(rollout: Rollout, trip: Trip) -> Rollout:
    """Return it with the canary out for everybody. Its weight is kept, that of the first time."""
    before = rollout.weight_before if rollout.halted else rollout.weight
    return replace(rollout, phase=ROLLED_BACK, weight=0, weight_before=before, trip=trip, pause="")


def begun(rollout: Rollout, canary: Side, plan: Plan, salt: str, at: float) -> Rollout:
    """Return it at the begin of a plan: weight 0, before the first step, with fresh evidence."""
    revision = rollout.revision + 1
    return replace(
        rollout,
        phase=PROGRESSING,
        weight=0,
        since=revision,
        salt=salt,
        canary=canary,
        plan=plan,
        step=0,
        step_revision=revision,
        entered=at,
        began=at,
        released=at,
        trip=None,
        pause="",
    )
