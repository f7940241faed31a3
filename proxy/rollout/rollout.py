"""The state of one service's rollout, and how anything that happens changes it: `advance`.

A state is numbered: every entry makes `revision` one higher. `since` is the revision from which on evidence
counts against this canary, so answers to requests that were routed before a release or a resume, and end
after it, are nobody's fault any more.
"""

from dataclasses import dataclass, replace
from typing import Any, Self

from proxy.analysis.verdict import Finding
from proxy.rollout.entry import Entry, Word
from proxy.rollout.inputs import Held, Input, Judged, Release, Resume, SetWeight
from proxy.rollout.phases import IDLE, MOVES, ROLLED_BACK, Event, Phase, legal
from proxy.routing.split import TOTAL


@dataclass(frozen=True, slots=True)
class Trip:
    """When (unix seconds) and why the canary was taken out. No finding: it was lost with its entry."""

    at: float
    sentence: str
    finding: Finding | None

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        finding = self.finding.to_json() if self.finding else None
        return {"at": self.at, "sentence": self.sentence, "finding": finding}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The inverse of `to_json`."""
        finding = Finding.from_json(data["finding"]) if data["finding"] else None
        return cls(data["at"], data["sentence"], finding)


@dataclass(frozen=True, slots=True)
class Rollout:
    """Weights are parts of 10,000. `definition` is the file's canary that this state is based on."""

    revision: int = 0
    since: int = 0
    phase: Phase = IDLE
    weight: int = 0
    weight_before: int = 0
    """The weight at the last trip: where a resume goes back to."""
    salt: str = ""
    definition: str = ""
    trip: Trip | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.weight <= TOTAL:
            raise ValueError(f"a weight of {self.weight} parts is outside 0..{TOTAL}")
        if self.phase == ROLLED_BACK and self.weight:
            raise ValueError(f"a canary that was rolled back has no weight, not {self.weight} parts")

    @property
    def halted(self) -> bool:
        """Whether the canary is out for everybody, pinned requests included."""
        return self.phase == ROLLED_BACK

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "revision": self.revision,
            "since": self.since,
            "phase": self.phase,
            "weight": self.weight,
            "weight_before": self.weight_before,
            "salt": self.salt,
            "definition": self.definition,
            "trip": self.trip.to_json() if self.trip else None,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(**{**data, "trip": Trip.from_json(data["trip"]) if data["trip"] else None})


@dataclass(frozen=True, slots=True)
class Advance:
    """The next state and the entry that leads to it. No entry: nothing changed."""

    rollout: Rollout
    entry: Entry | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """What happened has no place in this phase; `legal` are the events that have."""

    reason: str
    phase: Phase
    legal: tuple[Event, ...]


def advance(rollout: Rollout, happened: Input, at: float) -> Advance | Refused:
    """The state after `happened`. `at` is now, in unix seconds. ValueError for a weight outside 0..10,000."""
    match happened:
        case Release():
            return _release(rollout, happened)
        case SetWeight(parts):
            return _set_weight(rollout, parts)
        case Resume(parts):
            return _resume(rollout, parts)
        case Judged():
            return _judged(rollout, happened, at)
        case Held():
            return _held(rollout, happened, at)


def _release(rollout: Rollout, release: Release) -> Advance | Refused:
    first = rollout.revision == 0
    if not first and release.definition == rollout.definition:
        return Advance(rollout)
    revision = rollout.revision + 1
    fresh = Rollout(
        revision=revision,
        since=revision,
        weight=release.weight,
        salt=release.salt,
        definition=release.definition,
    )
    why = "first seen in the file" if first else "the file's canary is another one"
    return _move(rollout, "release", fresh, "release", why)


def _set_weight(rollout: Rollout, parts: int) -> Advance | Refused:
    if parts == rollout.weight:
        return Advance(rollout)
    if not rollout.definition:
        return _refused(rollout, "the service has no canary, so there is nothing to give a weight to")
    return _move(rollout, "set-weight", replace(rollout, weight=parts, phase=IDLE), "weight", "")


def _resume(rollout: Rollout, parts: int | None) -> Advance | Refused:
    weight = rollout.weight_before if parts is None else parts
    revision = rollout.revision + 1
    back = replace(rollout, phase=IDLE, weight=weight, since=revision, trip=None)
    return _move(rollout, "resume", back, "resume", "")


def _judged(rollout: Rollout, judged: Judged, at: float) -> Advance | Refused:
    failing = judged.verdict.failing
    if not (failing and judged.enforce and rollout.definition):
        return Advance(rollout)
    return _move(rollout, "trip", _out(rollout, Trip(at, failing[0].sentence, failing[0])), "trip", "")


def _held(rollout: Rollout, held: Held, at: float) -> Advance | Refused:
    if not _unknown(rollout, held):
        return Advance(rollout)
    numbered = replace(rollout, revision=max(rollout.revision, held.revision))
    if not (held.halted or rollout.halted):
        why = f"a worker holds revision {held.revision}, which never reached the ledger; now at zero"
        return _move(numbered, "set-weight", replace(numbered, weight=0), "weight", why)
    why = f"a worker holds revision {held.revision} with the canary taken out; why never reached the ledger"
    out = numbered if rollout.halted else _out(numbered, Trip(at, why, None))
    return _move(numbered, "adopt", out, "trip", why)


def _unknown(rollout: Rollout, held: Held) -> bool:
    """Whether a worker holds what the ledger doesn't know.

    The same number with the canary out is as unknown as a higher one: a trip that was told and not written
    leaves its number free for the next entry.
    """
    out = held.halted and not rollout.halted
    return held.revision > rollout.revision or (held.revision == rollout.revision and out)


def _out(rollout: Rollout, trip: Trip) -> Rollout:
    return replace(rollout, phase=ROLLED_BACK, weight=0, weight_before=rollout.weight, trip=trip)


def _move(before: Rollout, event: Event, after: Rollout, word: Word, why: str) -> Advance | Refused:
    if (before.phase, event) not in MOVES:
        return _refused(before, f"{event} is not possible while the rollout is {before.phase}")
    revision = before.revision + 1
    rollout = replace(after, revision=revision, phase=MOVES[before.phase, event])
    trip = rollout.trip if word == "trip" else None
    reason = why or (trip.sentence if trip else "")
    entry = Entry(revision, word, before.weight, rollout.weight, reason, trip.finding if trip else None)
    return Advance(rollout, entry)


def _refused(rollout: Rollout, reason: str) -> Refused:
    return Refused(reason, rollout.phase, legal(rollout.phase))
