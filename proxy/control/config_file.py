"""The config file: read again, and put in force as a whole or not at all."""

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from proxy.config.admin import KEPT_TOKEN, token_in
from proxy.config.diff import Changes, pinned
from proxy.config.problems import Problems
from proxy.config.reader import decode, read
from proxy.config.schema import Config
from proxy.control.errors import ControlError, Unreadable
from proxy.ledger.errors import LedgerError, NotDurable

log = logging.getLogger(__name__)

UNUSED = "not-in-force-before-a-restart"
"""Stands for a token that is not in force."""


ACCEPTED = "accepted.yaml"
"""The name of the text that a reload put in force, beside the one of the start."""


@dataclass(frozen=True, slots=True)
class ConfigFiles:
    """The config file and its private copies."""

    source: str
    """The file as it was named on the command line, for messages."""
    kept: Path
    """The private copy of its text at the start. Keys that need a restart keep their values of that."""
    path: str = ""
    """The file to read again; "" where `weir run` had none."""

    @property
    def accepted(self) -> Path:
        """The private copy of the text that was accepted last, if any was."""
        return self.kept.with_name(ACCEPTED)

    def in_force(self) -> Config:
        """Return the config that is in force when control begins. OSError and Problems go to the caller."""
        start = self._kept(self.kept)
        return pinned(self._kept(self.accepted), start) if self.accepted.exists() else start

    def again(self) -> tuple[str, Config]:
        """Return the text of the file now, and its config. Unreadable; Problems with all that is wrong."""
        if not self.path:
            raise Unreadable("this proxy runs without a config file, so there is none to reload")
        try:
            data = Path(self.path).read_bytes()
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise Unreadable(f"{self.source} can't be read: {reason}; what is in force stays") from error
        text = decode(data, self.source)
        return text, read(text, self.source, os.environ)

    def write(self, text: str) -> Path:
        """Write a text that may be accepted; return its path. NotDurable when it can't be written."""
        fresh = self.accepted.with_suffix(".new")
        try:
            fresh.write_text(text, encoding="utf-8")
        except OSError as error:
            raise NotDurable(f"a copy of {self.source} can't be kept: {error.strerror or error}") from error
        return fresh

    def accept(self, fresh: Path) -> None:
        """Keep a text that is in force. A crash leaves one text or the other, whole."""
        fresh.replace(self.accepted)

    def _kept(self, path: Path) -> Config:
        """Return the config of a copy, with the token that `weir run` kept.

        Its file may be gone by now, and judging must go on. A text that was accepted later may have a token
        though the start had none: it isn't in force before the next start, so any will do.
        """
        token = self.kept.with_name(KEPT_TOKEN)
        known = token_in(token) if token.exists() else UNUSED
        return read(decode(path.read_bytes(), self.source), self.source, os.environ, lambda _: known)


class Reloader:
    """Reloads the file, one at a time. `put` puts a config in force; `wall` returns unix seconds."""

    def __init__(
        self,
        files: ConfigFiles,
        put: Callable[[Config], Awaitable[Changes]],
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._files = files
        self._put = put
        self._wall = wall
        self._one = asyncio.Lock()
        self.successful = True
        """Whether the last reload succeeded; True before the first."""
        self.at = wall()
        """When the config in force was read, in unix seconds."""

    def __repr__(self) -> str:
        return f"<Reloader {self._files.source}, {'fine' if self.successful else 'failed'}>"

    async def reload(self) -> Changes:
        """Read the file and put it in force. Problems, Unreadable, NotDurable: nothing was changed."""
        async with self._one:
            at = self._wall()
            try:
                changes = await self._attempt()
            except BaseException:
                self.successful = False
                raise
            self.successful, self.at = True, at
        _log(changes)
        return changes

    async def _attempt(self) -> Changes:
        text, config = await asyncio.to_thread(self._files.again)
        fresh = await asyncio.to_thread(self._files.write, text)
        changes = await self._put(config)
        self._files.accept(fresh)
        return changes

    async def on_signal(self) -> None:
        """Reload because of a signal: the log has the result."""
        try:
            await self.reload()
        except (Problems, ControlError, LedgerError) as error:
            log.error("the config was not reloaded, and nothing was changed: %s", error)


def _log(changes: Changes) -> None:
    found = [f"{name}: {', '.join(keys)} changed" for name, keys in changes.services.items()]
    found += [f"{name}: new" for name in changes.added]
    found += [f"{name}: removed" for name in changes.removed]
    if changes.shared:
        found.append(f"for all services: {', '.join(changes.shared)} changed")
    log.info("the config was reloaded: %s", "; ".join(found) or "nothing in force has changed")
    if changes.restart:
        log.warning("a restart is needed for changes of %s", ", ".join(changes.restart))
