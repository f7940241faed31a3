"""Thresholds in force, and requests that are told as overdue while they are in flight: once."""

import gc
import weakref
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from proxy.forwarding.threshold_watch import ROOM, ThresholdWatch
from proxy.routing.match import Condition
from proxy.routing.segment import Segment
from proxy.routing.sticky import Sticky
from proxy.routing.table import Service
from proxy.telemetry.counts import Counts
from tests.kits.stage import Stage
from tests.kits.transports import Client, Server

GET = b"GET /a HTTP/1.1\r\nHost: shop\r\nX-User: ann\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
ALL = (0.1, 0.2, 1.0)
CANARY = ("shop", 7, "canary")


# Playbooks on a whole worker.


@pytest.fixture
def hung(staged: type[Stage], service: Callable[..., Service]) -> tuple[Stage, Client, Server]:
    """A stage whose canary has everybody, with thresholds, and one request that it doesn't answer."""
    stage = staged(service(weight=10_000, sticky=Sticky("header", "X-User", salt="s")))
    stage.plane.thresholds.set({"shop": {"canary": ALL}})
    client = stage.client()
    client.sends(GET)
    stage.now += 5  # dialling is timed apart
    return stage, client, stage.connects()


def canary(stage: Stage) -> Counts:
    return stage.tally.everything()[CANARY]


def test_a_hang_is_counted_once_after_the_last_threshold_and_not_when_it_ends(
    hung: tuple[Stage, Client, Server],
) -> None:
    stage, client, server = hung
    stage.plane.thresholds.look(stage.now + 1.0)
    assert (canary(stage).overdue, canary(stage).labels, stage.failures) == (0, {}, [])
    for _ in range(3):
        stage.now += 1.01
        stage.plane.deadlines.look(stage.now)
    assert (canary(stage).overdue, canary(stage).labels, stage.failures) == (1, {28: 1}, [1])
    [(user, kinds)] = canary(stage).users.events
    assert kinds == 14
    assert user == Sticky("header", "X-User", salt="s").user(b"ann")
    server.sends(OK)
    assert client.got() == OK
    assert (canary(stage).overdue, canary(stage).labels, canary(stage).successes) == (0, {28: 1}, 1)
    assert len(canary(stage).users.events) == 1


def test_a_client_that_gives_up_after_it_was_overdue_stays_slow(hung: tuple[Stage, Client, Server]) -> None:
    stage, client, _ = hung
    stage.passes(1.2)
    client.closes()
    counts = canary(stage)
    assert (counts.excluded, counts.overdue, counts.slow(2), counts.abandoned) == (1, 0, 1, 1)


def test_a_client_that_gives_up_before_is_in_nothing(hung: tuple[Stage, Client, Server]) -> None:
    stage, client, _ = hung
    stage.passes(0.9)
    client.closes()
    stage.passes(5)
    counts = canary(stage)
    assert (counts.excluded, counts.overdue, counts.labels, counts.users.events) == (1, 0, {}, [])
    assert counts.abandoned == 0


@pytest.mark.parametrize(("full", "gave_up"), [(False, 0), (True, 1)])
def test_a_client_that_was_still_sending_has_not_waited_unless_the_endpoint_took_no_more(
    staged: type[Stage], service: Callable[..., Service], full: bool, gave_up: int
) -> None:
    stage = staged(service(weight=10_000))
    stage.plane.thresholds.set({"shop": {"canary": ALL}})
    client = stage.client()
    client.sends(b"POST /a HTTP/1.1\r\nHost: shop\r\nContent-Length: 400000\r\n\r\nabc")
    stage.now += 5
    server = stage.connects()
    if full:
        server.stalls()
        client.sends(b"x" * 200_000)
    stage.passes(1.2)
    assert canary(stage).overdue == 1
    client.resets()
    assert (canary(stage).gave_up, canary(stage).harm, canary(stage).overdue) == (gave_up, gave_up, 0)


def test_a_client_that_has_a_part_of_a_late_answer_has_not_given_up(
    hung: tuple[Stage, Client, Server],
) -> None:
    stage, client, server = hung
    stage.passes(1.2)
    server.sends(OK[:-1])
    client.closes()
    assert (canary(stage).excluded, canary(stage).harm) == (1, 0)


