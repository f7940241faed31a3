"""The demo's calls are those of the API, and a trip that doesn't come is an error with the last verdict."""

import asyncio
import json
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from proxy.cli.client import Failure
from proxy.demo.admin_api import AdminApi
from proxy.demo.processes import DeadlineExceeded

pytestmark = pytest.mark.process

VIEW = {"name": "shop", "trip": None, "verdict": {"state": "inconclusive", "findings": []}}


class Api:
    """Remembers what it was asked; trips after `looks` looks, and one look later every worker knows."""

    def __init__(self, looks: int) -> None:
        self.looks = looks
        self.asked: list[tuple[str, str, Any]] = []

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.text()
        self.asked.append((request.method, request.path, json.loads(body) if body else None))
        if request.path.endswith("/history"):
            return web.json_response({"service": "shop", "entries": [{"event": "release"}]})
        if request.path == "/metrics":
            return web.Response(text="weir_build_info 1\n")
        if request.path.endswith("/resume"):
            return web.json_response({"title": "Conflict", "status": 409, "detail": "it runs"}, status=409)
        self.looks -= 1
        trip = {"sentence": "bad", "acknowledged_ms": 2.5 if self.looks < -1 else None}
        return web.json_response(VIEW | {"trip": trip if self.looks < 0 else None})


async def ask(api: Api, question: Any) -> Any:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", api.answer)
    server = TestServer(app)
    await server.start_server()
    try:
        return await asyncio.to_thread(question, AdminApi(f"http://127.0.0.1:{server.port}"))
    finally:
        await server.close()


async def test_a_weight_is_set_with_its_reason() -> None:
    api = Api(9)
    await ask(api, lambda admin: admin.set_weight("shop", 5, "why not"))
    order = {"canary": 5, "reason": "why not", "actor": "demo"}
    assert api.asked == [("PUT", "/api/v1/services/shop/weights", order)]


async def test_an_order_is_given_with_its_terms() -> None:
    api = Api(9)
    await ask(api, lambda admin: admin.order("shop", "promote", reason="fine", actor="ann"))
    order = {"reason": "fine", "actor": "ann"}
    assert api.asked == [("POST", "/api/v1/services/shop/rollout/promote", order)]


async def test_a_trip_is_awaited_until_every_worker_knows() -> None:
    view = await ask(Api(3), lambda admin: admin.await_trip("shop", 10))
    assert view["trip"] == {"sentence": "bad", "acknowledged_ms": 2.5}


async def test_a_trip_that_does_not_come_tells_the_last_verdict() -> None:
    with pytest.raises(DeadlineExceeded, match=r"shop was not tripped within 0\.05 s.*inconclusive"):
        await ask(Api(10_000), lambda admin: admin.await_trip("shop", 0.05))


async def test_history_metrics_and_readiness() -> None:
    assert await ask(Api(9), lambda admin: admin.history("shop")) == [{"event": "release"}]
    assert await ask(Api(9), lambda admin: admin.metrics()) == "weir_build_info 1\n"
    assert await ask(Api(9), lambda admin: admin.ready()) is True
    assert AdminApi("http://127.0.0.1:1").ready() is False


async def test_a_refusal_carries_the_reason() -> None:
    with pytest.raises(Failure, match=r"it runs.*409"):
        await ask(Api(9), lambda admin: admin.resume("shop"))
