"""Names and addresses, with a real name server: what is refused, mute, moved, missing or badly answered."""

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, suppress

import pytest
from rig.client import Client, closed_loop
from rig.nameserver import NameServer, Reply
from rig.weir import Weir, until

from proxy.cli.client import Client as Api
from proxy.demo.ports import free_ports

StartText = Callable[[str], Weir]
ONE, TWO, THREE, FOUR = (f"127.0.7.{number}" for number in (1, 2, 3, 4))


@pytest.fixture
def server() -> Iterator[NameServer]:
    with NameServer() as made:
        yield made


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """The port of applications at `ONE` to `FOUR`, each of which names its address and closes."""
    (found,) = free_ports([0])
    async with AsyncExitStack() as stack:
        for ip in (ONE, TWO, THREE, FOUR):
            await stack.enter_async_context(application(ip, found))
        yield found


@asynccontextmanager
async def application(ip: str, port: int) -> AsyncIterator[None]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            head = await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nX-Version: %s\r\nContent-Length: 10\r\n" % ip.encode())
            writer.write(b"Connection: close\r\n\r\nfirst")
            if b"/slow" in head:
                await slow.wait()
            writer.write(b"+more")
            await writer.drain()
        writer.close()

    slow = asyncio.Event()
    asyncio.get_running_loop().call_later(3, slow.set)
    listening = await asyncio.start_server(answer, ip, port)
    yield
    slow.set()
    listening.close()


def text(server: NameServer, services: str, more: str = "") -> str:
    return f'resolver: {{servers: ["{server.address}"]}}\n{more}services:\n{services}'


async def met(running: Weir, count: int, path: str = "/", method: str = "GET") -> Counter[str]:
    """Which address answered how often; what was no good answer, by its trouble or status."""
    client, found = Client(running.port), Counter[str]()
    request = client.request(path).replace(b"GET", method.encode(), 1)
    if method == "POST":
        request = request.replace(b"\r\n\r\n", b"\r\nContent-Length: 4\r\n\r\nbody", 1)

    async def ask(_: int) -> None:
        answer = await client.ask(request)
        found[answer.version if answer.good else answer.trouble or str(answer.status)] += 1

    try:
        await closed_loop(count, 4, ask)
    finally:
        client.close()
    return found


async def all_from(running: Weir, *ips: str) -> None:
    """Wait until requests go to these addresses only; none fails meanwhile."""
    async with asyncio.timeout(20):
        while True:
            found = await met(running, 20)
            assert found.keys() <= {ONE, TWO, THREE, FOUR}, found
            if found.keys() == set(ips):
                return


async def test_a_mute_name_takes_nobody_else_down(
    start_text: StartText, server: NameServer, port: int
) -> None:
    server.zone |= {"good.test": [ONE], "other.test": [TWO], "mute.test": Reply(fault="mute")}
    sides = f"stable: 'http://good.test:{port}', canary: 'http://mute.test:1', weight: 50%"
    shop = f"  shop: {{match: {{path: /shop}}, {sides}}}\n"
    other = f"  other: {{match: {{path: /other}}, stable: 'http://other.test:{port}'}}\n"
    running = start_text(text(server, shop + other))
    for _ in range(10):
        assert await met(running, 8, "/shop") == {ONE: 8}
        assert await met(running, 8, "/other") == {TWO: 8}
    await until(lambda: running.admin.service("shop")["trip"] is not None, "the canary is out")
    assert running.admin.service("shop")["trip"]["finding"]["sample"] < 50
    assert "mute.test isn't resolved yet: its endpoints get no requests until it is" in running.log()


async def test_one_of_three_endpoints_that_is_down_costs_no_request(
    start_text: StartText, server: NameServer, port: int
) -> None:
    stable = ", ".join(f"'http://{ip}:{port}'" for ip in (ONE, "127.0.7.99", TWO))
    running = start_text(text(server, f"  shop: {{stable: [{stable}]}}\n"))
    found = await met(running, 60) + await met(running, 20, method="POST")
    assert found.keys() == {ONE, TWO}, found


async def test_a_canary_with_one_endpoint_down_is_a_good_one(
    start_text: StartText, server: NameServer, port: int
) -> None:
    canary = f"['http://{TWO}:{port}', 'http://127.0.7.99:{port}']"
    shop = f"  shop: {{stable: 'http://{ONE}:{port}', canary: {canary}, weight: 50%}}\n"
    running = start_text(text(server, shop))
    found = await met(running, 400) + await met(running, 100, method="POST")
    assert found.keys() == {ONE, TWO}, found
    view = running.admin.service("shop")
    assert (view["trip"], view["blast_radius"]["harmed"], view["blast_radius"]["rescued"]) == (None, 0, 0)


async def test_a_name_with_a_deaf_address_is_reached_at_the_other(
    start_text: StartText, server: NameServer, port: int
) -> None:
    with socket.socket() as deaf, ExitStack() as stack:
        deaf.bind(("127.0.7.9", port))
        deaf.listen(0)
        for _ in range(4):  # its queue is full
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            with suppress(BlockingIOError):
                waiting.connect(("127.0.7.9", port))
        server.zone["app.test"] = ["127.0.7.9", ONE]
        running = start_text(text(server, f"  shop: {{stable: 'http://app.test:{port}'}}\n"))
        assert await met(running, 40) == {ONE: 40}
        assert await met(running, 10, method="POST") == {ONE: 10}


