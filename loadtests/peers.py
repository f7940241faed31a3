"""What does a proxied request cost? CPU time of weir beside nginx (and HAProxy) in one run.

    python loadtests/peers.py [--rounds 5] [--seconds 3]

Small kept-alive requests with a browser's dozen headers, answers of 1 KiB, 32 connections. Each proxy has
one core for itself, the load (wrk, or a small client of our own) and the origin (nginx) have the other. The
CPU of a proxy is that of its whole tree of processes, user and system, from /proc, divided by the requests
that the load got answered. Rounds are interleaved, so that a slow minute of the machine hits all of them; the
table has medians. weir runs one worker, with metrics, a canary at 10 % and the check that protects it. Linux
only.
"""

import argparse
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from origins import await_listening, nginx_path, origin, run_nginx
from processes import cpu_seconds, descendants
from rig import services, weir
from wrk import Load, load

from proxy.demo.children import Child
from proxy.demo.ports import LOOPBACK, free_ports

PROXY_CORE, LOAD_CORE = 0, 1
WARM_SECONDS = 1.0
BODY = "x" * 1024

NGINX_PROXY = """
upstream origin {{ server {address}; keepalive 64; keepalive_requests 100000000; }}
server {{
  listen {host}:{port};
  location / {{
    proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection "";
    proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host $http_host;
    proxy_set_header Via "1.1 nginx";
  }}
}}
"""
HAPROXY_CONF = """
global
  nbthread 1
  maxconn 1000
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend front
  bind {host}:{port}
  option forwardfor
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header Via "1.1 haproxy"
  default_backend origin
backend origin
  server origin {address}
"""


@dataclass(slots=True)
class Peer:
    """One proxy that runs: where it listens, the processes it consists of, what was measured of it."""

    name: str
    version: str
    port: int
    pids: Callable[[], list[int]]
    micros: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    failures: int = 0

    def measure(self, seconds: float) -> None:
        """One round: CPU microseconds per request, and requests a second."""
        with pinned(LOAD_CORE):
            load(self.port, WARM_SECONDS)
            before = cpu_seconds(self.pids())
            got: Load = load(self.port, seconds)
            used = cpu_seconds(self.pids()) - before
        self.micros.append(used / got.requests * 1e6)
        self.rates.append(got.requests / got.seconds)
        self.failures += got.failures


@contextmanager
def pinned(core: int) -> Iterator[None]:
    """What is started inside this runs on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def start_weir(address: str, directory: Path, stack: ExitStack) -> Peer:
    """weir with one worker, a canary, and the default check."""
    url = f"http://{address}"
    running = stack.enter_context(weir(directory, services(url, url, weight=10), workers=1))
    from proxy import __version__

    return Peer("weir", __version__, running.port, running.tree)


def start_nginx(address: str, directory: Path, stack: ExitStack) -> Peer:
    """nginx, kept-alive towards the origin, no access log."""
    (port,) = free_ports([0])
    child = run_nginx(NGINX_PROXY.format(address=address, host=LOOPBACK, port=port), port, directory)
    stack.callback(child.end)
    shown = subprocess.run([str(nginx_path()), "-v"], capture_output=True, text=True, check=True).stderr
    return Peer("nginx", shown.rpartition("/")[2].strip(), port, below(child))


def start_haproxy(address: str, directory: Path, stack: ExitStack) -> Peer:
    """HAProxy with one thread, kept-alive towards the origin, no log."""
    (port,) = free_ports([0])
    haproxy = found("haproxy")
    conf = directory / "haproxy.cfg"
    conf.write_text(HAPROXY_CONF.format(address=address, host=LOOPBACK, port=port))
    arguments = ["--remove", str(directory), "--", haproxy, "-f", str(conf)]
    child = Child("haproxy", "proxy.demo.leash", arguments, directory / "log")
    stack.callback(child.end)
    await_listening(child, port)
    shown = subprocess.run([haproxy, "-v"], capture_output=True, text=True, check=True).stdout
    version = re.search(r"version (\S+)", shown)
    return Peer("haproxy", version[1] if version else "?", port, below(child))


def below(child: Child) -> Callable[[], list[int]]:
    """The processes of a proxy on a leash, without the leash."""
    return lambda: descendants(child.process.pid)[1:]


def found(program: str) -> str:
    """Where a program is, also when /usr/sbin is not on the path; "" when it isn't installed."""
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin") or ""


PEERS = {"nginx": start_nginx, "haproxy": start_haproxy, "weir": start_weir}


def start_all(names: Sequence[str], address: str, stack: ExitStack) -> list[Peer]:
    """Every peer that is installed, pinned to the proxies' core; the others are named."""
    peers = []
    for name in names:
        if name != "weir" and not found(name):
            print(f"{name} is not installed: left out")
            continue
        made = stack.enter_context(tempfile.TemporaryDirectory(prefix=f"{name}-", ignore_cleanup_errors=True))
        with pinned(PROXY_CORE):
            peers.append(PEERS[name](address, Path(made), stack))
    return peers


def table(peers: Sequence[Peer]) -> str:
    """Medians, spread, and ratios to nginx."""
    base = next((statistics.median(peer.micros) for peer in peers if peer.name == "nginx"), None)
    lines = [
        f"{'':<10}{'version':<12}{'CPU us/request':>16}{'(min - max)':>16}{'requests/s':>12}{'x nginx':>9}"
    ]
    for peer in peers:
        median = statistics.median(peer.micros)
        spread = f"({min(peer.micros):.1f} - {max(peer.micros):.1f})"
        ratio = f"{median / base:.2f}" if base else "-"
        version = peer.version.split("-")[0]
        rate = statistics.median(peer.rates)
        lines.append(f"{peer.name:<10}{version:<12}{median:>16.1f}{spread:>16}{rate:>12.0f}{ratio:>9}")
    return "\n".join(lines)


def machine() -> str:
    """Processor, kernel, Python."""
    model = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    cpu = model[1] if model else platform.machine()
    return f"{cpu}, {os.cpu_count()} cores; Linux {platform.release()}; Python {platform.python_version()}"


def main() -> int:
    """Measures and prints; 1 when a request failed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--peers", default=",".join(PEERS), help="which ones, with commas between them")
    given = parser.parse_args()
    if sys.platform != "linux" or (os.cpu_count() or 1) < 2:
        print("needs Linux and two cores")
        return 2
    with ExitStack() as stack:
        with pinned(LOAD_CORE):
            behind = stack.enter_context(origin("v1", body=BODY))
        peers = start_all(given.peers.split(","), behind.url.removeprefix("http://"), stack)
        print(f"{machine()}; origin {behind.kind}; load {'wrk' if found('wrk') else 'built in'}")
        for _ in range(given.rounds):
            for peer in peers:
                peer.measure(given.seconds)
        print(table(peers))
    return 1 if any(peer.failures for peer in peers) else 0


if __name__ == "__main__":
    sys.exit(main())
