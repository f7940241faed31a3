"""The control process, from its command line to its end: it joins decider, admin API, network and ledger."""

import asyncio
import logging
import os
import socket
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from proxy.child import garbage_collector
from proxy.child.lifeline import Lifeline, attach
from proxy.config.problems import Problems
from proxy.config.schema import Config
from proxy.control.api import routes
from proxy.control.config_file import ConfigFiles, Reloader
from proxy.control.control import Control
from proxy.control.outside.network import OutsideNetwork
from proxy.control.schedule import Tasks
from proxy.ledger.errors import LedgerError
from proxy.ledger.journal import open_ledger

log = logging.getLogger(__name__)

LAST_ANSWERS = 1.0
"""Seconds that requests of the admin API have to end in."""


@dataclass(frozen=True, slots=True)
class Launch:
    """The command line. File descriptors are inherited; the two sockets are bound and listening."""

    config: Path
    source: str
    """The name of the config file in messages."""
    state: Path
    admin: int
    link: int
    lifeline: int
    workers: int
    file: str = ""
    """The config file itself, to be read again; "" for none."""


class Process:
    """One run of control."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._lifeline = Lifeline(self._drain, self._stop, _gone, self._reload)
        self._files = ConfigFiles(launch.source, launch.config, launch.file)
        self._reloader: Reloader | None = None
        self._signalled: set[asyncio.Task[None]] = set()
        self._control: Control | None = None
        self._outside: OutsideNetwork
        self._draining = False
        self._ending = asyncio.Event()
        self._status = 0

    def __repr__(self) -> str:
        return f"<Process {'ending' if self._ending.is_set() else self._control or 'starting'}>"

    async def run(self) -> int:
        """Serve until the supervisor ends it, or control is broken; return the exit status."""
        await attach(self._launch.lifeline, self._lifeline)
        try:
            control, runner = await self._begin()
        except Problems as problems:
            return self._fail(problems.render())
        except LedgerError as error:
            return self._fail(error.detail)
        except OSError as error:
            return self._fail(f"control cannot start: {error}")
        garbage_collector.exempt_startup_objects()
        self._lifeline.ready()
        await self._ending.wait()
        await runner.cleanup()
        await control.stop()
        await self._outside.close()  # receivers are still to be notified of what control did last
        return self._status

    async def _begin(self) -> tuple[Control, web.AppRunner]:
        config = self._files.in_force()
        logging.getLogger().setLevel(config.log.level.upper())
        opened = await open_ledger(self._launch.state)
        outside = self._outside = OutsideNetwork.begin(config.resolver.servers)
        self._control = Control(
            config, opened, workers=self._launch.workers, tasks=Tasks(self._break), outside=outside
        )
        await self._control.start()
        if self._draining:
            self._control.drain()
        self._reloader = Reloader(self._files, self._control.reload)
        outside.show_reloads(self._reloader)
        runner = await self._serve(self._control, config, self._reloader)
        return self._control, runner

    async def _serve(self, control: Control, config: Config, reloader: Reloader) -> web.AppRunner:
        link = socket.socket(fileno=self._launch.link)
        # Never closed: newer Pythons would remove its path then, and the supervisor goes on using it.
        await asyncio.get_running_loop().create_unix_server(control.broadcast.link, sock=link)
        app = routes.build(control, config.admin, reloader)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=LAST_ANSWERS)
        await runner.setup()
        await web.SockSite(runner, socket.socket(fileno=self._launch.admin)).start()
        return runner

    def _reload(self) -> None:
        """Read the file again: the supervisor has passed on a SIGHUP."""
        if self._reloader:
            task = asyncio.create_task(self._reloader.on_signal())
            self._signalled.add(task)
            task.add_done_callback(self._signalled.discard)

    def _drain(self) -> None:
        self._draining = True
        if self._control:
            self._control.drain()

    def _stop(self) -> None:
        self._ending.set()

    def _break(self) -> None:
        self._status = 1  # so that the supervisor starts another
        self._ending.set()

    def _fail(self, reason: str) -> int:
        log.error("%s", reason)
        self._lifeline.failed(reason)
        return 1


def _gone() -> None:
    """End at once, for the supervisor is gone: only what was counted last is lost."""
    os._exit(1)