async def test_all_addresses_of_a_name_get_requests(
    start_text: StartText, server: NameServer, port: int
) -> None:
    server.zone["app.test"] = [ONE, TWO, THREE]
    running = start_text(text(server, f"  shop: {{stable: 'http://app.test:{port}'}}\n"))
    found = await met(running, 300)
    assert found.keys() == {ONE, TWO, THREE}
    assert min(found.values()) > 50, found  # 300 thirds spread by 8
    listed = running.admin.service("shop")["backends"]["stable"]["addresses"]
    assert listed == {f"http://app.test:{port}": [f"{ip}:{port}" for ip in (ONE, TWO, THREE)]}


async def test_a_name_that_moves_is_followed_and_nothing_is_cut(
    start_text: StartText, server: NameServer, port: int
) -> None:
    server.zone["app.test"] = [ONE]
    running = start_text(text(server, f"  shop: {{stable: 'http://app.test:{port}'}}\n"))
    slow = asyncio.create_task(met(running, 1, "/slow"))
    await all_from(running, ONE)
    server.zone["app.test"] = [TWO, THREE]
    await all_from(running, TWO, THREE)
    assert await slow == {ONE: 1}


async def test_a_reload_follows_at_once_however_long_the_answer_was_good(
    start_text: StartText, server: NameServer, port: int
) -> None:
    server.zone["app.test"] = Reply([ONE], ttl=3600)
    running = start_text(text(server, f"  shop: {{stable: 'http://app.test:{port}'}}\n"))
    assert await met(running, 8) == {ONE: 8}
    server.zone["app.test"] = Reply([TWO], ttl=3600)
    await asyncio.to_thread(Api(running.admin.address).call, "POST", "/api/v1/config/reload")
    assert await met(running, 8) == {TWO: 8}


async def test_a_name_that_is_missing_at_the_start_is_an_endpoint_that_is_down(
    start_text: StartText, server: NameServer, port: int
) -> None:
    running = start_text(text(server, f"  shop: {{stable: 'http://app.test:{port}'}}\n"))
    assert await met(running, 4) == {"503": 4}
    assert "app.test can't be resolved: there is no address of that name" in running.log()
    view = running.admin.service("shop")["backends"]["stable"]
    assert view["conditions"][f"http://app.test:{port}"].startswith(
        "dead: its name isn't resolved: there is no"
    )
    server.zone["app.test"] = [ONE]
    await until(lambda: bool(running.admin.service("shop")["backends"]["stable"]["addresses"]), "resolved")
    async with asyncio.timeout(10):
        while await met(running, 4) != {ONE: 4}:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(fault="mute"),
        Reply(fault="nxdomain"),
        Reply(fault="servfail"),
        Reply([TWO], "garbage"),
        Reply([TWO], "wrong-id"),
        Reply(),
        Reply([ONE], late=0.5),
        Reply([ONE], "truncated"),
    ],
    ids=lambda reply: reply.fault or ("late" if reply.late else "empty"),
)
async def test_the_last_good_addresses_stay_in_use(
    start_text: StartText, server: NameServer, port: int, reply: Reply
) -> None:
    server.zone["app.test"] = [ONE]
    running = start_text(text(server, f"  shop: {{stable: 'http://app.test:{port}'}}\n"))
    server.zone["app.test"] = reply
    asked = server.asked["app.test", "A"]
    await until(lambda: server.asked["app.test", "A"] > asked, "the name is asked for again")
    assert await met(running, 20) == {ONE: 20}


async def test_a_server_that_is_silent_about_ipv6_holds_up_nothing(
    start_text: StartText, server: NameServer, port: int
) -> None:
    server.zone["app.test"] = Reply([ONE], "mute-aaaa")
    running = start_text(text(server, f"  shop: {{stable: 'http://app.test:{port}'}}\n"))
    assert await met(running, 8) == {ONE: 8}


async def test_addresses_are_probed_by_themselves(
    start_text: StartText, server: NameServer, port: int
) -> None:
    server.zone["app.test"] = [ONE, "127.0.7.99"]
    health = "{path: /, interval: 100ms, timeout: 100ms}"
    shop = f"  shop: {{stable: 'http://app.test:{port}', health: {health}}}\n"
    running = start_text(text(server, shop))
    url = f"http://app.test:{port}"
    said = f"alive at 1 of 2 addresses: 127.0.7.99:{port} is dead: connection refused"
    await until(lambda: running.admin.service("shop")["backends"]["stable"]["conditions"][url] == said, said)
    up = [line for line in running.admin.metrics().splitlines() if line.startswith("weir_endpoint_up{")]
    assert [(url in line, float(line.split()[-1])) for line in up] == [(True, 1.0)]
    server.zone["app.test"] = ["127.0.7.99"]
    said = "dead: connection refused"
    await until(lambda: running.admin.service("shop")["backends"]["stable"]["conditions"][url] == said, said)
