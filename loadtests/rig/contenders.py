"""The proxies under comparison, and how each is started.

All are set up alike: one worker or thread, no access log, connections to the origin kept (up to 1024: more
than any case needs), X-Forwarded-For, -Proto, -Host and Via added. What `proxies` doesn't say is as it comes.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from rig.cases import answer
from rig.origins import await_listening, run_nginx
from rig.processes import descendants
from rig.templates import PLACES, filled
from rig.weir import services, weir
from rig.wrk import Shape

from proxy import __version__
from proxy.demo.ports import free_ports
from proxy.demo.processes import LifelineProcess, wait_until

START_SECONDS = 20.0
DEBIAN = "apt-get install -y --no-install-recommends {}"
ROOM = "client_body_buffer_size 64k;"
WHEELS = f"{sys.executable} -m pip install '.[peers]'"


@dataclass(frozen=True, slots=True)
class Place:
    """Where one proxy is to run: its own directory and the origin's address; `stack` ends it."""

    directory: Path
    origin: str
    stack: ExitStack


@dataclass(frozen=True, slots=True)
class Running:
    """One proxy that runs: where it listens, and the processes that it consists of."""

    port: int
    pids: Callable[[], list[int]]


@dataclass(frozen=True, slots=True)
class Contender:
    """How a proxy is started. `program`: what has to be installed for it, `install`: by which command.

    `version` is what is known without asking the program, `ask` the arguments that make it tell. `workers`:
    how many cores it can use.
    """

    start: Callable[[Place], Running]
    program: str = ""
    install: str = ""
    ask: tuple[str, ...] = ()
    version: str = ""
    workers: int = 1


def found(program: str) -> str:
    """Where a program is: beside this Python, on the path, or in /usr/sbin; "" when it isn't installed."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", ""), "/usr/sbin"])
    return shutil.which(program, path=path) or ""


def missing(name: str, contender: Contender) -> str:
    """What to say of a proxy that isn't installed; "" for one that is."""
    if not contender.program or found(contender.program):
        return ""
    return f"{name} is not installed and left out; to install it: {contender.install}"


def version(contender: Contender) -> str:
    """The version of what is measured."""
    if contender.version:
        return contender.version
    command = [found(contender.program), *contender.ask]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    return read_version(told.stdout + told.stderr)


def read_version(told: str) -> str:
    """The first thing that looks like a version; "?" for none."""
    seen = re.search(r"\d+\.\d+\.\d+", told)
    return seen[0] if seen else "?"


def start(contender: Contender, place: Place) -> Running:
    """A proxy that forwards."""
    running = contender.start(place)
    wait_until(lambda: answer(running.port, Shape())[0] == 200, "an answer through it", START_SECONDS)
    return running


def weir_of(workers: int) -> Callable[[Place], Running]:
    """weir with a canary at 10 %, the default check and metrics: supervisor, control and workers."""

    def start_weir(place: Place) -> Running:
        url = f"http://{place.origin}"
        settings = services(url, url, weight=10) + "pool: {max_idle: 1024}\n"
        running = place.stack.enter_context(weir(place.directory, settings, workers=workers))
        return Running(running.port, running.tree)

    return start_weir


def nginx_with(memory: str = "") -> Callable[[Place], Running]:
    """nginx without a master; `memory`: what is said of the memory that a body may have."""

    def start_nginx(place: Place) -> Running:
        (port,) = free_ports([0])
        conf = filled("nginx.conf", origin=place.origin, port=port, memory=memory)
        child = run_nginx(conf, port, place.directory)
        place.stack.callback(child.end)
        return Running(port, below(child))

    return start_nginx


def haproxy(place: Place) -> Running:
    """HAProxy with one thread."""
    return leashed("haproxy", "haproxy.cfg", ["-f", "@"], place)


def envoy(place: Place) -> Running:
    """Envoy with one worker thread."""
    options = ["--concurrency", "1", "--disable-hot-restart", "-l", "error"]
    return leashed("envoy", "envoy.yaml", ["-c", "@", *options], place)


def traefik(place: Place) -> Running:
    """Traefik on one core."""
    (port,) = free_ports([0])
    options = [
        f"--entryPoints.web.address=127.0.0.1:{port}",
        "--global.checkNewVersion=false",
        "--global.sendAnonymousUsage=false",
        "--log.level=ERROR",
        "--providers.file.filename=@",
    ]
    return leashed("traefik", "traefik.yaml", options, place, port)


def caddy(place: Place) -> Running:
    """Caddy on one core."""
    return leashed("caddy", "Caddyfile", ["run", "--adapter", "caddyfile", "--config", "@"], place)


def aiohttp_pair(place: Place) -> Running:
    """aiohttp's server and client, by the Python that runs this."""
    (port,) = free_ports([0])
    script = str(PLACES / "aiohttp_pair.py")
    return held("aiohttp", [sys.executable, script, str(port), f"http://{place.origin}"], place, port)


def leashed(program: str, settings: str, options: list[str], place: Place, port: int = 0) -> Running:
    """A program with its settings in a file, whose path takes the place of @ in `options`."""
    port = port or free_ports([0])[0]
    host, _, number = place.origin.rpartition(":")
    file = place.directory / settings
    file.write_text(filled(settings, port=port, origin=place.origin, origin_host=host, origin_port=number))
    return held(program, [found(program), *(each.replace("@", str(file)) for each in options)], place, port)


def held(name: str, command: list[str], place: Place, port: int) -> Running:
    """A command on a leash, once it listens; Go's programs take one core."""
    leash = ["--remove", str(place.directory), "--", *command]
    environ = {**os.environ, "GOMAXPROCS": "1", "HOME": str(place.directory)}
    child = LifelineProcess(
        name, "proxy.demo.lifeline_runner", leash, place.directory / "log", environ=environ
    )
    place.stack.callback(child.end)
    await_listening(child, port)
    return Running(port, below(child))


def below(child: LifelineProcess) -> Callable[[], list[int]]:
    """The processes of a proxy on a leash, without the leash."""
    return lambda: descendants(child.process.pid)[1:]


CONTENDERS: Mapping[str, Contender] = {
    "nginx": Contender(nginx_with(), "nginx", DEBIAN.format("nginx"), ("-v",)),
    "nginx-ram": Contender(nginx_with(ROOM), "nginx", DEBIAN.format("nginx"), ("-v",)),
    "haproxy": Contender(haproxy, "haproxy", DEBIAN.format("haproxy"), ("-v",)),
    "envoy": Contender(envoy, "envoy", WHEELS, ("--version",)),
    "traefik": Contender(traefik, "traefik", WHEELS, ("version",)),
    "caddy": Contender(caddy, "caddy", DEBIAN.format("caddy"), ("version",)),
    "aiohttp": Contender(aiohttp_pair, version=aiohttp.__version__),
    "weir": Contender(weir_of(1), version=__version__),
    "weir-2": Contender(weir_of(2), version=__version__, workers=2),
}
