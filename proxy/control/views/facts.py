"""What control's counts say of a release beside the verdict: how far its harm went, and what fails on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from proxy.analysis.assurance import AssuranceBets
from proxy.analysis.policy import Policy
from proxy.control.standing import Standing
from proxy.ledger.record import iso
from proxy.ledger.totals import Totals
from proxy.routing.split import CANARY
from proxy.telemetry.top_failures import FailedRequest


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
    failed: tuple[tuple[FailedRequest, int], ...] = ()
    """The canary's most frequent failed requests and how often each failed, the most frequent first."""
    overdue: Mapping[str, int] = field(default_factory=dict)
    """By backend: requests in flight now that have taken longer than stable's threshold allows."""
    moment: Moment = Moment()
    probes: Mapping[str, str] = field(default_factory=dict)
    """How endpoints do by their probes, in words by URL; empty where nobody probes them."""


NONE = Facts()


def gather(
    standing: Standing,
    totals: Totals,
    boots: Sequence[str],
    probes: Mapping[str, str],
    wall: float,
    now: float,
) -> Facts:
    """All of it. `boots` are the connected workers, `wall` is unix and `now` monotonic seconds."""
    lately = totals.lately(standing.name, standing.rollout.since, boots)
    canary = lately.get(CANARY)
    return Facts(
        blast=blast(standing),
        failed=tuple(canary.failed.most()) if canary else (),
        overdue={backend: counts.overdue for backend, counts in lately.items()},
        moment=moment(standing, wall, now),
        probes=probes,
    )


def moment(standing: Standing, wall: float, now: float) -> Moment:
    """What there is to know of its rollout right now, beside its state."""
    asked = standing.asked
    here = asked.revision == standing.rollout.revision
    return Moment(
        at=wall,
        rate=standing.traffic.rate(now),
        assured=assured(standing.policy),
        answers=standing.answers,
        refused_at=asked.at if here else "",
        refusal=asked.says if here else "",
        asked=asked.tries if here else 0,
        stuck=standing.stuck,
    )


def blast(standing: Standing) -> Blast:
    """How far the harm of the canary went."""
    radius = standing.judge.blast_radius
    users = radius.users if standing.policy.sticky else None
    return Blast(radius.met, radius.harmed, radius.rescued, users, standing.rollout.released or None)


def assured(policy: Policy) -> int:
    """Canary requests that show it good enough for a larger weight, if none of them is bad."""
    if not (policy.comparing and policy.step_up):
        return 0
    latency = policy.slower is not None
    bets = AssuranceBets(policy.step_up, latency=latency)
    return bets.assurance(1.0, latency=latency, rate=0.0).requests or 0
