import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from rig.nameserver import NameServer, Reply

from proxy.config.reader import read
from proxy.control.managed_service import ManagedService
from proxy.control.outside.network import OutsideNetwork
from proxy.ledger.record import Record
from proxy.rollout.advance import advance
from proxy.rollout.entry import Entry
from proxy.rollout.inputs import Abort
from proxy.rollout.rollout import Rollout
from proxy.routing.endpoint import Endpoint
from proxy.settings.service import side, template
from tests.kits.receivers import Receiver

pytestmark = pytest.mark.process

TEXT = """
services:
  shop:
    stable: http://127.0.0.1:1
    canary: %s
    health: {path: /, interval: 100ms, timeout: 100ms}
    hooks: [{at: before-step, url: "%s"}, {at: after, url: "%s"}]
    notify: [{url: "%s", format: slack, events: [promotion, abort, trip]}]
"""


class Workers:
    """Hears who is dead, and where names are."""

    def __init__(self) -> None:
        self.dead = asyncio.Queue()
        self.names = {}

    def locate(self, names: dict[str, tuple[str, ...]]) -> None:
        self.names |= names

    def set_dead(self, service: str, dead: frozenset[tuple[str, str]]) -> None:
        self.dead.put_nowait((service, dead))


@pytest.fixture
async def outside() -> AsyncIterator[Any]:
    made = OutsideNetwork.begin(())
    yield made
    await made.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Any]:
    async with Receiver() as made:
        yield made


def managed(receiver: Receiver) -> ManagedService:
    url = receiver.url
    base = url.removesuffix("/secret-path")
    config = read(TEXT % (base, url, url, url), "weir.yaml", {})
    file = config.services["shop"]
    state = Rollout(revision=3, weight=500, stable=side(file.stable), canary=side(file.canary))
    return ManagedService(template("shop", file, config.timeouts, None), file, state)


async def test_a_canary_that_answers_agrees_and_one_that_does_not_says_why(
    outside: OutsideNetwork, receiver: Receiver
) -> None:
    shop = managed(receiver)
    assert await outside.respondents.canary(shop) == ""
    receiver.answers = [500]
    said = await outside.respondents.canary(shop)
    assert said.startswith("the canary doesn't answer: http://127.0.0.1:")
    assert said.endswith(": answered 500")


async def test_workers_are_told_who_is_dead(outside: OutsideNetwork, receiver: Receiver) -> None:
    workers, shop = Workers(), managed(receiver)
    work = asyncio.create_task(outside.run(workers))
    outside.watch(shop)
    service, dead = await asyncio.wait_for(workers.dead.get(), 5)
    while not dead:
        service, dead = await asyncio.wait_for(workers.dead.get(), 5)
    assert (service, dead) == ("shop", {("http://127.0.0.1:1", "127.0.0.1")})
    assert outside.conditions("shop")["http://127.0.0.1:1"].startswith("dead: ")
    assert outside.conditions("shop")["http://127.0.0.1:1"].startswith("dead")
    outside.forget("shop")
    assert outside.conditions("shop") == {}
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


async def test_counts_begin_at_zero_for_whom_a_service_names(
    outside: OutsideNetwork, receiver: Receiver
) -> None:
    outside.watch(managed(receiver))
    operations = outside.operations()
    assert operations.hooks == {("shop", "before-step", result): 0 for result in ("open", "closed", "failed")}
    assert operations.notices == {("shop", result): 0 for result in ("sent", "failed", "dropped")}
    assert (operations.reloaded, operations.reloaded_at) == (True, 0.0)


async def test_news_of_a_canary_that_is_out_say_how_long_that_took(
    outside: OutsideNetwork, receiver: Receiver
) -> None:
    shop = managed(receiver)
    out = advance(shop.rollout, Abort("ann"), 5.0)
    shop.enter(out.rollout)
    outside.notify(shop, Record("shop", 5.0, "ann", "", out.entry, out.rollout), 12.3)
    await receiver.heard.acquire()
    (_, body), *_ = receiver.got
    assert "Every worker had taken it out after 12 ms." in json.loads(body)["text"]


