"""The customers: different names, a steady rate, and trouble that is counted and not raised."""

import asyncio
from collections import Counter

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from proxy.demo.customer_counts import ObservedRequest
from proxy.demo.customers import Customers, customer_names


@pytest.mark.parametrize("count", [0, 1, 400, 1000])
def test_names_are_different_and_fit_for_a_cookie(count: int) -> None:
    names = customer_names(count)
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


@pytest.mark.process
async def test_customers_keep_their_rate_cookies_and_connections() -> None:
    origin, recorded = Origin(), []
    enough = asyncio.Event()

    def record(observed: ObservedRequest) -> None:
        recorded.append(observed)
        if len(recorded) >= 60:
            enough.set()

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", origin.answer)
    server = TestServer(app)
    await server.start_server()
    begun = asyncio.get_running_loop().time()
    try:
        names = customer_names(5)
        async with Customers(f"http://127.0.0.1:{server.port}", {"shop": "/"}, names, record) as customers:
            assert "Customers 5 of" in repr(customers)
            async with customers.sending(200.0):
                await asyncio.wait_for(enough.wait(), 20)
    finally:
        await server.close()
    assert asyncio.get_running_loop().time() - begun > 59 / 200
    assert set(origin.cookies) == set(names)
    assert len(origin.connections) < 30
    assert {(s.version, s.status, s.error) for s in recorded} == {("v1", 200, "")}


@pytest.mark.process
async def test_no_answer_is_recorded() -> None:
    async with Customers("http://127.0.0.1:1", {"shop": "/"}, ["ada"], lambda _: None) as customers:
        observed = await customers.request("shop", "/", "ada")
    assert observed.failed
    assert (observed.status, observed.version) == (0, "")
    assert "ClientConnectorError" in observed.error
