"""The view of a service for the API and the metrics. Weights are in percent, as in the file."""

from collections.abc import Iterator, Mapping
from typing import Any

from proxy.analysis.verdict import Finding
from proxy.control.standing import Standing
from proxy.control.views import progress
from proxy.control.views.drift import drift
from proxy.control.views.explanation import Situation, explain
from proxy.control.views.facts import NONE, Facts
from proxy.control.views.progress import Course
from proxy.ledger.record import iso
from proxy.rollout.phases import PROMOTED
from proxy.rollout.side import Side
from proxy.routing.split import CANARY, STABLE, TOTAL, percent
from proxy.routing.table import Backend
from proxy.telemetry.counts import Counts
from proxy.telemetry.exposition import CheckSample
from proxy.telemetry.outcome import shown_status
from proxy.telemetry.window import SHOWN


def view(standing: Standing, durable: bool, now: float, facts: Facts = NONE) -> dict[str, Any]:
    """Return a service as JSON values.

    Args:
        standing: the service.
        durable: whether the ledger has its whole state.
        now: monotonic seconds.
        facts: its counts, probes and gates.
    """
    service, rollout = standing.service, standing.rollout
    shares = standing.assessment.shares(standing.backends, now)
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
        "trip": _trip(standing, facts),
        "verdict": standing.assessment.verdict.to_json(),
        **_reach(standing, facts),
        "window": _window(standing, now),
        "drift": found.to_json() if (found := drift(standing)) else None,
        **progress.to_json(_course(standing, facts)),
    }


def explanation(standing: Standing, facts: Facts = NONE, *, durable: bool = True) -> dict[str, Any]:
    """Return the explanation of a service's canary as JSON values: a paragraph, and its data."""
    explained = explain(_situation(standing, durable, facts))
    return {
        "service": standing.name,
        "text": explained.text,
        "next": list(explained.next),
        "phase": standing.rollout.phase,
        "trip": _trip(standing, facts),
        "verdict": standing.assessment.verdict.to_json(),
        **_reach(standing, facts),
        "failed": [
            {"method": method, "path": path, "status": shown_status(status), "count": count}
            for (method, path, status), count in facts.failed
        ],
    }


def _course(standing: Standing, facts: Facts) -> Course:
    return Course(standing.rollout, standing.assessment.verdict, standing.file.enforce, facts.rollout)


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
        verdict=standing.assessment.verdict,
        trip=rollout.trip,
        acknowledged_ms=facts.rollback_ms,
        facts=facts,
        guard=standing.assessment.policy.guard,
        pins=_pins(standing),
        resumed=standing.assessment.judge.blast_radius.resumed,
        rollout=progress.sentence(course),
        next_orders=(*progress.next_orders(standing.name, rollout), *_file_advice(standing)),
        planned=standing.file.rollout is not None,
        promoted=promoted,
        dead=tuple(_dead(rollout.canary, facts)),
        durable=durable,
    )


def _dead(side: Side, facts: Facts) -> Iterator[str]:
    """Yield the dead endpoints, each with the reason."""
    for endpoint in side.endpoints:
        condition = facts.probes.get(endpoint.url, "")
        if condition.startswith("dead"):
            yield f"{endpoint.url} is {condition}"


def _file_advice(standing: Standing) -> Iterator[str]:
    """Yield the advice to change the file after a promotion."""
    if standing.rollout.phase == PROMOTED and (found := drift(standing)):
        yield f"{found.text[:1].upper()}{found.text[1:]}."


def _pins(standing: Standing) -> str:
    """Return the rules that send requests to the canary at any weight; "": none."""
    named = [f"segment `{segment.name}`" for segment in standing.file.segments if segment.to == CANARY]
    if standing.file.force:
        named.append(f"header `{standing.file.force.header}: always`")
    return " or ".join(named)


def _reach(standing: Standing, facts: Facts) -> dict[str, Any]:
    """Return the evidence against the canary and its blast radius; null without a canary."""
    verdict = standing.assessment.verdict
    return {
        "evidence": {"odds": verdict.odds, "bar": verdict.bar},
        "blast_radius": facts.blast.to_json() if standing.rollout.has_canary else None,
        "overdue": {backend: facts.overdue.get(backend, 0) for backend in standing.backends},
    }


def weights(standing: Standing) -> Mapping[tuple[str, str], float]:
    """Return the set weights, 0 to 1."""
    split = standing.service.split
    return {(standing.name, backend): split.part(backend) / TOTAL for backend in standing.backends}


def shares(standing: Standing, now: float) -> Mapping[tuple[str, str], float]:
    """Return the shares of the last requests, 0 to 1; empty when there were none."""
    found = standing.assessment.shares(standing.backends, now) or {}
    return {(standing.name, backend): share for backend, share in found.items()}


def odds(standing: Standing) -> Mapping[str, float]:
    """Return the evidence of all bets against the canary, N for N:1; empty when there are no bets."""
    found = standing.assessment.verdict.odds
    return {} if found is None else {standing.name: found}


def exposed(standing: Standing) -> Mapping[str, int]:
    """Return about how many users met the canary; empty when users aren't known."""
    assessment = standing.assessment
    return {standing.name: assessment.judge.blast_radius.users} if assessment.policy.sticky else {}


def halted(standing: Standing) -> Mapping[tuple[str, str], bool]:
    """Return which backends are halted."""
    return {(standing.name, backend): backend in standing.service.halted for backend in standing.backends}


def samples(standing: Standing) -> list[CheckSample]:
    """Return the finding of each check."""
    return [_sample(standing.name, finding) for finding in standing.assessment.verdict.findings]


def _sample(service: str, finding: Finding) -> CheckSample:
    return CheckSample(service, finding.check, finding.value, finding.limit, finding.sample, finding.odds)


def _backend(backend: Backend, facts: Facts) -> dict[str, Any]:
    urls = [endpoint.url for endpoint in backend.endpoints]
    probes = {url: facts.probes[url] for url in urls if url in facts.probes}
    return {"endpoints": urls, "version": backend.version, "probes": probes}


def _trip(standing: Standing, facts: Facts) -> dict[str, Any] | None:
    trip = standing.rollout.trip
    if trip is None:
        return None
    return {
        "at": iso(trip.at),
        "check": trip.finding.check if trip.finding else None,
        "sentence": trip.sentence,
        "finding": trip.finding.to_json() if trip.finding else None,
        "weight_before": percent(standing.rollout.weight_before),
        "acknowledged_ms": facts.rollback_ms,
    }


def _window(standing: Standing, now: float) -> dict[str, Any]:
    sides = {backend: _side(standing.assessment.judge.shown(backend, now)) for backend in (STABLE, CANARY)}
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