def test_a_client_that_leaves_before_the_rescue_of_an_overdue_request_is_answered_gave_up(
    hung: tuple[Stage, Client, Server],
) -> None:
    stage, client, server = hung
    stage.passes(1.2)
    server.closes()
    stage.connects()
    client.closes()
    entries = {key[2]: counts for key, counts in stage.tally.everything().items()}
    assert (entries["canary"].gave_up, entries["canary"].harm, entries["canary"].abandoned) == (1, 1, 0)
    assert (entries["stable"].gave_up, entries["stable"].harm) == (0, 0)


def test_an_answer_in_time_is_compared_when_it_has_come(hung: tuple[Stage, Client, Server]) -> None:
    stage, _, server = hung
    stage.passes(0.15)
    server.sends(OK)
    stage.passes(5)
    counts = canary(stage)
    assert (counts.labels, counts.overdue) == ({25: 1}, 0)
    assert [kinds for _, kinds in counts.users.events] == [2]


def test_an_answer_that_has_begun_is_overdue_no_more(hung: tuple[Stage, Client, Server]) -> None:
    stage, _, server = hung
    server.sends(OK[:-1])
    stage.passes(5)
    assert (canary(stage).overdue, stage.failures) == (0, [])


def test_those_exposed_are_counted_by_their_keys(hung: tuple[Stage, Client, Server]) -> None:
    stage, _, server = hung
    server.sends(OK)
    assert canary(stage).exposed.estimate() == 1


def test_a_pinned_request_is_told_as_overdue_and_is_no_evidence(
    staged: type[Stage], service: Callable[..., Service]
) -> None:
    everybody = Segment("all", "canary", (Condition("header", "X-User", "present"),))
    stage = staged(service(segments=(everybody,)))
    stage.plane.thresholds.set({"shop": {"canary": ALL}})
    client = stage.client()
    client.sends(GET)
    server = stage.connects()
    stage.passes(5)
    assert (canary(stage).overdue, stage.failures) == (1, [1])
    server.sends(OK)
    counts = canary(stage)
    assert (counts.overdue, counts.labels, counts.users.events, counts.pinned) == (0, {}, [], {"success": 1})


# One by one.


@pytest.fixture
def told() -> list[Any]:
    return []


@pytest.fixture
def thresholds(told: list[Any]) -> ThresholdWatch:
    return ThresholdWatch(told.append)


class Sent(SimpleNamespace):
    """An exchange, as far as thresholds see it."""

    __hash__ = object.__hash__

    def __init__(
        self, backend: str = "canary", *, drawn: bool = True, pinned: bool = False, revision: int = 7
    ) -> None:
        key = ("shop", revision, backend)
        choice = SimpleNamespace(drawn=drawn, pinned=pinned)
        super().__init__(key=key, choice=choice, sent=None, thresholds=(), overdue=False, response="awaited")

    def fall_overdue(self) -> None:
        self.overdue = True


def send(thresholds: ThresholdWatch, now: float, exchange: Sent | None = None, **more: int | str) -> Sent:
    exchange = exchange or Sent(**more)
    exchange.thresholds, exchange.sent = thresholds.watch(exchange, now), now
    return exchange


@pytest.mark.parametrize("known", [(), (0.1,), (0.1, 0.2), ALL])
def test_what_is_sent_keeps_the_thresholds_and_is_looked_at_when_all_are_known(
    thresholds: ThresholdWatch, told: list[Any], known: tuple[Any, ...]
) -> None:
    thresholds.set({"shop": {"canary": known}})
    exchange = send(thresholds, 10.0)
    assert exchange.thresholds == known
    thresholds.look(99.0)
    assert told == [exchange] * (known == ALL)


def test_nobody_else_has_thresholds(thresholds: ThresholdWatch, told: list[Any]) -> None:
    thresholds.set({"shop": {"canary": ALL}, "blog": {"stable": ALL}})
    assert send(thresholds, 10.0, backend="stable").thresholds == ()
    assert send(thresholds, 10.0, drawn=False).thresholds == ()
    assert send(thresholds, 10.0, revision=8).thresholds == ALL
    pinned = send(thresholds, 10.0, drawn=False, pinned=True)
    thresholds.look(99.0)
    assert len(told) == 2
    assert pinned.overdue


