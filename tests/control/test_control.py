"""Control with a real ledger, workers in memory, and a clock that stands still until it is moved."""

import asyncio
import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import proxy
from proxy.config.reading import read
from proxy.control.control import Control
from proxy.control.errors import Conflict, NotDurable, StaleRevision
from proxy.control.ledger import UNRECORDED, Ledger
from proxy.control.steering import Clock
from proxy.messages import Ack, Counted, Decoder, Hello, Report, Settings, Table, encode
from proxy.telemetry.outcome import COMPLETE, Outcome
from proxy.telemetry.tally import Tally

FILE = """
timeouts: {{header: 3s, idle: 4s}}
log: {{access: json}}
services:
  checkout:
    stable: http://127.0.0.1:9001
    canary: {{endpoints: [http://127.0.0.1:9002], version: {version}}}
    weight: {weight}
    analysis: {{enforce: {enforce}}}
  plain:
    match: {{path: /plain}}
    stable: http://127.0.0.1:9003
"""
PERSON = {"reason": "because", "actor": "ann", "if_match": None}


class Flaky(Ledger):
    """A ledger that fails when told to, and waits while it is held."""

    def __init__(self, path):
        super().__init__(path)
        self.failing = False
        self.held = threading.Event()
        self.held.set()
        self.reached = threading.Event()

    def append(self, record):
        self.reached.set()
        assert self.held.wait(20)
        self._fail()
        return super().append(record)

    def keep(self, kept):
        self._fail()
        super().keep(kept)

    def _fail(self):
        if self.failing:
            raise NotDurable("the disk is full")


class Wire:
    """A transport whose other end is a list of messages."""

    def __init__(self, protocol):
        self.protocol = protocol
        self.decoder = Decoder()
        self.said = []
        self.open = True
        self.waiting = 0

    def write(self, data):
        self.said += self.decoder.feed(data)

    def is_closing(self):
        return not self.open

    def get_write_buffer_size(self):
        return self.waiting

    def abort(self):
        if self.open:
            self.open = False
            self.protocol.connection_lost(None)


class Worker:
    """The other end: a tally, and what control said."""

    def __init__(self, control, boot="b0", index=0):
        self.tally, self.index = Tally(boot), index
        self.connect(control)

    def connect(self, control, held=None, halted=None):
        self.link = control.broadcast.link()
        self.wire = Wire(self.link)
        self.link.connection_made(self.wire)
        self.send(Hello(self.tally.boot, self.index, 1, held or {}, halted or {}))
        self.report(everything=True)
        return self

    def send(self, message):
        self.link.data_received(encode(message))

    def serve(self, backend="canary", good=0, bad=0, revision=1, service="checkout", drawn=True):
        key = (service, revision, backend)
        for status, result in [(200, "success")] * good + [(500, "failure")] * bad:
            self.tally.begin(key)
            self.tally.add(Outcome(*key, "GET", status, COMPLETE, result, drawn, 0.01, 0.02))
        return self

    def report(self, everything=False):
        entries = self.tally.everything() if everything else self.tally.changed()
        self.send(Report(self.tally.boot, self.tally.number, entries, 0))

    def ack(self):
        self.send(Ack(self.tables[-1].generation))

    def gone(self):
        self.wire.abort()

    @property
    def said(self):
        return self.wire.said

    @property
    def tables(self):
        return [message for message in self.said if isinstance(message, Table)]

    def told(self, service="checkout"):
        """The service as it was told last."""
        return [each for table in self.tables for each in table.services if each.name == service][-1]


