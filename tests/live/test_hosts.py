"""Backends behind one address, told apart by host; what endpoints are told; timeouts of a service."""

import asyncio
import http.client
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any

import pytest
from rig.origins import LOOPBACK, nginx_path, run_nginx
from rig.weir import Weir

from proxy.demo.ports import free_ports
from proxy.demo.processes import wait_until
from tests.kits.authority import Authority, Issued

STRANGER = """
server {{
  listen {host}:{port} default_server {tls}; {reject}
  location / {{ return 404 "no such host"; }}
}}
"""
SERVER = """
server {{
  listen {host}:{port} {tls}; server_name {name}; default_type text/plain; {pair}
  location / {{
    return 200 "$server_name|$http_host|$ssl_server_name|$http_x_forwarded_host|$http_x_weir_backend";
  }}
}}
"""
Answered = tuple[str, ...]


class Platform:
    """One nginx that routes by host, and answers 404, or no handshake, for a host that it doesn't know."""

    def __init__(self, place: Path, pairs: dict[str, Issued | None]) -> None:
        (self.port,) = free_ports([0])
        secure = any(pairs.values())
        tls, reject = ("ssl", "ssl_reject_handshake on;") if secure else ("", "")
        self.url = f"{'https' if secure else 'http'}://{LOOPBACK}:{self.port}"
        at = {"host": LOOPBACK, "port": self.port, "tls": tls}
        text = STRANGER.format(reject=reject, **at)
        for name, pair in pairs.items():
            files = f"ssl_certificate {pair.cert}; ssl_certificate_key {pair.key};" if pair else ""
            text += SERVER.format(name=name, pair=files, **at)
        place.mkdir()
        self.child = run_nginx(text, self.port, place)

    def backend(self, name: str, more: str = "") -> str:
        return f"{{endpoints: {self.url}, host: {name}{more}}}"


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Callable[..., Platform]]:
    """Starts nginx with these hosts and their certificates."""
    if nginx_path() is None:
        pytest.skip("nginx is not installed")
    with ExitStack() as stack:

        def started(**pairs: Issued | None) -> Platform:
            made = Platform(
                tmp_path / "platform", {name.replace("_", "."): each for name, each in pairs.items()}
            )
            stack.callback(made.child.end)
            return made

        yield started


def ask(running: Weir, times: int = 1, **headers: str) -> list[Answered]:
    """Asks so many times over one connection; what nginx says of each request, or its status."""
    found = []
    with closing(http.client.HTTPConnection(LOOPBACK, running.port, timeout=20)) as connection:
        for _ in range(times):
            connection.request("GET", "/", headers={"Host": "shop.test"} | headers)
            answer = connection.getresponse()
            text = answer.read().decode()
            found.append(tuple(text.split("|")) if answer.status == 200 else (str(answer.status),))
    return found


def conditions(running: Weir) -> dict[str, str]:
    backends = running.admin.service("shop")["backends"]
    return {name: words for name, side in backends.items() for words in side["conditions"].values()}


def names(running: Weir, **headers: str) -> set[str]:
    return {one[0] for one in ask(running, 8, **headers)}


HEALTH = "    health: {path: /, interval: 500ms, timeout: 500ms}\n"
ROLLOUT = f"""{HEALTH}    analysis: {{step_up: off}}
    rollout: {{steps: [100%], hold: 100ms, min_requests: 10}}
    force: {{header: X-Canary}}
    endpoint_header: X-Weir-Backend
"""


def test_two_hosts_behind_one_address_from_the_probe_to_undo(
    platform: Callable[..., Platform], start_text: Callable[[str], Weir]
) -> None:
    behind = platform(v1_test=None, v2_test=None)
    sides = f"    stable: {behind.backend('v1.test')}\n    canary: {behind.backend('v2.test')}\n"
    running = start_text(f"services:\n  shop:\n{sides}{ROLLOUT}")
    wait_until(lambda: conditions(running) == {"stable": "alive", "canary": "alive"}, "both are alive", 20)
    assert ask(running) == [("v1.test", "v1.test", "", "shop.test", "stable; why=weight")]
    assert ask(running, **{"X-Canary": "always", "X-Weir-Backend": "mine", "x_weir_backend": "mine"}) == [
        ("v2.test", "v2.test", "", "shop.test", "canary; why=force")
    ]
    running.admin.order("shop", "start")  # the canary is asked first, by its own host

    def promoted() -> bool:
        ask(running, 8)
        return running.admin.service("shop")["phase"] == "promoted"

    wait_until(promoted, "it is promoted", 20)
    wait_until(lambda: names(running) == {"v2.test"}, "the workers have been told", 20)
    (pid,) = running.controls()
    assert running.process is not None
    running.process.send_signal(signal.SIGHUP)
    wait_until(lambda: names(running) == {"v2.test"}, "a reload changes nothing", 20)
    assert pid == running.control()
    written = running.admin.service("shop")["drift"]["write"]
    assert f'stable: {{endpoints: ["{behind.url}"], host: "v2.test"}}' in written
    running.kill_tree()
    running.start()  # the ledger knows it
    assert names(running) == {"v2.test"}
    running.admin.order("shop", "undo")
    wait_until(lambda: names(running) == {"v1.test"}, "v1 is back", 20)


