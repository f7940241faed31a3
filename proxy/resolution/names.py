"""All names that are in use, each asked for again and again.

One look-up at a time for each name and family, however many wait for it. IPv4 and IPv6 are asked for apart,
so that a server that is silent about one of them holds up nothing.
"""

import asyncio
import contextlib
import logging
import random
import socket
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Protocol

from proxy.resolution import followed_name
from proxy.resolution.channel import Resolved, Unanswered
from proxy.resolution.followed_name import FAMILIES, FollowedName

log = logging.getLogger(__name__)

SHORTEST, LONGEST = 1.0, 10.0
"""Seconds from an answer to the next question: as long as it is good, within these bounds."""
SPREAD = 0.1
"""The part (0..1) of it by which the next question comes earlier, at most, lest all are asked at once."""
KEPT = 60.0
"""Seconds for which a name is followed that was waited for and isn't in use yet."""
TOGETHER = 0.02
"""Seconds for which changes are collected before they are reported."""

Relocated = Callable[[Mapping[str, tuple[str, ...]]], None]


class Asks(Protocol):
    """The way to the name servers."""

    async def ask(self, name: str, family: socket.AddressFamily) -> Resolved:
        """Return the addresses of a name. Raises Unanswered."""


class Names:
    """The names of all services.

    Args:
        lookups: the way to the name servers.
        changed: called with the names whose addresses are others than before; () for one that nobody uses.
        routed: whether there is a route to an address.
    """

    def __init__(
        self, lookups: Asks, changed: Relocated, routed: Callable[[str], bool] = followed_name.routed
    ) -> None:
        self._lookups = lookups
        self._changed = changed
        self._routed = routed
        self._names: dict[str, FollowedName] = {}
        self._located: dict[str, tuple[str, ...]] = {}
        self._tasks: dict[str, list[asyncio.Task[None]]] = {}
        self._used: dict[str, frozenset[str]] = {}
        """The names of each service."""
        self._awaited: dict[str, float] = {}
        """Until when a name is followed that was waited for, by the loop's clock."""
        self._warned: dict[str, str] = {}
        self._news: dict[str, tuple[str, ...]] = {}
        self._reporting: asyncio.TimerHandle | None = None
        self._learned = asyncio.Condition()
        self._broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def __repr__(self) -> str:
        return f"<Names {len(self._names)}>"

    @property
    def located(self) -> Mapping[str, tuple[str, ...]]:
        """The addresses of each name that has any."""
        return self._located

    def failure(self, name: str) -> str:
        """Return why a name can't be resolved now; empty when it can, or nobody uses it."""
        return self._names[name].failure if name in self._names else ""

    async def run(self) -> None:
        """Wait until cancelled; what was unforeseen in a look-up is raised here."""
        try:
            await self._broken
        finally:  # nothing is reported: workers go on with the addresses that they have
            for task in (task for each in self._tasks.values() for task in each):
                task.cancel()
            if self._reporting is not None:
                self._reporting.cancel()

    def use(self, service: str, names: Collection[str]) -> None:
        """Follow these names of a service from now on, and no others of it."""
        if names:
            self._used[service] = frozenset(names)
        else:
            self._used.pop(service, None)
        for name in names:
            self._follow(name)
        self._drop_unused()

    async def known(self, names: Iterable[str], seconds: float, *, anew: bool = False) -> None:
        """Wait until these names are resolved, or certainly can't be, but no longer than this.

        `anew`: ask for all names again, and wait for the answers of these.
        """
        waiting = frozenset(names)
        for name in waiting:
            self._follow(name)
            self._awaited[name] = self._now() + KEPT
        least = {name: self._names[name].lookups + len(FAMILIES) * anew for name in waiting}
        if anew:
            for name in self._names:
                self._ask_anew(name)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds), self._learned:
                await self._learned.wait_for(lambda: all(self._has(*each) for each in least.items()))
        for name in sorted(waiting & self._names.keys()):
            if not self._names[name].known:
                log.warning("%s isn't resolved yet: its endpoints get no requests until it is", name)
        self._report()

    def _has(self, name: str, lookups: int) -> bool:
        each = self._names.get(name)
        return each is None or (each.known and each.lookups >= lookups)

    def _follow(self, name: str) -> None:
        if name in self._names:
            return
        self._names[name] = FollowedName(self._routed)
        self._ask_anew(name)

    def _ask_anew(self, name: str) -> None:
        """Ask at once, and drop what is under way: it went to servers that may be others now."""
        each = self._names[name]
        for task in self._tasks.get(name, ()):
            task.cancel()
        self._tasks[name] = []
        for family in FAMILIES:
            task = asyncio.get_running_loop().create_task(self._ask_on(name, each, family))
            task.add_done_callback(self._task_ended)
            self._tasks[name].append(task)

    def _drop_unused(self) -> None:
        now = self._now()
        self._awaited = {name: until for name, until in self._awaited.items() if until > now}
        for name in self._names.keys() - self._awaited.keys() - frozenset().union(*self._used.values()):
            self._drop(name)

    def _drop(self, name: str) -> None:
        del self._names[name]
        for task in self._tasks.pop(name):
            task.cancel()
        self._warned.pop(name, None)
        if self._located.pop(name, ()):
            self._note(name, ())

    async def _ask_on(self, name: str, each: FollowedName, family: socket.AddressFamily) -> None:
        wait = SHORTEST
        while True:
            try:
                found = await self._lookups.ask(name, family)
            except Unanswered as unanswered:
                moved = each.failed(family, str(unanswered))
                wait = min(2 * wait, LONGEST)
            else:
                moved = each.answered(family, found)
                wait = min(max(found.ttl, SHORTEST), LONGEST)
            if moved:
                self._located[name] = each.addresses
                log.info("%s is at %s", name, ", ".join(each.addresses))
                self._note(name, each.addresses)
            self._warn(name, each)
            async with self._learned:
                self._learned.notify_all()
            await asyncio.sleep(wait * random.uniform(1 - SPREAD, 1))

    def _warn(self, name: str, each: FollowedName) -> None:
        """Log why a name can't be resolved, once for each reason."""
        failure = each.failure
        if failure and failure != self._warned.get(name):
            kept = "its last addresses stay in use" if each.addresses else "its endpoints get no requests"
            log.warning("%s can't be resolved: %s; %s", name, failure, kept)
        self._warned[name] = failure

    def _note(self, name: str, addresses: tuple[str, ...]) -> None:
        self._news[name] = addresses
        if self._reporting is None:
            self._reporting = asyncio.get_running_loop().call_later(TOGETHER, self._report)

    def _report(self) -> None:
        if self._reporting is not None:
            self._reporting.cancel()
            self._reporting = None
        news, self._news = self._news, {}
        if news:
            self._changed(news)

    def _task_ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) and not self._broken.done():
            self._broken.set_exception(error)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
