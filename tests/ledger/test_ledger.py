import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from sqlite3 import Connection
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.analysis.verdict import UNRECORDED, Finding, Verdict
from proxy.ledger import ledger as ledger_module
from proxy.ledger.errors import NotDurable
from proxy.ledger.ledger import KEYS, Kept, Ledger
from proxy.ledger.record import Record
from proxy.rollout.advance import advance
from proxy.rollout.inputs import Held, Look, Release, Resume, SetWeight
from proxy.rollout.rollout import Advance, Rollout
from proxy.rollout.side import VACANT, Side
from proxy.routing.endpoint import Endpoint
from proxy.telemetry.counts import Counts
from proxy.telemetry.outcome import COMPLETE, Outcome
from proxy.telemetry.tally import Tally
from tests.kits.properties import examples

FINDING = Finding(
    check="error-rate",
    state="failing",
    value=0.5,
    limit=0.1,
    stable=None,
    sample=40,
    needed=20,
    window=30.0,
    unit="ratio",
    sentence="it fails",
)
STABLE = Side((Endpoint.parse("http://127.0.0.1:9001"),))
CANARY = Side((Endpoint.parse("http://127.0.0.1:9002"),))
FAILING = Look(Verdict("failing", (FINDING,)), enforce=True)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "weir.db"


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every connection to the database that a ledger makes, the newest last."""
    made, connect = [], ledger_module.connect

    def connected(path: Path) -> Connection:
        made.append(connect(path))
        return made[-1]

    monkeypatch.setattr(ledger_module, "connect", connected)
    return made


@pytest.fixture
def ledger(path: Path, connections: list[Any]) -> Iterator[Ledger]:
    opened = Ledger(path)
    yield opened
    opened.close()


@pytest.fixture
def database(ledger: Ledger, connections: list[Connection]) -> Connection:
    """The connection of the ledger."""
    return connections[-1]


def record(
    rollout: Rollout,
    happened: Any,
    *,
    service: str = "checkout",
    at: float = 1_700_000_000.25,
    actor: str = "ann",
    reason: str = "because",
) -> Record:
    result = advance(rollout, happened, at)
    assert isinstance(result, Advance), result
    assert result.entry is not None
    return Record(service, at, actor, reason, result.entry, result.rollout)


def story(*inputs: Any, service: str = "checkout") -> Iterator[Record | None]:
    rollout = Rollout()
    for happened in (Release(STABLE, CANARY, 2000, "salt"), *inputs):
        told = record(rollout, happened, service=service)
        rollout = told.rollout
        yield told


def counts(successes: int) -> Counts:
    tally = Tally("boot")
    for _ in range(successes):
        tally.add(Outcome(("checkout", 1, "canary"), "GET", 200, COMPLETE, "success", True, 0.01, 0.02))
    (all_of_them,) = tally.everything().values()
    return all_of_them


def reopened(ledger: Ledger, path: Path) -> Ledger:
    ledger.close()
    return Ledger(path)


def test_an_entry_is_on_the_disk_and_counts_with_the_operating_system(
    ledger: Ledger, database: Connection
) -> None:
    asked = []
    database.set_trace_callback(asked.append)  # nothing but a power cut would show it
    ledger.append(next(story()))
    assert asked[:2] == ["PRAGMA synchronous = FULL", "BEGIN IMMEDIATE"]
    asked.clear()
    ledger.keep(Kept(numbers={"boot": 1}))
    assert asked[:2] == ["PRAGMA synchronous = NORMAL", "BEGIN IMMEDIATE"]


def test_an_entry_is_kept_with_its_state(ledger: Ledger, path: Path) -> None:
    release, trip = story(FAILING)
    assert [ledger.append(release), ledger.append(trip)] == [[1], [2]]
    again = reopened(ledger, path)
    assert again.states() == {"checkout": trip.rollout}
    assert again.last() == 2
    entries = again.entries("checkout")
    assert [entry["event"] for entry in entries] == ["release", "trip"]
    assert entries[1] == {
        "id": 2,
        "service": "checkout",
        "revision": 2,
        "at": "2023-11-14T22:13:20.250+00:00",
        "event": "trip",
        "actor": "ann",
        "reason": "because",
        "from": 20.0,
        "to": 0.0,
        "phase": "rolled-back",
        "step": 0,
        "generation": None,
        "acknowledged_ms": None,
        "finding": FINDING.to_json(),
    }
    assert entries[1] == trip.to_json(2)
    again.close()


def test_services_are_apart_and_ids_are_not(ledger: Ledger) -> None:
    for told in (*story(), *story(service="pay")):
        ledger.append(told)
    assert [entry["id"] for entry in ledger.entries("pay")] == [2]
    assert [entry["service"] for entry in ledger.entries_after(0)] == ["checkout", "pay"]
    assert [entry["id"] for entry in ledger.entries_after(1)] == [2]
    assert ledger.entries_after(2) == []


@pytest.mark.parametrize(
    ("asked", "revisions"),
    [
        ({}, [1, 2, 3, 4]),
        ({"newest": 2}, [3, 4]),
        ({"newest": 9}, [1, 2, 3, 4]),
        ({"after": 1}, [2, 3, 4]),
        ({"after": 1, "newest": 1}, [4]),
        ({"after": 4}, []),
    ],
)
def test_a_part_of_the_entries(ledger: Ledger, asked: dict[str, int], revisions: list[int]) -> None:
    for told in (*story(SetWeight(1), SetWeight(2), SetWeight(3)), *story(service="pay")):
        ledger.append(told)
    assert [entry["revision"] for entry in ledger.entries("checkout", **asked)] == revisions


def test_entries_since_a_moment(ledger: Ledger) -> None:
    rollout = Rollout()
    for at, happened in (
        (10.0, Release(STABLE, CANARY, 2000, "salt")),
        (20.0, SetWeight(1)),
        (30.0, SetWeight(2)),
    ):
        told = record(rollout, happened, at=at)
        rollout = told.rollout
        ledger.append(told)
    since = {
        at: [each["revision"] for each in ledger.entries("checkout", since=at)] for at in (9, 20, 21, 31)
    }
    assert since == {9: [1, 2, 3], 20: [2, 3], 21: [3], 31: []}


def test_no_more_entries_are_read_than_are_asked_for(ledger: Ledger, database: Connection) -> None:
    asked: list[str] = []
    database.set_trace_callback(asked.append)
    ledger.entries("checkout", newest=3)
    database.set_trace_callback(None)
    plan = database.execute(f"EXPLAIN QUERY PLAN {asked[-1]}").fetchall()
    assert [row[-1] for row in plan] == ["SEARCH entries USING INDEX entries_by_service (service=?)"]


def test_an_entry_is_kept_once(ledger: Ledger) -> None:
    release, trip = story(FAILING)
    ledger.append(release)
    assert ledger.append(trip) == ledger.append(trip) == [2]
    assert len(ledger.entries("checkout")) == 2
    assert ledger.trips() == {("checkout", "error-rate"): 1}


def test_two_different_entries_of_one_revision_are_refused(ledger: Ledger) -> None:
    (release,) = story()
    ledger.append(release)
    with pytest.raises(NotDurable, match="UNIQUE"):
        ledger.append(record(Rollout(), Release(STABLE, STABLE, 1, "other"), at=5.0))
    assert ledger.states() == {"checkout": release.rollout}


def test_the_highest_revision_is_the_state_in_whatever_order_they_come(ledger: Ledger) -> None:
    release, weight, trip = story(SetWeight(5000), FAILING)
    for told in (release, trip, weight):
        ledger.append(told)
    assert ledger.states() == {"checkout": trip.rollout}


def test_trips_are_counted_by_check(ledger: Ledger) -> None:
    for told in story(FAILING, Resume(), FAILING, Resume(), Held(99, halted=True)):
        ledger.append(told)
    assert ledger.trips() == {("checkout", "error-rate"): 2, ("checkout", UNRECORDED): 1}


def test_old_entries_go_and_the_state_stays(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_module, "KEEP", 5)
    ledger.append(next(story(service="pay")))
    told = list(story(*(SetWeight(parts) for parts in range(20))))
    for each in told:
        ledger.append(each)
    assert [entry["revision"] for entry in ledger.entries("checkout")] == [17, 18, 19, 20, 21]
    assert len(ledger.entries("pay")) == 1
    assert ledger.states()["checkout"] == told[-1].rollout


def test_what_was_counted_comes_back(ledger: Ledger, path: Path) -> None:
    key = ("checkout", 1, "canary")
    kept = Kept(
        {("checkout", "canary"): counts(3)},
        {("b1", key): counts(2), ("b2", key): counts(1)},
        {"b1": 7, "b2": 1},
    )
    ledger.keep(kept)
    again = reopened(ledger, path)
    assert again.kept() == kept
    again.keep(Kept({("checkout", "canary"): counts(4)}, {("b2", key): counts(2)}, {"b2": 2}))
    assert again.kept() == Kept(
        {("checkout", "canary"): counts(4)},
        {("b1", key): counts(2), ("b2", key): counts(2)},
        {"b1": 7, "b2": 2},
    )
    again.close()


def test_evidence_comes_back(ledger: Ledger, path: Path) -> None:
    ledger.keep(Kept(evidence={"checkout": {"odds": [1.5]}, "pay": {}}))
    ledger.keep(Kept(evidence={"pay": {"odds": []}}))
    again = reopened(ledger, path)
    assert again.kept().evidence == {"checkout": {"odds": [1.5]}, "pay": {"odds": []}}
    again.close()


def test_dropped_marks_go(ledger: Ledger) -> None:
    key, other = ("checkout", 1, "canary"), ("checkout", 2, "canary")
    ledger.keep(Kept({}, {("b1", key): counts(3), ("b1", other): counts(1)}, {"b1": 7}))
    ledger.keep(Kept(dropped=frozenset({("b1", key)})))
    assert ledger.kept() == Kept({}, {("b1", other): counts(1)}, {"b1": 7})


def test_forgotten_boots_leave_their_sums(ledger: Ledger) -> None:
    key = ("checkout", 1, "canary")
    ledger.keep(Kept({("checkout", "canary"): counts(3)}, {("b1", key): counts(3)}, {"b1": 7}))
    ledger.keep(Kept({}, {}, {"b2": 1}))
    ledger.forget(["b1"])
    assert ledger.kept() == Kept({("checkout", "canary"): counts(3)}, {}, {"b2": 1})


def test_when_all_workers_had_an_entry_is_kept_with_that_one_alone(ledger: Ledger) -> None:
    for told in (*story(FAILING), *story(service="pay")):
        ledger.append(told)
    ledger.acknowledge([("checkout", 2, 9, 4.5), ("checkout", 7, 9, 4.5), ("checkout", 1, 8, 3.0)])
    known = [(entry["generation"], entry["acknowledged_ms"]) for entry in ledger.entries("checkout")]
    assert known == [(8, 3.0), (9, 4.5)]
    assert ledger.entries("pay")[0]["generation"] is None


def test_the_keys_of_orders_are_kept_the_newest_of_each_service(ledger: Ledger, path: Path) -> None:
    release, trip = story(FAILING)
    ledger.append(replace(release, key="k1", digest="d1"), replace(trip, key="k2", digest="d2"))
    for number in range(KEYS):
        ledger.remember("pay", f"n{number}", "d", 10.0 + number)
    ledger.remember("pay", "last", "d", 9999.0)
    orders = reopened(ledger, path).orders()
    assert (orders["checkout", "k1"], orders["checkout", "k2"]) == ("d1", "d2")
    assert ("pay", "n0") not in orders
    assert ("pay", "n1") in orders
    assert [key for service, key in orders if service == "pay"][-1] == "last", "the oldest first"


def test_entries_are_kept_all_or_none(ledger: Ledger, database: Connection) -> None:
    release, trip = story(FAILING)
    other = next(iter(story(service="pay")))
    database.execute("CREATE TRIGGER no BEFORE INSERT ON trips BEGIN SELECT RAISE(ABORT, 'no'); END")
    with pytest.raises(NotDurable):
        ledger.append(other, release, trip)
    assert ledger.states() == {}


def test_a_full_disk_is_said_and_leaves_nothing_half_done(ledger: Ledger, database: Connection) -> None:
    release, trip = story(FAILING)
    ledger.append(release)
    database.execute(f"PRAGMA max_page_count = {1}")
    big = record(release.rollout, FAILING, reason="x" * 1_000_000)
    with pytest.raises(NotDurable, match=r"weir\.db cannot be written: .*full"):
        ledger.append(big)
    assert ledger.states() == {"checkout": release.rollout}
    assert ledger.trips() == {}
    database.execute("PRAGMA max_page_count = 1000000")
    ledger.append(trip)
    assert ledger.states() == {"checkout": trip.rollout}


inputs = st.one_of(
    st.builds(
        Release, st.just(STABLE), st.sampled_from([VACANT, CANARY]), st.integers(0, 10_000), st.just("salt")
    ),
    st.builds(SetWeight, st.integers(0, 10_000)),
    st.builds(Resume, st.none() | st.integers(0, 10_000)),
    st.just(FAILING),
    st.builds(Held, st.integers(0, 30), st.booleans()),
)


@examples(30)
@given(st.lists(inputs, max_size=12))
def test_what_is_read_again_is_what_was(
    tmp_path_factory: pytest.TempPathFactory, happened: list[Any]
) -> None:
    path = tmp_path_factory.mktemp("ledger") / "weir.db"
    ledger, rollout, revisions = Ledger(path), Rollout(), []
    for each in happened:
        result = advance(rollout, each, 5.0)
        if isinstance(result, Advance) and result.entry:
            ledger.append(Record("checkout", 5.0, "ann", "", result.entry, result.rollout))
            rollout = result.rollout
            revisions.append(result.entry.revision)
    ledger = reopened(ledger, path)
    assert ledger.states().get("checkout", Rollout()) == rollout
    entries = ledger.entries("checkout")
    assert [entry["revision"] for entry in entries] == revisions
    assert not entries or entries[-1]["to"] == rollout.weight / 100
    ledger.close()


APPENDER = """
import sys
from pathlib import Path
from proxy.ledger.ledger import Ledger
from proxy.ledger.record import Record
from proxy.rollout.advance import advance
from proxy.rollout.inputs import Release, SetWeight
from proxy.rollout.rollout import Rollout
from proxy.rollout.side import Side
from proxy.routing.endpoint import Endpoint

