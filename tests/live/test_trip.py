"""A failing canary is out for everybody, and stays out."""

from collections.abc import Callable
from typing import Any

import pytest
from rig.client import Answer, Client, closed_loop
from rig.origins import SampleOrigin
from rig.weir import until

from proxy.cli.client import Failure

PINNED = """    force: {header: X-Canary}
    sticky: {cookie: user, issue: false}
    segments:
      - {name: testers, to: canary, match: {header: {X-Tester: {present: true}}}}
"""
TRIP_SECONDS = 5.0


async def ask_many(port: int, count: int, headers: dict[str, str] | None = None) -> list[Answer]:
    client, answers = Client(port), list[Answer]()

    async def ask(number: int) -> None:
        cookie = {"Cookie": f"user={number % 97}"}
        answers.append(await client.ask(client.request("/", cookie | (headers or {}))))

    try:
        await closed_loop(count, 8, ask)
    finally:
        client.close()
    return answers


def statuses(answers: list[Answer]) -> set[tuple[str, int]]:
    return {(answer.version, answer.status) for answer in answers}


async def test_a_trip_holds_for_everybody_and_over_sigkill_until_resumed(
    start: Callable[..., Any], origins: tuple[SampleOrigin, SampleOrigin]
) -> None:
    _, canary = origins
    running = start(origins, weight=50, more=PINNED)
    assert statuses(await ask_many(running.port, 200)) == {("v1", 200), ("v2", 200)}
    canary.fail()
    await ask_many(running.port, 400)
    trip = running.admin.await_trip("shop", TRIP_SECONDS)["trip"]
    assert trip["sentence"].startswith("errors ")
    await stays_out(running.port)

    running.kill_tree()
    running.start()
    view = running.admin.service("shop")
    assert (view["phase"], view["weights"]["canary"]) == ("rolled-back", 0)
    assert view["trip"]["sentence"] == trip["sentence"]
    await stays_out(running.port)

    with pytest.raises(Failure, match=r"resume.*409"):
        running.admin.set_weight("shop", 10, "a test")

    # Resumed, it still fails; the fresh evidence takes it out again.
    view = running.admin.resume("shop")
    assert (view["phase"], view["weights"]["canary"], view["trip"]) == ("idle", 50, None)
    await ask_many(running.port, 300)
    running.admin.await_trip("shop", TRIP_SECONDS)
    events = [entry["event"] for entry in running.admin.history("shop")]
    assert events == ["release", "trip", "resume", "trip"]


async def stays_out(port: int) -> None:
    """Nobody meets the canary: not by weight or cookie, nor by segment, nor by force."""
    for headers in ({}, {"X-Tester": "yes"}, {"X-Canary": "always"}):
        assert statuses(await ask_many(port, 100, headers)) == {("v1", 200)}


async def test_watching_only_takes_nobody_out_and_counts_it(
    start: Callable[..., Any], origins: tuple[SampleOrigin, SampleOrigin]
) -> None:
    _, canary = origins
    running = start(origins, weight=50, more="    analysis: {enforce: false}\n")
    canary.fail()
    answers = await ask_many(running.port, 300)
    assert ("v2", 500) in statuses(answers[-100:])
    counted = 'weir_trips_total{check="errors",enforced="false",service="shop"} 1.0'
    await until(lambda: counted in running.admin.metrics(), "the trip that it would have been")
    view = running.admin.service("shop")
    assert (view["trip"], view["weights"]["canary"]) == (None, 50)