async def test_news_are_told_in_words(outside: OutsideNetwork, receiver: Receiver) -> None:
    shop = managed(receiver)
    entry = Entry(4, "promotion", 10_000, 0, "v2 is stable now")
    outside.notify(shop, Record("shop", 5.0, "ann", "looks good", entry, shop.rollout), None)
    await receiver.heard.acquire()
    await receiver.heard.acquire()
    bodies = [json.loads(body) for _, body in receiver.got]
    hook = next(body for body in bodies if "event" in body)
    chat = next(body for body in bodies if "event" not in body)
    assert (hook["at"], hook["event"], hook["entry"]["reason"]) == ("after", "promotion", "looks good")
    assert "id" not in hook["entry"], "the ledger has not numbered it yet"
    assert chat["text"].startswith("shop: promotion by ann (looks good). The canary of shop")


async def test_a_trip_is_told_without_its_finding_twice(outside: OutsideNetwork, receiver: Receiver) -> None:
    shop = managed(receiver)
    entry = Entry(4, "trip", 500, 0, "it fails")
    outside.notify(shop, Record("shop", 5.0, "weir", "it fails", entry, shop.rollout), None)
    await receiver.heard.acquire()
    [(_, body)] = receiver.got
    assert json.loads(body)["text"].startswith("shop: trip by weir. The canary of shop")


NAMED = """
services:
  shop: {stable: "http://app.test:%d", health: {path: /, interval: 100ms, timeout: 100ms}}
"""


def named(port: int) -> ManagedService:
    config = read(NAMED % port, "weir.yaml", {})
    file = config.services["shop"]
    state = Rollout(revision=3, stable=side(file.stable))
    shop = ManagedService(template("shop", file, config.timeouts, None), file, state)
    shop.enter(state)
    return shop


async def test_names_are_resolved_sent_and_probed_and_asked_anew_of_other_servers(receiver: Receiver) -> None:
    port = int(receiver.url.split(":")[2].split("/")[0])
    workers, shop = Workers(), named(port)
    with (
        NameServer({"app.test": Reply(["127.0.0.1"], ttl=300)}) as server,
        NameServer({"app.test": Reply(["127.0.0.3"], ttl=300)}) as other,
    ):
        outside = OutsideNetwork.begin([server.address])
        work = asyncio.create_task(outside.run(workers))
        outside.watch(shop)
        endpoints = shop.service.backends[0].endpoints
        async with asyncio.timeout(10):
            while workers.names != {"app.test": ("127.0.0.1",)}:  # noqa: ASYNC110  # nothing is set then
                await asyncio.sleep(0.01)
        url = f"http://app.test:{port}"
        assert outside.addresses("shop") == {url: [f"127.0.0.1:{port}"]}
        async with asyncio.timeout(10):
            while outside.conditions("shop").get(url) != "alive":  # noqa: ASYNC110  # nothing is set then
                await asyncio.sleep(0.01)
        await outside.locate(endpoints, [other.address])
        assert workers.names == {"app.test": ("127.0.0.3",)}
        async with asyncio.timeout(10):
            while not outside.conditions("shop")[url].startswith("dead"):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        outside.forget("shop")
        await asyncio.sleep(0)
        assert outside.addresses("shop") == {}
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        await outside.close()


TWO_NAMES = """
services:
  shop:
    stable: http://stable.test:9001
    canary: [http://canary.test:9002, http://127.0.0.1:9003]
"""
PROBED = TWO_NAMES + "    health: {path: /, interval: 100ms, timeout: 100ms, unhealthy_after: 1}\n"


def two_named(text: str = TWO_NAMES) -> ManagedService:
    config = read(text, "weir.yaml", {})
    file = config.services["shop"]
    state = Rollout(revision=3, weight=500, stable=side(file.stable), canary=side(file.canary))
    return ManagedService(template("shop", file, config.timeouts, None), file, state)


def endpoints(shop: ManagedService) -> list[Endpoint]:
    return [endpoint for backend in shop.service.backends for endpoint in backend.endpoints]


