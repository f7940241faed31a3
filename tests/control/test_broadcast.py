from dataclasses import replace

import pytest

from proxy.control.broadcast import PATIENCE, Broadcast, WorkerLink
from proxy.link.frames import Decoder, encode
from proxy.link.messages import PART, Ack, DeadAddresses, Hello, Report, ReportStored, ResolvedNames, Table
from proxy.routing.endpoint import Endpoint
from proxy.routing.match import RouteMatch
from proxy.routing.split import Split
from proxy.routing.table import Backend, Service
from tests.kits.messages import SETTINGS

HELLO = Hello("b1", 0, 1, {"checkout": 3}, {})


def service(revision: int) -> Service:
    backend = Backend("stable", (Endpoint.parse("http://127.0.0.1:9001"),))
    return Service("checkout", revision, RouteMatch(), (backend,), Split())


class Listener:
    """Notes what it is told, and what the workers had been told by then."""

    def __init__(self) -> None:
        self.heard = []
        self.wires = []

    def hello(self, hello: Hello) -> None:
        self.heard.append(("hello", hello, [len(wire.said) for wire in self.wires]))

    def report(self, report: Report) -> None:
        self.heard.append(("report", report))

    def acknowledged(self) -> None:
        self.heard.append(("acknowledged",))


class Wire:
    def __init__(self, link: WorkerLink) -> None:
        self.link = link
        self.decoder = Decoder()
        self.said = []
        self.waiting = 0
        self.open = True
        link.connection_made(self)

    def write(self, data: bytes) -> None:
        self.said += self.decoder.feed(data)

    def is_closing(self) -> bool:
        return not self.open

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def abort(self) -> None:
        if self.open:
            self.open = False
            self.link.connection_lost(None)

    def send(self, *messages: Ack | Hello) -> None:
        self.link.data_received(b"".join(map(encode, messages)))


class Stage:
    def __init__(self) -> None:
        self.listener = Listener()
        self.services = [service(3)]
        self.broadcast = Broadcast(7, SETTINGS, lambda: self.services, self.listener)

    def connect(self, *messages: Hello) -> Wire:
        wire = Wire(self.broadcast.link())
        self.listener.wires.append(wire)
        wire.send(*messages)
        return wire


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_a_hello_is_heard_first_and_answered_afterwards(stage: Stage) -> None:
    wire = stage.connect(HELLO)
    assert stage.listener.heard == [("hello", HELLO, [0])]
    assert wire.said == [SETTINGS, Table(7, (service(3),), (), complete=True)]


def test_messages_may_come_in_pieces(stage: Stage) -> None:
    wire = stage.connect()
    for byte in encode(HELLO) + encode(Report("b1", 1, {}, 0)):
        wire.link.data_received(bytes([byte]))
    assert [kind for kind, *_ in stage.listener.heard] == ["hello", "report"]


def test_a_change_is_told_to_all_under_a_new_generation(stage: Stage) -> None:
    one, two = stage.connect(HELLO), stage.connect(Hello("b2", 1, 2, {}, {}))
    stranger = stage.connect()
    assert stage.broadcast.publish(service(4)) == 8
    assert one.said[-1] == two.said[-1] == Table(8, (service(4),), (), complete=False)
    assert stranger.said == []


def test_who_comes_after_a_change_is_told_the_state_of_then(stage: Stage) -> None:
    stage.connect(HELLO)
    stage.services = [service(4)]
    stage.broadcast.publish(service(4))
    late = stage.connect(Hello("b2", 1, 2, {}, {}))
    assert late.said == [SETTINGS, Table(8, (service(4),), (), complete=True)]


def test_a_long_table_is_told_in_parts_whenever_it_is_told(stage: Stage) -> None:
    stage.services = [replace(service(4), name=f"s{number}") for number in range(PART + 1)]
    wire = stage.connect(HELLO)
    stage.broadcast.publish(*stage.services)
    counted = [(len(said.services), said.complete, said.more) for said in wire.said[1:]]
    assert counted == [(PART, True, True), (1, True, False), (PART, False, True), (1, False, False)]


def test_a_generation_is_everywhere_when_all_that_are_connected_use_it(stage: Stage) -> None:
    assert not stage.broadcast.acknowledged(7), "nobody is there"
    one, two = stage.connect(HELLO), stage.connect(Hello("b2", 1, 2, {}, {}))
    one.send(Ack(8))
    assert not stage.broadcast.acknowledged(8)
    assert stage.broadcast.serving == 1
    two.send(Ack(9), Ack(8))
    assert stage.broadcast.acknowledged(8)
    assert not stage.broadcast.acknowledged(9)
    one.abort()
    assert stage.broadcast.acknowledged(9)
    assert stage.listener.heard.count(("acknowledged",)) == 4


