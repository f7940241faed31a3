"""A stable that fails everything is told: in the log, in status, get and explain, by exit code and metric."""

import asyncio
from collections.abc import Callable
from typing import Any

from aiohttp import ClientSession
from click.testing import CliRunner, Result
from rig.origins import SampleOrigin
from rig.weir import Weir, until

from proxy.cli.explain import explain
from proxy.cli.get import get
from proxy.cli.healthcheck import healthcheck
from proxy.cli.status import status
from proxy.demo.ports import free_ports

TEXT = """
services:
  shop: {{stable: "{url}"}}
  fine: {{match: {{path: /fine}}, stable: "{fine}"}}
"""


def admin(running: Weir) -> list[str]:
    return ["--admin", f"http://127.0.0.1:{running.admin_port}"]


async def ran(verb: Any, *arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, verb, arguments)


async def ask(running: Weir, path: str, times: int, expected: int) -> None:
    async with ClientSession() as client:
        for _ in range(times):
            async with client.get(f"{running.url}{path}") as answer:
                assert answer.status == expected


async def test_a_stable_whose_answers_are_all_502(
    start_text: Callable[..., Any], origins: tuple[SampleOrigin, SampleOrigin]
) -> None:
    url = f"http://127.0.0.1:{free_ports([0])[0]}"
    running = start_text(TEXT.format(url=url, fine=origins[0].url))
    await ask(running, "/fine", 3, 200)
    fine = await ran(status, *admin(running))
    assert (fine.exit_code, "failing" in fine.output) == (0, False)

    await ask(running, "/", 30, 502)
    await until(lambda: running.admin.service("shop")["outage"] is not None, "it is found")
    assert running.admin.service("fine")["outage"] is None
    for verb, arguments in ((status, ()), (get, ()), (explain, ("shop",))):
        told = await ran(verb, *arguments, *admin(running))
        assert (verb, told.exit_code) == (verb, 1)
        assert "stable" in told.output.lower()
        assert "latest requests failed (connect " in told.output
    head = (await ran(status, *admin(running))).output.splitlines()[0]
    assert "ready, but stable is failing: shop" in head
    assert (await ran(status, "fine", *admin(running))).exit_code == 0
    ready = await ran(healthcheck, *admin(running))
    assert (ready.exit_code, ready.output) == (0, "ready: ok, but stable is failing in 1 service\n")
    assert running.log().count("shop: stable is failing: ") == 1
    async with asyncio.timeout(30):  # it is avoided for moments that grow, and then ejected
        while not up(running, "shop", url, 0):
            await ask(running, "/", 5, 502)
    assert up(running, "fine", origins[0].url, 1)
    condition = running.admin.service("shop")["backends"]["stable"]["conditions"][url]
    assert "ejected by " in condition


def up(running: Weir, service: str, url: str, value: float) -> bool:
    line = f'weir_endpoint_up{{backend="stable",endpoint="{url}",service="{service}"}} {value:.1f}'
    return line in running.admin.metrics().splitlines()
