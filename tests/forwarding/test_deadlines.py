"""One timer for all: whoever is due is told, once for each look, and the timer goes on."""

from dataclasses import dataclass, field

import pytest

from proxy.forwarding.deadlines import PERIOD, SWEEP, Deadlines


@dataclass(eq=False)
class One:
    due: float
    told: list = field(default_factory=list)
    looks: int = 0
    blind: bool = False

    def look(self):
        self.looks += 1

    def overdue(self, now):
        self.told.append(now)


class Pool:
    def __init__(self):
        self.told = []

    def expire(self, now):
        self.told.append(now)


class Loop:
    """Keeps what is to be called later; the test calls it."""

    def __init__(self):
        self.later = []

    def call_later(self, delay, callback):
        self.later.append((delay, callback))
        return Handle(self, callback)

    def turn(self):
        (delay, callback), *self.later = self.later
        callback()
        return delay


@dataclass
class Handle:
    loop: Loop
    callback: object

    def cancel(self):
        self.loop.later = [one for one in self.loop.later if one[1] != self.callback]


@pytest.fixture
def pool():
    return Pool()


@pytest.fixture
def deadlines(pool):
    return Deadlines(Loop(), lambda: 5.0, pool.expire)


def test_whoever_is_due_is_told(deadlines, pool):
    past, present, future = One(4.9), One(5.0), One(5.1)
    for one in (past, present, future):
        deadlines.watch(one)
    deadlines.look(5.0)
    assert (past.told, present.told, future.told, pool.told) == ([5.0], [5.0], [], [5.0])


def test_a_deadline_moves_by_assignment(deadlines):
    one = One(5.0)
    deadlines.watch(one)
    one.due = 6.0
    deadlines.look(5.5)
    assert one.told == []
    deadlines.look(6.0)
    assert one.told == [6.0]


def test_one_that_was_forgotten_is_not_told(deadlines):
    one = One(1.0)
    deadlines.watch(one)
    deadlines.forget(one)
    deadlines.forget(one)
    deadlines.look(5.0)
    assert one.told == []


def test_who_is_told_may_forget_itself_and_others(deadlines):
    class Leaving(One):
        def overdue(self, now):
            super().overdue(now)
            deadlines.forget(self)

    some = [Leaving(1.0), Leaving(2.0)]
    for one in some:
        deadlines.watch(one)
    deadlines.look(5.0)
    deadlines.look(6.0)
    assert [one.told for one in some] == [[5.0], [5.0]]
    assert repr(deadlines) == "<Deadlines of 0>"


def test_it_looks_again_and_again_until_it_is_stopped(pool):
    loop = Loop()
    deadlines = Deadlines(loop, lambda: 7.0, pool.expire)
    deadlines.stop()
    deadlines.start()
    assert [loop.turn(), loop.turn()] == [PERIOD, PERIOD]
    assert pool.told == [7.0, 7.0]
    deadlines.stop()
    assert loop.later == []


def test_whoever_looks_as_well_is_told_the_time(pool):
    other = Pool()
    Deadlines(Loop(), lambda: 5.0, pool.expire, other.expire).look(6.0)
    assert pool.told == other.told == [6.0]


def test_one_that_fails_does_not_stop_the_timer(pool):
    class Failing(One):
        def overdue(self, now):
            raise RuntimeError

    loop = Loop()
    deadlines = Deadlines(loop, lambda: 7.0, pool.expire)
    deadlines.watch(Failing(1.0))
    deadlines.start()
    with pytest.raises(RuntimeError):
        loop.turn()
    assert len(loop.later) == 1


# Connections that aren't read.


def test_it_is_looked_after_those_that_are_not_read_now_and_then(deadlines):
    held, read = One(1000.0, blind=True), One(1000.0)
    deadlines.watch(held)
    deadlines.watch(read)
    seen = []
    for at in (10.0, 10.0 + PERIOD, 10.0 + SWEEP - PERIOD, 10.0 + SWEEP, 10.1 + SWEEP, 10.0 + 2 * SWEEP):
        deadlines.look(at)
        seen.append(held.looks)
    assert seen == [1, 1, 1, 2, 2, 3]
    assert (read.looks, held.told) == (0, [])


def test_one_that_is_not_read_only_for_now_is_looked_after_for_as_long(deadlines):
    one = One(1000.0)
    deadlines.watch(one)
    for at, one.blind in ((1.0, False), (2.0, True), (3.0, False), (4.0, True)):
        deadlines.look(at)
    assert one.looks == 2


def test_who_is_looked_after_may_forget_itself(deadlines):
    class Leaving(One):
        def look(self):
            super().look()
            deadlines.forget(self)

    some = [Leaving(1000.0, blind=True), Leaving(1000.0, blind=True)]
    for one in some:
        deadlines.watch(one)
    deadlines.look(5.0)
    deadlines.look(6.0)
    assert [one.looks for one in some] == [1, 1]


def test_one_that_is_due_and_ends_is_not_looked_after(deadlines):
    class Ending(One):
        def overdue(self, now):
            super().overdue(now)
            deadlines.forget(self)

    one = Ending(1.0, blind=True)
    deadlines.watch(one)
    deadlines.look(5.0)
    assert (one.told, one.looks) == ([5.0], 0)


def test_a_client_that_leaves_is_noticed_within_a_second():
    assert PERIOD + SWEEP < 1.0
