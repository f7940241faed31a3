"""The pair of aiohttp's server and client forwards as the others do."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

pytestmark = pytest.mark.process

SCRIPT = Path(__file__).parents[2] / "loadtests" / "rig" / "proxies" / "aiohttp_pair.py"


@pytest.fixture
def pair() -> Any:
    spec = importlib.util.spec_from_file_location("aiohttp_pair", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def echo(request: web.Request) -> web.Response:
    """Tells what it was asked; sets a field that belongs to one connection, and one that doesn't."""
    seen = {"path": request.raw_path, "body": (await request.read()).decode(), **request.headers}
    return web.json_response(seen, status=202, headers={"Keep-Alive": "timeout=5", "X-Version": "v1"})


async def test_a_request_and_its_answer_pass(pair: Any) -> None:
    behind = web.Application()
    behind.router.add_route("*", "/{path:.*}", echo)
    async with TestServer(behind) as origin:
        app = pair.app(str(origin.make_url("")).rstrip("/"))
        async with TestClient(TestServer(app)) as client:
            told = await client.post("/a%20b?c=d", data=b"x" * 70_000, headers={"Cookie": "k=v"})
            seen = await told.json()
            port = client.port
    assert told.status == 202
    assert told.headers["X-Version"] == "v1"
    assert "Keep-Alive" not in told.headers
    assert seen["path"] == "/a%20b?c=d"
    assert seen["body"] == "x" * 70_000
    assert seen["Cookie"] == "k=v"
    assert seen["Host"] == seen["X-Forwarded-Host"] == f"127.0.0.1:{port}"
    assert (seen["X-Forwarded-For"], seen["X-Forwarded-Proto"]) == ("127.0.0.1", "http")
    assert seen["Via"] == "1.1 aiohttp"
    assert "Transfer-Encoding" not in seen
