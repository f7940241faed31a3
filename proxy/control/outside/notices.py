"""Notices to receivers: in order for each of them, again when one fails, and nothing waits for them."""

import asyncio
import json
import logging
import secrets
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import aiohttp

from proxy.config import schema
from proxy.control.outside.posting import Letter, post

log = logging.getLogger(__name__)

NoticeResult = Literal["sent", "failed", "dropped"]

MOST = 64
"""Notices that wait for one receiver; the oldest give way."""
TIMEOUT = 10.0
"""Seconds for an attempt."""
PAUSES = (1.0, 2.0, 4.0, 8.0)
"""Seconds before each further attempt."""
LAST_CHANCE = 1.0
"""Seconds that those who still wait have at the end."""
TOLD_BY_HOOKS = {"promotion": "after", "trip": "on-rollback", "abort": "on-rollback"}
"""Which hooks are told, and not asked, of an event."""


@dataclass(slots=True)
class _Queue:
    """What waits for one receiver of one service."""

    service: str
    host: str
    letters: deque[Letter] = field(default_factory=deque, repr=False)
    under_way: Letter | None = field(default=None, repr=False)
    """The one that is being told; it is no more among those that wait."""
    sending: "asyncio.Task[None] | None" = field(default=None, repr=False)
    failing: bool = False


class Notices:
    """Sends over a `session`. `counts` has every notice's end by service and result."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._session = session
        self._sleep = sleep
        self._wall = wall
        self._queues: dict[tuple[str, str, str], _Queue] = {}
        """By service, URL and secret."""
        self._closing = asyncio.Event()
        self.counts: Counter[tuple[str, str]] = Counter()

    def __repr__(self) -> str:
        waiting = sum(len(queue.letters) for queue in self._queues.values())
        return f"<Notices, {waiting} waiting>"

    def expect(self, service: str) -> None:
        """Count a service from 0 on: Prometheus can't see that a series rose when it begins at 1."""
        for result in get_args(NoticeResult):
            self.counts[service, result] += 0

    def tell(self, service: str, file: schema.Service, news: dict[str, Any], text: str) -> None:
        """Tell those who want to know of `news`, an entry as the API shows it; `text` is for people."""
        for url, host, secret, body in _letters(service, file, news, text):
            self._send(service, host, Letter(url, body, secrets.token_hex(8), secret))

    async def close(self) -> None:
        """Try each of those who wait once more, without a pause, for a second in all; the rest is dropped."""
        self._closing.set()
        sending = [queue.sending for queue in self._queues.values() if queue.sending]
        if sending:
            await asyncio.wait(sending, timeout=LAST_CHANCE)
        for queue in self._queues.values():
            if queue.sending:
                queue.sending.cancel()
            self.counts[queue.service, "dropped"] += len(queue.letters) + (queue.under_way is not None)
            queue.letters.clear()
        await asyncio.gather(*sending, return_exceptions=True)

    def _send(self, service: str, host: str, letter: Letter) -> None:
        if self._closing.is_set():
            self.counts[service, "dropped"] += 1
            return
        key = service, letter.url, letter.secret
        queue = self._queues.setdefault(key, _Queue(service, host))
        if len(queue.letters) >= MOST:
            queue.letters.popleft()
            self.counts[service, "dropped"] += 1
        queue.letters.append(letter)
        if queue.sending is None or queue.sending.done():
            queue.sending = asyncio.create_task(self._drain(queue))

    async def _drain(self, queue: _Queue) -> None:
        """Send what waits, one after the other."""
        while queue.letters:
            letter = queue.under_way = queue.letters.popleft()
            result = await self._deliver(queue, letter)
            queue.under_way = None
            self.counts[queue.service, result] += 1

    async def _deliver(self, queue: _Queue, letter: Letter) -> NoticeResult:
        says = ""
        for pause in (*PAUSES, None):
            last = self._closing.is_set()
            answered = await post(self._session, letter, TIMEOUT, self._wall())
            if answered.agrees:
                if queue.failing:
                    log.info("%s: notices reach %s again", queue.service, queue.host)
                queue.failing = False
                return "sent"
            says = answered.says
            if pause is None or not answered.passing or last:
                break
            await self._rest(pause)
        if not queue.failing:
            log.warning("%s: notices don't reach %s: %s", queue.service, queue.host, says)
        queue.failing = True
        return "failed"

    async def _rest(self, seconds: float) -> None:
        """Pause, unless the end comes first."""
        resting = asyncio.ensure_future(self._sleep(seconds))
        ending = asyncio.ensure_future(self._closing.wait())
        try:
            await asyncio.wait([resting, ending], return_when=asyncio.FIRST_COMPLETED)
        finally:
            resting.cancel()
            ending.cancel()


def _letters(
    service: str, file: schema.Service, news: dict[str, Any], text: str
) -> Iterator[tuple[str, str, str, bytes]]:
    """URL, host, secret and body for everybody who wants to know."""
    event = news["event"]
    whole = {"service": service, "event": event, "entry": news, "text": text}
    for hook in file.hooks:
        if TOLD_BY_HOOKS.get(event) == hook.at:
            yield hook.url, hook.host, hook.secret or "", json.dumps({"at": hook.at, **whole}).encode()
    for receiver in file.notify:
        if event in receiver.events:
            body = whole if receiver.format == "json" else {"text": _escaped(text)}
            yield receiver.url, receiver.host, receiver.secret or "", json.dumps(body).encode()


def _escaped(text: str) -> str:
    """As chats take it: a reason such as `<!channel>` must wake up nobody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
