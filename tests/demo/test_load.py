"""The customers: different names, a steady rate, and trouble that is counted and not raised."""

import asyncio
from collections import Counter

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from proxy.demo.load import Crowd, customers
from proxy.demo.seen import Sighting


@pytest.mark.parametrize("count", [0, 1, 400, 1000])
def test_names_are_different_and_fit_for_a_cookie(count: int):
    names = customers(count)
    assert len(set(names)) == len(names) == count
    assert all(name.replace("-", "").isalnum() for name in names)


class Origin:
    """Answers with v1 and remembers the cookies it was shown."""

    def __init__(self) -> None:
        self.cookies: Counter[str] = Counter()
        self.connections: set[object] = set()

    async def answer(self, request: web.Request) -> web.Response:
        self.cookies[request.cookies["customer"]] += 1
        self.connections.add(request.transport)
        return web.Response(headers={"X-Version": "v1"})


async def test_customers_keep_their_rate_cookies_and_connections():
    origin, seen = Origin(), []
    enough = asyncio.Event()

    def see(sighting: Sighting) -> None:
        seen.append(sighting)
        if len(seen) >= 60:
            enough.set()

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", origin.answer)
    server = TestServer(app)
    await server.start_server()
    begun = asyncio.get_running_loop().time()
    try:
        names = customers(5)
        async with Crowd(f"http://127.0.0.1:{server.port}", {"shop": "/"}, names, see) as crowd:
            assert "Crowd of 5" in repr(crowd)
            async with crowd.asking(200.0):
                await asyncio.wait_for(enough.wait(), 20)
    finally:
        await server.close()
    assert asyncio.get_running_loop().time() - begun > 59 / 200
    assert set(origin.cookies) == set(names)
    assert len(origin.connections) < 30
    assert {(s.version, s.status, s.trouble) for s in seen} == {("v1", 200, "")}


async def test_nobody_there_is_a_sighting():
    async with Crowd("http://127.0.0.1:1", {"shop": "/"}, ["ada"], lambda _: None) as crowd:
        sighting = await crowd.ask("shop", "/", "ada")
    assert sighting.failed
    assert (sighting.status, sighting.version) == (0, "")
    assert "ClientConnectorError" in sighting.trouble