@pytest.fixture
def server() -> Iterator[NameServer]:
    with NameServer({"stable.test": ["192.0.2.1", "192.0.2.2"], "canary.test": ["192.0.2.3"]}) as made:
        yield made


@pytest.fixture
async def working(server: NameServer) -> AsyncIterator[tuple[OutsideNetwork, Workers]]:
    """A network that asks this name server, at work for workers."""
    made, workers = OutsideNetwork.begin([server.address]), Workers()
    work = asyncio.create_task(made.run(workers))
    await asyncio.sleep(0)
    yield made, workers
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    await made.close()


async def test_workers_have_the_addresses_before_anything_that_waits_for_them_goes_on(
    working: tuple[OutsideNetwork, Workers],
) -> None:
    outside, workers = working
    shop = two_named()
    await outside.locate(endpoints(shop))
    assert workers.names == {"stable.test": ("192.0.2.1", "192.0.2.2"), "canary.test": ("192.0.2.3",)}
    outside.watch(shop)
    assert outside.addresses("shop") == {
        "http://stable.test:9001": ["192.0.2.1:9001", "192.0.2.2:9001"],
        "http://canary.test:9002": ["192.0.2.3:9002"],
    }, "an IP address stands in its URL"
    assert outside.conditions("shop") == {}


async def test_a_name_that_is_not_resolved_is_shown_with_the_reason(
    working: tuple[OutsideNetwork, Workers], server: NameServer
) -> None:
    outside, workers = working
    del server.zone["canary.test"]
    shop = two_named()
    await outside.locate(endpoints(shop))
    outside.watch(shop)
    assert "canary.test" not in workers.names
    assert outside.conditions("shop") == {
        "http://canary.test:9002": "dead: its name isn't resolved: there is no address of that name"
    }
    assert outside.addresses("shop")["http://canary.test:9002"] == []


async def test_probes_follow_a_name(working: tuple[OutsideNetwork, Workers], server: NameServer) -> None:
    outside, workers = working
    server.zone |= {"stable.test": ["127.0.0.1"], "canary.test": ["127.0.0.1"]}
    shop = two_named(PROBED)
    await outside.locate(endpoints(shop))
    outside.watch(shop)
    service, dead = await asyncio.wait_for(workers.dead.get(), 20)
    while len(dead) < 3:
        service, dead = await asyncio.wait_for(workers.dead.get(), 20)
    assert (service, {ip for _, ip in dead}) == ("shop", {"127.0.0.1"})
    server.zone["canary.test"] = ["127.0.0.2"]
    await outside.locate(endpoints(shop), [server.address])
    service, dead = await asyncio.wait_for(workers.dead.get(), 20)
    assert ("http://canary.test:9002", "127.0.0.1") not in dead, "it is no address of the service any more"
    assert workers.names["canary.test"] == ("127.0.0.2",)
    while ("http://canary.test:9002", "127.0.0.2") not in dead:
        service, dead = await asyncio.wait_for(workers.dead.get(), 20)
    assert outside.addresses("shop")["http://canary.test:9002"] == ["127.0.0.2:9002"]


async def test_names_of_a_service_that_is_gone_are_taken_from_the_workers(
    working: tuple[OutsideNetwork, Workers],
) -> None:
    outside, workers = working
    shop = two_named()
    outside.watch(shop)
    async with asyncio.timeout(20):
        while len(workers.names) < 2:  # noqa: ASYNC110  # it is called, and sets nothing
            await asyncio.sleep(0.001)
        outside.forget("shop")
        while any(workers.names.values()):  # noqa: ASYNC110  # as above
            await asyncio.sleep(0.001)
    assert (outside.addresses("shop"), outside.conditions("shop")) == ({}, {})


async def test_a_canary_whose_name_is_not_resolved_does_not_agree(
    working: tuple[OutsideNetwork, Workers], server: NameServer
) -> None:
    outside, _ = working
    del server.zone["canary.test"]
    shop = two_named(
        TWO_NAMES.replace("[http://canary.test:9002, http://127.0.0.1:9003]", "http://canary.test:9002")
    )
    said = await outside.respondents.canary(shop)
    assert said == "the canary doesn't answer: its name isn't resolved"