class Stage:
    """Where controls come and go over one ledger, at a time of its own."""

    def __init__(self, path):
        self.path = path
        self.time = 1000.0
        self.paused = asyncio.Event()
        self.controls = []

    async def pause(self):
        await self.paused.wait()

    async def begin(self, weight="20%", version="v1", enforce="true", workers=1):
        config = read(FILE.format(weight=weight, version=version, enforce=enforce), "weir.yaml", {})
        thread = ThreadPoolExecutor(1)
        self.ledger = await asyncio.get_running_loop().run_in_executor(thread, Flaky, self.path)
        clock = Clock(lambda: 1_700_000_000.0 + self.time, lambda: self.time)
        memory = await asyncio.get_running_loop().run_in_executor(thread, self.ledger.recall)
        control = Control(config, memory, self.ledger, thread, workers=workers, clock=clock, pause=self.pause)
        self.controls.append((control, thread))
        await control.start()
        return control

    async def die(self):
        """As by SIGKILL: nothing more is written, and the lock is free."""
        control, thread = self.controls.pop()
        self.ledger.failing = False
        self.ledger.held.set()
        for task in [*control._tasks, control._journal._catching_up]:
            if task:
                task.cancel()
        await asyncio.get_running_loop().run_in_executor(thread, self.ledger.close)
        thread.shutdown()

    async def restart(self, **file):
        await self.die()
        return await self.begin(**file)

    async def close(self):
        for control, thread in self.controls:
            self.ledger.failing = False
            self.ledger.held.set()
            await control.stop()
            thread.shutdown()


@pytest.fixture
async def stage(tmp_path):
    made = Stage(tmp_path / "weir.db")
    yield made
    await made.close()


async def written(control, stage):
    """Everything that is on its way to the ledger is there."""
    await control._journal.now(lambda: None)


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
    worker = Worker(control)
    settings, table = worker.said
    assert settings == Settings(3.0, 4.0, "json")
    assert table.complete
    assert table.generation == control.generation > 0
    assert {service.name: service.revision for service in table.services} == {"checkout": 1, "plain": 1}
    assert worker.told().split.part("canary") == 2000


async def test_it_is_ready_when_every_worker_has_a_table_and_until_it_drains(stage):
    control = await stage.begin(workers=2)
    one, two = Worker(control, "b0", 0), Worker(control, "b1", 1)
    one.ack()
    assert not control.ready
    two.ack()
    assert control.ready
    two.gone()
    assert control.ready, "a worker that is being replaced is no reason to take all others out"
    control.drain()
    assert not control.ready


async def test_raising_is_written_before_it_is_told(stage):
    control = await stage.begin()
    worker = Worker(control)
    stage.ledger.held.clear()
    stage.ledger.reached.clear()
    order = asyncio.create_task(control.set_weight("checkout", 3000, **PERSON))
    await asyncio.to_thread(stage.ledger.reached.wait)
    assert len(worker.tables) == 1
    assert control.view("checkout")["weights"]["canary"] == 20.0
    stage.ledger.held.set()
    shown = await order
    assert (shown["revision"], shown["weights"]["canary"], shown["durable"]) == (2, 30.0, True)
    assert worker.told().split.part("canary") == 3000
    assert not worker.tables[-1].complete
    entry = (await control.history("checkout"))[-1]
    assert (entry["event"], entry["actor"], entry["reason"]) == ("weight", "ann", "because")


async def test_raising_on_a_failing_ledger_is_refused_and_changes_nothing(stage):
    control = await stage.begin()
    worker = Worker(control)
    before = control.view("checkout")
    stage.ledger.failing = True
    with pytest.raises(NotDurable, match="disk is full"):
        await control.set_weight("checkout", 3000, **PERSON)
    assert control.view("checkout") == before
    assert len(worker.tables) == 1
    stage.ledger.failing = False
    assert (await control.set_weight("checkout", 3000, **PERSON))["weights"]["canary"] == 30.0


async def test_lowering_is_told_before_it_is_written(stage):
    control = await stage.begin()
    worker = Worker(control)
    stage.ledger.held.clear()
    stage.ledger.reached.clear()
    order = asyncio.create_task(control.set_weight("checkout", 1000, **PERSON))
    await asyncio.to_thread(stage.ledger.reached.wait)
    assert worker.told().split.part("canary") == 1000
    assert control.view("checkout")["durable"] is False
    stage.ledger.held.set()
    assert (await order)["durable"] is True


