"""What people and programs are shown of a service. Weights are percent, as in the file."""

from collections.abc import Iterator, Mapping
from typing import Any

from proxy.analysis.verdict import Finding
from proxy.control.standing import Standing
from proxy.control.views import progress
from proxy.control.views.drift import drift
from proxy.control.views.explanation import Situation, explain
from proxy.control.views.facts import NONE, Facts
from proxy.control.views.progress import Course
from proxy.ledger.record import iso, percent
from proxy.rollout.phases import PROMOTED
from proxy.rollout.side import Side
from proxy.routing.split import CANARY, STABLE, TOTAL
from proxy.routing.table import Backend
from proxy.telemetry.counts import Counts
from proxy.telemetry.exposition import CheckSample
from proxy.telemetry.outcome import shown_status
from proxy.telemetry.window import SHOWN


def view(standing: Standing, durable: bool, now: float, facts: Facts = NONE) -> dict[str, Any]:
    """All of a service. `now` is monotonic seconds; `durable`: whether the ledger has all of it."""
    service, rollout = standing.service, standing.rollout
    shares = standing.shares(now)
    return {
        "name": standing.name,
        "revision": rollout.revision,
        "phase": rollout.phase,
        "weights": {name: percent(service.split.part(name)) for name in standing.backends},
        "shares": {name: round(share * 100, 2) for name, share in shares.items()} if shares else None,
        "backends": {backend.name: _backend(backend, facts) for backend in service.backends},
        "halted": sorted(service.halted),
        "enforce": standing.file.enforce,
        "durable": durable,
        "trip": _trip(standing),
        "verdict": standing.verdict.to_json(),
        **_reach(standing, facts),
        "window": _window(standing, now),
        "drift": found.to_json() if (found := drift(standing)) else None,
        **progress.shown(_course(standing, facts)),
    }


def explanation(standing: Standing, facts: Facts = NONE, *, durable: bool = True) -> dict[str, Any]:
    """What happened to its canary or is known of it: a paragraph, and what that is made from."""
    told = explain(_situation(standing, durable, facts))
    return {
        "service": standing.name,
        "text": told.text,
        "next": list(told.next),
        "phase": standing.rollout.phase,
        "trip": _trip(standing),
        "verdict": standing.verdict.to_json(),
        **_reach(standing, facts),
        "failed": [
            {"method": method, "path": path, "status": shown_status(status), "count": count}
            for (method, path, status), count in facts.failed
        ],
    }


def _course(standing: Standing, facts: Facts) -> Course:
    """What the way of its rollout is shown from."""
    return Course(standing.rollout, standing.verdict, standing.file.enforce, facts.moment)


def _situation(standing: Standing, durable: bool, facts: Facts) -> Situation:
    rollout = standing.rollout
    course = _course(standing, facts)
    promoted = rollout.phase == PROMOTED and not rollout.has_canary
    return Situation(
        service=standing.name,
        version=(rollout.stable if promoted else rollout.canary).version,
        canary=rollout.has_canary,
        weight=rollout.weight,
        weight_before=rollout.weight_before,
        halted=rollout.halted,
        enforce=standing.file.enforce,
        verdict=standing.verdict,
        trip=rollout.trip,
        acknowledged_ms=standing.rollback.acknowledged_ms if standing.rollback else None,
        facts=facts,
        guard=standing.policy.guard,
        pins=_pins(standing),
        resumed=standing.judge.blast_radius.resumed,
        way=progress.told(course),
        onward=(*progress.onward(standing.name, rollout), *_moved(standing)),
        planned=standing.file.rollout is not None,
        promoted=promoted,
        dead=tuple(_dead(rollout.canary, facts)),
        durable=durable,
    )


def _dead(side: Side, facts: Facts) -> Iterator[str]:
    """Its dead endpoints, each with what it is and why."""
    for endpoint in side.endpoints:
        condition = facts.probes.get(endpoint.url, "")
        if condition.startswith("dead"):
            yield f"{endpoint.url} is {condition}"


