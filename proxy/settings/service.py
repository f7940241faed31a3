"""A service as the workers route by it: its section of the file, and its state in the ledger.

The file owns structure: matching, segments, checks. The ledger owns weight, phase, and the endpoints of
stable and canary since the last release.
"""

from collections.abc import Iterator
from dataclasses import fields, replace

from proxy.config import schema
from proxy.rollout.inputs import Release
from proxy.rollout.rollout import Rollout
from proxy.rollout.side import VACANT, Side
from proxy.routing.endpoint import SYSTEM, Endpoint, Trust
from proxy.routing.failures import Ejection, Rescue
from proxy.routing.match import Condition, RouteMatch
from proxy.routing.segment import Segment
from proxy.routing.split import CANARY, STABLE, Split
from proxy.routing.sticky import CookieAttributes, Sticky
from proxy.routing.table import Backend, Service, Timeouts
from proxy.settings.plan import plan
from proxy.settings.policy import failures


def release(service: schema.Service, salt: str, changed: tuple[str, ...] = ()) -> Release:
    """Return the release that the file defines, under a fresh `salt`; without a canary its weight is 0.

    `changed` are the keys that had other values before.
    """
    weight = service.weight if service.canary else 0
    begins = plan(service) if service.rollout and service.rollout.start == "on-change" else None
    return Release(side(service.stable), side(service.canary), weight, salt, changed, begins)


def recalled(rollout: Rollout, service: schema.Service) -> Rollout:
    """Return a state from the ledger; an older version left out the endpoints, which are the file's."""
    if rollout.stable != VACANT:
        return rollout
    stable, canary = side(service.stable), side(service.canary)
    if canary.definition != rollout.definition:
        canary = VACANT  # another one: the release that follows puts it in force
    return replace(rollout, stable=stable, stable_definition=stable.definition, canary=canary)


def side(backend: schema.Backend | None) -> Side:
    """Return the endpoints and the version of a backend in the file; VACANT for None."""
    if backend is None:
        return VACANT
    return Side(tuple(_endpoint(url, backend) for url in backend.endpoints), backend.version)


def _endpoint(url: str, backend: schema.Backend) -> Endpoint:
    """Return an endpoint, trusted and asked as the file's backend is."""
    return Endpoint.parse(url, _trust(backend.tls), "" if backend.host == "client" else backend.host)


def template(name: str, service: schema.Service, timeouts: schema.Timeouts, max_body: int | None) -> Service:
    """Return what the file defines of a service; `in_force` fills in its state in the ledger."""
    # Segments may name a canary that there isn't yet: it has no endpoints then.
    backends = [_backend(STABLE, side(service.stable)), _backend(CANARY, side(service.canary))]
    return Service(
        name=name,
        revision=0,
        match=RouteMatch(service.match.host, service.match.path),
        backends=tuple(backends),
        split=Split(),
        segments=tuple(_segment(segment) for segment in service.segments),
        sticky=_sticky(service.sticky),
        force=service.force.header.lower() if service.force else "",
        choice_header=service.choice_header,
        endpoint_header=service.endpoint_header,
        timeouts=_timeouts(service.timeouts, timeouts),
        max_body=max_body,
        upgrades=service.upgrades,
        failures=failures(service),
        rescue=Rescue(on=service.rescue is not None, **dict(service.rescue or {})),
        drain=service.halt.drain,
        fallback=service.fallback,
        ejection=Ejection(**dict(service.ejection)) if service.ejection else None,
    )


def _timeouts(own: schema.ServiceTimeouts, common: schema.Timeouts) -> Timeouts:
    """Return the timeouts of a service: its own, or else those of all services."""
    names = (each.name for each in fields(Timeouts))
    return Timeouts(**{name: getattr(common if getattr(own, name) is None else own, name) for name in names})


def in_force(template: Service, rollout: Rollout) -> Service:
    """Return the service as the workers route by it in this state."""
    backends = tuple(_backends(template, rollout))
    segments = template.segments
    if not rollout.has_canary:
        segments = tuple(segment for segment in segments if segment.to != CANARY)
    return replace(
        template,
        revision=rollout.revision,
        backends=backends,
        segments=segments,
        split=Split(((CANARY, rollout.weight),)) if rollout.has_canary else Split(),
        halted=frozenset({CANARY}) if rollout.has_canary and rollout.halted else frozenset(),
        sticky=replace(template.sticky, salt=rollout.salt),
    )


def _backends(template: Service, rollout: Rollout) -> Iterator[Backend]:
    """Yield the backends of the state. Where they are the file's, the file defines the trust in them."""
    filed = {backend.name: backend for backend in template.backends}
    for name, side in ((STABLE, rollout.stable), (CANARY, rollout.canary)):
        by_file = filed[name]
        if Side(by_file.endpoints, by_file.version).definition != side.definition:
            by_file = _backend(name, side)
        if by_file.endpoints:
            yield by_file


def _backend(name: str, side: Side) -> Backend:
    return Backend(name, side.endpoints, side.version)


def trusted(named: Side, service: schema.Service) -> Side:
    """Return endpoints that were named at runtime, treated as the file's canary is, or else its stable."""
    file = service.canary or service.stable
    return replace(named, endpoints=tuple(_endpoint(each.url, file) for each in named.endpoints))


def _trust(tls: schema.Trust | None) -> Trust:
    if tls is None:
        return SYSTEM
    return Trust(tls.ca or "", tls.server_name or "", tls.verify, tls.cert or "", tls.key or "")


def _segment(segment: schema.Segment) -> Segment:
    conditions = (Condition(each.source, each.name, each.kind, each.values) for each in segment.conditions)
    return Segment(segment.name, segment.to, tuple(conditions))


def _sticky(sticky: schema.Sticky | None) -> Sticky:
    if sticky is None:
        return Sticky.off()
    if sticky.cookie:
        attributes = CookieAttributes(
            same_site=sticky.same_site,
            domain=sticky.domain or "",
            path=sticky.path,
            max_age=int(sticky.max_age),
            secure=sticky.secure,
        )
        return Sticky("cookie", sticky.cookie, sticky.issue, cookie=attributes)
    if sticky.header:
        return Sticky("header", sticky.header)
    return Sticky("client-ip")
