"""How the program starts and how it ends."""

import asyncio
import http.client
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rig.client import Answer, Client
from rig.origins import SampleOrigin
from rig.processes import await_gone
from rig.weir import Weir, services, until

from proxy.demo.processes import finish

SLOW = "/?wait=2"
IN_FLIGHT = re.compile(r"^weir_requests_in_flight\{[^}]*\} 1(\.0)?$", re.MULTILINE)


def test_a_second_one_on_the_same_port_fails_and_names_the_address(
    start: Callable[..., Any], origins: tuple[SampleOrigin, SampleOrigin], tmp_path: Path
) -> None:
    first = start(origins)
    other = tmp_path / "other"
    other.mkdir()
    second = Weir(other, services(*(one.url for one in origins)))
    second.config.write_text(second.config.read_text().replace(f":{second.port}", f":{first.port}"))
    assert finish(second.spawn(), 20) not in (0, None)
    assert f"127.0.0.1:{first.port}" in second.log()
    assert "in use" in second.log()
    assert first.admin.ready()


async def test_sigterm_finishes_what_is_in_flight_and_exits_zero(
    start: Callable[..., Any], origins: tuple[SampleOrigin, SampleOrigin]
) -> None:
    running = start(origins, settings="shutdown: {delay: 2s, grace: 10s}\n")
    tree = running.tree()
    slow = await in_flight(running, "/?wait=4")  # longer than the delay
    running.process.send_signal(signal.SIGTERM)
    await until(lambda: not running.admin.ready(), "/readyz says no", 5)
    assert accepts(running.port)
    await until(lambda: not accepts(running.port), "it stops accepting", 5)
    answer = await slow
    assert (answer.status, answer.trouble) == (200, "")
    assert await asyncio.to_thread(finish, running.process, 10) == 0
    await asyncio.to_thread(await_gone, tree)


async def test_a_second_signal_ends_it_at_once(
    start: Callable[..., Any], origins: tuple[SampleOrigin, SampleOrigin]
) -> None:
    running = start(origins)
    tree = running.tree()
    slow = await in_flight(running, "/?wait=30")
    running.process.send_signal(signal.SIGTERM)
    await until(lambda: not accepts(running.port), "it stops accepting", 5)
    running.process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(finish, running.process, 10) == 128 + signal.SIGTERM, (
        "not killed after 10 s"
    )
    assert not (await slow).good
    await asyncio.to_thread(await_gone, tree)


async def in_flight(running: Weir, path: str = SLOW) -> "asyncio.Task[Answer]":
    """A slow request, once a worker has it."""
    client = Client(running.port)
    asked = asyncio.ensure_future(client.ask(client.request(path)))

    await until(lambda: IN_FLIGHT.search(running.admin.metrics()) is not None, "a request in flight", 5)
    return asked


def accepts(port: int) -> bool:
    """Whether a new connection is answered."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=3)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def test_a_ledger_that_cannot_be_written_stops_the_start_and_is_named(
    origins: tuple[SampleOrigin, SampleOrigin], tmp_path: Path
) -> None:
    state = tmp_path / "no" / "such" / "directory" / "weir.db"
    broken = Weir(tmp_path, f"state: {state}\n" + services(*(one.url for one in origins)))
    assert finish(broken.spawn(), 20) not in (0, None)
    assert str(state) in broken.log()
