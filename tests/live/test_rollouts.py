"""Rollouts of the real thing: real origins, real processes, and what happens when these die."""

import asyncio
import os
import random
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from aiohttp import ClientSession, web
from rig.origins import NginxOrigin, SampleOrigin
from rig.processes import kill
from rig.traffic import Traffic
from rig.weir import Weir, until

from proxy.cli.client import Client, Failure, OrderConflict, service_path
from proxy.rollout.phases import MOVES, OrderName, Phase
from proxy.rollout.phases import orders as legal

PLAN = """    analysis: {step_up: off}
    rollout:
      steps: %s
      hold: 500ms
      min_requests: 10
"""
FIVE = "[5%, 10%, 25%, 50%, 100%]"
AT_ONCE = "[100%]"


def services(stable: str, canary: str, more: str) -> str:
    return (
        f"services:\n  shop:\n    stable: {{endpoints: {stable}, version: v1}}\n"
        f"    canary: {{endpoints: {canary}, version: v2}}\n{more}"
    )


class Rollout:
    """The one service `shop` of a running proxy, by its admin API."""

    def __init__(self, running: Weir) -> None:
        self.running = running
        self.api = Client(f"http://127.0.0.1:{running.admin_port}")

    async def order(self, order: str, **body: object) -> dict[str, Any]:
        return await asyncio.to_thread(
            self.api.call, "POST", service_path("shop", f"/rollout/{order}"), dict(body)
        )

    def view(self) -> dict[str, Any]:
        return self.api.service("shop")

    async def reaches(self, phase: str, step: int | None = None) -> dict[str, Any]:
        def there() -> bool:
            view = self.view()
            return view["phase"] == phase and step in (None, view["rollout"]["step"])

        await until(there, f"{phase} at step {step}")
        return self.view()

    def events(self) -> list[str]:
        return [entry["event"] for entry in self.history()]

    def history(self) -> list[dict[str, Any]]:
        found = self.api.call("GET", service_path("shop", "/history"))["entries"]
        assert isinstance(found, list)
        return found


@pytest.fixture
def begin(start_text: Callable[..., Any]) -> Callable[..., Any]:
    """Starts the proxy with a plan: begin(origins, steps, more=...)."""

    def begun(
        between: tuple[NginxOrigin | SampleOrigin, NginxOrigin | SampleOrigin],
        steps: str = FIVE,
        more: str = "",
    ) -> Rollout:
        stable, canary = between
        return Rollout(start_text(services(stable.url, canary.url, PLAN % steps + more)))

    return begun


async def test_a_good_canary_is_promoted_and_undone_under_load_and_no_request_fails(
    begin: Callable[..., Any], nginx_origins: tuple[NginxOrigin, NginxOrigin]
) -> None:
    shop = begin(nginx_origins)
    async with Traffic(shop.running.port, rate=300.0) as traffic:
        await shop.order("start")
        await shop.reaches("promoted")
        promoted = len(traffic.answers)
        await traffic.more(100)
        assert {answer.version for answer in traffic.answers[promoted + 30 :]} == {"v2"}
        await shop.order("undo", reason="for the test")
        undone = len(traffic.answers)
        await traffic.more(100)
        assert {answer.version for answer in traffic.answers[undone + 30 :]} == {"v1"}
    assert traffic.failed == []
    steps = [entry["to"] for entry in shop.history() if entry["event"] == "step"]
    assert steps == [5.0, 10.0, 25.0, 50.0, 100.0]
    assert shop.events()[-3:] == ["promoting", "promotion", "undo"]


@pytest.mark.parametrize("doing", ["at step 3", "paused", "while a hook hangs"])
async def test_a_canary_that_goes_bad_is_rolled_back_whatever_the_rollout_does(
    begin: Callable[..., Any], nginx_origins: tuple[NginxOrigin, NginxOrigin], doing: str
) -> None:
    _, canary = nginx_origins
    async with hanging_hook() as (url, asked):
        hook = f"    hooks: [{{at: before-promotion, url: '{url}', timeout: 60s}}]\n"
        more = hook if doing == "while a hook hangs" else ""
        steps = AT_ONCE if more else "[10%, 20%, {weight: 50%, hold: 1h}, 100%]"
        shop = begin(nginx_origins, steps, more)
        async with Traffic(shop.running.port) as traffic:
            await shop.order("start")
            if more:
                await asyncio.wait_for(asked.wait(), 20)
                assert shop.view()["phase"] == "promoting"
            else:
                await shop.reaches("progressing", 3)
            if doing == "paused":
                await shop.order("pause")
            canary.fail()
            view = await shop.reaches("rolled-back")
            await traffic.more(20)
    assert view["weights"]["canary"] == 0
    assert view["halted"] == ["canary"]
    assert view["trip"]["finding"]["sample"] > 0