async def test_what_is_already_so_makes_no_entry(stage):
    control = await stage.begin()
    assert (await control.set_weight("checkout", 2000, **PERSON))["revision"] == 1
    assert len(await control.history("checkout")) == 1


async def test_an_order_on_an_old_picture_is_refused(stage):
    control = await stage.begin()
    Worker(control)
    await control.set_weight("checkout", 1000, **PERSON)
    for parts in (500, 1500):
        with pytest.raises(StaleRevision) as refused:
            await control.set_weight("checkout", parts, reason="", actor="bob", if_match=1)
        assert refused.value.current == 2
    await control.set_weight("checkout", 500, reason="", actor="bob", if_match=2)


async def test_of_two_orders_on_one_picture_one_wins(stage):
    control = await stage.begin()
    Worker(control)
    orders = [
        control.set_weight("checkout", parts, reason="", actor="ann", if_match=1) for parts in (3000, 4000)
    ]
    first, second = await asyncio.gather(*orders, return_exceptions=True)
    assert first["weights"]["canary"] == 30.0
    assert isinstance(second, StaleRevision)
    assert [entry["revision"] for entry in await control.history("checkout")] == [1, 2]


async def test_a_lowering_overtakes_a_raise_that_waits_for_the_disk(stage):
    control = await stage.begin()
    worker = Worker(control)
    stage.ledger.held.clear()
    stage.ledger.reached.clear()
    raising = asyncio.create_task(control.set_weight("checkout", 5000, **PERSON))
    await asyncio.to_thread(stage.ledger.reached.wait)
    worker.serve(bad=30).report()
    assert worker.told().halted == {"canary"}
    stage.ledger.held.set()
    with pytest.raises(Conflict, match="changed otherwise"):
        await raising
    await written(control, stage)
    assert worker.told().halted == {"canary"}
    assert worker.told().revision == 3
    assert [entry["to"] for entry in await control.history("checkout")] == [20.0, 50.0, 0.0]
    control = await stage.restart()
    assert control.view("checkout")["phase"] == "rolled-back"


async def test_there_is_no_weight_without_a_canary(stage):
    control = await stage.begin()
    with pytest.raises(Conflict, match="no canary"):
        await control.set_weight("plain", 100, **PERSON)


