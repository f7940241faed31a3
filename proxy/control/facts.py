"""What control's counts say of a release beside the verdict: how far its harm went, and what fails on it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from proxy.control.record import iso

Request = tuple[str, str, int]
"""Method, path with each number in it as `#`, status."""


@dataclass(frozen=True, slots=True)
class Blast:
    """The blast radius of one release. It only grows."""

    met: int = 0
    """Requests that went to the canary and are over."""
    harmed: int = 0
    """Bad answers of the canary that reached a client."""
    rescued: int = 0
    """Requests that the canary failed and stable answered."""
    exposed_users: int | None = None
    """Users who met the canary, within about 2.3 %; None: the service isn't sticky, so nobody knows."""
    since: float | None = None
    """When the release began, in unix seconds; None: nobody knows."""

    def to_json(self) -> dict[str, Any]:
        """As the API shows it."""
        return {
            "met": self.met,
            "harmed": self.harmed,
            "rescued": self.rescued,
            "exposed_users": self.exposed_users,
            "since": None if self.since is None else iso(self.since),
        }


@dataclass(frozen=True, slots=True)
class Moment:
    """What control knows of a rollout at the moment it is shown, beside its state."""

    at: float = 0.0
    """Now, in unix seconds."""
    rate: float = 0.0
    """Requests a second to all backends lately, whatever release they met."""
    assured: int = 0
    """Canary requests that a weight takes at least, before it is shown good enough for a larger one."""
    answers: int = 0
    """Of the canary, since the step was entered."""
    refused_at: str = ""
    """Before which move somebody doesn't agree; "" for nobody refused."""
    refusal: str = ""
    """Why who was asked before the next move doesn't agree, as it was said last; "" for nobody refused."""
    asked: int = 0
    """How often somebody refused that move."""
    stuck: str = ""
    """Why the last attempt to go on failed, such as a ledger that can't be written; "" for none did."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All of it, of one service."""

    blast: Blast = Blast()
    failed: tuple[tuple[Request, int], ...] = ()
    """The canary's most frequent failed requests and how often each failed, the most frequent first."""
    overdue: Mapping[str, int] = field(default_factory=dict)
    """By backend: requests in flight now that have taken longer than stable's threshold allows."""
    moment: Moment = Moment()
    probes: Mapping[str, str] = field(default_factory=dict)
    """How endpoints do by their probes, in words by URL; empty where nobody probes them."""


NONE = Facts()
