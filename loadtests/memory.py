"""What memory does a worker take: at its start, for idle clients, and for slow ones? Does it come back?

    python loadtests/memory.py [--connections 10000] [--downloads 100] [--seconds 20] [--rounds 5]

Resident memory, from /proc, of the workers alone, each part with a proxy that is fresh:

1. Start: of one worker that is ready, with the default settings, a canary and its check.
2. Idle: so many kept-alive connections, each after one request with a browser's headers and a cookie of its
   own, answered with 1 KiB. The growth is divided by their number. As many workers as it takes for the limit
   on open files, which is raised as far as it may; one, where it is 20,200 or more. What the kernel takes on
   top is that of the whole machine, and of both ends of each connection.
3. Rounds: 1,000 such connections come and go several times. What the first ones left is used again by the
   next, so from the second round on nothing may be added.
4. Slow readers: so many downloads of 100 MiB at a time, of which each client takes 64 KiB every 0.1 s. The
   growth is that of the peak, while they go on (to their end in about 160 s, which adds nothing).
5. Leavers: as many such clients by TLS leave in the middle, several times. What was to be sent to them has to
   go with them.

Linux only.
"""

import argparse
import math
import re
import resource
import select
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pace import secure
from rig.cases import BROWSER
from rig.origins import nginx_path, origin, run_nginx
from rig.processes import descriptors, forget_peak, resident
from rig.weir import Weir, services, weir

from proxy.demo.ports import LOOPBACK, free_ports
from proxy.demo.processes import wait_until

START_MIB = 40.0
IDLE_KIB = 10.0
ROUNDS_MIB = 1.0  # an allocator isn't exact
SLOW_MIB = 64.0
LEFT_MIB = 8.0

BODY = "x" * 1024
AT_A_TIME = 100  # connections that are made, and ask, at a time
A_ROUND = 1000
OURS = 200  # descriptors that a worker, or this process, may have beside the connections
WHOLE = 100 * 1024 * 1024
TAKE = 64 * 1024
PAUSE = 0.1
PATIENCE = 30.0
LEAVE_SECONDS = 1.5
SETTINGS = "timeouts: {idle: 300s}\npool: {max_idle: 16}\n"
FILES = "server {{ listen {host}:{port}; location / {{ root {root}; }} }}"


@dataclass(frozen=True, slots=True)
class Measure:
    """What was measured, and what it has to stay below."""

    what: str
    value: float
    bar: float
    unit: str

    @property
    def fine(self) -> bool:
        """Whether it does."""
        return self.value < self.bar

    def __str__(self) -> str:
        verdict = "fine" if self.fine else "TOO MUCH"
        return f"{self.what:<72}{self.value:>8.2f} {self.unit} (below {self.bar:g}): {verdict}"


Part = Callable[[], list[Measure]]


def total(running: Weir) -> float:
    """Resident memory of all workers in MiB."""
    return sum(resident(pid) for pid in running.workers())


def kernel_kib() -> dict[str, float]:
    """What the kernel of this machine uses for its own objects, and for what lies in sockets."""
    slab = re.search(r"^Slab: +(\d+) kB", Path("/proc/meminfo").read_text(), re.MULTILINE)
    lying = re.search(r"^TCP:.* mem (\d+)", Path("/proc/net/sockstat").read_text(), re.MULTILINE)
    pages = resource.getpagesize() / 1024
    return {"objects": float(slab[1]) if slab else 0.0, "buffers": float(lying[1]) * pages if lying else 0.0}


def request(number: int) -> bytes:
    """A browser's request; no two are alike."""
    fields = {"Host": "shop.example", **BROWSER, "Cookie": f"session={number:032x}; theme=dark; consent=yes"}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"GET /catalogue/{number} HTTP/1.1\r\n{lines}\r\n".encode()


def take_answer(client: socket.socket) -> None:
    """Reads one whole answer of the origin; ValueError when it is another."""
    got = b""
    while not (got.startswith(b"HTTP/1.1 200 ") and got.endswith(b"\r\n\r\n" + BODY.encode())):
        more = client.recv(65536)
        got += more
        if not more or not got.startswith(b"HTTP/1.1 200 "[: len(got)]):
            raise ValueError(f"no such answer was expected: {got[:200]!r}")


def idle_connections(port: int, count: int) -> Iterator[socket.socket]:
    """So many connections that have had an answer each, made some at a time."""
    for first in range(0, count, AT_A_TIME):
        numbers = range(first, min(count, first + AT_A_TIME))
        clients = [socket.create_connection((LOOPBACK, port), PATIENCE) for _ in numbers]
        for client, number in zip(clients, numbers, strict=True):
            client.sendall(request(number))
        for client in clients:
            take_answer(client)
        yield from clients


def close_all(clients: Sequence[socket.socket], running: Weir, fresh: int) -> None:
    """Closes them, and waits until the workers have let go of them as well; `fresh`: what they had before."""
    for client in clients:
        client.close()
    few = fresh + 16 * len(running.workers())  # kept connections to the origin
    wait_until(lambda: opened(running) <= few, "the workers have closed their ends", PATIENCE)


def opened(running: Weir) -> int:
    """Open descriptors of all workers."""
    return sum(descriptors(pid) for pid in running.workers())


@contextmanager
def proxied(workers: int) -> Iterator[Weir]:
    """A fresh proxy before an origin of small answers."""
    with tempfile.TemporaryDirectory() as made, origin("v1", body=BODY) as behind:
        settings = SETTINGS + services(behind.url, behind.url, weight=10)
        with weir(Path(made), settings, workers=workers) as running:
            yield running