def test_each_is_told_once_when_its_time_has_passed(thresholds: ThresholdWatch, told: list[Any]) -> None:
    thresholds.set({"shop": {"canary": ALL}})
    sent = [send(thresholds, 10.0 + n) for n in range(3)]
    thresholds.look(11.0)
    assert told == [], "exactly as long is timely"
    thresholds.look(11.5)
    assert told == sent[:1]
    thresholds.look(99.0)
    thresholds.look(99.0)
    assert told == sent
    assert all(exchange.overdue for exchange in sent)


def test_one_that_is_sent_again_counts_from_then(thresholds: ThresholdWatch, told: list[Any]) -> None:
    thresholds.set({"shop": {"canary": ALL}})
    exchange = send(thresholds, 10.0)
    send(thresholds, 10.9, exchange)
    thresholds.look(11.5)
    assert told == []
    thresholds.look(12.0)
    thresholds.look(99.0)
    assert told == [exchange]


def test_one_that_is_sent_again_after_it_was_overdue_is_not_told_again(
    thresholds: ThresholdWatch, told: list[Any]
) -> None:
    thresholds.set({"shop": {"canary": ALL}})
    exchange = send(thresholds, 10.0)
    thresholds.look(11.5)
    send(thresholds, 12.0, exchange)
    thresholds.look(99.0)
    assert told == [exchange]


def test_new_thresholds_are_for_those_that_are_sent_from_now_on(
    thresholds: ThresholdWatch, told: list[Any]
) -> None:
    thresholds.set({"shop": {"canary": ALL}})
    old = send(thresholds, 10.0)
    thresholds.set({"shop": {"canary": (5.0, 6.0, 7.0)}})
    new = send(thresholds, 10.0)
    assert repr(thresholds) == "<ThresholdWatch of 1 backends, 1 replaced>"
    thresholds.look(12.0)
    assert told == [old]
    assert repr(thresholds) == "<ThresholdWatch of 1 backends, 0 replaced>"
    thresholds.look(18.0)
    assert told == [old, new]
    assert (old.thresholds, new.thresholds) == (ALL, (5.0, 6.0, 7.0))


def test_a_service_is_meant_whole_and_others_stay(thresholds: ThresholdWatch) -> None:
    thresholds.set({"shop": {"canary": ALL, "stable": ALL}, "blog": {"stable": ALL}})
    thresholds.set({"shop": {"stable": ALL}})
    assert repr(thresholds) == "<ThresholdWatch of 2 backends, 1 replaced>"
    assert send(thresholds, 1.0).thresholds == ()
    thresholds.set({"shop": {}})
    assert repr(thresholds) == "<ThresholdWatch of 1 backends, 2 replaced>"
    thresholds.look(1.0)
    assert repr(thresholds) == "<ThresholdWatch of 1 backends, 0 replaced>"


def test_the_same_thresholds_again_change_nothing(thresholds: ThresholdWatch, told: list[Any]) -> None:
    thresholds.set({"shop": {"canary": ALL}})
    exchange = send(thresholds, 10.0)
    thresholds.set({"shop": {"canary": ALL}})
    assert repr(thresholds) == "<ThresholdWatch of 1 backends, 0 replaced>"
    thresholds.look(99.0)
    assert told == [exchange]


def test_answered_ones_make_room_for_the_next(thresholds: ThresholdWatch) -> None:
    thresholds.set({"shop": {"canary": ALL}})
    for _ in range(5):
        send(thresholds, 10.0).response = "done"
    last = send(thresholds, 10.0)
    assert list(thresholds.in_force["shop", "canary"].waiting) == [(10.0, last)]


def test_answered_ones_are_kept_no_longer_than_a_look_even_behind_one_that_waits(
    thresholds: ThresholdWatch,
) -> None:
    thresholds.set({"shop": {"canary": (1.0, 2.0, 3600.0)}})
    send(thresholds, 10.0)
    answered = [send(thresholds, 10.0) for _ in range(ROOM + 1)]
    for exchange in answered:
        exchange.response = "done"
    kept = [weakref.ref(exchange) for exchange in answered]
    thresholds.look(10.05)
    del answered, exchange
    gc.collect()
    assert [one for one in kept if one() is not None] == []