async def test_a_rollout_goes_on_in_the_same_step_when_control_dies(
    begin: Callable[..., Any], origins: tuple[SampleOrigin, SampleOrigin]
) -> None:
    shop = begin(origins, "[20%, {weight: 50%, hold: 4s}, 100%]")
    async with Traffic(shop.running.port) as traffic:
        await shop.order("start")
        before = await shop.reaches("progressing", 2)
        await until(lambda: shop.view()["rollout"]["waiting"]["sample"]["have"] >= 40, "40 answers")
        old = shop.running.control()
        kill(old)
        await until(
            lambda: old not in shop.running.controls() and shop.running.admin.ready(), "a new control"
        )
        after = shop.view()
        assert (after["phase"], after["rollout"]["step"]) == ("progressing", 2)
        assert after["rollout"]["entered"] == before["rollout"]["entered"], "the hold goes on"
        assert after["rollout"]["waiting"]["sample"]["have"] >= 40, "and so does the sample"
        await shop.reaches("promoted")
    assert traffic.failed == []


@pytest.mark.parametrize("phase", ["progressing", "paused", "promoted", "rolled-back"])
async def test_every_phase_survives_the_end_of_all_processes(
    begin: Callable[..., Any], origins: tuple[SampleOrigin, SampleOrigin], phase: str
) -> None:
    shop = begin(origins, AT_ONCE if phase == "promoted" else "[{weight: 20%, hold: 1h}, 100%]")
    async with Traffic(shop.running.port):
        await shop.order("start")
        if phase != "promoted":
            await shop.reaches("progressing", 1)
        match phase:
            case "paused":
                await shop.order("pause", reason="lunch")
            case "rolled-back":
                await shop.order("abort", reason="no")
        before = await shop.reaches(phase)
    shop.running.kill_tree()
    shop.running.start()
    after = shop.view()
    shared = ("phase", "revision", "weights", "backends", "origin", "undo", "orders", "halted")
    assert {key: after[key] for key in shared} == {key: before[key] for key in shared}
    assert after["rollout"]["step"] == before["rollout"]["step"]


async def test_orders_under_sigkill_are_done_if_they_were_acknowledged_and_never_invented(
    begin: Callable[..., Any], origins: tuple[SampleOrigin, SampleOrigin]
) -> None:
    shop = begin(origins, "[1%, 100%]", more="")
    dice = random.Random(7)
    acknowledged: dict[str, str] = {}
    sent: set[str] = set()

    def give(number: int) -> None:
        weight = {"canary": dice.randrange(1, 9000) / 100}
        order, body = dice.choice([("set-weight", weight), ("abort", {}), ("resume", {})])
        reason = f"order {number}"
        sent.add(reason)
        path = service_path("shop", f"/rollout/{order}")
        with suppress(Failure):
            view = shop.api.call("POST", path, body | {"reason": reason})
            acknowledged[reason] = order if view["durable"] else ""

    for round_ in range(4):
        killing = asyncio.create_task(kill_soon(shop.running, dice.uniform(0.05, 0.4)))
        for number in range(60):
            await asyncio.to_thread(give, round_ * 100 + number)
            if killing.done() and number > 20:
                break
        await killing
        await until(shop.running.admin.ready, "a new control")
    entries = [entry for entry in shop.history() if entry["event"] != "release"]
    told = [entry["reason"] for entry in entries if entry["reason"].startswith("order ")]
    assert len(acknowledged) > 20, "enough orders got through for this to mean anything"
    assert len(told) == len(set(told)), "none was done twice"
    assert set(told) <= sent, "none was invented"
    lost = {reason for reason, order in acknowledged.items() if order == "set-weight"} - set(told)
    assert lost == set(), "none that was acknowledged as durable is lost"
    assert [entry["revision"] for entry in entries] == sorted({entry["revision"] for entry in entries})
    assert entries[-1]["to"] == shop.view()["weights"]["canary"]


async def another_control(running: Weir, old: int) -> None:
    await until(lambda: old not in running.controls() and running.admin.ready(), "a new control")


async def kill_soon(running: Weir, seconds: float) -> None:
    await asyncio.sleep(seconds)  # when it dies is what the dice say
    kill(running.control())


async def test_fifty_orders_on_one_revision_and_one_wins(
    begin: Callable[..., Any], origins: tuple[SampleOrigin, SampleOrigin]
) -> None:
    shop = begin(origins)
    url = f"http://127.0.0.1:{shop.running.admin_port}{service_path('shop', '/weights')}"
    async with ClientSession() as session:

        async def put(percent: float, revision: int) -> int:
            fields = {"If-Match": f'"{revision}"'}
            async with session.put(url, json={"canary": percent}, headers=fields) as answer:
                return answer.status

        for round_ in range(3):
            revision = shop.view()["revision"]
            percents = ((round_ * 100 + number) / 100 for number in range(1, 51))  # none is in force already
            statuses = await asyncio.gather(*(put(percent, revision) for percent in percents))
            assert sorted(set(statuses)) == [200, 412]
            assert statuses.count(200) == 1
            assert shop.view()["revision"] == revision + 1


