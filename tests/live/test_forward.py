"""The whole program forwards, splits, and pins."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

from rig.client import Client, closed_loop
from rig.origins import NginxOrigin, SampleOrigin

from proxy.demo.ports import free_ports

SEGMENT = """    segments:
      - {name: testers, to: canary, match: {header: {X-Tester: {exact: "yes"}}}}
"""
GONE = f"""  gone:
    match: {{path: /gone}}
    stable: http://127.0.0.1:{free_ports([0])[0]}
"""


async def versions(
    port: int, count: int, headers: dict[str, str] | None = None, path: str = "/a/b?c=d"
) -> Counter[str]:
    """Which version answered how often; anything but a good answer by its trouble or status."""
    client, met = Client(port), Counter[str]()
    request = client.request(path, headers or {})

    async def ask(_: int) -> None:
        answer = await client.ask(request)
        met[answer.version if answer.good else answer.trouble or str(answer.status)] += 1

    try:
        await closed_loop(count, 8, ask)
    finally:
        client.close()
    return met


async def test_a_split_is_roughly_right_and_what_is_certain_is_exact(
    start: Callable[..., Any], origins: tuple[SampleOrigin, SampleOrigin]
) -> None:
    running = start(origins, weight=25, more=SEGMENT + GONE)
    met = await versions(running.port, 2_000)
    assert set(met) == {"v1", "v2"}
    # 25 % of 2000 spreads by 0.97 points; six of those are 5.8.
    assert abs(met["v2"] / 2_000 - 0.25) < 0.058
    assert await versions(running.port, 200, {"X-Tester": "yes"}) == {"v2": 200}
    assert set(await versions(running.port, 5, path="/gone")) <= {"502", "503"}
    for percent, version in ((0, "v1"), (100, "v2")):
        view = running.admin.set_weight("shop", percent, "a test")
        assert view["weights"]["canary"] == percent
        await agreed(running.port, version)
        assert await versions(running.port, 300) == {version: 300}


async def agreed(port: int, version: str) -> None:
    """Returns once the workers have been told; that takes a moment longer than the answer to the order."""
    async with asyncio.timeout(5):
        while set(await versions(port, 50)) != {version}:
            pass


async def test_nginx_behind_it_is_just_as_good(
    start: Callable[..., Any], nginx_origins: tuple[NginxOrigin, NginxOrigin]
) -> None:
    running = start(nginx_origins, weight=50)
    met = await versions(running.port, 1_000)
    assert set(met) == {"v1", "v2"}
    assert abs(met["v2"] / 1_000 - 0.5) < 0.1