def _moved(standing: Standing) -> Iterator[str]:
    """After a promotion: that the file should follow."""
    if standing.rollout.phase == PROMOTED and (found := drift(standing)):
        yield f"{found.says[:1].upper()}{found.says[1:]}."


def _pins(standing: Standing) -> str:
    """Who gets the canary whatever its weight; "" for nobody."""
    named = [f"segment `{segment.name}`" for segment in standing.file.segments if segment.to == CANARY]
    if standing.file.force:
        named.append(f"header `{standing.file.force.header}: always`")
    return " or ".join(named)


def _reach(standing: Standing, facts: Facts) -> dict[str, Any]:
    """How much speaks against the canary, and how far its harm went; null where there is none."""
    verdict = standing.verdict
    return {
        "evidence": {"odds": verdict.odds, "bar": verdict.bar},
        "blast_radius": facts.blast.to_json() if standing.rollout.has_canary else None,
        "overdue": {backend: facts.overdue.get(backend, 0) for backend in standing.backends},
    }


def weights(standing: Standing) -> Mapping[tuple[str, str], float]:
    """The set weights, 0..1."""
    split = standing.service.split
    return {(standing.name, backend): split.part(backend) / TOTAL for backend in standing.backends}


def shares(standing: Standing, now: float) -> Mapping[tuple[str, str], float]:
    """The shares of the last requests, 0..1; empty when there were none."""
    seen = standing.shares(now) or {}
    return {(standing.name, backend): share for backend, share in seen.items()}


def odds(standing: Standing) -> Mapping[str, float]:
    """The evidence of all bets against the canary, as N:1; empty where none is made."""
    found = standing.verdict.odds
    return {} if found is None else {standing.name: found}


def exposed(standing: Standing) -> Mapping[str, int]:
    """How many users met the canary, about; empty where users aren't known."""
    return {standing.name: standing.judge.blast_radius.users} if standing.policy.sticky else {}


def halted(standing: Standing) -> Mapping[tuple[str, str], bool]:
    """Which backends are out for everybody."""
    return {(standing.name, backend): backend in standing.service.halted for backend in standing.backends}


def samples(standing: Standing) -> list[CheckSample]:
    """How each check stands."""
    return [_sample(standing.name, finding) for finding in standing.verdict.findings]


def _sample(service: str, finding: Finding) -> CheckSample:
    return CheckSample(service, finding.check, finding.value, finding.limit, finding.sample, finding.odds)


def _backend(backend: Backend, facts: Facts) -> dict[str, Any]:
    urls = [endpoint.url for endpoint in backend.endpoints]
    probes = {url: facts.probes[url] for url in urls if url in facts.probes}
    return {"endpoints": urls, "version": backend.version, "probes": probes}


def _trip(standing: Standing) -> dict[str, Any] | None:
    trip = standing.rollout.trip
    if trip is None:
        return None
    return {
        "at": iso(trip.at),
        "check": trip.finding.check if trip.finding else None,
        "sentence": trip.sentence,
        "finding": trip.finding.to_json() if trip.finding else None,
        "weight_before": percent(standing.rollout.weight_before),
        "acknowledged_ms": standing.rollback.acknowledged_ms if standing.rollback else None,
    }


def _window(standing: Standing, now: float) -> dict[str, Any]:
    sides = {backend: _side(standing.judge.shown(backend, now)) for backend in (STABLE, CANARY)}
    return {"seconds": int(SHOWN), **sides}


def _side(counts: Counts | None) -> dict[str, Any] | None:
    if counts is None:
        return None
    return {
        "requests": counts.requests,
        "failures": counts.failures,
        "error_rate": counts.failures / counts.requests if counts.requests else None,
        "p50": counts.head.quantile(0.5),
        "p99": counts.head.quantile(0.99),
    }
