"""The channel in use: it is made anew, so that a name that moved is found soon."""

import socket
from collections.abc import Iterator

import pytest
from rig.nameserver import NameServer, Reply

from proxy.resolution import lookup as module
from proxy.resolution.lookup import Lookups

pytestmark = pytest.mark.process


@pytest.fixture
def server() -> Iterator[NameServer]:
    with NameServer({"app.test": Reply(["192.0.2.1"], ttl=300)}) as made:
        yield made


async def found(lookups: Lookups) -> tuple[str, ...]:
    return (await lookups.ask("app.test", socket.AF_INET)).addresses


async def test_an_answer_is_kept_for_a_moment(server: NameServer) -> None:
    lookups = Lookups([server.address])
    assert (await found(lookups), await found(lookups)) == (("192.0.2.1",),) * 2
    assert server.asked["app.test", "A"] == 1
    lookups.close()


async def test_and_no_longer_however_long_it_would_be_good(
    server: NameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHANNEL_SECONDS", -1.0)
    lookups = Lookups([server.address])
    await found(lookups)
    server.zone["app.test"] = ["192.0.2.2"]
    assert await found(lookups) == ("192.0.2.2",)
    lookups.close()


async def test_other_servers_are_asked_at_once(server: NameServer) -> None:
    lookups = Lookups(["127.0.0.1:1"])
    assert repr(lookups) == "<Lookups at 127.0.0.1:1>"
    lookups.renew([server.address])
    assert await found(lookups) == ("192.0.2.1",)
    lookups.close()


def test_none_are_those_of_the_system() -> None:
    assert repr(Lookups()) == "<Lookups at the servers of the system>"
