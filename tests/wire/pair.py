"""The real program in front of a stable backend that works and a canary that does as a case says."""

import contextlib
import itertools
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rig.weir import Weir, weir

from tests.wire.client import Client
from tests.wire.program import Wire
from tests.wire.reader import Answer
from tests.wire.upstream import OK, Link, Upstream

STABLE = OK.replace(b"ok", b"st")
"""What stable answers."""


class Pair(Wire):
    """A running proxy in front of two upstreams."""

    def __init__(self, running: Weir, stable: Upstream, canary: Upstream) -> None:
        super().__init__(running, stable)
        self.canary = canary
        self._numbers = itertools.count(1)

    def fresh(self) -> None:
        super().fresh()
        self.canary.fresh()
        self.upstream.serve(works)

    def request(self, method: str, path: str, more: bytes = b"", body: bytes = b"") -> tuple[bytes, bytes]:
        """A request, and a field of its by which it is found again."""
        mark = b"X-Case: %d\r\n" % next(self._numbers)
        line = f"{method} {path} HTTP/1.1\r\nHost: shop.example\r\n".encode()
        return line + mark + more + b"\r\n" + body, mark

    def seen(self, mark: bytes) -> tuple[int, int]:
        """How often canary and stable were sent the request with this field."""
        canary, stable = (
            sum(link.raw.count(mark) for link in upstream.links) for upstream in (self.canary, self.upstream)
        )
        return canary, stable

    def answer_once(self, client: Client, method: str = "GET") -> Answer:
        """The answer to a request; AssertionError when there is another one behind it."""
        answer = client.answer(method)
        if not answer.closes:
            client.send(self.request("GET", "/stable")[0])
            after = client.answer()
            assert (after.status, after.body) == (200, b"st")
        client.finish()
        with contextlib.suppress(ConnectionError):
            client.ended()
        return answer


def works(link: Link) -> None:
    """Answers every request, as stable does."""
    while True:
        head = link.request().method == "HEAD"
        link.send(STABLE.removesuffix(b"st") if head else STABLE)


@contextmanager
def running(directory: Path, settings: str, deaf: socket.socket) -> Iterator[Pair]:
    """A proxy of one worker; `{stable}`, `{canary}` and `{deaf}` in the settings stand for ports."""
    with ExitStack() as stack:
        stable, canary = Upstream(), Upstream()
        stack.callback(stable.close)
        stack.callback(canary.close)
        ports = {"stable": stable.port, "canary": canary.port, "deaf": deaf.getsockname()[1]}
        for name, port in ports.items():
            settings = settings.replace(f"{{{name}}}", str(port))
        stable.serve(works)
        yield Pair(stack.enter_context(weir(directory, settings, workers=1)), stable, canary)