def test_a_canary_whose_host_nobody_knows_is_not_started_and_harms_no_other(
    platform: Callable[..., Platform], start_text: Callable[[str], Weir]
) -> None:
    behind = platform(v1_test=None)
    sides = f"    stable: {behind.backend('v1.test')}\n    canary: {behind.backend('v3.test')}\n"
    running = start_text(f"services:\n  shop:\n{sides}{ROLLOUT}")
    wait_until(lambda: conditions(running).get("canary") == "dead: answered 404", "the canary is dead", 20)
    assert conditions(running)["stable"] == "alive"
    assert names(running) == {"v1.test"}
    running.admin.order("shop", "start")
    says = f"{behind.url} (Host v3.test): answered 404"
    wait_until(lambda: says in str(running.admin.service("shop")["rollout"]), "it isn't begun", 20)
    assert running.admin.service("shop")["weights"]["canary"] == 0


def test_under_tls_each_host_is_asked_for_by_its_name_and_has_connections_of_its_own(
    platform: Callable[..., Platform],
    start_text: Callable[[str], Weir],
    shop: Issued,
    blog: Issued,
    authority: Authority,
) -> None:
    behind = platform(shop_example=shop, blog_example=blog)
    trust = f", tls: {{ca: {authority.cert}}}"
    sides = f"    stable: {behind.backend('shop.example', trust)}\n"
    sides += f"    canary: {behind.backend('blog.example', trust)}\n"
    running = start_text(f"services:\n  shop:\n{sides}    weight: 50%\n{HEALTH}")
    wait_until(lambda: conditions(running) == {"stable": "alive", "canary": "alive"}, "both are alive", 20)
    found = ask(running, 60)
    assert {one[0] for one in found} == {"shop.example", "blog.example"}
    assert all(name == host == sni for name, host, sni, _, _ in found), "421 elsewhere"


def test_tls_can_ask_for_another_name_than_the_host(
    platform: Callable[..., Platform], start_text: Callable[[str], Weir], shop: Issued, authority: Authority
) -> None:
    behind = platform(shop_example=shop)
    trust = f", tls: {{ca: {authority.cert}, server_name: shop.example}}"
    running = start_text(f"services:\n  shop:\n    stable: {behind.backend('endpoint', trust)}\n")
    assert ask(running) == [("404",)], "the handshake was for shop.example, and the request for the address"


EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nConnection: close\r\n\r\ndata: 1\n\n"


class Slow:
    """An origin that begins every answer and then is silent, until it is told to go on."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()

    async def __aenter__(self) -> str:
        self._server = await asyncio.start_server(self._serve, LOOPBACK, 0)
        return f"http://{LOOPBACK}:{self._server.sockets[0].getsockname()[1]}"

    async def __aexit__(self, *_: object) -> None:
        self.go_on.set()
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        kind = re.match(rb"GET /\w+/(\w+)", head)
        if kind is not None and kind[1] != b"mute":
            writer.write(EVENTS % (b"text/event-stream" if kind[1] == b"events" else b"text/plain"))
        await self.go_on.wait()
        writer.write(
            b"data: 2\n\n" if kind is not None and kind[1] != b"mute" else b"HTTP/1.1 204 No Content\r\n\r\n"
        )
        writer.close()


async def get(port: int, path: str) -> bytes:
    """Returns all that comes, until the connection ends."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    writer.write(b"GET %b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" % path.encode())
    found = b""
    with suppress(ConnectionResetError):  # so is cut what has no other end
        while piece := await reader.read(4096):
            found += piece
    writer.close()
    return found


async def test_a_service_has_timeouts_of_its_own_and_event_streams_may_be_quiet(
    start_text: Callable[[str], Any],
) -> None:
    slow = Slow()
    async with slow as url, asyncio.timeout(60):
        text = f"""
defaults: {{timeouts: {{response: 300ms, body: 300ms}}}}
services:
  quick: {{match: {{path: /quick}}, stable: {url}}}
  patient: {{match: {{path: /patient}}, stable: {url}, timeouts: {{}}}}
"""
        running = await asyncio.to_thread(start_text, text)
        paths = ("/quick/events", "/patient/mute", "/patient/plain")
        waiting = [asyncio.create_task(get(running.port, path)) for path in paths]
        late = await get(running.port, "/quick/mute")
        assert late.startswith(b"HTTP/1.1 504 ")
        cut = await get(running.port, "/quick/plain")
        assert (b"data: 1" in cut, b"data: 2" in cut) == (True, False)
        assert [one.done() for one in waiting] == [False, False, False], "these have more time"
        slow.go_on.set()
        events, mute, plain = await asyncio.gather(*waiting)
        assert (b"data: 2" in events, b"data: 2" in plain) == (True, True)
        assert mute.startswith(b"HTTP/1.1 204 ")