def test_a_worker_that_is_back_replaces_its_old_connection(stage: Stage) -> None:
    old = stage.connect(HELLO)
    new = stage.connect(HELLO)
    assert not old.open
    assert stage.broadcast.boots == ["b1"]
    stage.broadcast.publish(service(4))
    assert new.said[-1].generation == 8
    new.abort()
    assert stage.broadcast.boots == []


def test_counted_goes_to_the_worker_that_reported(stage: Stage) -> None:
    one, two = stage.connect(HELLO), stage.connect(Hello("b2", 1, 2, {}, {}))
    stage.broadcast.confirm("b1", 5)
    stage.broadcast.confirm("nobody", 5)
    assert one.said[-1] == ReportStored(5)
    assert len(two.said) == 2


def test_dead_endpoints_are_told_at_once_and_before_its_table_to_who_comes_later(stage: Stage) -> None:
    wire = stage.connect(HELLO)
    stage.broadcast.set_dead("checkout", frozenset({("http://a:1", "192.0.2.1")}))
    stage.broadcast.set_dead("other", frozenset())
    assert wire.said[-2:] == [
        DeadAddresses({"checkout": frozenset({("http://a:1", "192.0.2.1")})}),
        DeadAddresses({"other": frozenset()}),
    ]
    stage.broadcast.set_dead("checkout", frozenset())
    late = stage.connect(Hello("b2", 1, 2, {}, {}))
    assert [type(said).__name__ for said in late.said] == ["Settings", "DeadAddresses", "Table"]
    assert late.said[1] == DeadAddresses({"checkout": frozenset(), "other": frozenset()})
    assert stage.broadcast.generation == 7


def test_addresses_are_sent_at_once_and_before_its_table_to_who_comes_later(stage: Stage) -> None:
    wire = stage.connect(HELLO)
    stage.broadcast.locate({"one.test": ("192.0.2.1",), "two.test": ("192.0.2.2",)})
    assert wire.said[-1] == ResolvedNames({"one.test": ("192.0.2.1",), "two.test": ("192.0.2.2",)})
    stage.broadcast.locate({"one.test": ("192.0.2.3", "2001:db8::1"), "two.test": ()})
    late = stage.connect(Hello("b2", 1, 2, {}, {}))
    assert [type(said).__name__ for said in late.said] == ["Settings", "ResolvedNames", "Table"]
    assert late.said[1] == ResolvedNames({"one.test": ("192.0.2.3", "2001:db8::1")})


def test_a_service_that_is_gone_is_told_and_nothing_more_is_known_of_it(stage: Stage) -> None:
    wire = stage.connect(HELLO)
    stage.broadcast.set_dead("checkout", frozenset({("http://a:1", "192.0.2.1")}))
    stage.broadcast.set_thresholds("checkout", {"stable": (0.1,)})
    assert stage.broadcast.publish(removed=("checkout",)) == 8
    assert wire.said[-1] == Table(8, (), ("checkout",), complete=False)
    late = stage.connect(Hello("b2", 1, 2, {}, {}))
    assert [type(said).__name__ for said in late.said] == ["Settings", "Table"]


def test_other_settings_are_told_to_all_and_to_who_comes_later(stage: Stage) -> None:
    wire = stage.connect(HELLO)
    other = replace(SETTINGS, fields=7)
    stage.broadcast.configure(other)
    assert wire.said[-1] == other
    assert stage.connect(Hello("b2", 1, 2, {}, {})).said[0] == other


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        encode(Report("b1", 1, {}, 0)),
        encode(Ack(1)),
        encode(HELLO) + encode(SETTINGS),
        encode(HELLO) + encode(Report("another boot", 1, {}, 0)),
    ],
    ids=["garbage", "report first", "ack first", "not for control", "for somebody else"],
)
def test_what_has_no_place_here_ends_the_connection(
    stage: Stage, sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    wire = stage.connect()
    wire.link.data_received(sent)
    assert not wire.open
    assert stage.broadcast.boots == []
    assert "report" not in [kind for kind, *_ in stage.listener.heard]
    assert "cut off" in caplog.text


def test_a_worker_that_does_not_read_is_cut_off(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    slow, other = stage.connect(HELLO), stage.connect(Hello("b2", 1, 2, {}, {}))
    slow.waiting = PATIENCE + 1
    stage.broadcast.publish(service(4))
    assert not slow.open
    assert "does not read" in caplog.text
    assert other.said[-1].generation == 8


def test_nothing_is_sent_on_a_closed_connection(stage: Stage) -> None:
    wire = stage.connect(HELLO)
    wire.open = False
    stage.broadcast.publish(service(4))
    assert len(wire.said) == 2


def test_reprs_say_who_holds_what(stage: Stage) -> None:
    wire = stage.connect()
    assert repr(wire.link) == "<WorkerLink to an unknown worker>"
    wire.send(HELLO, Ack(7))
    assert repr(wire.link) == "<WorkerLink to worker 0, generation 7>"
    assert repr(stage.broadcast) == "<Broadcast generation 7, held by worker {0: 7}>"
