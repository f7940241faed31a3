"""Load for the comparison: 32 kept-alive connections as fast as they go, by wrk or by a client of our own."""

import asyncio
import re
import shutil
import subprocess
import time
from dataclasses import dataclass

import uvloop
from client import Client

CONNECTIONS = 32
HEADERS = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "Accept-Language": "en-GB,en;q=0.5",
    "Accept-Encoding": "gzip, deflate, br",
    "Referer": "http://shop.example/catalogue/shoes?page=2",
    "Cookie": "session=2f6c1e0b9a7d4c83; theme=dark; consent=yes",
    "Upgrade-Insecure-Requests": "1",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Site": "same-origin",
    "Cache-Control": "max-age=0",
}


@dataclass(frozen=True, slots=True)
class Load:
    """Requests that were answered in `seconds`, and those that failed (no answer, or not 2xx)."""

    requests: int
    seconds: float
    failures: int


def load(port: int, seconds: float) -> Load:
    """Load on one port for about `seconds`."""
    return by_wrk(port, seconds) if shutil.which("wrk") else uvloop.run(by_ourselves(port, seconds))


def by_wrk(port: int, seconds: float) -> Load:
    """wrk with one thread."""
    options = [option for name, value in HEADERS.items() for option in ("-H", f"{name}: {value}")]
    duration = f"{max(1, round(seconds))}s"
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{duration}", *options, f"http://127.0.0.1:{port}/"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return read_wrk(told)


def read_wrk(told: str) -> Load:
    """What wrk printed."""
    done = re.search(r"(\d+) requests in ([\d.]+)(ms|s|m)", told)
    if done is None:
        raise ValueError(f"wrk said something else:\n{told}")
    scale = {"ms": 0.001, "s": 1.0, "m": 60.0}[done[3]]
    broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", told)
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", told)
    failures = sum(map(int, broken.groups())) if broken else 0
    return Load(int(done[1]), float(done[2]) * scale, failures + (int(refused[1]) if refused else 0))


async def by_ourselves(port: int, seconds: float) -> Load:
    """Where there is no wrk: less load, the same requests."""
    client = Client(port)
    request = client.request("/", HEADERS)
    begun, answers = time.monotonic(), [0, 0]

    async def one() -> None:
        while time.monotonic() - begun < seconds:
            answers[(await client.ask(request)).good] += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(CONNECTIONS):
            group.create_task(one())
    client.close()
    return Load(answers[True], time.monotonic() - begun, answers[False])
