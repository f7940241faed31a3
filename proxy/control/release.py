"""The file's word on a service and the ledger's state of it, put together into what the workers are told.

The file owns structure: backends, matching, segments, checks. The ledger owns weight and phase. `definition`
is what ties them: the canary that a state is about. When the file defines another one, it is a new release.
"""

import json
from dataclasses import replace

from proxy.config import schema
from proxy.control.policy import failures
from proxy.rollout.inputs import Release
from proxy.rollout.rollout import Rollout
from proxy.routing.endpoint import SYSTEM, Endpoint, Trust
from proxy.routing.match import Condition, RouteMatch
from proxy.routing.rescue import Rescue
from proxy.routing.segment import Segment
from proxy.routing.split import CANARY, STABLE, Split
from proxy.routing.sticky import Sticky
from proxy.routing.table import Backend, Service, Timeouts


def release(service: schema.Service, salt: str) -> Release:
    """What the file says of the canary, under a fresh `salt`; without one there is no weight to give."""
    return Release(definition(service.canary), service.weight if service.canary else 0, salt)


def definition(canary: schema.Backend | None) -> str:
    """What makes a canary this one: endpoints, in any order and spelling, and version; "" for none.

    Whom to trust at the endpoints is not part of it: a renewed certificate makes no new release.
    """
    if canary is None:
        return ""
    endpoints = sorted(endpoint.url for endpoint in _backend(CANARY, canary).endpoints)
    return json.dumps({"endpoints": endpoints, "version": canary.version}, separators=(",", ":"))


def template(name: str, service: schema.Service, timeouts: schema.Timeouts, max_body: int | None) -> Service:
    """All that the file says of a service, for `in_force` to fill in what the ledger says."""
    backends = [_backend(STABLE, service.stable)]
    if service.canary:
        backends.append(_backend(CANARY, service.canary))
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
        timeouts=Timeouts(timeouts.connect, timeouts.response, timeouts.body, timeouts.tunnel),
        max_body=max_body,
        upgrades=service.upgrades,
        failures=failures(service),
        rescue=Rescue(on=service.rescue is not None, **dict(service.rescue or {})),
        drain=service.halt.drain,
    )


def in_force(template: Service, rollout: Rollout) -> Service:
    """The service as it is to be routed in this state."""
    has_canary = any(backend.name == CANARY for backend in template.backends)
    return replace(
        template,
        revision=rollout.revision,
        split=Split(((CANARY, rollout.weight),)) if has_canary else Split(),
        halted=frozenset({CANARY}) if has_canary and rollout.halted else frozenset(),
        sticky=replace(template.sticky, salt=rollout.salt),
    )


def _backend(name: str, backend: schema.Backend) -> Backend:
    trust = _trust(backend.tls)
    return Backend(name, tuple(Endpoint.parse(url, trust) for url in backend.endpoints), backend.version)


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
        return Sticky("cookie", sticky.cookie, sticky.issue)
    if sticky.header:
        return Sticky("header", sticky.header)
    return Sticky("client-ip")
