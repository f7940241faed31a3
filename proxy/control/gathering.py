"""Putting together what is known of a service when somebody wants to see it."""

from collections.abc import Mapping, Sequence

from proxy.control import estimate, view
from proxy.control.facts import Facts, Moment
from proxy.control.standing import Standing
from proxy.control.totals import Totals
from proxy.routing.split import CANARY


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
        blast=view.blast(standing),
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
        assured=estimate.assured(standing.policy),
        answers=standing.answers,
        refused_at=asked.at if here else "",
        refusal=asked.says if here else "",
        asked=asked.tries if here else 0,
        stuck=standing.stuck,
    )
