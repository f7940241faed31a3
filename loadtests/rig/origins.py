"""Something to stand behind a proxy: nginx where it is installed, the demo's samples elsewhere.

Both name their version in X-Version, and both can be made to fail every answer from one moment on.
"""

import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Protocol

from proxy.demo.ports import LOOPBACK, free_ports
from proxy.demo.processes import LifelineProcess, wait_until

START_SECONDS = 10.0

NGINX_CONF = """
daemon off; master_process off; worker_processes 1; pid {directory}/nginx.pid;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 100000000; keepalive_timeout 300s; tcp_nodelay on;
  client_body_temp_path {directory}/t1; proxy_temp_path {directory}/t2; fastcgi_temp_path {directory}/t3;
  uwsgi_temp_path {directory}/t4; scgi_temp_path {directory}/t5;
  {http}
}}
"""
SERVER_CONF = """
server {{
  listen {host}:{port}; default_type text/plain;
  location / {{
    add_header X-Version {version} always;
    if (-f {directory}/fail) {{ return 500; }}
    return 200 "{body}";
  }}
}}
"""


class Origin(Protocol):
    """One address (`url`) that answers for a version, and that can be made to fail."""

    url: str
    kind: str

    def fail(self) -> None:
        """Makes every answer from now on a 500."""

    def recover(self) -> None:
        """Makes none fail from now on."""


class NginxOrigin:
    """nginx with one server."""

    kind = "nginx"

    def __init__(self, directory: Path, port: int) -> None:
        self._directory = directory
        self.url = f"http://{LOOPBACK}:{port}"

    def fail(self) -> None:
        """nginx looks for a file at every request."""
        (self._directory / "fail").touch()

    def recover(self) -> None:
        """And doesn't find it any more."""
        (self._directory / "fail").unlink(missing_ok=True)


class SampleOrigin:
    """The demo's sample service."""

    kind = "sample"

    def __init__(self, child: LifelineProcess, port: int) -> None:
        self._child = child
        self.url = f"http://{LOOPBACK}:{port}"

    def fail(self) -> None:
        """The sample service takes a signal for it."""
        os.kill(self._child.process.pid, signal.SIGUSR1)

    def recover(self) -> None:
        """And another one for this."""
        os.kill(self._child.process.pid, signal.SIGUSR2)


def nginx_path() -> str | None:
    """Where nginx is, also when /usr/sbin is not on the path; None when it isn't installed."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


@contextmanager
def origin(version: str, *, body: str = "ok", prefer_nginx: bool = True) -> Iterator[Origin]:
    """One origin on a free port, ready when this begins and gone when it ends."""
    with ExitStack() as stack:
        made = stack.enter_context(tempfile.TemporaryDirectory(prefix="origin-", ignore_cleanup_errors=True))
        start = start_nginx if prefer_nginx and nginx_path() else start_sample
        child, found = start(version, body, Path(made))
        stack.callback(child.end)
        yield found


def start_nginx(version: str, body: str, directory: Path) -> tuple[LifelineProcess, Origin]:
    """nginx as an origin."""
    (port,) = free_ports([0])
    server = SERVER_CONF.format(host=LOOPBACK, port=port, version=version, directory=directory, body=body)
    child = run_nginx(server, port, directory)
    return child, NginxOrigin(directory, port)


def run_nginx(http: str, port: int, directory: Path) -> LifelineProcess:
    """nginx with `http` inside its http block, once it listens on `port`."""
    nginx = nginx_path()
    assert nginx is not None, "asked for nginx where there is none"
    conf = directory / "nginx.conf"
    conf.write_text(NGINX_CONF.format(directory=directory, http=http))
    command = [nginx, "-p", str(directory), "-e", str(directory / "error.log"), "-c", str(conf)]
    child = LifelineProcess(
        "nginx", "proxy.demo.lifeline_runner", ["--remove", str(directory), "--", *command], directory / "log"
    )
    await_listening(child, port)
    return child


def start_sample(version: str, body: str, directory: Path) -> tuple[LifelineProcess, Origin]:
    """The sample service as an origin; it has an answer of its own and takes no `body`."""
    (port,) = free_ports([0])
    child = LifelineProcess(
        f"sample {version}",
        "proxy.demo.samples",
        ["--version", version, "--port", str(port)],
        directory / "log",
    )
    await_listening(child, port)
    return child, SampleOrigin(child, port)


def await_listening(child: LifelineProcess, port: int) -> None:
    """Waits until somebody listens on `port`; ends `child` when that fails."""

    def reachable() -> bool:
        child.check()
        with suppress(OSError), socket.create_connection((LOOPBACK, port), 1.0):
            return True
        return False

    try:
        wait_until(reachable, f"{child.name} listens on {port}", START_SECONDS)
    except BaseException:
        child.end()
        raise
