"""Instances of an application that come and go in a deployment: nginx on addresses of the loopback.

One that ends does so as it should: it answers what is under way, closes what is idle and listens no longer.
"""

import os
import signal
import socket
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from rig.origins import NGINX_CONF, nginx_path

from proxy.demo.processes import LifelineProcess, wait_until

SERVER = """server {{
  listen {ip}:{port}; default_type text/plain;
  location / {{ add_header X-Version {version} always; return 200 "{ip}:{port}"; }}
}}
"""
SECONDS = 10.0
"""For an instance to begin or to end."""


class Instance:
    """One instance at its address, which may be started and ended any number of times."""

    def __init__(self, version: str, ip: str, port: int, directory: Path) -> None:
        self.ip, self.port = ip, port
        self._directory = directory
        self._child: LifelineProcess | None = None
        self._server = SERVER.format(ip=ip, port=port, version=version)

    def __repr__(self) -> str:
        return f"<Instance {self.ip}:{self.port}, {'running' if self._child else 'ended'}>"

    @property
    def url(self) -> str:
        """Of this one address."""
        return f"http://{self.ip}:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it listens."""
        nginx, made = nginx_path(), self._directory / "run"
        assert nginx is not None, "instances are nginx"
        made.mkdir(exist_ok=True)
        (made / "nginx.conf").write_text(NGINX_CONF.format(directory=made, http=self._server))
        command = [nginx, "-p", str(made), "-e", str(made / "error.log"), "-c", str(made / "nginx.conf")]
        child = self._child = LifelineProcess(
            repr(self),
            "proxy.demo.lifeline_runner",
            ["--remove", str(made), "--", *command],
            self._directory / "log",
        )

        def listens() -> bool:
            child.check()
            with suppress(OSError), socket.create_connection((self.ip, self.port), 1.0):
                return True
            return False

        wait_until(listens, f"{self} listens", SECONDS)

    def quit(self) -> None:
        """End it gracefully, and wait until it is gone."""
        child = self._child
        assert child is not None, self
        os.kill(int((self._directory / "run" / "nginx.pid").read_text()), signal.SIGQUIT)
        wait_until(lambda: child.process.poll() is not None, f"{self} has ended", SECONDS)
        self.end()

    def end(self) -> None:
        """End it in whatever way."""
        if self._child is not None:
            self._child.end()
            self._child = None


@contextmanager
def instances(places: Sequence[tuple[str, str, int]]) -> Iterator[list[Instance]]:
    """Running instances at these places (version, IP address, port), gone at the end."""
    with ExitStack() as stack:
        made = []
        for version, ip, port in places:
            directory = stack.enter_context(
                tempfile.TemporaryDirectory(prefix="instance-", ignore_cleanup_errors=True)
            )
            one = Instance(version, ip, port, Path(directory))
            stack.callback(one.end)
            one.start()
            made.append(one)
        yield made