async def test_a_failing_canary_is_taken_out_in_the_call_that_brings_the_report(stage, caplog):
    control = await stage.begin()
    heard = []
    control.subscribe(heard.append)
    worker = Worker(control)
    worker.ack()
    worker.serve("stable", good=99, bad=1).serve(good=15, bad=5).report()
    told = worker.told()
    assert (told.halted, told.split.part("canary"), told.revision) == ({"canary"}, 0, 2)
    shown = control.view("checkout")
    assert (shown["phase"], shown["halted"]) == ("rolled-back", ["canary"])
    trip = shown["trip"]
    assert (trip["check"], trip["weight_before"], trip["acknowledged_ms"]) == ("error-rate", 20.0, None)
    assert trip["finding"]["value"] == 0.25
    assert trip["finding"]["stable"] == 0.01
    assert trip["finding"]["sample"] == 20
    assert trip["at"] == "2023-11-14T22:30:00.000+00:00"
    (warning,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert "checkout" in warning.message
    assert trip["sentence"] in warning.message
    await written(control, stage)
    entry = (await control.history("checkout"))[-1]
    assert heard == [entry]
    assert (entry["event"], entry["actor"], entry["reason"]) == ("trip", "weir", trip["sentence"])
    assert (entry["from"], entry["to"], entry["finding"]) == (20.0, 0.0, trip["finding"])


async def test_a_rollback_is_complete_when_every_connected_worker_has_it(stage):
    control = await stage.begin(workers=3)
    one, two, three = (Worker(control, f"b{index}", index) for index in range(3))
    for worker in (one, two, three):
        worker.ack()
    one.serve(bad=20).report()
    stage.time += 0.004
    one.ack()
    two.ack()
    assert control.view("checkout")["trip"]["acknowledged_ms"] is None
    stage.time += 0.002
    three.gone()
    assert control.view("checkout")["trip"]["acknowledged_ms"] == 6.0
    stage.time += 1
    one.ack()
    assert control.view("checkout")["trip"]["acknowledged_ms"] == 6.0


async def test_a_failing_ledger_does_not_delay_a_trip(stage):
    control = await stage.begin()
    worker = Worker(control)
    heard = []
    control.subscribe(heard.append)
    stage.ledger.failing = True
    worker.serve(bad=20).report()
    assert worker.told().halted == {"canary"}
    assert control.view("checkout")["durable"] is False
    with pytest.raises(NotDurable):
        await control.resume("checkout", None, **PERSON)
    assert heard == []
    stage.ledger.failing = False
    stage.paused.set()
    await written(control, stage)
    assert control.view("checkout")["durable"] is True
    assert [entry["event"] for entry in heard] == ["trip"]


async def test_a_ledger_that_hangs_does_not_delay_a_trip(stage):
    control = await stage.begin()
    worker = Worker(control)
    stage.ledger.held.clear()
    raising = asyncio.create_task(control.set_weight("checkout", 5000, **PERSON))
    await asyncio.sleep(0)
    worker.serve(bad=20).report()
    assert worker.told().halted == {"canary"}
    stage.ledger.held.set()
    with pytest.raises(Conflict):
        await raising


async def test_watching_only_shows_the_verdict_and_does_nothing(stage):
    control = await stage.begin(enforce="false")
    worker = Worker(control)
    worker.serve(bad=30).report()
    shown = control.view("checkout")
    assert (shown["verdict"]["state"], shown["phase"], shown["enforce"]) == ("failing", "idle", False)
    assert len(worker.tables) == 1


async def test_pinned_requests_count_as_well(stage):
    control = await stage.begin()
    worker = Worker(control)
    worker.serve(bad=20, drawn=False).report()
    assert worker.told().halted == {"canary"}


async def test_a_report_sent_twice_is_judged_once(stage):
    control = await stage.begin()
    worker = Worker(control)
    worker.serve(bad=15).report()
    for _ in range(3):
        worker.send(Report("b0", worker.tally.number, worker.tally.everything(), 0))
        worker.tally.number -= 1
    assert control.view("checkout")["phase"] == "idle"
    assert control.view("checkout")["window"]["canary"]["requests"] == 15


async def test_evidence_grows_old(stage):
    control = await stage.begin()
    worker = Worker(control)
    worker.serve(bad=15).report()
    stage.time += 31
    worker.serve(bad=15).report()
    assert control.view("checkout")["phase"] == "idle"
    assert control.view("checkout")["verdict"]["findings"][0]["sample"] == 15
    stage.time += 31
    await control._tick()
    assert control.view("checkout")["verdict"]["findings"][0]["sample"] == 0
    assert control.view("checkout")["window"] == {"seconds": 30, "stable": None, "canary": None}
    assert control.view("checkout")["shares"] is None


async def test_a_tripped_canary_takes_no_weight_until_it_is_resumed(stage):
    control = await stage.begin()
    worker = Worker(control)
    worker.serve(bad=20).report()
    with pytest.raises(Conflict, match="weir resume checkout"):
        await control.set_weight("checkout", 100, **PERSON)
    shown = await control.set_weight("checkout", 0, **PERSON)
    assert shown["revision"] == 2
    shown = await control.resume("checkout", None, **PERSON)
    assert (shown["phase"], shown["weights"]["canary"], shown["trip"]) == ("idle", 20.0, None)
    assert (worker.told().halted, worker.told().revision) == (frozenset(), 3)
    with pytest.raises(Conflict, match="nothing to resume"):
        await control.resume("checkout", None, **PERSON)


async def test_evidence_begins_anew_after_a_resume(stage):
    control = await stage.begin()
    worker = Worker(control)
    worker.serve(bad=20).report()
    await control.resume("checkout", 500, **PERSON)
    worker.serve(bad=30, revision=2).report()
    shown = control.view("checkout")
    assert (shown["phase"], shown["window"]["canary"]) == ("idle", None), "routed before the resume"
    worker.serve(bad=20, revision=3).report()
    assert control.view("checkout")["trip"]["weight_before"] == 5.0


@pytest.mark.parametrize("weight", ["20%", "50%"])
async def test_a_tripped_canary_stays_tripped_over_restarts(stage, weight):
    control = await stage.begin()
    worker = Worker(control)
    worker.serve(bad=20).report()
    await written(control, stage)
    before = control.view("checkout")
    control = await stage.restart(weight=weight)
    after = control.view("checkout")
    for key in ("revision", "phase", "weights", "halted"):
        assert after[key] == before[key]
    assert after["trip"] == before["trip"]
    assert after["drift"] is None
    assert Worker(control).told().halted == {"canary"}


async def test_a_new_canary_in_the_file_is_a_new_release(stage):
    control = await stage.begin()
    worker = Worker(control)
    salt = worker.told().sticky.salt
    worker.serve(bad=20).report()
    await written(control, stage)
    control = await stage.restart(version="v2", weight="1%")
    shown = control.view("checkout")
    assert (shown["phase"], shown["halted"], shown["weights"]["canary"]) == ("idle", [], 1.0)
    assert (shown["revision"], shown["trip"]) == (3, None)
    told = Worker(control).told()
    assert told.sticky.salt != salt
    entry = (await control.history("checkout"))[-1]
    assert (entry["event"], entry["to"]) == ("release", 1.0)


async def test_another_weight_in_the_file_is_drift(stage, caplog):
    await stage.begin(weight="5%")
    control = await stage.restart(weight="7.5%")
    shown = control.view("checkout")
    assert shown["weights"]["canary"] == 5.0
    command = "weir set-weight checkout canary=7.5"
    assert shown["drift"] == {"file": 7.5, "in_force": 5.0, "apply": command}
    assert command in caplog.text
    Worker(control)
    await control.set_weight("checkout", 750, **PERSON)
    assert control.view("checkout")["drift"] is None


async def test_an_untold_trip_is_learned_from_a_worker(stage):
    """Control dies between telling a trip and writing it."""
    control = await stage.begin()
    worker = Worker(control)
    stage.ledger.failing = True
    worker.serve(bad=20).report()
    assert worker.told().revision == 2
    control = await stage.restart()
    assert control.view("checkout")["phase"] == "idle"
    held = {"checkout": 2, "plain": 1}
    worker.connect(control, held, {"checkout": ("canary",)})
    assert control.view("checkout")["phase"] == "rolled-back"
    assert (worker.told().revision, worker.told().halted) == (3, {"canary"})
    await written(control, stage)
    entry = (await control.history("checkout"))[-1]
    assert (entry["event"], entry["revision"], entry["to"]) == ("trip", 3, 0.0)
    assert (await control.snapshot()).trips == {("checkout", UNRECORDED): 1}
    control = await stage.restart()
    assert control.view("checkout")["phase"] == "rolled-back"
    assert control.view("plain")["revision"] == 1


async def test_raising_waits_for_what_workers_hold(stage):
    control = await stage.begin()
    worker = Worker(control)
    stage.ledger.failing = True
    worker.serve(bad=20).report()
    control = await stage.restart()
    raising = asyncio.create_task(control.set_weight("checkout", 5000, **PERSON))
    await asyncio.sleep(0)
    worker.connect(control, {"checkout": 2}, {"checkout": ("canary",)})
    with pytest.raises(Conflict, match="weir resume"):
        await raising


async def test_lowering_waits_for_nobody(stage):
    control = await stage.begin()
    assert (await control.set_weight("checkout", 100, **PERSON))["weights"]["canary"] == 1.0


async def test_other_workers_are_told_what_one_of_them_held(stage):
    control = await stage.begin(workers=2)
    one = Worker(control, "b0", 0)
    Worker(control, "b1", 1).connect(control, {"checkout": 4}, {"checkout": ("canary",)})
    assert one.told().halted == {"canary"}


async def test_counted_comes_when_it_is_kept(stage):
    control = await stage.begin()
    worker = Worker(control)
    stage.ledger.failing = True
    worker.serve(good=3).report()
    await control._books.keep()
    assert Counted not in map(type, worker.said)
    stage.ledger.failing = False
    await control._books.keep()
    assert worker.said[-1] == Counted(worker.tally.number)


async def test_metrics_over_a_restart(stage):
    control = await stage.begin()
    worker = Worker(control)
    worker.serve("stable", good=7).serve(good=2, bad=1).report()
    shown = await control.snapshot()
    worker.serve("stable", good=1).report()
    control = await stage.restart()
    worker.connect(control, {"checkout": 1, "plain": 1})
    after = await control.snapshot()
    assert shown.totals["checkout", "stable"].requests == 7
    assert after.totals["checkout", "stable"].requests == 8
    assert after.totals["checkout", "canary"].requests == shown.totals["checkout", "canary"].requests == 3
    assert after.weights == {
        ("checkout", "stable"): 0.8,
        ("checkout", "canary"): 0.2,
        ("plain", "stable"): 1.0,
    }
    assert after.version == proxy.__version__


async def test_what_metrics_showed_is_in_the_ledger_even_if_all_die(stage):
    control = await stage.begin()
    worker = Worker(control)
    worker.serve("stable", good=7).report()
    await control.snapshot()
    control = await stage.restart()
    Worker(control, "another boot")
    assert (await control.snapshot()).totals["checkout", "stable"].requests == 7


async def test_metrics_wait_for_the_workers(stage):
    control = await stage.begin(workers=2)
    Worker(control, "b0", 0)
    scrape = asyncio.create_task(control.snapshot())
    for _ in range(3):
        await control.history("plain")  # whatever else it waited for on the ledger's thread is over then
    assert not scrape.done()
    Worker(control, "b1", 1)
    await scrape


async def test_metrics_of_checks_and_shares(stage):
    control = await stage.begin()
    worker = Worker(control)
    worker.serve("stable", good=30).serve(good=10).report()
    shown = await control.snapshot()
    (check,) = shown.checks
    assert (check.service, check.check, check.value, check.threshold, check.samples) == (
        *("checkout", "error-rate"),
        *(0.0, 0.1, 10),
    )
    assert shown.shares == {("checkout", "stable"): 0.75, ("checkout", "canary"): 0.25}
    assert control.view("checkout")["shares"] == {"stable": 75.0, "canary": 25.0}


async def test_trips_are_counted_over_restarts(stage):
    control = await stage.begin()
    worker = Worker(control)
    worker.serve(bad=20).report()
    await written(control, stage)
    assert (await control.snapshot()).trips == {("checkout", "error-rate"): 1}
    control = await stage.restart()
    Worker(control)
    assert (await control.snapshot()).trips == {("checkout", "error-rate"): 1}


async def test_entries_after_and_unsubscribing(stage):
    control = await stage.begin()
    Worker(control)
    heard = []
    unsubscribe = control.subscribe(heard.append)
    await control.set_weight("checkout", 3000, **PERSON)
    unsubscribe()
    await control.set_weight("checkout", 4000, **PERSON)
    assert [entry["to"] for entry in heard] == [30.0]
    assert [entry["to"] for entry in await control.entries_after(heard[0]["id"])] == [40.0]


async def test_stopping_keeps_what_was_counted_last(stage):
    control = await stage.begin()
    worker = Worker(control)
    worker.serve("stable", good=7).report()
    (_, thread) = stage.controls.pop()
    await control.stop()
    thread.shutdown()
    control = await stage.begin()
    Worker(control, "another boot")
    assert (await control.snapshot()).totals["checkout", "stable"].requests == 7


async def test_generations_go_on_over_restarts(stage):
    control = await stage.begin()
    Worker(control)
    await control.set_weight("checkout", 3000, **PERSON)
    before = control.generation
    control = await stage.restart()
    assert control.generation >= before


async def test_its_repr_says_its_state(stage):
    control = await stage.begin()
    assert repr(control).startswith("<Control starting: 2 services")
    Worker(control).ack()
    assert repr(control).startswith("<Control ready")
    control.drain()
    assert repr(control).startswith("<Control draining")


class Story:
    """One worker, one service, and whatever comes: orders, trips, a disk that fails, controls that die."""

    def __init__(self, stage):
        self.stage = stage
        self.resumed = False

    async def begin(self):
        self.control = await self.stage.begin()
        self.worker = Worker(self.control)
        self.held = self.worker.told()

    async def order(self, parts):
        with contextlib.suppress(Conflict, NotDurable):
            await self.control.set_weight("checkout", parts, **PERSON)

    async def resume(self):
        with contextlib.suppress(Conflict, NotDurable):
            await self.control.resume("checkout", None, **PERSON)
            self.resumed = True

    async def trip(self):
        self.worker.serve(bad=20, revision=self.held.revision).report()

    async def trip_while_raising(self, parts):
        self.stage.ledger.held.clear()
        order = asyncio.create_task(self.order(parts))
        await asyncio.sleep(0)
        await self.trip()
        self.stage.ledger.held.set()
        await order

    async def disk(self, failing):
        self.stage.ledger.failing = failing

    async def control_dies(self):
        self.control = await self.stage.restart()
        halted = {"checkout": tuple(self.held.halted)} if self.held.halted else {}
        self.worker.connect(self.control, {"checkout": self.held.revision}, halted)

    def look(self):
        """The worker takes what it was told, and it must never be what nobody wanted."""
        for table in self.worker.tables:
            for told in table.services:
                if told.name == "checkout":
                    assert told.revision >= self.held.revision
                    assert self.resumed or not self.held.halted or told.halted
                    assert not (told.halted and told.split.part("canary"))
                    self.held = told
        self.resumed = False
        self.worker.said.clear()

    async def end(self):
        self.stage.ledger.failing = False
        await written(self.control, self.stage)
        state = (await self.control._journal.ask(self.stage.ledger.states))["checkout"]
        shown = self.control.view("checkout")
        assert shown["durable"]
        assert self.held.revision == state.revision == shown["revision"]
        assert self.held.split.part("canary") == state.weight == round(shown["weights"]["canary"] * 100)
        assert bool(self.held.halted) == state.halted == bool(shown["halted"])


chapters = st.one_of(
    st.tuples(st.sampled_from(["order", "trip_while_raising"]), st.sampled_from([0, 100, 2000, 5000])),
    st.tuples(st.sampled_from(["resume", "trip", "control_dies"])),
    st.tuples(st.just("disk"), st.booleans()),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(chapters, max_size=12))
def test_whatever_happens_workers_ledger_and_view_agree_in_the_end(tmp_path_factory, told):
    async def play():
        stage = Stage(tmp_path_factory.mktemp("story") / "weir.db")
        story = Story(stage)
        await story.begin()
        try:
            for word, *how in told:
                await getattr(story, word)(*how)
                story.look()
            await story.end()
        finally:
            await stage.close()

    asyncio.run(play())
