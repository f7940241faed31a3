"""The real program between clients, a stable backend that works, and a canary that does as a case says."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rig import Weir, weir
from wire.program import Wire
from wire.upstream import OK, Link, Script, Upstream

STABLE = OK.replace(b"ok", b"st")
"""What stable answers."""

MARK = b"X-Case: "


class Pair(Wire):
    """A running proxy in front of two upstreams."""

    def __init__(self, running: Weir, stable: Upstream, canary: Upstream) -> None:
        super().__init__(running, stable)
        self.canary = canary

    def fresh(self) -> None:
        super().fresh()
        self.canary.fresh()

    def seen(self, number: int) -> tuple[int, int]:
        """How often canary and stable were sent the request of this case."""
        mark = MARK + b"%d\r\n" % number
        canary, stable = (
            sum(link.raw.count(mark) for link in upstream.links) for upstream in (self.canary, self.upstream)
        )
        return canary, stable


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
        yield Pair(stack.enter_context(weir(directory, settings, workers=1)), stable, canary)


def stable(head: bool = False) -> Script:
    """Answers every request of a connection."""

    def script(link: Link) -> None:
        while True:
            method = link.request().method
            link.send(STABLE[:-2] if method == "HEAD" else STABLE)

    return script


def failing(fail: Callable[[Link], None], *, whole: bool) -> Script:
    """Fails every request of a connection, once it is read: whole, or when its head is."""

    def script(link: Link) -> None:
        while True:
            link.request() if whole else link.head()
            fail(link)
            if not whole:
                link.gone()

    return script
