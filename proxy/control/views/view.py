"""The view of a service for the API and the metrics. Weights are in percent, as in the file."""

from collections.abc import Iterator, Mapping
from typing import Any

from proxy.analysis.verdict import Finding
from proxy.control.managed_service import ManagedService
from proxy.control.views import progress
from proxy.control.views.drift import drift
from proxy.control.views.endpoints import is_out
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


def view(managed: ManagedService, durable: bool, now: float, facts: Facts = NONE) -> dict[str, Any]:
    """Return a service as JSON values.

    Args:
        managed: the service.
        durable: whether the ledger has its whole state.
        now: monotonic seconds.
        facts: its counts, endpoints and gates.
    """
    service, rollout = managed.service, managed.rollout
    shares = managed.assessment.shares(managed.backends, now)
    return {
        "name": managed.name,
        "revision": rollout.revision,
        "phase": rollout.phase,
        "weights": {name: percent(service.split.part(name)) for name in managed.backends},
        "shares": {name: round(share * 100, 2) for name, share in shares.items()} if shares else None,
        "backends": {backend.name: _backend(backend, facts) for backend in service.backends},
        "halted": sorted(service.halted),
        "enforce": managed.file.enforce,
        "durable": durable,
        "trip": _trip(managed, facts),
        "verdict": managed.assessment.verdict.to_json(),
        **_reach(managed, facts),
        "window": _window(managed, now),
        "drift": found.to_json() if (found := drift(managed)) else None,
        **progress.to_json(_course(managed, facts)),
    }


def explanation(managed: ManagedService, facts: Facts = NONE, *, durable: bool = True) -> dict[str, Any]:
    """Return the explanation of a service's canary as JSON values: a paragraph, and its data."""
    explained = explain(_situation(managed, durable, facts))
    return {
        "service": managed.name,
        "text": explained.text,
        "next": list(explained.next),
        "phase": managed.rollout.phase,
        "trip": _trip(managed, facts),
        "verdict": managed.assessment.verdict.to_json(),
        **_reach(managed, facts),
        "failed": [
            {"method": method, "path": path, "status": shown_status(status), "count": count}
            for (method, path, status), count in facts.failed
        ],
    }


def _course(managed: ManagedService, facts: Facts) -> Course:
    return Course(managed.rollout, managed.assessment.verdict, managed.file.enforce, facts.rollout)


def _situation(managed: ManagedService, durable: bool, facts: Facts) -> Situation:
    rollout = managed.rollout
    course = _course(managed, facts)
    promoted = rollout.phase == PROMOTED and not rollout.has_canary
    return Situation(
        service=managed.name,
        version=(rollout.stable if promoted else rollout.canary).version,
        canary=rollout.has_canary,
        weight=rollout.weight,
        weight_before=rollout.weight_before,
        halted=rollout.halted,
        enforce=managed.file.enforce,
        verdict=managed.assessment.verdict,
        trip=rollout.trip,
        acknowledged_ms=facts.rollback_ms,
        facts=facts,
        guard=managed.assessment.policy.guard,
        pins=_pins(managed),
        resumed=managed.assessment.judge.blast_radius.resumed,
        rollout=progress.sentence(course),
        next_orders=(*_file_advice(managed), *progress.next_orders(managed.name, rollout)),
        planned=managed.file.rollout is not None,
        promoted=promoted,
        dead=tuple(_dead(rollout.canary, facts)),
        outage=facts.outage,
        durable=durable,
    )


def _dead(side: Side, facts: Facts) -> Iterator[str]:
    """Yield the endpoints that get no requests, each with the reason."""
    for endpoint in side.endpoints:
        condition = facts.conditions.get(endpoint.identity, "")
        if is_out(condition):
            yield f"{endpoint} is {condition}"


def _file_advice(managed: ManagedService) -> Iterator[str]:
    """Yield the advice to change the file after a promotion."""
    if managed.rollout.phase == PROMOTED and (found := drift(managed)):
        yield f"{found.text[:1].upper()}{found.text[1:]}: `weir get` prints the lines for the file."


def _pins(managed: ManagedService) -> str:
    """Return the rules that send requests to the canary at any weight; "": none."""
    named = [f"segment `{segment.name}`" for segment in managed.file.segments if segment.to == CANARY]
    if managed.file.force:
        named.append(f"header `{managed.file.force.header}: always`")
    return " or ".join(named)


