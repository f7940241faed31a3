"""What a worker reports, and what it does when a report can't be sent."""

import asyncio
import os
from collections.abc import Callable

import pytest

from proxy.link.messages import Hello, Message, Report
from proxy.routing.endpoint import Endpoint
from proxy.routing.match import RouteMatch
from proxy.routing.split import Split
from proxy.routing.table import Backend, RoutingTable, Service
from proxy.telemetry.outcome import COMPLETE, Outcome
from proxy.telemetry.tally import Tally
from proxy.worker import reports as module
from proxy.worker.reports import URGENT_SECONDS, Reports

KEY = ("shop", 1, "stable")


def service(revision: int, halted: frozenset[str] = frozenset()) -> Service:
    backends = tuple(Backend(name, (Endpoint.parse("http://a"),)) for name in ("stable", "canary"))
    return Service("shop", revision, RouteMatch(), backends, Split((("canary", 0),)), halted)


class Stage:
    """Reports to a link that notes what is sent."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.connected = True
        self.accepts = True
        self.tally = Tally("b0")
        self.table = RoutingTable.build(7, (service(1),))
        self.ejected: tuple[str, ...] = ()
        self.reports = Reports(3, self.tally, self, lambda: self.table, lambda: self.ejected)

    def send(self, message: Message) -> bool:
        if self.accepts:
            self.sent.append(message)
        return self.accepts

    def serve(self, status: int = 200) -> None:
        result = "success" if status < 500 else "failure"
        self.tally.begin(KEY)
        self.tally.add(Outcome(KEY, "GET", status, COMPLETE, result, True, 0.01, 0.02))

    def reported(self) -> list[int]:
        """How many requests each report has had of the service."""
        found = [message for message in self.sent if isinstance(message, Report)]
        self.sent.clear()
        return [each.entries[KEY].requests if KEY in each.entries else 0 for each in found]


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_it_begins_with_hello_and_everything(stage: Stage) -> None:
    stage.serve()
    stage.table = RoutingTable.build(8, (service(4, frozenset(["canary"])),))
    stage.reports.begin()
    hello, report = stage.sent
    assert hello == Hello("b0", 3, os.getpid(), {"shop": 4}, {"shop": ("canary",)})
    assert isinstance(report, Report)
    assert (report.number, report.held, report.entries[KEY].requests) == (1, 8, 1)


def test_then_only_what_changed(stage: Stage) -> None:
    stage.serve()
    stage.reports.begin()
    stage.reports.report()
    assert stage.reported() == [1]
    stage.serve()
    stage.reports.report()
    assert stage.reported() == [2], "counts are since its boot"


def test_what_could_not_be_sent_is_reported_whole(stage: Stage) -> None:
    stage.serve()
    stage.reports.begin()
    stage.accepts = False
    stage.serve()
    stage.reports.report()
    stage.accepts = True
    assert stage.reported() == [1]
    stage.reports.report()
    assert stage.reported() == [2]


def test_everything_is_reported_again_on_the_next_connection(stage: Stage) -> None:
    stage.serve()
    stage.reports.begin()
    assert stage.reported() == [1]
    stage.reports.begin()
    assert stage.reported() == [1], "control may be another one, which has none of it"


def test_a_report_is_confirmed_until_there_is_a_newer_one(stage: Stage) -> None:
    stage.serve()
    stage.reports.begin()
    stage.reports.confirm(1)
    assert stage.reports.confirmed
    stage.serve()
    stage.reports.report()
    assert not stage.reports.confirmed


def test_without_a_link_nothing_is_reported(stage: Stage) -> None:
    stage.connected = False
    stage.serve()
    stage.reports.report()
    assert (stage.sent, stage.tally.number) == ([], 0)


async def test_several_failures_at_once_make_one_report(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.reports.begin()
    stage.reported()
    begun: list[tuple[float, Callable[[], None]]] = []

    def call_later(seconds: float, call: Callable[[], None]) -> object:
        begun.append((seconds, call))
        return begun[-1]

    monkeypatch.setattr(asyncio.get_running_loop(), "call_later", call_later)
    for _ in range(3):
        stage.serve(500)
        stage.reports.hurry()
    ((seconds, report),) = begun
    assert seconds == URGENT_SECONDS
    report()
    assert stage.reported() == [3]
    stage.reports.hurry()
    assert len(begun) == 2, "the next failure is as urgent"


def test_counts_of_an_old_revision_are_forgotten_once_they_are_durable(stage: Stage) -> None:
    stage.serve()
    stage.reports.begin()
    number = stage.tally.number
    stage.reports.confirm(number)
    assert stage.tally.droppable({}) == [KEY], "while its revision is in force it is kept"
    stage.table = RoutingTable.build(8, (service(2),))
    stage.reports.confirm(number - 1)
    assert stage.tally.droppable({}) == [KEY]
    stage.reports.confirm(number)
    assert stage.tally.droppable({}) == []


async def test_the_end_waits_until_the_last_report_is_durable(stage: Stage) -> None:
    stage.serve()
    stage.reports.begin()
    stage.serve()
    ending = asyncio.create_task(stage.reports.finish())
    await asyncio.sleep(0)
    stage.reports.confirm(1)
    await asyncio.sleep(0)
    assert (ending.done(), stage.reports.confirmed) == (False, False)
    stage.reports.confirm(2)
    await ending
    assert stage.reports.confirmed


@pytest.mark.parametrize("connected", [True, False])
async def test_the_end_waits_no_longer_than_that(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, connected: bool
) -> None:
    monkeypatch.setattr(module, "LAST_REPORT_SECONDS", 0.0 if connected else 3600.0)
    stage.reports.begin()
    stage.connected = connected
    await asyncio.wait_for(stage.reports.finish(), 10)
    assert not stage.reports.confirmed


def test_an_endpoint_that_is_ejected_or_no_longer_is_reported_by_itself(stage: Stage) -> None:
    stage.reports.begin()
    stage.sent.clear()
    for ejected in (("http://a",), ("http://a",), ()):
        stage.ejected = ejected
        stage.reports.report()
    assert [message.ejected for message in stage.sent] == [("http://a",), ()]
