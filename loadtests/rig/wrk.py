"""Load for the comparison, by wrk: kept-alive connections with a request under way on each, always."""

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SCRIPTS = Path(__file__).parent / "proxies"
UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0, "h": 3_600_000.0}
"""Of wrk's times, in milliseconds."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What is asked, over how many connections; `body` bytes are sent by POST, none by GET."""

    path: str = "/"
    connections: int = 32
    headers: Mapping[str, str] = field(default_factory=dict)
    body: int = 0
    unlike: bool = False
    """No two requests have the same head."""


@dataclass(frozen=True, slots=True)
class Load:
    """Requests that were answered in `seconds`, those that failed (no answer, or not 2xx), and p99 in ms."""

    requests: int
    seconds: float
    failures: int
    p99: float


def load(shape: Shape, port: int, seconds: int, threads: int = 1) -> Load:
    """Load on one port for so many seconds."""
    command = wrk_line(shape, f"http://127.0.0.1:{port}", seconds, threads)
    return read_wrk(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def wrk_line(shape: Shape, url: str, seconds: int, threads: int) -> Sequence[str]:
    """How wrk is called."""
    headers = [option for name, value in shape.headers.items() for option in ("-H", f"{name}: {value}")]
    script, arguments = script_of(shape)
    sizes = [f"-t{threads}", f"-c{shape.connections}", f"-d{seconds}s"]
    return ["wrk", "--latency", *sizes, *headers, *script, f"{url}{shape.path}", *arguments]


def script_of(shape: Shape) -> tuple[Sequence[str], Sequence[str]]:
    """The script that makes requests which aren't all alike, and its arguments."""
    if shape.body:
        return ["-s", str(SCRIPTS / "post.lua")], ["--", str(shape.body)]
    return (["-s", str(SCRIPTS / "unlike.lua")] if shape.unlike else []), []


def read_wrk(told: str) -> Load:
    """What wrk printed. ValueError when it is something else."""
    done = re.search(r"(\d+) requests in ([\d.]+)(us|ms|s|m|h)", told)
    slow = re.search(r"99%\s+([\d.]+)(us|ms|s|m|h)", told)
    if done is None or slow is None:
        raise ValueError(f"wrk said something else:\n{told}")
    broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", told)
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", told)
    failures = sum(map(int, broken.groups())) if broken else 0
    return Load(
        requests=int(done[1]),
        seconds=float(done[2]) * UNITS[done[3]] / 1000,
        failures=failures + (int(refused[1]) if refused else 0),
        p99=float(slow[1]) * UNITS[slow[2]],
    )