EVERY: tuple[OrderName, ...] = ("start", "promote", "pause", "resume", "abort", "retry", "undo", "set-weight")


async def test_orders_that_a_phase_does_not_have_are_conflicts_that_name_those_it_has(
    begin: Callable[..., Any], origins: tuple[SampleOrigin, SampleOrigin]
) -> None:
    """In one phase, through the whole program; tests/rollout has every pair of phase and order."""
    phase: Phase = "promoting"
    async with hanging_hook() as (url, asked):
        hook = f"    hooks: [{{at: before-promotion, url: '{url}', timeout: 60s}}]\n"
        steps = "[{weight: 20%, hold: 1h}, 100%]"
        shop = begin(origins, steps, hook)
        await to_phase(shop, phase, asked)
        for order in EVERY:
            if (phase, order) in MOVES:
                continue
            with pytest.raises(OrderConflict, match="not possible while the rollout is") as refused:
                await shop.order(order, **({"canary": 7} if order == "set-weight" else {}))
            for word in legal(phase):
                assert word in str(refused.value)
        assert shop.view()["phase"] == phase


async def to_phase(shop: Rollout, phase: str, asked: asyncio.Event) -> None:
    if phase == "idle":
        return
    await shop.order("start")
    await shop.reaches("progressing", 1)
    match phase:
        case "paused":
            await shop.order("pause")
        case "rolled-back":
            await shop.order("abort")
        case "promoting" | "promoted":
            await shop.order("promote", full=True)
            await asyncio.wait_for(asked.wait(), 20)
    if phase == "promoted":
        await shop.order("promote")
    await shop.reaches(phase)


class hanging_hook:  # noqa: N801  # reads as what it is where it is used
    """A hook that is asked and never answers: its URL, and when it was asked."""

    async def __aenter__(self) -> tuple[str, asyncio.Event]:
        self._let_go, asked = asyncio.Event(), asyncio.Event()

        async def hang(_request: web.Request) -> web.Response:
            asked.set()
            await self._let_go.wait()
            return web.Response()

        app = web.Application()
        app.router.add_post("/", hang)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}/", asked

    async def __aexit__(self, *_: object) -> None:
        self._let_go.set()
        await self._runner.cleanup()


async def test_a_reload_under_load_drops_nothing_and_a_bad_file_changes_nothing(
    begin: Callable[..., Any], origins: tuple[SampleOrigin, SampleOrigin]
) -> None:
    shop = begin(origins)
    write, text = shop.running.config.write_text, shop.running.config.read_text()
    async with Traffic(shop.running.port) as traffic:
        changed = text.replace("listen: [", "timeouts: {response: 7s}\nlisten: [", 1)
        write(changed + "    segments: [{name: me, to: canary, match: {header: {X-Me: '1'}}}]\n")
        answer = await asyncio.to_thread(shop.api.call, "POST", "/api/v1/config/reload")
        assert answer["changed"] == {"shop": ["segments"]}
        assert answer["shared"] == ["timeouts"]
        await traffic.more(30)
        write(text.replace("hold: 500ms", "hold: soon"))
        with pytest.raises(Failure, match="1 problem"):
            await asyncio.to_thread(shop.api.call, "POST", "/api/v1/config/reload")
        assert "weir_config_last_reload_successful 0.0" in shop.running.admin.metrics()
        old = shop.running.control()
        kill(old)
        await another_control(shop.running, old)
        await traffic.more(30)
        async with ClientSession() as session:
            url = f"http://127.0.0.1:{shop.running.port}/"
            async with session.get(url, headers={"X-Me": "1"}) as pinned:
                assert pinned.headers["X-Version"] == "v2", "what was accepted last is in force"
    assert traffic.failed == []
    assert shop.events() == ["release", "reload"]


async def test_sighup_brings_services_and_endpoints_and_takes_them_under_load(
    begin: Callable[..., Any], origins: tuple[SampleOrigin, SampleOrigin]
) -> None:
    shop = begin(origins)
    stable, canary = origins
    write, text = shop.running.config.write_text, shop.running.config.read_text()
    more = f"  pay: {{match: {{path: /pay}}, stable: [{canary.url}, {stable.url}]}}\n"

    async def reloaded(names: list[str]) -> None:
        os.kill(shop.running.pid, signal.SIGHUP)
        await until(
            lambda: [each["name"] for each in shop.api.services()["services"]] == names, f"services {names}"
        )

    async with Traffic(shop.running.port) as traffic:
        write(text + more)
        await reloaded(["shop", "pay"])
        async with ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{shop.running.port}/pay/now") as paid:
                assert paid.status == 200
            write(text)
            await reloaded(["shop"])
            await traffic.more(30)
            async with session.get(f"http://127.0.0.1:{shop.running.port}/pay/now") as unpaid:
                assert unpaid.headers["X-Version"] == "v1", "it is shop's again"
    assert traffic.failed == []
