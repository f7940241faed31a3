"""Ledger entries as server-sent events, each with its ledger id, so that a client goes on where it stopped.

A stream subscribes before it reads what was missed: what happens in between is in both, and is sent once.
A subscriber that does not read is cut off when its queue is full. It comes back with Last-Event-ID and
misses nothing, while control has held at most a few hundred entries for it.
"""

import asyncio
import contextlib
import json
import logging
import re
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from aiohttp import web

from proxy.control.api.problems import HttpProblem
from proxy.counted import counted

KEEP_ALIVE = (
    15.0  # seconds of silence after which a comment is sent: proxies cut silent connections after 30 or 60
)
BACKLOG = 256  # entries held for one subscriber
GRACE = 1.0  # seconds that subscribers have at shutdown to take what was sent
log = logging.getLogger(__name__)


class Feed(Protocol):
    """The source of entries."""

    async def entries_after(self, entry: int, /) -> list[dict[str, Any]]: ...

    def subscribe(self, callback: Callable[[dict[str, Any]], None], /) -> Callable[[], None]: ...


class Stream:
    """The entries that one subscriber is still to be sent. A closed stream takes and gives nothing more."""

    def __init__(self, cut: Callable[[], None], backlog: int) -> None:
        self._cut = cut  # drops the connection at once, whatever is stuck in it
        self._backlog = backlog
        self._entries: deque[dict[str, Any]] = deque()
        self._news = asyncio.Event()
        self.closed = False

    def __repr__(self) -> str:
        return f"<Stream {'closed' if self.closed else 'open'} waiting={len(self._entries)}>"

    def offer(self, entry: dict[str, Any]) -> None:
        """Take an entry for later; a subscriber too far behind is cut off instead."""
        if self.closed:
            return
        if len(self._entries) >= self._backlog:
            log.warning(
                "an event stream is %s behind and is closed", counted(self._backlog, "entry", "entries")
            )
            self.close()
            self._cut()
            return
        self._entries.append(entry)
        self._news.set()

    def close(self) -> None:
        """End the stream; `take` returns at once."""
        self.closed = True
        self._entries.clear()
        self._news.set()

    def cut(self) -> None:
        """Drop the connection."""
        self._cut()

    async def take(self, patience: float) -> list[dict[str, Any]]:
        """Return the entries that are due; none after `patience` seconds without any, and when closed."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._news.wait()
        self._news.clear()
        due = list(self._entries)
        self._entries.clear()
        return due


class Streams:
    """All open event streams of one API."""

    def __init__(self, feed: Feed, *, keep_alive: float = KEEP_ALIVE, backlog: int = BACKLOG) -> None:
        self._feed = feed
        self._keep_alive = keep_alive
        self._backlog = backlog
        self._open: set[Stream] = set()
        self._none_open = asyncio.Event()
        self._ending = False

    def __repr__(self) -> str:
        return f"<Streams {'ending' if self._ending else 'serving'} open={len(self._open)}>"

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer with events until the client leaves, falls behind or the API ends."""
        after = starting_point(request)
        if self._ending:
            raise HttpProblem(503, "control is shutting down; connect again in a moment")
        stream = Stream(lambda: abort(request), self._backlog)
        self._open.add(stream)
        unsubscribe = self._feed.subscribe(stream.offer)
        try:
            missed = [] if after is None else await self._feed.entries_after(after)
            return await self._send(request, stream, missed)
        finally:
            unsubscribe()
            self._open.discard(stream)
            if not self._open:
                self._none_open.set()

    async def _send(
        self, request: web.Request, stream: Stream, missed: list[dict[str, Any]]
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        try:
            await response.prepare(request)
            await response.write(b"retry: 1000\n\n")  # also makes the head leave before the first event
            await self._pump(response, stream, missed)
        except ConnectionError:
            pass  # the client has left, which is how most streams end
        except Exception:  # the head is out, and no problem can follow it: the stream ends, the log has why
            log.exception("an event stream failed")
            abort(request)
        return response

    async def _pump(self, response: web.StreamResponse, stream: Stream, missed: list[dict[str, Any]]) -> None:
        sent = -1
        for entry in missed:
            await response.write(frame(entry))
            sent = entry["id"]
        while not stream.closed:
            due = await stream.take(self._keep_alive)
            if not due and not stream.closed:
                await response.write(b": still here\n\n")
            for entry in due:
                if entry["id"] > sent:
                    await response.write(frame(entry))

    async def close(self, _app: web.Application) -> None:
        """End every stream; where the client does not read, cut it after a second: no shutdown hangs."""
        self._ending = True
        self._none_open.clear()
        for stream in self._open:
            stream.close()
        if self._open:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GRACE):
                    await self._none_open.wait()
        for stream in self._open:
            stream.cut()


def frame(entry: dict[str, Any]) -> bytes:
    """Return an entry as an event. JSON has no line breaks of its own, so one data line holds any entry."""
    data = json.dumps(entry, allow_nan=False, separators=(",", ":"))
    return f"id: {entry['id']}\nevent: {entry['event']}\ndata: {data}\n\n".encode()


def starting_point(request: web.Request) -> int | None:
    """Return the id after which to begin; None for what happens from now on. Raises HttpProblem 400.

    Last-Event-ID wins over `?after=`: a browser that reconnects repeats the address it once was given.
    """
    text = request.headers.get("Last-Event-ID") or request.query.get("after")
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise HttpProblem(
            400, f"{text!r} is no event id; expected the whole number of a ledger entry, such as 12"
        )
    return int(text)


def abort(request: web.Request) -> None:
    """Drop the connection without waiting for what is still to be sent."""
    if request.transport is not None:
        request.transport.abort()
