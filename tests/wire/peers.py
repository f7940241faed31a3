"""weir, nginx and HAProxy in front of the same upstream, each asked the same."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rig.origins import await_listening, nginx_path, run_nginx

from proxy.demo.ports import LOOPBACK, free_ports
from proxy.demo.processes import LifelineProcess
from tests.wire.program import Wire, running

# Each is told to pass on what it can; nginx needs to be told Host and Connection for it.
NGINX = """
underscores_in_headers on; ignore_invalid_headers off; merge_slashes off; large_client_header_buffers 8 16k;
upstream shop {{ server {host}:{upstream}; keepalive 16; }}
server {{
  listen {host}:{port};
  location / {{
    proxy_pass http://shop; proxy_http_version 1.1; proxy_buffering off; proxy_request_buffering off;
    client_max_body_size 0; proxy_set_header Host $http_host; proxy_set_header Connection "";
    proxy_pass_header Server; proxy_pass_header Date; proxy_pass_header X-Accel-Redirect;
    proxy_buffer_size 64k; proxy_buffers 8 64k; proxy_busy_buffers_size 64k;
  }}
}}
"""
HAPROXY = """
global
  nbthread 1
  maxconn 200
  tune.bufsize 65536
defaults
  mode http
  timeout connect 5s
  timeout client 10s
  timeout server 10s
frontend front
  bind {host}:{port}
  default_backend shop
backend shop
  server shop {host}:{upstream}
"""

PEERS = ("nginx", "haproxy")


def missing() -> str:
    """Which of the peers aren't installed."""
    paths = {"nginx": nginx_path(), "haproxy": haproxy_path()}
    return " and ".join(name for name, path in paths.items() if path is None)


def haproxy_path() -> str | None:
    """Where HAProxy is, also when /usr/sbin is not on the path."""
    return shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin")


@contextmanager
def all_peers(directory: Path, settings: str) -> Iterator[tuple[Wire, Mapping[str, int]]]:
    """weir, and the ports of all three in front of its upstream."""
    with ExitStack() as stack:
        wire = stack.enter_context(running(directory, settings))
        ports = {"weir": wire.running.port}
        for name, start in (("nginx", start_nginx), ("haproxy", start_haproxy)):
            place = directory / name
            place.mkdir()
            (port,) = free_ports([0])
            stack.callback(start(place, port, wire.upstream.port).end)
            ports[name] = port
        wire.fresh()
        yield wire, ports


def start_nginx(directory: Path, port: int, upstream: int) -> LifelineProcess:
    """nginx, which keeps its connections and buffers nothing."""
    return run_nginx(NGINX.format(host=LOOPBACK, port=port, upstream=upstream), port, directory)


def start_haproxy(directory: Path, port: int, upstream: int) -> LifelineProcess:
    """HAProxy in its HTTP mode."""
    conf = directory / "haproxy.cfg"
    conf.write_text(HAPROXY.format(host=LOOPBACK, port=port, upstream=upstream))
    command = [str(haproxy_path()), "-f", str(conf)]
    child = LifelineProcess(
        "haproxy",
        "proxy.demo.lifeline_runner",
        ["--remove", str(directory), "--", *command],
        directory / "log",
    )
    await_listening(child, port)
    return child
