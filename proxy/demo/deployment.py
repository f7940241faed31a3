"""What the demo runs on: three versions of a sample and the real proxy in front of them.

Everything is on loopback and in one temporary directory. The end of the context ends the processes and
removes the directory, also after an error.
"""

import os
import signal
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from proxy.demo.admin_api import AdminApi
from proxy.demo.customers import COOKIE
from proxy.demo.ports import LOOPBACK, first_listening, free_ports, port_of
from proxy.demo.processes import DeadlineExceeded, LifelineProcess, ProcessEnded, wait_until
from proxy.supervisor.commands import python

PROXY_PORT, ADMIN_PORT, SAMPLE_PORT = 8080, 9900, 9001
STARTS = 3
"""Attempts to start the proxy, each on other ports: another program may take a port after the trial bind."""
START_SECONDS = 20.0
"""Seconds in which the proxy must be ready."""
DELAYS = {"v1": 0.012, "v2": 0.009, "v3": 0.010}
"""Mean answering times in seconds: v2 is faster than v1, and v3 as fast, for its fault is errors."""
FAIL_EVERY = 4
"""One answer in so many fails once a version is made to fail."""
HALFWAY_HOLDS = 15
"""Holds that the step lasts in which v3 turns bad, so that the verdict comes within this step."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """The running parts: addresses (http://host:port), the config file, the processes."""

    proxy: str
    admin: AdminApi
    samples: Mapping[str, str]
    config: Path
    processes: tuple[LifelineProcess, ...]

    def check(self) -> None:
        """Raise ProcessEnded when one of the processes has ended."""
        for process in self.processes:
            process.check()

    def start_failing(self, version: str) -> None:
        """Make one answer in four of this version fail from now on."""
        sample = next(each for each in self.processes if each.name == _name(version))
        sample.process.send_signal(signal.SIGUSR1)


@contextmanager
def deploy(hold: float) -> Iterator[Deployment]:
    """Start the samples and the proxy, wait until it is ready, and end everything at the end of the context.

    Each step of a rollout lasts at least `hold` seconds.
    """
    with ExitStack() as stack:
        made = tempfile.TemporaryDirectory(prefix="weir-demo-", ignore_cleanup_errors=True)
        directory = Path(stack.enter_context(made))
        samples: dict[str, str] = {}
        processes = []
        for version in DELAYS:
            process, samples[version] = start_sample(version, directory)
            stack.callback(process.end)
            processes.append(process)
        proxy = start_proxy(samples, directory, hold)
        stack.callback(proxy.processes[0].end)
        yield replace(proxy, processes=(*proxy.processes, *processes))


def start_sample(version: str, directory: Path) -> tuple[LifelineProcess, str]:
    """Start a sample service on a free port; return it and its address, whose socket listens already."""
    with first_listening(SAMPLE_PORT) as sock:
        arguments = ["--version", version, "--delay", str(DELAYS[version])]
        arguments += ["--fail-every", str(FAIL_EVERY), "--socket", str(sock.fileno())]
        log = directory / f"{version}.log"
        process = LifelineProcess(_name(version), "proxy.demo.samples", arguments, log, keep=[sock.fileno()])
        return process, f"http://{LOOPBACK}:{port_of(sock)}"


def _name(version: str) -> str:
    return f"sample {version}"


def start_proxy(samples: Mapping[str, str], directory: Path, hold: float) -> Deployment:
    """Start the proxy on free ports; raise ProcessEnded with its log when it doesn't start."""
    for _ in range(STARTS - 1):
        with suppress(ProcessEnded):
            return try_proxy(samples, directory, hold)
    return try_proxy(samples, directory, hold)


def try_proxy(samples: Mapping[str, str], directory: Path, hold: float) -> Deployment:
    """Find ports, write weir.yaml, start the proxy, and wait until it is ready."""
    port, admin_port = free_ports([PROXY_PORT, ADMIN_PORT])
    path = directory / "weir.yaml"
    path.write_text(config_text(port, admin_port, samples, hold))
    command = [*python("proxy.cli"), "run", "--config", str(path)]
    # The proxy's own temporary directory is inside this one, and is removed with it.
    environ = os.environ | {"TMPDIR": str(directory), "PYTHONUNBUFFERED": "1"}
    process = LifelineProcess(
        "the proxy",
        "proxy.demo.lifeline_runner",
        ["--remove", str(directory), "--", *command],
        directory / "proxy.log",
        environ=environ,
    )
    admin = AdminApi(f"http://{LOOPBACK}:{admin_port}")
    try:
        await_ready(process, admin)
    except BaseException:
        process.end()
        raise
    return Deployment(f"http://{LOOPBACK}:{port}", admin, samples, path, (process,))


def await_ready(process: LifelineProcess, admin: AdminApi) -> None:
    """Wait until the proxy is ready.

    Raises:
        ProcessEnded: the proxy has ended; the message has the end of its log.
        DeadlineExceeded: it isn't ready within `START_SECONDS`; the message has the end of its log.
    """

    def ready() -> bool:
        process.check()
        return admin.ready()

    try:
        wait_until(ready, "the proxy is ready", START_SECONDS)
    except DeadlineExceeded as late:
        raise DeadlineExceeded(f"{late}\n{process.tail()}") from None


def config_text(port: int, admin_port: int, samples: Mapping[str, str], hold: float) -> str:
    """Return the weir.yaml of the demo. It has no `checks`: the defaults suffice to find the bad canary."""
    return f"""\
listen: "{LOOPBACK}:{port}"
admin: {{listen: "{LOOPBACK}:{admin_port}"}}
workers: 2
log: {{level: warning}}
shutdown: {{grace: 3s}}
defaults:
  sticky: {{cookie: {COOKIE}, issue: false}}
  # The proof that a canary is good enough takes about 430 canary requests a step, which is too long for a
  # demo.
  analysis: {{step_up: off}}
services:
  shop:
    stable: {{endpoints: ["{samples["v1"]}"], version: v1}}
    canary: {{endpoints: ["{samples["v2"]}"], version: v2}}
    rollout:
      steps: [10%, 50%, {{pause: "ask the on-call"}}, 100%]
      hold: {hold:g}s
      min_requests: 20
  search:
    match: {{path: /search}}
    stable: {{endpoints: ["{samples["v1"]}"], version: v1}}
    canary: {{endpoints: ["{samples["v3"]}"], version: v3}}
    rollout:
      steps: [10%, 25%, {{weight: 50%, hold: {hold * HALFWAY_HOLDS:g}s}}, 100%]
      hold: {hold:g}s
      min_requests: 20
"""