sides = [Side((Endpoint.parse(url),)) for url in ("http://stable", "http://canary")]
ledger, rollout, happened, parts = Ledger(Path(sys.argv[1])), Rollout(), Release(*sides, 9999, "salt"), 0
while True:
    result = advance(rollout, happened, 5.0)
    rollout = result.rollout
    ledger.append(Record("checkout", 5.0, "ann", "", result.entry, rollout))
    print(rollout.revision, flush=True)
    parts = (parts + 1) % 9000
    happened = SetWeight(parts)
"""


@pytest.mark.process
@pytest.mark.parametrize("acknowledged", [1, 7, 40])
def test_a_killed_writer_loses_no_acknowledged_entry_and_leaves_a_prefix(
    path: Path, acknowledged: int
) -> None:
    writer = subprocess.Popen([sys.executable, "-c", APPENDER, str(path)], stdout=subprocess.PIPE)
    lines = [writer.stdout.readline() for _ in range(acknowledged)]
    writer.send_signal(signal.SIGKILL)
    rest, _ = writer.communicate()
    last = int([*lines, *rest.splitlines()][-1])
    ledger = Ledger(path)
    revisions = [entry["revision"] for entry in ledger.entries("checkout")]
    assert revisions == list(range(1, len(revisions) + 1))
    assert len(revisions) in (last, last + 1)
    state = ledger.states()["checkout"]
    assert (state.revision, state.weight / 100) == (revisions[-1], ledger.entries("checkout")[-1]["to"])
    ledger.close()
