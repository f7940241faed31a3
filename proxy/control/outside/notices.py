"""Notices to receivers: in order for each of them, repeated when one fails, and nothing waits for them."""

import asyncio
import json
import logging
import secrets
from collections import Counter, deque
from collections.abc import Iterator
from typing import Any, Literal, get_args

from proxy.config import schema
from proxy.control.outside.posting import PAUSES, Letter, Poster, count_from_zero

log = logging.getLogger(__name__)

NoticeResult = Literal["sent", "failed", "dropped"]
Results = Counter[tuple[str, str]]
"""Notices by service and result."""

MOST = 64
"""Notices that wait for one receiver; the oldest are dropped for newer ones."""
TIMEOUT = 10.0
"""Seconds for an attempt."""
LAST_CHANCE = 1.0
"""Seconds that the notices which still wait have at the end."""
NOTIFIED_HOOKS = {"promotion": "after", "trip": "on-rollback", "abort": "on-rollback"}
"""Which hooks are notified of an event, and not asked."""


class Queue:
    """The notices that wait for one receiver of one service.

    Args:
        service: its name.
        host: the receiver, as it may be logged.
        poster: sends.
        results: counts the end of each notice.
        closing: set at the end of control, when pauses are cut short and one attempt is left.
    """

    def __init__(
        self, service: str, host: str, *, poster: Poster, results: Results, closing: asyncio.Event
    ) -> None:
        self._service = service
        self._host = host
        self._poster = poster
        self._results = results
        self._closing = closing
        self.letters: deque[Letter] = deque()
        """The letters that wait, without the one that is being sent."""
        self._under_way: Letter | None = None
        self._sending: asyncio.Task[None] | None = None
        self._failing = False

    def __repr__(self) -> str:
        return f"<Queue of {self._service} to {self._host}, {len(self.letters)} waiting>"

    def put(self, letter: Letter) -> None:
        """Send a letter behind those that wait."""
        if len(self.letters) >= MOST:
            self.letters.popleft()
            self._results[self._service, "dropped"] += 1
        self.letters.append(letter)
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._drain())

    async def sent(self) -> None:
        """Wait until no letter is left."""
        if self._sending is not None:
            await asyncio.wait([self._sending])

    def drop(self) -> None:
        """Drop the letters that are left."""
        if self._sending is not None:
            self._sending.cancel()
        self._results[self._service, "dropped"] += len(self.letters) + (self._under_way is not None)
        self.letters.clear()

    async def _drain(self) -> None:
        """Send what waits, one after the other."""
        while self.letters:
            letter = self._under_way = self.letters.popleft()
            result = await self._deliver(letter)
            self._under_way = None
            self._results[self._service, result] += 1

    async def _deliver(self, letter: Letter) -> NoticeResult:
        reason = ""
        for attempt in range(len(PAUSES) + 1):
            last = self._closing.is_set() or attempt == len(PAUSES)
            answer = await self._poster.post(letter, TIMEOUT)
            if answer.agrees:
                if self._failing:
                    log.info("%s: notices reach %s again", self._service, self._host)
                self._failing = False
                return "sent"
            reason = answer.reason
            if last or not answer.temporary:
                break
            await self._pause(attempt)
        if not self._failing:
            log.warning("%s: notices don't reach %s: %s", self._service, self._host, reason)
        self._failing = True
        return "failed"

    async def _pause(self, attempt: int) -> None:
        """Pause, unless the end comes first."""
        pausing = asyncio.ensure_future(self._poster.pause(attempt))
        ending = asyncio.ensure_future(self._closing.wait())
        try:
            await asyncio.wait([pausing, ending], return_when=asyncio.FIRST_COMPLETED)
        finally:
            pausing.cancel()
            ending.cancel()


class Notices:
    """Notices to all receivers. `counts` has the end of every notice by service and result."""

    def __init__(self, poster: Poster) -> None:
        self._poster = poster
        self._queues: dict[tuple[str, str, str], Queue] = {}
        """By service, URL and secret."""
        self._closing = asyncio.Event()
        self.counts: Results = Counter()

    def __repr__(self) -> str:
        return f"<Notices, {sum(len(queue.letters) for queue in self._queues.values())} waiting>"

    @property
    def queues(self) -> tuple[Queue, ...]:
        """One queue for each receiver of each service."""
        return tuple(self._queues.values())

    def expect(self, service: str) -> None:
        """Count the notices of a service from 0."""
        count_from_zero(self.counts, ((service, result) for result in get_args(NoticeResult)))

    def notify(self, service: str, file: schema.Service, news: dict[str, Any], text: str) -> None:
        """Notify the receivers of `news`, an entry as the API shows it; `text` is for people."""
        for url, host, secret, body in _letters(service, file, news, text):
            self._send(service, host, Letter(url, body, secrets.token_hex(8), secret))

    async def close(self) -> None:
        """Try each letter that is left once more, without a pause, for a second in all; drop the rest."""
        self._closing.set()
        if self._queues:
            sending = [asyncio.ensure_future(queue.sent()) for queue in self.queues]
            await asyncio.wait(sending, timeout=LAST_CHANCE)
            for queue in self.queues:
                queue.drop()
            await asyncio.gather(*sending)

    def _send(self, service: str, host: str, letter: Letter) -> None:
        if self._closing.is_set():
            self.counts[service, "dropped"] += 1
            return
        key = service, letter.url, letter.secret
        if key not in self._queues:
            self._queues[key] = Queue(
                service, host, poster=self._poster, results=self.counts, closing=self._closing
            )
        self._queues[key].put(letter)


def _letters(
    service: str, file: schema.Service, news: dict[str, Any], text: str
) -> Iterator[tuple[str, str, str, bytes]]:
    """Yield URL, host, secret and body for each receiver of an event."""
    event = news["event"]
    whole = {"service": service, "event": event, "entry": news, "text": text}
    for hook in file.hooks:
        if NOTIFIED_HOOKS.get(event) == hook.at:
            yield hook.url, hook.host, hook.secret or "", json.dumps({"at": hook.at, **whole}).encode()
    for receiver in file.notify:
        if event in receiver.events:
            body = whole if receiver.format == "json" else {"text": _escaped(text)}
            yield receiver.url, receiver.host, receiver.secret or "", json.dumps(body).encode()


def _escaped(text: str) -> str:
    """Escape a text for chats: a reason such as `<!channel>` must not notify a whole channel."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
