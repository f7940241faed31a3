"""How long until `weir run` answers? From exec to the first 200 through the proxy.

    python loadtests/start.py [--rounds 10] [--limit 1.0]

A client connects as soon as somebody listens; what it sends then waits in the queue of the socket until a
worker takes it. One round starts weir with one worker, the next with two, each with an empty ledger, a canary
and the check that protects it; a first start of each isn't counted, so that files lie in memory. Modules are
compiled before, as pip does it. CPU is what the processes had used at the answer; the command and the
supervisor that it becomes are one. Exit code 1 when a median is above the limit. Linux only.
"""

import argparse
import compileall
import socket
import statistics
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rig.origins import origin
from rig.processes import cpu_seconds
from rig.weir import Weir, services

import proxy
from proxy.demo.ports import LOOPBACK

PATIENCE = 20.0  # seconds
PAUSE = 0.002
WORKERS = (1, 2)
REQUEST = b"GET / HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Started:
    """One start: seconds until the answer, and seconds of CPU that each kind of process had used then."""

    seconds: float
    parent: float
    control: float
    workers: float


def answered(port: int) -> bool:
    """Whether a 200 comes. The supervisor first binds for a trial: who connects then is reset."""
    with suppress(OSError), socket.create_connection((LOOPBACK, port), PATIENCE) as client:
        client.sendall(REQUEST)
        return client.recv(65536).startswith(b"HTTP/1.1 200 ")
    return False


def started(workers: int, url: str) -> Started:
    """Starts weir and takes it down again. TimeoutError when there is no answer."""
    with tempfile.TemporaryDirectory(prefix="start-", ignore_cleanup_errors=True) as made:
        weir = Weir(Path(made), services(url, url, weight=10), workers=workers)
        begun = time.perf_counter()
        weir.spawn()
        try:
            while not answered(weir.port):
                if time.perf_counter() - begun > PATIENCE:
                    raise TimeoutError(f"no answer within {PATIENCE:g} s:\n{weir.log()}")
                time.sleep(PAUSE)
            seconds = time.perf_counter() - begun
            used = (cpu_seconds(pids) for pids in ([weir.pid], weir.controls(), weir.workers()))
            return Started(seconds, *used)
        finally:
            weir.kill_tree()


def shown(workers: int, starts: list[Started]) -> str:
    """Medians of the starts with so many workers."""
    seconds = [each.seconds for each in starts]
    parent, control, working = (
        statistics.median(getattr(each, name) for each in starts) for name in ("parent", "control", "workers")
    )
    return (
        f"{workers} worker{'s' * (workers > 1)}: {statistics.median(seconds):.2f} s "
        f"({min(seconds):.2f} - {max(seconds):.2f}); "
        f"CPU: command and supervisor {parent:.2f}, control {control:.2f}, workers {working:.2f}"
    )


def main() -> int:
    """Measures and prints; 1 when a start takes too long."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--limit", type=float, default=1.0, metavar="SECONDS")
    given = parser.parse_args()
    compileall.compile_dir(Path(proxy.__file__).parent, quiet=1)
    found: dict[int, list[Started]] = {workers: [] for workers in WORKERS}
    with origin("v1") as behind:
        for _ in range(1 + given.rounds):
            for workers, starts in found.items():
                starts.append(started(workers, behind.url))
    late = False
    for workers, starts in found.items():
        print(shown(workers, starts[1:]))
        late |= statistics.median(each.seconds for each in starts[1:]) > given.limit
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
