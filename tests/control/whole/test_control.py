"""How it begins, and what it tells."""

import pytest

from proxy.config.reader import read
from proxy.control.command import Terms
from proxy.link.messages import Settings
from proxy.rollout.inputs import SetWeight
from proxy.settings.worker import settings

PERSON = Terms("because", "ann")


async def test_first_sight_is_a_release_with_the_weight_of_the_file(stage):
    control = await stage.begin()
    assert control.names() == ["checkout", "plain"]
    shown = control.view("checkout")
    assert (shown["revision"], shown["phase"], shown["weights"]) == (
        1,
        "idle",
        {"stable": 80.0, "canary": 20.0},
    )
    assert control.view("plain")["weights"] == {"stable": 100.0}
    (entry,) = await control.history("checkout")
    assert (entry["event"], entry["from"], entry["to"], entry["actor"]) == ("release", 0.0, 20.0, "weir")


async def test_unknown_services_are_key_errors(stage):
    control = await stage.begin()
    with pytest.raises(KeyError):
        control.view("nobody")
    with pytest.raises(KeyError):
        await control.history("nobody")
    with pytest.raises(KeyError):
        await control.order("nobody", SetWeight(1), PERSON)


async def test_a_worker_is_told_settings_and_then_everything(stage):
    control = await stage.begin()
    worker = stage.worker(control)
    told, table = worker.said
    assert (told.header, told.idle, told.access) == (3.0, 4.0, "json")
    assert table.complete
    assert table.generation == control.generation > 0
    assert {service.name: service.revision for service in table.services} == {"checkout": 1, "plain": 1}
    assert worker.told().split.part("canary") == 2000
    assert (worker.told().timeouts.tunnel, worker.told().max_body) == (5.0, 1 << 20)


def test_everything_in_the_file_beside_the_services_reaches_the_workers():
    written = """
timeouts: {header: 3s, idle: 4s}
log: {access: json}
limits: {line: 1KiB, head: 2KiB, fields: 3, connections: 4}
pool: {idle: 5s, max_idle: 6}
trusted_proxies: [10.0.0.0/8, unix]
via: off
forwarded: on
services: {a: {stable: http://a}}
"""
    assert settings(read(written, "weir.yaml", {})) == Settings(
        header=3.0,
        idle=4.0,
        access="json",
        line=1024,
        head=2048,
        fields=3,
        connections=4,
        pool_idle=5.0,
        max_idle=6,
        trusted=("10.0.0.0/8", "unix"),
        via=False,
        forwarded=True,
    )


def test_what_the_file_leaves_out_is_what_the_data_plane_takes_for_granted():
    told = settings(read("services: {a: {stable: http://a}}", "weir.yaml", {}))
    assert (told.line, told.head, told.fields) == (16 * 1024, 64 * 1024, 200)
    assert (told.pool_idle, told.max_idle) == (60.0, 64)
    assert (told.connections, told.trusted, told.via, told.forwarded) == (None, (), True, False)


async def test_it_is_ready_when_every_worker_has_a_table_and_until_it_drains(stage):
    control = await stage.begin(workers=2)
    one, two = stage.worker(control, "b0", 0), stage.worker(control, "b1", 1)
    one.ack()
    assert not control.ready
    two.ack()
    assert control.ready
    two.gone()
    assert control.ready, "a worker that is being replaced is no reason to take all others out"
    control.drain()
    assert not control.ready


async def test_entries_after_and_unsubscribing(stage):
    control = await stage.begin()
    stage.worker(control)
    heard = []
    unsubscribe = control.subscribe(heard.append)
    await control.order("checkout", SetWeight(3000), PERSON)
    unsubscribe()
    await control.order("checkout", SetWeight(4000), PERSON)
    assert [entry["to"] for entry in heard] == [30.0]
    assert [entry["to"] for entry in await control.entries_after(heard[0]["id"])] == [40.0]


async def test_its_repr_says_its_state(stage):
    control = await stage.begin()
    assert repr(control).startswith("<Control starting: 2 services")
    stage.worker(control).ack()
    assert repr(control).startswith("<Control ready")
    control.drain()
    assert repr(control).startswith("<Control draining")