def _reach(managed: ManagedService, facts: Facts) -> dict[str, Any]:
    """Return whom the release reaches: the evidence against the canary, its blast radius, stable's outage."""
    verdict = managed.assessment.verdict
    return {
        "evidence": {"odds": verdict.odds, "bar": verdict.bar, "cold_for": verdict.cold_for},
        "blast_radius": facts.blast.to_json() if managed.rollout.has_canary else None,
        "overdue": {backend: facts.overdue.get(backend, 0) for backend in managed.backends},
        "outage": facts.outage.to_json() if facts.outage else None,
    }


def weights(managed: ManagedService) -> Mapping[tuple[str, str], float]:
    """Return the set weights, 0 to 1."""
    split = managed.service.split
    return {(managed.name, backend): split.part(backend) / TOTAL for backend in managed.backends}


def shares(managed: ManagedService, now: float) -> Mapping[tuple[str, str], float]:
    """Return the shares of the last requests, 0 to 1; empty when there were none."""
    found = managed.assessment.shares(managed.backends, now) or {}
    return {(managed.name, backend): share for backend, share in found.items()}


def odds(managed: ManagedService) -> Mapping[str, float]:
    """Return the evidence of all bets against the canary, N for N:1; empty when there are no bets."""
    found = managed.assessment.verdict.odds
    return {} if found is None else {managed.name: found}


def cold(managed: ManagedService) -> Mapping[str, float]:
    """Return for how many seconds the canary is cold yet; empty where latencies aren't compared."""
    assessment = managed.assessment
    compared = assessment.policy.comparing and assessment.policy.slower
    return {managed.name: assessment.verdict.cold_for} if compared else {}


def exposed(managed: ManagedService) -> Mapping[str, int]:
    """Return about how many users met the canary; empty when users aren't known."""
    assessment = managed.assessment
    return {managed.name: assessment.judge.blast_radius.users} if assessment.policy.sticky else {}


def halted(managed: ManagedService) -> Mapping[tuple[str, str], bool]:
    """Return which backends are halted."""
    return {(managed.name, backend): backend in managed.service.halted for backend in managed.backends}


def samples(managed: ManagedService) -> list[CheckSample]:
    """Return the finding of each check."""
    return [_sample(managed.name, finding) for finding in managed.assessment.verdict.findings]


def _sample(service: str, finding: Finding) -> CheckSample:
    return CheckSample(service, finding.check, finding.value, finding.limit, finding.sample, finding.odds)


def _backend(backend: Backend, facts: Facts) -> dict[str, Any]:
    urls = [endpoint.url for endpoint in backend.endpoints]
    known = {each.url: facts.conditions.get(each.identity) for each in backend.endpoints}
    return {
        "endpoints": urls,
        "version": backend.version,
        "conditions": {url: words for url, words in known.items() if words is not None},
        "addresses": {url: list(facts.addresses[url]) for url in urls if url in facts.addresses},
        "hosts": {each.url: each.host_sent for each in backend.endpoints if each.host_sent},
    }


def _trip(managed: ManagedService, facts: Facts) -> dict[str, Any] | None:
    trip = managed.rollout.trip
    if trip is None:
        return None
    return {
        "at": iso(trip.at),
        "check": trip.finding.check if trip.finding else None,
        "sentence": trip.sentence,
        "finding": trip.finding.to_json() if trip.finding else None,
        "weight_before": percent(managed.rollout.weight_before),
        "acknowledged_ms": facts.rollback_ms,
    }


def _window(managed: ManagedService, now: float) -> dict[str, Any]:
    sides = {backend: _side(managed.assessment.judge.shown(backend, now)) for backend in (STABLE, CANARY)}
    return {"seconds": int(SHOWN), **sides}


def _side(counts: Counts | None) -> dict[str, Any] | None:
    if counts is None:
        return None
    bad, all_told = counts.failures + counts.abandoned, counts.requests + counts.abandoned
    return {
        "requests": counts.requests,
        "failures": counts.failures,
        "gave_up": counts.abandoned,
        "error_rate": bad / all_told if all_told else None,
        "p50": counts.head.quantile(0.5),
        "p99": counts.head.quantile(0.99),
    }
