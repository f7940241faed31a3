"""Reading the config file again, and putting it in force as a whole or not at all."""

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from proxy.config.admin import KEPT_TOKEN, token_in
from proxy.config.changes import Changes
from proxy.config.problems import Problems
from proxy.config.reading import decode, read
from proxy.config.schema import Config
from proxy.control.errors import ControlError, Unreadable

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Files:
    """Where the config is."""

    source: str
    """The file as the person named it, for messages."""
    kept: Path
    """The private copy of what is in force: a control that takes this one's place reads that."""
    path: str = ""
    """The file to read again; "" where `weir run` had none."""

    def in_force(self) -> Config:
        """What the copy says. OSError and Problems go to the caller."""
        return self._read(decode(self.kept.read_bytes(), self.source))

    def again(self) -> tuple[str, Config]:
        """The text of the file now, and what it says. Unreadable; Problems with all that is wrong."""
        if not self.path:
            raise Unreadable("this proxy runs without a config file, so there is none to reload")
        try:
            data = Path(self.path).read_bytes()
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise Unreadable(f"{self.source} can't be read: {reason}; what is in force stays") from error
        text = decode(data, self.source)
        return text, self._read(text)

    def keep(self, text: str) -> None:
        """Make this the copy, whole: whoever dies meanwhile leaves the one before."""
        fresh = self.kept.with_suffix(".new")
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(self.kept)

    def _read(self, text: str) -> Config:
        """The token is the one that `weir run` kept: its file may be gone by now, and judging must go on."""
        kept = self.kept.with_name(KEPT_TOKEN)
        return read(text, self.source, os.environ, lambda _: token_in(kept))


class Reloading:
    """One reload at a time. `put` puts a config in force; `wall` is unix seconds."""

    def __init__(
        self,
        files: Files,
        put: Callable[[Config], Awaitable[Changes]],
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._files = files
        self._put = put
        self._wall = wall
        self._one = asyncio.Lock()
        self.successful = True
        """Whether the last attempt did what it should; True before the first."""
        self.at = wall()
        """When the config in force was read."""

    def __repr__(self) -> str:
        return f"<Reloading {self._files.source}, {'fine' if self.successful else 'failed'}>"

    async def reload(self) -> Changes:
        """Read the file and put it in force. Problems, Unreadable, NotDurable: nothing was changed."""
        async with self._one:
            self.successful = False
            at = self._wall()
            text, config = await asyncio.to_thread(self._files.again)
            changes = await self._put(config)
            await asyncio.to_thread(self._files.keep, text)
            self.successful, self.at = True, at
        _say(changes)
        return changes

    async def on_signal(self) -> None:
        """The same for who can't be answered: the log says how it went."""
        try:
            await self.reload()
        except (Problems, ControlError) as error:
            log.error("the config was not reloaded, and nothing was changed: %s", error)


def _say(changes: Changes) -> None:
    said: Mapping[str, object] = {key: value for key, value in changes.to_json().items() if value}
    log.info("the config was reloaded: %s", said or "it says what it said before")
    if changes.restart:
        log.warning("a restart is needed for changes of %s", ", ".join(changes.restart))
