"""The facts of a release beside its verdict: its blast radius, its failed requests, its rollout."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from proxy.analysis.assurance import AssuranceBets
from proxy.analysis.policy import Policy
from proxy.control.managed_service import ManagedService
from proxy.ledger.record import iso
from proxy.routing.split import CANARY
from proxy.telemetry.counts import Counts
from proxy.telemetry.top_failures import FailedRequest


@dataclass(frozen=True, slots=True)
class Blast:
    """The blast radius of one release, which only grows."""

    met: int = 0
    """Requests that went to the canary and have ended."""
    harmed: int = 0
    """Clients that got a bad answer of the canary, or gave up waiting for one."""
    gave_up: int = 0
    """Those of them that gave up waiting."""
    rescued: int = 0
    """Requests that the canary failed and stable answered."""
    exposed_users: int | None = None
    """Users who met the canary, within about 2.3 %; None: unknown, because the service isn't sticky."""
    since: float | None = None
    """When the release began, in unix seconds; None: unknown."""

    def to_json(self) -> dict[str, Any]:
        """Return the blast radius as JSON values."""
        return {
            "met": self.met,
            "harmed": self.harmed,
            "gave_up": self.gave_up,
            "rescued": self.rescued,
            "exposed_users": self.exposed_users,
            "since": None if self.since is None else iso(self.since),
        }


@dataclass(frozen=True, slots=True)
class RolloutFacts:
    """The counts and gates of a rollout at one moment, beside its state."""

    at: float = 0.0
    """The moment, in unix seconds."""
    rate: float = 0.0
    """Recent requests a second to all backends, over all releases."""
    assured: int = 0
    """Canary requests that are needed at least to prove the canary good enough for a larger weight."""
    answers: int = 0
    """The canary's answers since the step was entered."""
    refused_at: str = ""
    """The gate at which a hook refuses, such as `before-step`; "": none does."""
    refusal: str = ""
    """The last reason for that refusal; "": there is none."""
    refusals: int = 0
    """How often the gate was refused."""
    stuck: str = ""
    """Why the last attempt to go on failed, such as a ledger that can't be written; "": it didn't."""


@dataclass(frozen=True, slots=True)
class StableOutage:
    """One outage of stable, under way."""

    since: float
    """When it was found, in unix seconds."""
    sentence: str
    """What is wrong, such as: 40 of its 40 latest requests failed (connect 40x)."""

    def to_json(self) -> dict[str, str]:
        """Return the outage as JSON values."""
        return {"since": iso(self.since), "sentence": self.sentence}


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of one service."""

    blast: Blast = Blast()
    failed: tuple[tuple[FailedRequest, int], ...] = ()
    """The canary's most frequent failed requests and how often each failed, the most frequent first."""
    overdue: Mapping[str, int] = field(default_factory=dict)
    """By backend: requests in flight that take longer than their threshold."""
    rollout: RolloutFacts = RolloutFacts()
    conditions: Mapping[str, str] = field(default_factory=dict)
    """The conditions of endpoints by identity, in words, as far as they are known."""
    outage: StableOutage | None = None
    """The outage of stable; None: none is known."""
    addresses: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The addresses of endpoints whose hosts are names, by URL."""
    rollback_ms: float | None = None
    """Milliseconds until every worker had taken the canary out; None: unknown, or one has not yet."""


NONE = Facts()


def gather(
    managed: ManagedService,
    *,
    lately: Mapping[str, Counts],
    rollout: RolloutFacts,
    conditions: Mapping[str, str],
    outage: StableOutage | None,
    addresses: Mapping[str, Sequence[str]],
    rollback_ms: float | None,
) -> Facts:
    """Return the facts of a service.

    Args:
        managed: the service.
        lately: by backend, the counts of this release by the connected workers.
        rollout: the facts of its rollout.
        conditions: the conditions of endpoints by identity.
        outage: the outage of stable; None: none is known.
        addresses: the addresses of endpoints whose hosts are names, by URL.
        rollback_ms: milliseconds until every worker had taken the canary out; None: unknown.
    """
    canary = lately.get(CANARY)
    return Facts(
        blast=blast(managed),
        failed=tuple(canary.failed.most()) if canary else (),
        overdue={backend: counts.overdue for backend, counts in lately.items()},
        rollout=rollout,
        conditions=conditions,
        outage=outage,
        addresses=addresses,
        rollback_ms=rollback_ms,
    )


def blast(managed: ManagedService) -> Blast:
    """Return the blast radius of the present release."""
    radius = managed.assessment.judge.blast_radius
    users = radius.users if managed.assessment.policy.sticky else None
    since = managed.rollout.released or None
    return Blast(radius.met, radius.harmed, radius.gave_up, radius.rescued, users, since)


def assured(policy: Policy) -> int:
    """Return how many canary requests show it good enough for a larger weight, if none of them is bad."""
    if not (policy.comparing and policy.step_up):
        return 0
    latency = policy.slower is not None
    bets = AssuranceBets(policy.step_up, latency=latency)
    return bets.assurance(1.0, latency=latency, rate=0.0).requests or 0
