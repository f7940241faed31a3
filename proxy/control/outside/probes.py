"""The active probes of all services: which addresses are probed, how often, and which are dead.

An address is probed once for each service that has it, however many workers there are; these are sent the
dead ones. Nothing is sent of a service before all its addresses are known: a control that starts anew must
not bring back those that the one before it has found dead.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from proxy.health.condition import UNKNOWN, EndpointCondition, Proof, probed
from proxy.health.probe import Question
from proxy.routing.address import Address

log = logging.getLogger(__name__)

AT_ONCE = 100
"""Probes under way at a time: their connections must not use up the file descriptors."""
CHECK_SECONDS = 2.0
"""Seconds that an answer is awaited at a service without `health`."""
SPREAD = 0.1
"""The part (0..1) by which an interval is longer or shorter at most, lest all are probed at the same time."""

Backends = Mapping[str, Sequence[Address]]
Dead = frozenset[tuple[str, str]]
"""Endpoint (by its identity) and IP of dead addresses."""
Changed = Callable[[str, Dead], None]
"""Called with a service and its dead addresses, all that there are."""
Wait = Callable[[float], Awaitable[None]]
"""Waits for about so many seconds."""


class ProbeSettings(Question, Proof, Protocol):
    """How the addresses of a service are probed."""

    @property
    def interval(self) -> float:
        """Seconds from one answer to the next probe."""

    @property
    def timeout(self) -> float:
        """Seconds that an answer is awaited."""


class ProbesOnce(Protocol):
    """What probes an address once."""

    async def probe(self, address: Address, question: Question | None, seconds: float) -> str:
        """Return what went wrong, in words; "" when the address answers."""


async def about(seconds: float) -> None:
    """Wait for about so many seconds, a little more or less."""
    await asyncio.sleep(seconds * random.uniform(1 - SPREAD, 1 + SPREAD))


@dataclass(slots=True)
class _Watched:
    """One service whose addresses are probed."""

    health: ProbeSettings
    backends: Backends
    conditions: dict[Address, EndpointCondition]
    reported: Dead | None = None
    """The dead addresses that were reported last; None before the first report."""
    tasks: dict[Address, asyncio.Task[None]] = field(default_factory=dict)

    def news(self) -> Dead | None:
        """Return the dead addresses if they have to be reported now, else None."""
        dead = self.dead()
        known = bool(self.conditions) and all(
            condition.state != "unknown" for condition in self.conditions.values()
        )
        if dead == self.reported or not (known or self.reported is not None):
            return None
        self.reported = dead
        return dead

    def dead(self) -> Dead:
        """Return the addresses that are dead; one of two trusts that is alive keeps the other in service."""
        alive = {_key(one) for one, condition in self.conditions.items() if condition.state != "dead"}
        return frozenset(map(_key, self.conditions)) - alive

    def stop(self, address: Address) -> None:
        if address in self.tasks:
            self.tasks.pop(address).cancel()


class Probes:
    """All addresses that are probed. `watch` may be called at any time, and `run` does the work.

    `changed` is called when the dead addresses of a service are known, and whenever they change.
    """

    def __init__(self, changed: Changed, prober: ProbesOnce, pause: Wait = about) -> None:
        self._changed = changed
        self._prober = prober
        self._pause = pause
        self._watched: dict[str, _Watched] = {}
        self._group: asyncio.TaskGroup | None = None
        self._places = asyncio.Semaphore(AT_ONCE)

    def __repr__(self) -> str:
        addresses = sum(len(each.conditions) for each in self._watched.values())
        dead = sum(len(each.dead()) for each in self._watched.values())
        return f"<Probes {addresses} addresses of {len(self._watched)} services, {dead} dead>"

    @property
    def running(self) -> int:
        """How many addresses are being probed."""
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
        """Probe these addresses of a service from now on, and no others; `health` None: none at all.

        What is known of an address stays known, also when it goes over to another backend.
        """
        if health is None:
            self.forget(service)
            return
        before = self._watched.get(service)
        known = before.conditions if before else {}
        addresses = [each for side in backends.values() for each in side]
        now = _Watched(
            health,
            backends,
            {each: known.get(each, UNKNOWN) for each in addresses},
            before.reported if before else None,
            before.tasks if before else {},
        )
        self._watched[service] = now
        if before:
            for address in tuple(now.tasks):
                if address not in now.conditions or before.health != health:
                    now.stop(address)
        self._start(service)
        self._report(service)

    def forget(self, service: str) -> None:
        """Probe a service no longer; none of its addresses is dead any more."""
        watched = self._watched.pop(service, None)
        if watched is None:
            return
        for address in tuple(watched.tasks):
            watched.stop(address)
        if watched.reported != frozenset():  # None: workers may have what an earlier control sent
            self._changed(service, frozenset())

    async def check(self, addresses: Sequence[Address], health: ProbeSettings | None) -> str:
        """Probe each of these once; return "" when at least one answers, else why none does.

        Without `health` any answer to a request for / will do.
        """
        seconds = health.timeout if health else CHECK_SECONDS
        reasons = await asyncio.gather(*(self._probe(one, health, seconds) for one in addresses))
        if not reasons:
            return "there is no address"
        if "" in reasons:
            return ""
        return "; ".join(f"{one}: {why}" for one, why in zip(addresses, reasons, strict=True))

    def conditions(self, service: str) -> Mapping[Address, str]:
        """Return the conditions of a service's addresses, in words; {} where none is probed."""
        watched = self._watched.get(service)
        return {one: str(condition) for one, condition in watched.conditions.items()} if watched else {}

    # Within.

    def _start(self, service: str) -> None:
        if self._group is None:
            return
        watched = self._watched[service]
        for address in watched.conditions:
            if address not in watched.tasks:
                watched.tasks[address] = self._group.create_task(self._probe_on(service, address))

    async def _probe_on(self, service: str, address: Address) -> None:
        while True:
            health = self._watched[service].health
            self._note(service, address, await self._probe(address, health, health.timeout))
            await self._pause(health.interval)

    async def _probe(self, address: Address, question: Question | None, seconds: float) -> str:
        async with self._places:
            return await self._prober.probe(address, question, seconds)

    def _note(self, service: str, address: Address, why: str) -> None:
        watched = self._watched[service]
        before = watched.conditions[address]
        now = watched.conditions[address] = probed(before, why, watched.health)
        if now.state == "dead" != before.state:
            log.warning("%s of %s is dead: %s", address, service, why)
        elif before.state == "dead" != now.state:
            log.warning("%s of %s is alive again", address, service)
        self._report(service)

    def _report(self, service: str) -> None:
        if (dead := self._watched[service].news()) is not None:
            self._changed(service, dead)


def _key(address: Address) -> tuple[str, str]:
    return address.endpoint.identity, address.ip
