"""What the story is played on: three sample services and the real proxy in front of them.

Everything lives in one temporary directory and on loopback. Leaving the stage, in whatever way, ends the
processes and removes the directory.
"""

import os
import signal
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from proxy.demo.admin import Admin
from proxy.demo.children import Child, ChildEnded, TookTooLong, wait_until
from proxy.demo.load import COOKIE
from proxy.demo.ports import LOOPBACK, first_listening, free_ports, port_of
from proxy.supervisor.commands import python

PROXY_PORT, ADMIN_PORT, SAMPLE_PORT = 8080, 9900, 9001
STARTS = 3  # attempts, each on other ports: a port can be taken between the trial bind and the proxy's own
START_SECONDS = 20.0
DELAYS = {"v1": 0.012, "v2": 0.009, "v3": 0.010}  # seconds; v2 is an improvement, v3 is not slow but wrong
FAIL_EVERY = 4  # how often a version fails that was spoilt
HALFWAY_HOLDS = 15  # how long the step lasts in which v3 turns bad: it must not be over before the verdict


@dataclass(frozen=True, slots=True)
class Stage:
    """Where everything is: addresses (http://host:port), the config file, the processes."""

    proxy: str
    admin: Admin
    samples: Mapping[str, str]
    config: Path
    children: tuple[Child, ...]

    def check(self) -> None:
        """ChildEnded when one of the processes is no longer there."""
        for child in self.children:
            child.check()

    def spoil(self, version: str) -> None:
        """One answer in four of this version fails from now on."""
        sample = next(child for child in self.children if child.name == _name(version))
        sample.process.send_signal(signal.SIGUSR1)


@contextmanager
def set_up(hold: float) -> Iterator[Stage]:
    """Starts the samples and the proxy, waits until it is ready, and takes all of it down again.

    Each step of a rollout takes `hold` seconds at least.
    """
    with ExitStack() as stack:
        made = tempfile.TemporaryDirectory(prefix="weir-demo-", ignore_cleanup_errors=True)
        directory = Path(stack.enter_context(made))
        samples: dict[str, str] = {}
        children = []
        for version in DELAYS:
            child, samples[version] = start_sample(version, directory)
            stack.callback(child.end)
            children.append(child)
        proxy = start_proxy(samples, directory, hold)
        stack.callback(proxy.children[0].end)
        yield replace(proxy, children=(*proxy.children, *children))


def start_sample(version: str, directory: Path) -> tuple[Child, str]:
    """One sample service on a port of its own, and its address: it can be asked before it is up."""
    with first_listening(SAMPLE_PORT) as sock:
        arguments = ["--version", version, "--delay", str(DELAYS[version])]
        arguments += ["--fail-every", str(FAIL_EVERY), "--socket", str(sock.fileno())]
        log = directory / f"{version}.log"
        child = Child(_name(version), "proxy.demo.samples", arguments, log, keep=[sock.fileno()])
        return child, f"http://{LOOPBACK}:{port_of(sock)}"


def _name(version: str) -> str:
    return f"sample {version}"


def start_proxy(samples: Mapping[str, str], directory: Path, hold: float) -> Stage:
    """The real proxy on free ports; ChildEnded with what it said when it doesn't start."""
    for _ in range(STARTS - 1):
        with suppress(ChildEnded):
            return try_proxy(samples, directory, hold)
    return try_proxy(samples, directory, hold)


def try_proxy(samples: Mapping[str, str], directory: Path, hold: float) -> Stage:
    """One attempt: finds ports, writes weir.yaml, runs it, waits until it is ready."""
    port, admin_port = free_ports([PROXY_PORT, ADMIN_PORT])
    path = directory / "weir.yaml"
    path.write_text(config_text(port, admin_port, samples, hold))
    command = [*python("proxy.cli"), "run", "--config", str(path)]
    # What the proxy puts into its own temporary directory goes with ours.
    environ = os.environ | {"TMPDIR": str(directory), "PYTHONUNBUFFERED": "1"}
    child = Child(
        "the proxy",
        "proxy.demo.leash",
        ["--remove", str(directory), "--", *command],
        directory / "proxy.log",
        environ=environ,
    )
    admin = Admin(f"http://{LOOPBACK}:{admin_port}")
    try:
        await_ready(child, admin)
    except BaseException:
        child.end()
        raise
    return Stage(f"http://{LOOPBACK}:{port}", admin, samples, path, (child,))


def await_ready(child: Child, admin: Admin) -> None:
    """Waits until the proxy is ready; ChildEnded or TookTooLong with the end of its log when it isn't."""

    def ready() -> bool:
        child.check()
        return admin.ready()

    try:
        wait_until(ready, "the proxy is ready", START_SECONDS)
    except TookTooLong as late:
        raise TookTooLong(f"{late}\n{child.tail()}") from None


def config_text(port: int, admin_port: int, samples: Mapping[str, str], hold: float) -> str:
    """The weir.yaml of the demo. It names no checks: what protects every canary is enough."""
    return f"""\
listen: "{LOOPBACK}:{port}"
admin: {{listen: "{LOOPBACK}:{admin_port}"}}
workers: 2
log: {{level: warning}}
shutdown: {{grace: 3s}}
defaults:
  sticky: {{cookie: {COOKIE}, issue: false}}
  # To be shown good enough takes some 430 canary requests a step, and longer than anybody watches a demo.
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
