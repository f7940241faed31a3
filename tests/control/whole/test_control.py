"""How it begins, and what it tells."""

import pytest

from proxy.messages import Settings

PERSON = {"reason": "because", "actor": "ann", "if_match": None}


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
        await control.set_weight("nobody", 1, **PERSON)


async def test_a_worker_is_told_settings_and_then_everything(stage):
    control = await stage.begin()
    worker = stage.worker(control)
    settings, table = worker.said
    assert settings == Settings(3.0, 4.0, "json")
    assert table.complete
    assert table.generation == control.generation > 0
    assert {service.name: service.revision for service in table.services} == {"checkout": 1, "plain": 1}
    assert worker.told().split.part("canary") == 2000


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
    await control.set_weight("checkout", 3000, **PERSON)
    unsubscribe()
    await control.set_weight("checkout", 4000, **PERSON)
    assert [entry["to"] for entry in heard] == [30.0]
    assert [entry["to"] for entry in await control.entries_after(heard[0]["id"])] == [40.0]


async def test_its_repr_says_its_state(stage):
    control = await stage.begin()
    assert repr(control).startswith("<Control starting: 2 services")
    stage.worker(control).ack()
    assert repr(control).startswith("<Control ready")
    control.drain()
    assert repr(control).startswith("<Control draining")
