"""The active probes of all services: which endpoints are probed, how often, and which are dead.

An endpoint is probed once for each service that has it, however many workers there are; these are sent the
dead ones. Nothing is sent of a service before all its endpoints are known: a control that starts anew must
not bring back those that the one before it has found dead.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from proxy.health.condition import UNKNOWN, EndpointCondition, Proof, probed
from proxy.health.probe import Prober
from proxy.routing.endpoint import Endpoint

log = logging.getLogger(__name__)

AT_ONCE = 100
"""Probes under way at a time: their connections must not use up the file descriptors."""
CHECK_SECONDS = 2.0
"""Seconds that an answer is awaited at a service without `health`."""
SPREAD = 0.1
"""The part (0..1) by which an interval is longer or shorter at most, lest all are probed at the same time."""

Backends = Mapping[str, Sequence[Endpoint]]
Dead = Mapping[str, tuple[str, ...]]
"""URLs by backend."""
Changed = Callable[[str, Dead], None]
"""Called with a service and its dead endpoints, all that there are."""
Wait = Callable[[float], Awaitable[None]]
"""Waits for about so many seconds."""


class ProbeSettings(Proof, Protocol):
    """How the endpoints of a service are probed."""

    @property
    def path(self) -> str:
        """The path that is requested."""

    @property
    def interval(self) -> float:
        """Seconds from one answer to the next probe."""

    @property
    def timeout(self) -> float:
        """Seconds that an answer is awaited."""


class ProbesOnce(Protocol):
    """What probes an endpoint once."""

    async def probe(self, endpoint: Endpoint, path: str | None, seconds: float) -> str:
        """Return what went wrong, in words; "" when the endpoint answers."""


async def about(seconds: float) -> None:
    """Wait for about so many seconds, a little more or less."""
    await asyncio.sleep(seconds * random.uniform(1 - SPREAD, 1 + SPREAD))


@dataclass(slots=True)
class _Watched:
    """One service whose endpoints are probed."""

    health: ProbeSettings
    backends: Backends
    conditions: dict[Endpoint, EndpointCondition]
    reported: Dead | None = None
    """The dead endpoints that were reported last; None before the first report."""
    tasks: dict[Endpoint, asyncio.Task[None]] = field(default_factory=dict)

    def news(self) -> Dead | None:
        """Return the dead endpoints if they have to be reported now, else None."""
        dead = self.dead()
        known = all(condition.state != "unknown" for condition in self.conditions.values())
        if dead == self.reported or not (known or self.reported is not None):
            return None
        self.reported = dead
        return dead

    def dead(self) -> Dead:
        found = {
            backend: tuple(each.url for each in endpoints if self.conditions[each].state == "dead")
            for backend, endpoints in self.backends.items()
        }
        return {backend: urls for backend, urls in found.items() if urls}

    def stop(self, endpoint: Endpoint) -> None:
        if endpoint in self.tasks:
            self.tasks.pop(endpoint).cancel()


class Probes:
    """All endpoints that are probed. `watch` may be called at any time, and `run` does the work.

    `changed` is called when the dead endpoints of a service are known, and whenever they change.
    """

    def __init__(self, changed: Changed, prober: ProbesOnce | None = None, pause: Wait = about) -> None:
        self._changed = changed
        self._prober = prober or Prober()
        self._pause = pause
        self._watched: dict[str, _Watched] = {}
        self._group: asyncio.TaskGroup | None = None
        self._places = asyncio.Semaphore(AT_ONCE)

    def __repr__(self) -> str:
        endpoints = sum(len(each.conditions) for each in self._watched.values())
        dead = sum(len(urls) for each in self._watched.values() for urls in each.dead().values())
        return f"<Probes {endpoints} endpoints of {len(self._watched)} services, {dead} dead>"

    @property
    def running(self) -> int:
        """How many endpoints are being probed."""
        return sum(len(each.tasks) for each in self._watched.values())

    async def run(self) -> None:
        """Probe until cancelled. Anything unforeseen ends it with an exception group."""
        try:
            async with asyncio.TaskGroup() as self._group:
                for name in self._watched:
                    self._start(name)
                await asyncio.get_running_loop().create_future()
        finally:
            self._group = None

    def watch(self, service: str, backends: Backends, health: ProbeSettings | None) -> None:
        """Probe these endpoints of a service from now on, and no others; `health` None: none at all.

        What is known of an endpoint stays known, also when it goes over to another backend.
        """
        if health is None:
            self.forget(service)
            return
        before = self._watched.get(service)
        known = before.conditions if before else {}
        endpoints = [each for side in backends.values() for each in side]
        now = _Watched(
            health,
            backends,
            {each: known.get(each, UNKNOWN) for each in endpoints},
            before.reported if before else None,
            before.tasks if before else {},
        )
        self._watched[service] = now
        if before:
            for endpoint in tuple(now.tasks):
                if endpoint not in now.conditions or before.health != health:
                    now.stop(endpoint)
        self._start(service)
        self._report(service)

    def forget(self, service: str) -> None:
        """Probe a service no longer; none of its endpoints is dead any more."""
        watched = self._watched.pop(service, None)
        if watched is None:
            return
        for endpoint in tuple(watched.tasks):
            watched.stop(endpoint)
        if watched.reported:
            self._changed(service, {})

    async def check(self, endpoints: Sequence[Endpoint], health: ProbeSettings | None) -> str:
        """Probe each of these once; return "" when at least one answers, else why none does.

        Without `health` any answer to a request for / will do.
        """
        path, seconds = (health.path, health.timeout) if health else (None, CHECK_SECONDS)
        reasons = await asyncio.gather(*(self._probe(endpoint, path, seconds) for endpoint in endpoints))
        if not reasons:
            return "there is no endpoint"
        if "" in reasons:
            return ""
        return "; ".join(f"{endpoint}: {why}" for endpoint, why in zip(endpoints, reasons, strict=True))

    def conditions(self, service: str) -> Mapping[str, str]:
        """Return the conditions of a service's endpoints, in words by URL; {} where none is probed."""
        watched = self._watched.get(service)
        return {each.url: str(condition) for each, condition in watched.conditions.items()} if watched else {}

    def up(self) -> Mapping[tuple[str, str, str], bool]:
        """Return whether endpoints are alive, by service, backend and URL; those that are known."""
        return {
            (name, backend, each.url): watched.conditions[each].state == "alive"
            for name, watched in self._watched.items()
            for backend, endpoints in watched.backends.items()
            for each in endpoints
            if watched.conditions[each].state != "unknown"
        }

    # Within.

    def _start(self, service: str) -> None:
        if self._group is None:
            return
        watched = self._watched[service]
        for endpoint in watched.conditions:
            if endpoint not in watched.tasks:
                watched.tasks[endpoint] = self._group.create_task(self._probe_on(service, endpoint))

    async def _probe_on(self, service: str, endpoint: Endpoint) -> None:
        while True:
            health = self._watched[service].health
            self._note(service, endpoint, await self._probe(endpoint, health.path, health.timeout))
            await self._pause(health.interval)

    async def _probe(self, endpoint: Endpoint, path: str | None, seconds: float) -> str:
        async with self._places:
            return await self._prober.probe(endpoint, path, seconds)

    def _note(self, service: str, endpoint: Endpoint, why: str) -> None:
        watched = self._watched[service]
        before = watched.conditions[endpoint]
        now = watched.conditions[endpoint] = probed(before, why, watched.health)
        if now.state == "dead" != before.state:
            log.warning("%s of %s is dead: %s", endpoint, service, why)
        elif before.state == "dead" != now.state:
            log.warning("%s of %s is alive again", endpoint, service)
        self._report(service)

    def _report(self, service: str) -> None:
        if (dead := self._watched[service].news()) is not None:
            self._changed(service, dead)
