"""Deadlines: what is awaited has its time, bytes that are taken prolong it, and one timer looks at all."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import proxy
from proxy.forwarding.backpressure import LOOKS
from proxy.forwarding.deadlines import LINGER_SECONDS, PERIOD, SWEEP, Deadline, Deadlines
from proxy.forwarding.exchange import Exchange
from proxy.http1.head import RequestHead
from proxy.routing.choice import Choice
from proxy.routing.table import Service, Timeouts


@dataclass(eq=False)
class One:
    at: float
    told: list = field(default_factory=list)
    looks: int = 0
    blind: bool = False

    def __post_init__(self) -> None:
        self.deadline = Deadline(lambda: 0.0, self.at)

    def look(self) -> None:
        self.looks += 1

    def overdue(self, now: float) -> None:
        self.told.append(now)


class Pool:
    def __init__(self) -> None:
        self.told = []

    def expire(self, now: float) -> None:
        self.told.append(now)


class Loop:
    """Keeps what is to be called later; the test calls it."""

    def __init__(self) -> None:
        self.later = []

    def call_later(self, delay: float, callback: Callable[..., Any]) -> "Handle":
        self.later.append((delay, callback))
        return Handle(self, callback)

    def turn(self) -> float | None:
        (delay, callback), *self.later = self.later
        callback()
        return delay


@dataclass
class Handle:
    loop: Loop
    callback: object

    def cancel(self) -> None:
        self.loop.later = [one for one in self.loop.later if one[1] != self.callback]


@pytest.fixture
def pool() -> Pool:
    return Pool()


@pytest.fixture
def deadlines(pool: Pool) -> Deadlines:
    return Deadlines(Loop(), lambda: 5.0, pool.expire)


def test_whoever_is_due_is_told(deadlines: Deadlines, pool: Pool) -> None:
    past, present, future = One(4.9), One(5.0), One(5.1)
    for one in (past, present, future):
        deadlines.watch(one)
    deadlines.look(5.0)
    assert (past.told, present.told, future.told, pool.told) == ([5.0], [5.0], [], [5.0])


def test_a_deadline_moves(deadlines: Deadlines) -> None:
    one = One(5.0)
    deadlines.watch(one)
    one.deadline.idle(6.0)
    deadlines.look(5.5)
    assert one.told == []
    deadlines.look(6.0)
    assert one.told == [6.0]


def test_one_that_was_forgotten_is_not_told(deadlines: Deadlines) -> None:
    one = One(1.0)
    deadlines.watch(one)
    deadlines.forget(one)
    deadlines.forget(one)
    deadlines.look(5.0)
    assert one.told == []


def test_who_is_told_may_forget_itself_and_others(deadlines: Deadlines) -> None:
    class Leaving(One):
        def overdue(self, now: float) -> None:
            super().overdue(now)
            deadlines.forget(self)

    some = [Leaving(1.0), Leaving(2.0)]
    for one in some:
        deadlines.watch(one)
    deadlines.look(5.0)
    deadlines.look(6.0)
    assert [one.told for one in some] == [[5.0], [5.0]]
    assert repr(deadlines) == "<Deadlines of 0>"


def test_it_looks_again_and_again_until_it_is_stopped(pool: Pool) -> None:
    loop = Loop()
    deadlines = Deadlines(loop, lambda: 7.0, pool.expire)
    deadlines.stop()
    deadlines.start()
    assert [loop.turn(), loop.turn()] == [PERIOD, PERIOD]
    assert pool.told == [7.0, 7.0]
    deadlines.stop()
    assert loop.later == []


def test_whoever_looks_as_well_is_told_the_time(pool: Pool) -> None:
    other = Pool()
    Deadlines(Loop(), lambda: 5.0, pool.expire, other.expire).look(6.0)
    assert pool.told == other.told == [6.0]


def test_one_that_fails_does_not_stop_the_timer(pool: Pool) -> None:
    class Failing(One):
        def overdue(self, now: float) -> None:
            raise RuntimeError

    loop = Loop()
    deadlines = Deadlines(loop, lambda: 7.0, pool.expire)
    deadlines.watch(Failing(1.0))
    deadlines.start()
    with pytest.raises(RuntimeError):
        loop.turn()
    assert len(loop.later) == 1


# Connections that aren't read.


def test_it_is_looked_after_those_that_are_not_read_now_and_then(deadlines: Deadlines) -> None:
    held, read = One(1000.0, blind=True), One(1000.0)
    deadlines.watch(held)
    deadlines.watch(read)
    seen = []
    for at in (10.0, 10.0 + PERIOD, 10.0 + SWEEP - PERIOD, 10.0 + SWEEP, 10.1 + SWEEP, 10.0 + 2 * SWEEP):
        deadlines.look(at)
        seen.append(held.looks)
    assert seen == [1, 1, 1, 2, 2, 3]
    assert (read.looks, held.told) == (0, [])


def test_one_that_is_not_read_only_for_now_is_looked_after_for_as_long(deadlines: Deadlines) -> None:
    one = One(1000.0)
    deadlines.watch(one)
    for at, one.blind in ((1.0, False), (2.0, True), (3.0, False), (4.0, True)):
        deadlines.look(at)
    assert one.looks == 2


def test_who_is_looked_after_may_forget_itself(deadlines: Deadlines) -> None:
    class Leaving(One):
        def look(self) -> None:
            super().look()
            deadlines.forget(self)

    some = [Leaving(1000.0, blind=True), Leaving(1000.0, blind=True)]
    for one in some:
        deadlines.watch(one)
    deadlines.look(5.0)
    deadlines.look(6.0)
    assert [one.looks for one in some] == [1, 1]


def test_one_that_is_due_and_ends_is_not_looked_after(deadlines: Deadlines) -> None:
    class Ending(One):
        def overdue(self, now: float) -> None:
            super().overdue(now)
            deadlines.forget(self)

    one = Ending(1.0, blind=True)
    deadlines.watch(one)
    deadlines.look(5.0)
    assert (one.told, one.looks) == ([5.0], 0)


def test_a_client_that_leaves_is_noticed_within_a_second() -> None:
    assert PERIOD + SWEEP < 1.0


# One deadline.


RESPONSE, BODY = 20.0, 8.0
SETS = re.compile(r"\.due\b[^=\n]*[^=<>!]=[^=]")


class Sending:
    """Bytes that wait at one end: `stalled` answers with what the test says."""

    def __init__(self, waits: bool = True, stalled: float = 0.0) -> None:
        self.unsent = waits
        self.for_seconds = stalled
        self.looked = []
        self.watched = []

    def watch(self, now: float) -> None:
        self.watched.append(now)

    def waits(self) -> bool:
        return self.unsent

    def stalled(self, now: float) -> float:
        self.looked.append(now)
        return self.for_seconds


@pytest.fixture
def deadline() -> Deadline:
    return Deadline(lambda: 100.0, 0.0)


@pytest.fixture
def exchange(service: Callable[..., Service]) -> Callable[..., Exchange]:
    def build(request: str = "done", response: str = "awaited", expects: bool = False) -> Exchange:
        shop = service(timeouts=Timeouts(response=RESPONSE, body=BODY))
        choice = Choice(shop, "stable", shop.backends[0].endpoints[0], "weight", True, b"", b"")
        it = Exchange(RequestHead(b"POST", b"/", 1, [], b"a"), choice, 5, 10.0)
        it.request, it.response, it.expects = request, response, expects
        return it

    return build


@pytest.mark.parametrize(
    ("request_", "response", "expects", "seconds"),
    [
        ("open", "awaited", False, BODY),
        ("open", "awaited", True, RESPONSE),
        ("done", "awaited", False, RESPONSE),
        ("done", "awaited", True, RESPONSE),
        ("open", "open", False, BODY),
        ("open", "open", True, BODY),
        ("done", "open", False, BODY),
    ],
)
def test_an_answers_head_has_its_time_and_every_part_of_a_body_too(
    deadline: Deadline,
    exchange: Callable[..., Exchange],
    request_: str,
    response: str,
    expects: bool,
    seconds: float,
) -> None:
    deadline.next_bytes(exchange(request_, response, expects))
    assert deadline.due == 100.0 + seconds


def test_bytes_that_wait_are_looked_at_from_now_on_and_often(
    deadline: Deadline, exchange: Callable[..., Exchange]
) -> None:
    sending = Sending()
    deadline.bytes_taken(exchange(), sending)
    assert deadline.due == 100.0 + BODY / LOOKS
    assert sending.watched == [100.0], "or the first look would find nothing taken for ages"


def test_a_tunnel_has_a_deadline_of_its_own(deadline: Deadline, exchange: Callable[..., Exchange]) -> None:
    deadline.tunnel(5.0, 2.0)
    sending = Sending()
    deadline.next_bytes(exchange(response="tunnel"))
    deadline.bytes_taken(exchange(response="tunnel"), sending)
    assert (deadline.due, sending.watched) == (7.0, [])


@pytest.mark.parametrize(
    ("ends", "goes_on"),
    [
        ([], False),
        ([Sending(waits=False)], False),
        ([Sending(waits=False), Sending(waits=False)], False),
        ([Sending(stalled=0.0)], True),
        ([Sending(stalled=BODY - 0.1)], True),
        ([Sending(stalled=BODY)], False),
        ([Sending(stalled=BODY + 1), Sending(stalled=BODY + 2)], False),
        ([Sending(stalled=BODY + 1), Sending(stalled=1.0)], True),
        ([Sending(stalled=BODY + 1), Sending(waits=False)], False),
    ],
)
def test_it_goes_on_while_one_end_takes_bytes(
    deadline: Deadline, exchange: Callable[..., Exchange], ends: list[Sending], goes_on: bool
) -> None:
    deadline.idle(4.0)
    assert deadline.prolonged(exchange(), ends, 105.0) is goes_on
    assert deadline.due == (105.0 + BODY / LOOKS if goes_on else 104.0)


def test_it_shows_when_it_is(deadline: Deadline, exchange: Callable[..., Exchange]) -> None:
    deadline.next_bytes(exchange())
    assert repr(deadline) == "<Deadline at 120.000>"


@pytest.mark.parametrize(
    ("set_it", "due"),
    [
        (lambda it, exchange: it.idle(75.0), 175.0),
        (lambda it, exchange: it.head(10.0), 110.0),
        (lambda it, exchange: it.linger(), 100.0 + LINGER_SECONDS),
        (lambda it, exchange: it.dial(), float("inf")),
        (lambda it, exchange: it.response(exchange, 99.0), 99.0 + RESPONSE),
        (lambda it, exchange: it.body(exchange), 100.0 + BODY),
        (lambda it, exchange: it.taking(BODY, 99.0), 99.0 + BODY / LOOKS),
        (lambda it, exchange: it.tunnel(98.0, 60.0), 158.0),
    ],
)
def test_each_thing_that_is_awaited_has_its_time(
    deadline: Deadline, exchange: Callable[..., Exchange], set_it: Callable[..., Any], due: float
) -> None:
    set_it(deadline, exchange())
    assert deadline.due == due


def test_a_first_request_may_be_hurried_and_never_gets_more_time() -> None:
    late, soon = Deadline(lambda: 100.0, 75.0), Deadline(lambda: 100.0, LINGER_SECONDS / 2)
    for one in (late, soon):
        one.hurry()
    assert (late.due, soon.due) == (100.0 + LINGER_SECONDS, 100.0 + LINGER_SECONDS / 2)


def test_no_other_file_sets_a_deadline() -> None:
    root = Path(proxy.__file__).parent
    files = {path.relative_to(root).as_posix(): path.read_text() for path in root.rglob("*.py")}
    assert [name for name, text in files.items() if SETS.search(text)] == ["forwarding/deadlines.py"]
