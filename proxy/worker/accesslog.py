"""The access log: exchanges are noted as they end, and become lines together, off their path."""

import asyncio
import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from proxy.counted import counted, were
from proxy.forwarding.accounts import NoAccessLog, Refusal
from proxy.forwarding.data_plane import DataPlane
from proxy.forwarding.exchange import Exchange
from proxy.routing.table import Choice
from proxy.telemetry.accesslog import FORMATS, Access
from proxy.telemetry.outcome import REFUSED

log = logging.getLogger(__name__)

LIMIT = 20_000
"""Lines that wait at most: a reader of the log that stands still must not stop the traffic."""

Note = tuple[Exchange | Refusal, str, float]


class AccessLogSwitch:
    """The access log of a worker's data plane: switched on and off, and its style changed."""

    def __init__(self, plane: DataPlane, write: Callable[[bytes], object] | None = None) -> None:
        self._plane = plane
        self._write = write
        self._log: AccessLog | None = None
        self._closing: asyncio.Future[None] | None = None
        """The end of a log that was switched off."""

    def __repr__(self) -> str:
        return f"<AccessLogSwitch {self._log or 'off'}>"

    def switch(self, style: str) -> None:
        """Write in this style, a name in `proxy.telemetry.accesslog.FORMATS`; `off`: write no more."""
        plane = self._plane
        if style == "off":
            if self._log is not None:  # what was noted is written all the same
                self._closing = asyncio.ensure_future(self._log.close())
            plane.accounts.access, self._log = NoAccessLog(), None
        elif self._log is None:
            plane.accounts.access = self._log = AccessLog(style, plane.unix_now() - plane.now(), self._write)
        else:
            self._log.restyle(style)

    def flush(self) -> None:
        """Write what was noted."""
        if self._log is not None:
            self._log.flush()

    async def close(self) -> None:
        """Write what is left, and wait for it."""
        if self._closing is not None:
            await self._closing
        if self._log is not None:
            await self._log.close()


class AccessLog:
    """The access log of one worker, on standard output.

    Args:
        style: a name in `proxy.telemetry.accesslog.FORMATS`.
        since: what to add to the plane's clock to get Unix time.
        write: takes whole lines; may block, and is called in a thread of its own.
    """

    def __init__(self, style: str, since: float, write: Callable[[bytes], object] | None = None) -> None:
        self._format = FORMATS[style]
        self._since = since
        self._write = write or _to_stdout
        self._notes: list[Note] = []
        self._dropped = 0
        self._failing = False
        self._thread = ThreadPoolExecutor(1, "access-log")
        self._writing: asyncio.Future[object] | None = None

    def __repr__(self) -> str:
        return f"<AccessLog {len(self._notes)} waiting, {self._dropped} dropped>"

    def restyle(self, style: str) -> None:
        """Write in another style from the next lines on."""
        self._format = FORMATS[style]

    def note(self, exchange: Exchange, client: str, now: float) -> None:
        """Note one exchange that is over at this time."""
        self._keep((exchange, client, now))

    def refused(self, refusal: Refusal, client: str, now: float) -> None:
        """Note one request that was turned away at this time."""
        self._keep((refusal, client, now))

    def _keep(self, note: Note) -> None:
        if len(self._notes) < LIMIT:
            self._notes.append(note)
        else:
            self._dropped += 1

    def flush(self) -> None:
        """Write what was noted, unless the last lines are still being written."""
        if self._writing is not None and not self._writing.done():
            return
        self._look_back()
        if self._dropped:
            lines = counted(self._dropped, "line")
            log.warning("%s of the access log %s dropped: its reader is too slow", lines, were(self._dropped))
            self._dropped = 0
        if self._notes:
            notes, self._notes = self._notes, []
            loop = asyncio.get_running_loop()
            self._writing = loop.run_in_executor(self._thread, self._write_lines, notes)

    async def close(self) -> None:
        """Write what is left, and wait for it."""
        for _ in range(2):
            if self._writing is not None:
                await asyncio.wait([self._writing])
            self.flush()
        self._thread.shutdown()

    def _look_back(self) -> None:
        """Warn once that lines can't be written; a log that is full or closed must not stop the traffic."""
        if self._writing is None:
            return
        error, self._writing = self._writing.exception(), None
        if error is not None and not self._failing:
            log.warning("lines of the access log are lost: standard output can't be written: %s", error)
        self._failing = error is not None

    def _write_lines(self, notes: list[Note]) -> None:
        lines = [self._format(_access(*note, self._since)) for note in notes]
        self._write("".join(f"{line}\n" for line in lines).encode())


def _access(over: Exchange | Refusal, client: str, now: float, since: float) -> Access:
    if isinstance(over, Refusal):
        return _access_refused(over, client, now + since)
    return _access_exchange(over, client, now, since)


def _access_refused(refusal: Refusal, client: str, when: float) -> Access:
    head = refusal.head
    return Access(
        when=when,
        client=client,
        method=head.method,
        target=head.target,
        version=f"HTTP/1.{head.minor}" if refusal.read else "",
        status=refusal.status,
        bytes_out=refusal.bytes_out,
        referer=_first(head.values(b"referer")),
        user_agent=_first(head.values(b"user-agent")),
        host=head.host,
        request_id=refusal.request_id,
        service="",
        backend="",
        endpoint="",
        address="",
        why="",
        ending=REFUSED,
        reason=refusal.reason,
        rescued="",
        overdue=False,
        seconds=0.0,
        upstream_seconds=None,
    )


def _access_exchange(exchange: Exchange, client: str, now: float, since: float) -> Access:
    head, choice = exchange.head, exchange.choice
    endpoint, address = _upstream(choice)
    assert exchange.ending is not None, exchange
    upstream_seconds = None
    if exchange.answered is not None and exchange.sent is not None:
        upstream_seconds = exchange.answered - exchange.sent
    return Access(
        when=now + since,
        client=client,
        method=head.method,
        target=head.target,
        version=f"HTTP/1.{head.minor}",
        status=exchange.status,
        bytes_out=max(0, exchange.bytes_out),
        referer=_first(head.values(b"referer")),
        user_agent=_first(head.values(b"user-agent")),
        host=head.host,
        request_id=exchange.request_id,
        service=choice.service.name,
        backend=choice.backend,
        endpoint=endpoint,
        address=address,
        why=choice.why,
        ending=exchange.ending,
        reason=exchange.reason,
        rescued=exchange.failed,
        overdue=exchange.waited,
        seconds=now - exchange.started,
        upstream_seconds=upstream_seconds,
    )


def _upstream(choice: Choice) -> tuple[str, str]:
    """Return the endpoint of a choice as it was written, and its address; empty when none was asked."""
    address = choice.address
    return (address.endpoint.url, address.socket) if address else ("", "")


def _first(values: list[bytes]) -> bytes:
    return values[0] if values else b""


def _to_stdout(data: bytes) -> None:
    while data:
        data = data[os.write(1, data) :]
