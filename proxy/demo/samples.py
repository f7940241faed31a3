"""A sample service: one process with one version, over kept-alive HTTP/1.1.

    python -m proxy.demo.samples --version v3 --fail-every 4 --delay 0.01 --port 9003

Every answer has its version in X-Version, so that a client knows which backend answered without relying on
the proxy. `?wait=SECONDS` delays one answer, and a posted body is sent back unchanged. No answer fails before
SIGUSR1: from then on every n-th fails, and after SIGUSR2 none again.
"""

import argparse
import asyncio
import contextlib
import os
import random
import signal
import socket
from collections.abc import Sequence

from aiohttp import web

VERSION_HEADER = "X-Version"
LONGEST_WAIT = 60.0
"""Seconds of `?wait=`, at most."""


class Sample:
    """The answers of one version.

    Failures are counted and not random, so that one in four holds for every four answers.

    Args:
        version: its name in X-Version.
        delay: its mean answering time in seconds.
        fail_every: n makes every n-th answer a 500; 0 none.
    """

    def __init__(self, version: str, delay: float, fail_every: int) -> None:
        self.version = version
        self.delay = delay
        self.fail_every = fail_every
        self.answered = 0

    def __repr__(self) -> str:
        return f"<Sample {self.version} answered={self.answered} fail_every={self.fail_every}>"

    def fails(self) -> bool:
        """Count one answer; return whether it has to fail."""
        self.answered += 1
        return self.fail_every > 0 and self.answered % self.fail_every == 0

    async def answer(self, request: web.Request) -> web.Response:
        """Return the posted body, or a line with the version and the path."""
        body = await request.read()
        await asyncio.sleep(self._pause(request))
        headers = {VERSION_HEADER: self.version}
        if self.fails():
            return web.Response(status=500, headers=headers, text=f"{self.version} failed\n")
        if body:
            return web.Response(body=body, headers=headers, content_type=request.content_type)
        return web.Response(headers=headers, text=f"{self.version} answers {request.path}\n")

    def _pause(self, request: web.Request) -> float:
        wanted = request.query.get("wait")
        if wanted is None:
            return self.delay * random.uniform(0.5, 1.5)
        with contextlib.suppress(ValueError):
            return min(max(0.0, float(wanted)), LONGEST_WAIT)
        return 0.0

    def set_failing(self, every: int) -> None:
        """Make every `every`-th answer fail from now on; 0: none."""
        self.fail_every = every


async def serve(sample: Sample, sock: socket.socket, lifeline: int | None, fail_every: int) -> None:
    """Answer on a bound socket until SIGTERM, SIGINT or the end of `lifeline`, the reading end of a pipe.

    From SIGUSR1 on every `fail_every`-th answer is a 500.
    """
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, over.set)
    loop.add_signal_handler(signal.SIGUSR1, sample.set_failing, fail_every)
    loop.add_signal_handler(signal.SIGUSR2, sample.set_failing, 0)
    if lifeline is not None:
        # Nothing is ever written into it, so it becomes readable only when its other end is closed.
        loop.add_reader(lifeline, over.set)
    app = web.Application(client_max_size=1 << 30)
    app.router.add_route("*", "/{path:.*}", sample.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.SockSite(runner, sock, backlog=512).start()
    await over.wait()
    await runner.cleanup()


def parser() -> argparse.ArgumentParser:
    """Return the parser of a sample service's command line."""
    made = argparse.ArgumentParser(prog="python -m proxy.demo.samples", description="One sample service.")
    made.add_argument("--version", required=True, help="its name in X-Version")
    made.add_argument("--delay", type=float, default=0.0, help="mean answering time in seconds")
    made.add_argument(
        "--fail-every", type=int, default=1, help="every n-th answer is a 500, from SIGUSR1 on (1)"
    )
    made.add_argument("--port", type=int, default=0, help="port on 127.0.0.1")
    made.add_argument("--socket", type=int, help="file descriptor of a socket that listens already")
    made.add_argument("--lifeline", type=int, help="file descriptor of a pipe: at its end the service ends")
    return made


def main(argv: Sequence[str] | None = None) -> None:
    """Run one sample service to its end."""
    given = parser().parse_args(argv)
    if given.socket is not None:
        sock = socket.socket(fileno=given.socket)
    else:
        sock = socket.create_server(("127.0.0.1", given.port))
    if given.lifeline is not None:
        os.set_inheritable(given.lifeline, False)
    sample = Sample(given.version, given.delay, 0)
    asyncio.run(serve(sample, sock, given.lifeline, given.fail_every))


if __name__ == "__main__":
    main()
