"""The real program with TLS and unix sockets on both sides."""

import os
import shutil
import signal
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proxy.demo.ports import LOOPBACK, free_ports
from tests.wire.client import Client
from tests.wire.program import Wire, running
from tests.wire.upstream import Upstream

# Each path leads to an upstream of its own kind.
SETTINGS = """
timeouts: {header: 1s}
trusted_proxies: [unix]
services:
  shop: {stable: "http://127.0.0.1:{port}"}
  unix: {match: {path: /unix}, stable: "unix:{unix}"}
  secure: {match: {path: /secure}, stable: {endpoints: ["https://localhost:{secure}"], tls: {ca: "{ca}"}}}
  named: {match: {path: /named}, stable: {endpoints: ["https://localhost:{named}"], tls: {ca: "{ca}", server_name: shop.internal}}}
  misnamed: {match: {path: /misnamed}, stable: {endpoints: ["https://localhost:{named}"], tls: {ca: "{ca}"}}}
  unknown: {match: {path: /unknown}, stable: "https://localhost:{secure}"}
  unverified: {match: {path: /unverified}, stable: {endpoints: ["https://localhost:{named}"], tls: {verify: false}}}
  known: {match: {path: /known}, stable: {endpoints: ["https://localhost:{mutual}"], tls: {ca: "{ca}", cert: "{cert}", key: "{key}"}}}
  anonymous: {match: {path: /anonymous}, stable: {endpoints: ["https://localhost:{mutual}"], tls: {ca: "{ca}"}}}
  mistaken: {match: {path: /mistaken}, stable: {endpoints: ["https://localhost:{port}"], tls: {ca: "{ca}"}}}
"""  # noqa: E501  # a service a line


@dataclass
class Front:
    """A proxy that shows certificates, and the upstreams behind it by the path that leads to them."""

    wire: Wire
    upstreams: dict[str, Upstream]
    authority: Any
    port: int
    path: str
    pair: Path

    def context(self, **settings: Any) -> ssl.SSLContext:
        """What a client trusts; `settings` are attributes of the context."""
        context = ssl.create_default_context(cafile=self.authority.cert)
        for name, value in settings.items():
            setattr(context, name, value)
        return context

    def connect(
        self, name: str | None = "shop.example", context: ssl.SSLContext | None = None
    ) -> ssl.SSLSocket:
        """A TLS connection to the proxy that asks for this name."""
        sock = socket.create_connection((LOOPBACK, self.port))
        sock.settimeout(5)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # An end without TLS's own goodbye has to be seen as what it is: as good as a reset.
        return (context or self.context()).wrap_socket(sock, server_hostname=name, suppress_ragged_eofs=False)

    def client(self, *segments: bytes) -> Client:
        """A client that has sent these segments through TLS."""
        return self.wire.client(*segments, sock=self.connect())

    def unix_client(self, *segments: bytes) -> Client:
        """A client that has sent these segments through the unix socket."""
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(self.path)
        return self.wire.client(*segments, sock=sock)

    def shown(self, name: str | None) -> set[str]:
        """The names of the certificate that is shown to a client that asks for this one."""
        context = self.context(check_hostname=False)
        with self.connect(name, context) as sock:
            certificate = sock.getpeercert() or {}
        return {str(said) for _, said in certificate.get("subjectAltName", ())}

    def replace_pair(self, cert: str, key: str) -> None:
        """Puts another pair where the first one lies, and tells the proxy."""
        shutil.copy(cert, self.pair / "first.pem")
        shutil.copy(key, self.pair / "first.key")
        os.kill(self.wire.running.pid, signal.SIGHUP)

    def fresh(self) -> None:
        """Nothing of the case before is left."""
        self.wire.leave()
        for upstream in self.upstreams.values():
            upstream.fresh()


def server(authority: Any, *names: str, client: bool = False) -> ssl.SSLContext:
    """What an upstream shows, for these names; `client`: it wants to see a certificate too."""
    issued = authority.issue(*names)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority.cert)
    context.load_cert_chain(issued.cert, issued.key)
    context.verify_mode = ssl.CERT_REQUIRED if client else ssl.CERT_NONE
    return context


@contextmanager
def front(directory: Path, authority: Any) -> Iterator[Front]:
    """The proxy, started."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(directory / "up"))
    listener.listen(128)
    upstreams = {
        "unix": Upstream(listener),
        "secure": Upstream(tls=server(authority, "localhost")),
        "named": Upstream(tls=server(authority, "shop.internal")),
        "mutual": Upstream(tls=server(authority, "localhost", client=True)),
    }
    first, second, ours = (
        authority.issue("shop.example"),
        authority.issue("blog.example"),
        authority.issue("weir"),
    )
    shutil.copy(first.cert, directory / "first.pem")
    shutil.copy(first.key, directory / "first.key")
    text = SETTINGS.replace("{ca}", authority.cert).replace("{cert}", ours.cert).replace("{key}", ours.key)
    text = text.replace("{unix}", str(directory / "up"))
    for name in ("secure", "named", "mutual"):
        text = text.replace(f"{{{name}}}", str(upstreams[name].port))
    (port,) = free_ports([0])
    pairs = f"[{{cert: first.pem, key: first.key}}, {{cert: {second.cert}, key: {second.key}}}]"
    places = [f'{{address: "{LOOPBACK}:{port}", tls: {pairs}}}', f"unix:{directory / 'in'}"]
    with ExitStack() as stack:
        for upstream in upstreams.values():
            stack.callback(upstream.close)
        wire = stack.enter_context(running(directory, text, more_listen=places))
        upstreams["shop"] = wire.upstream
        yield Front(wire, upstreams, authority, port, str(directory / "in"), directory)
