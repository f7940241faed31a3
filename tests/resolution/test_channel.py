"""One question to a real name server, which answers well, badly or not at all."""

import asyncio
import socket
from collections.abc import Iterator

import pytest
from rig.nameserver import NameServer, Reply

from proxy.resolution import channel as module
from proxy.resolution.channel import Channel, Resolved, Unanswered

pytestmark = pytest.mark.process

V4, V6 = socket.AF_INET, socket.AF_INET6


@pytest.fixture
def server() -> Iterator[NameServer]:
    with NameServer() as made:
        yield made


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TIMEOUT", 0.1)


async def ask(server: NameServer, name: str, family: socket.AddressFamily = V4) -> Resolved:
    channel = Channel([server.address])
    try:
        async with asyncio.timeout(10):
            return await channel.ask(name, family)
    finally:
        channel.leave()


async def test_all_addresses_of_a_family_with_the_shortest_ttl(server: NameServer) -> None:
    server.zone["app.test"] = Reply(["192.0.2.2", "192.0.2.1", "2001:db8::1"], ttl=7)
    assert await ask(server, "app.test") == Resolved(("192.0.2.1", "192.0.2.2"), 7)
    assert await ask(server, "app.test", V6) == Resolved(("2001:db8::1",), 7)


async def test_another_name_is_followed(server: NameServer) -> None:
    server.zone |= {"www.test": ["app.test"], "app.test": ["192.0.2.1"]}
    assert (await ask(server, "www.test")).addresses == ("192.0.2.1",)


async def test_an_answer_that_is_too_long_for_udp_comes_by_tcp(server: NameServer) -> None:
    server.zone["app.test"] = Reply(["192.0.2.1"], "truncated")
    assert (await ask(server, "app.test")).addresses == ("192.0.2.1",)
    assert server.asked["app.test", "A"] == 2


async def test_a_late_answer_is_an_answer(server: NameServer) -> None:
    server.zone["app.test"] = Reply(["192.0.2.1"], late=0.25)
    assert (await ask(server, "app.test")).addresses == ("192.0.2.1",)


@pytest.mark.parametrize("known", [Reply(fault="nxdomain"), [], ["2001:db8::1"]])
async def test_no_address_is_an_answer_too(server: NameServer, known: Reply | list[str]) -> None:
    server.zone["app.test"] = known
    assert await ask(server, "app.test") == Resolved((), 0)


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("mute", "no name server answers"),
        ("servfail", "the name server failed (SERVFAIL)"),
        ("refused", "the name server refused the question"),
        ("garbage", "the name server's answer can't be read"),
        ("wrong-id", "no name server answers"),
        ("wrong-question", "no name server answers"),
    ],
)
async def test_what_is_no_answer(server: NameServer, fault: str, why: str) -> None:
    server.zone["app.test"] = Reply(["192.0.2.1"], fault)
    with pytest.raises(Unanswered, match=why.replace("(", r"\(").replace(")", r"\)")):
        await ask(server, "app.test")


async def test_no_server_at_all() -> None:
    channel = Channel(["127.0.0.1:1"])
    with pytest.raises(Unanswered):
        await channel.ask("app.test", V4)
    channel.leave()


async def test_a_name_that_is_none(server: NameServer) -> None:
    with pytest.raises(Unanswered, match="not a valid name"):
        await ask(server, "a..b")


async def test_the_hosts_file_comes_first(server: NameServer) -> None:
    server.zone["localhost"] = ["192.0.2.1"]
    assert (await ask(server, "localhost")).addresses == ("127.0.0.1",)


async def test_a_mute_name_holds_up_no_other(server: NameServer) -> None:
    server.zone |= {f"mute-{n}.test": Reply(fault="mute") for n in range(20)} | {"app.test": ["192.0.2.1"]}
    channel = Channel([server.address])
    waiting = [asyncio.ensure_future(channel.ask(f"mute-{n}.test", V4)) for n in range(20)]
    assert (await channel.ask("app.test", V4)).addresses == ("192.0.2.1",)
    assert not any(each.done() for each in waiting)
    channel.leave()
    ended = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(each, Unanswered) for each in ended), "what is under way goes on"
