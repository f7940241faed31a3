"""Load balancers that pass bytes on and name the client by the PROXY protocol: HAProxy before the program."""

import http.client
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from rig.origins import LOOPBACK, nginx_path, run_nginx
from rig.weir import Weir, weir

from proxy.demo.ports import free_ports
from proxy.demo.processes import wait_until
from tests.kits.authority import Authority, Issued

CLIENT = "127.0.0.3"
"""Where clients come from; the balancer comes from 127.0.0.1."""
pytestmark = pytest.mark.skipif(
    shutil.which("haproxy") is None or nginx_path() is None, reason="haproxy or nginx is not installed"
)
TELLS = """
server {{
  listen {host}:{port}; default_type text/plain;
  location / {{ return 200 "$http_x_forwarded_for|$http_x_real_ip|$http_x_forwarded_proto"; }}
}}
"""
BALANCER = """
defaults
  mode tcp
  timeout connect 5s
  timeout client 20s
  timeout server 20s
"""


class Balanced:
    """HAProxy before weir before an nginx that tells who the client is."""

    def __init__(self, running: Weir, ports: dict[str, int], direct: int) -> None:
        self.running = running
        self.ports = ports
        self.direct = direct
        """Where weir expects balancers."""

    def ask(self, name: str, context: ssl.SSLContext | None = None) -> str:
        return asked(self.ports[name], context)


def asked(port: int, context: ssl.SSLContext | None = None, source: str = CLIENT) -> str:
    """What the nginx says of the client."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=20, source_address=(source, 0))
    with closing(connection):
        if context is not None:
            connection.connect()
            connection.sock = context.wrap_socket(connection.sock, server_hostname="localhost")
        connection.request("GET", "/")
        return connection.getresponse().read().decode()


@pytest.fixture
def balanced(tmp_path: Path, shop: Issued) -> Iterator[Balanced]:
    origin, plain, secure, *fronts = free_ports([0] * 6)
    names = dict(zip(("v1", "v2", "tls"), fronts, strict=True))
    (tmp_path / "nginx").mkdir()
    child = run_nginx(TELLS.format(host=LOOPBACK, port=origin), origin, tmp_path / "nginx")
    pair = f"tls: {{cert: {shop.cert}, key: {shop.key}}}"
    listen = [
        f'{{address: "{LOOPBACK}:{plain}", proxy_protocol: [127.0.0.1]}}',
        f'{{address: "{LOOPBACK}:{secure}", proxy_protocol: 127.0.0.1, {pair}}}',
    ]
    text = BALANCER
    ways = {
        "v1": (plain, "send-proxy check"),
        "v2": (plain, "send-proxy-v2 check"),
        "tls": (secure, "send-proxy-v2"),
    }
    for name, (port, sends) in ways.items():
        text += f"listen {name}\n  bind {LOOPBACK}:{names[name]}\n"
        text += f"  server weir {LOOPBACK}:{port} inter 100ms {sends}\n"
    settings = f'services:\n  shop:\n    stable: "http://{LOOPBACK}:{origin}"\n'
    try:
        with weir(tmp_path, settings, more_listen=listen) as running:
            file = tmp_path / "haproxy.cfg"
            file.write_text(text)
            balancer = subprocess.Popen(["haproxy", "-f", str(file), "-db"], stderr=subprocess.DEVNULL)
            try:
                wait_until(lambda: all(map(listens, fronts)), "HAProxy listens", 20)
                yield Balanced(running, names, plain)
            finally:
                balancer.kill()
                balancer.wait()
    finally:
        child.end()


def listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex((LOOPBACK, port)) == 0


def test_the_client_is_whom_the_balancer_names(balanced: Balanced, authority: Authority) -> None:
    trusting = ssl.create_default_context(cafile=authority.cert)
    assert balanced.ask("v1") == f"{CLIENT}|{CLIENT}|http"
    assert balanced.ask("v2") == f"{CLIENT}|{CLIENT}|http"
    assert balanced.ask("tls", trusting) == f"{CLIENT}|{CLIENT}|https"
    assert asked(balanced.running.port) == f"{CLIENT}|{CLIENT}|http", "without a balancer, as ever"
    assert "(PROXY protocol)" in balanced.running.log()


def test_who_is_no_balancer_names_nobody(balanced: Balanced) -> None:
    for source, sent in ((CLIENT, b"PROXY TCP4 10.9.8.7 10.0.0.1 1 2\r\n"), (LOOPBACK, b"")):
        with socket.create_connection((LOOPBACK, balanced.direct), 20, (source, 0)) as connection:
            connection.sendall(sent + b"GET / HTTP/1.1\r\nHost: shop\r\n\r\n")
            with suppress(ConnectionResetError):
                assert connection.recv(1000) == b""
    refused = 'weir_refused_total{reason="proxy-protocol"'
    wait_until(lambda: refused in balanced.running.admin.metrics(), "the refusals are counted", 20)
    assert f"{CLIENT} is not among those that `proxy_protocol` names" in balanced.running.log()
    assert balanced.ask("v1") == f"{CLIENT}|{CLIENT}|http"
