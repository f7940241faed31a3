"""The inputs of a rollout: a new file, an order, a look at it, a report of a worker.

A `salt` is fresh, so that no user is always among the first. Weights are parts of 10,000.
"""

from dataclasses import dataclass

from proxy.analysis.verdict import Verdict
from proxy.rollout.plan import Plan
from proxy.rollout.side import Side


@dataclass(frozen=True, slots=True)
class Release:
    """What the file has for a service, at every start and reload. A new canary in it is a new release.

    `canary` is vacant when the file has none; `weight` is the file's. `changed` are the keys of the service
    that differ from what the workers were sent last. With a `plan` a new release begins by itself.
    """

    stable: Side
    canary: Side
    weight: int
    salt: str
    changed: tuple[str, ...] = ()
    plan: Plan | None = None


@dataclass(frozen=True, slots=True)
class Start:
    """A rollout by `plan` begins: with another `canary`, or (None) with the one that is there.

    With `replace`, also in place of a rollout that is under way, and with a canary that a person took out.
    """

    plan: Plan | None
    salt: str
    canary: Side | None = None
    replace: bool = False


@dataclass(frozen=True, slots=True)
class Promote:
    """Go on to the next step now, or (`full`) make the canary stable as soon as the hooks agree.

    While it is promoting already: make it stable without waiting for them.
    """

    full: bool = False


@dataclass(frozen=True, slots=True)
class Pause:
    """Keep the weight. `reason`: who wants it and why."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Resume:
    """Go on from a pause; or let a canary back in that was taken out, at `parts`, or (None) where it was."""

    parts: int | None = None


@dataclass(frozen=True, slots=True)
class Abort:
    """Take the canary out now. `reason`: who wants it and why."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Retry:
    """Begin the same rollout once more, from its first step. None: by the plan that it had."""

    salt: str
    plan: Plan | None = None


@dataclass(frozen=True, slots=True)
class Undo:
    """Go back to the stable before: at once, or (with a `plan`) as a canary through its steps."""

    salt: str
    plan: Plan | None = None


@dataclass(frozen=True, slots=True)
class SetWeight:
    """Give the canary `parts`. A rollout under way is paused by that."""

    parts: int


@dataclass(frozen=True, slots=True)
class Look:
    """Time has passed or answers have come: may it go on, must it go back?

    With `enforce` off the verdict is looked at and nothing else.
    """

    verdict: Verdict
    enforce: bool
    answers: int = 0
    """Of the canary since the step was entered."""
    open: frozenset[str] = frozenset()
    """What was asked and agreed, of `proxy.rollout.waiting.asks`."""


@dataclass(frozen=True, slots=True)
class Held:
    """A worker reports which revision of the service it holds, and whether the canary is `halted` in it.

    A lower weight is sent to the workers before it is written, so a control that dies in between
    leaves them with a state the ledger doesn't know. What they hold then wins, for it can only be lower.
    """

    revision: int
    halted: bool


Order = Start | Promote | Pause | Resume | Abort | Retry | Undo | SetWeight
"""What a person can order."""
Input = Release | Order | Look | Held