def start() -> list[Measure]:
    """Part 1."""
    with proxied(1) as running:
        return [Measure("a worker, ready", total(running), START_MIB, "MiB")]


def idle(count: int, limit: int) -> list[Measure]:
    """Part 2."""
    workers = math.ceil(2 * count / (limit - OURS))
    with proxied(workers) as running:
        before, fresh, below = total(running), opened(running), kernel_kib()
        clients = list(idle_connections(running.port, count))
        grown, now = (total(running) - before) * 1024, kernel_kib()
        each = {name: (now[name] - below[name]) / count for name in now}
        close_all(clients, running, fresh)
        left = total(running) - before
    what = f"{count} idle connections to {workers} worker(s), each"
    print(f"  the kernel on top, both ends: {each['objects']:.2f} KiB objects, {each['buffers']:.2f} buffers")
    print(f"  grown by {grown / 1024:.1f} MiB in all, of which {left:.1f} MiB stay when they are gone")
    return [Measure(what, grown / count, IDLE_KIB, "KiB")]


def rounds(count: int) -> list[Measure]:
    """Part 3."""
    with proxied(1) as running:
        fresh, after = opened(running), []
        for _ in range(count):
            close_all(list(idle_connections(running.port, A_ROUND)), running, fresh)
            after.append(total(running))
    print(f"  resident after each: {', '.join(f'{one:.1f}' for one in after)} MiB")
    return [Measure(f"rounds 3 to {count} of {A_ROUND} connections", after[-1] - after[1], ROUNDS_MIB, "MiB")]


@contextmanager
def downloads(*listen: str) -> Iterator[Weir]:
    """A fresh proxy, which listens at these places as well, before files of 100 MiB."""
    with ExitStack() as stack:
        root, directory = (Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(2))
        with (root / "big").open("wb") as big:
            big.truncate(WHOLE)  # sparse: it takes no room
        (port,) = free_ports([0])
        child = run_nginx(FILES.format(host=LOOPBACK, port=port, root=root), port, root)
        stack.callback(child.end)
        settings = SETTINGS + services(*(f"http://{LOOPBACK}:{port}",) * 2, weight=10)
        yield stack.enter_context(weir(directory, settings, workers=1, more_listen=listen))


def slow_readers(count: int, seconds: float) -> list[Measure]:
    """Part 4."""
    with downloads() as running:
        (pid,) = running.workers()
        before, fresh = resident(pid), opened(running)
        forget_peak(pid)
        clients = [socket.create_connection((LOOPBACK, running.port), PATIENCE) for _ in range(count)]
        taken = read_slowly(clients, seconds)
        peak, now = resident(pid, peak=True), resident(pid)
        close_all(clients, running, fresh)
        left = resident(pid)
    rate = taken / seconds / count / 1024
    print(f"  each client took {rate:.0f} KiB/s; at the end {now:.1f} MiB, {left:.1f} without them")
    return [Measure(f"{count} slow downloads, at the peak", peak - before, SLOW_MIB, "MiB")]


def leavers(count: int, times: int) -> list[Measure]:
    """Part 5."""
    with tempfile.TemporaryDirectory() as made:
        wire, (port,) = secure(Path(made)), free_ports([0])
        assert wire.asked is not None, wire
        with downloads(wire.listen % port) as running:
            fresh, after = opened(running), []
            for _ in range(times):
                plain = (socket.create_connection((LOOPBACK, port), PATIENCE) for _ in range(count))
                clients = [wire.asked.wrap_socket(one, server_hostname=LOOPBACK) for one in plain]
                read_slowly(clients, LEAVE_SECONDS)
                close_all(clients, running, fresh)
                after.append(total(running))
    print(f"  resident after each: {', '.join(f'{one:.1f}' for one in after)} MiB")
    grown = after[-1] - after[0]
    return [Measure(f"rounds 2 to {times} of {count} that leave downloads by TLS", grown, LEFT_MIB, "MiB")]


def read_slowly(clients: Sequence[socket.socket], seconds: float) -> int:
    """Each downloads for so long, or to the end; the bytes that all of them took."""
    for client in clients:
        client.sendall(b"GET /big HTTP/1.1\r\nHost: shop.example\r\n\r\n")
    there, by_fd = select.poll(), {client.fileno(): client for client in clients}
    for fd in by_fd:
        there.register(fd, select.POLLIN)
    taken, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        begun = time.monotonic()
        taken += sum(len(by_fd[fd].recv(TAKE)) for fd, _ in there.poll(PATIENCE * 1000))
        time.sleep(max(0.0, begun + PAUSE - time.monotonic()))
    return taken


def raised_limit() -> int:
    """The open files that this process and its children may have, as many as they get."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 1 << 16 if hard == resource.RLIM_INFINITY else min(hard, 1 << 16)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


def parts(given: argparse.Namespace, limit: int) -> list[Part]:
    """What can be measured here."""
    count = min(given.connections, limit - OURS)
    always: list[Part] = [start, partial(idle, count, limit), partial(rounds, given.rounds)]
    if not nginx_path():
        print("nginx is not installed: downloads are left out")
        return always
    slow = partial(slow_readers, given.downloads, given.seconds)
    return [*always, slow, partial(leavers, given.downloads, given.rounds)]


def main() -> int:
    """Measures and prints; 1 when something is more than it may be."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--downloads", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    if sys.platform != "linux":
        print("needs Linux")
        return 2
    limit = raised_limit()
    print(f"limit on open files: {limit}")
    found = []
    for part in parts(given, limit):
        for measure in part():
            print(measure, flush=True)
            found.append(measure)
    return 0 if all(measure.fine for measure in found) else 1


if __name__ == "__main__":
    sys.exit(main())
