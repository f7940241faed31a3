"""Searches for connections in any history of two backends: dials, answers, ends, halts and moves."""

import random
from dataclasses import replace
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from proxy.routing.endpoint import Endpoint
from proxy.routing.failures import Ejection
from proxy.routing.table import Backend
from tests.kits.located import IP, address
from tests.kits.stage import Stage, Trip, service
from tests.kits.transports import Client, Server

STABLE = tuple(f"http://stable-{number}:9001" for number in (1, 2, 3))
CANARY = tuple(f"http://canary-{number}:9002" for number in (1, 2))
URLS = (*STABLE, *CANARY)
NAMES = tuple(Endpoint.parse(url).host for url in URLS)
REQUESTS = (
    b"GET /a HTTP/1.1\r\nHost: shop\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: shop\r\nContent-Length: 4\r\n\r\nbody",
    b"PUT /a HTTP/1.1\r\nHost: shop\r\nContent-Length: 4\r\n\r\nbo",
)
ANSWERS = tuple(
    b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\nok" % answer
    for answer in ((200, 2), (500, 2), (503, 2), (200, 3))
)


class History:
    """One worker's searches. A move takes a number, which picks among what there is."""

    def __init__(self, seed: int) -> None:
        backends = (
            Backend("stable", tuple(map(Endpoint.parse, STABLE))),
            Backend("canary", tuple(map(Endpoint.parse, CANARY))),
        )
        rule = Ejection(failures=3, backoff=1, longest=3)
        located = dict.fromkeys(NAMES, (IP,))
        self.stage = Stage(service(weight=5000, backends=backends, ejection=rule, located=located))
        bits = random.Random(seed)
        self.stage.plane.draw = lambda: bits.getrandbits(128)
        self.trip = Trip(self.stage, drain=None)
        self.gone: set[str] = set()
        self.clients: list[Client] = []
        self.servers: list[Server] = []

    # Moves.

    def send(self, which: int) -> None:
        self.clients.append(self.stage.client())
        self.clients[-1].sends(REQUESTS[which % len(REQUESTS)])

    def again(self, which: int) -> None:
        if client := _one(self.clients, which):
            client.sends(REQUESTS[which % 2])

    def leave(self, which: int) -> None:
        if client := _one(self.clients, which):
            self.clients.remove(client)
            client.resets()

    def refuse(self, which: int) -> None:
        if self._next_dial(which):
            self.stage.refuses()

    def connect(self, which: int) -> None:
        if self._next_dial(which):
            self.servers.append(self.stage.connects())

    def hang_up(self, which: int) -> None:
        """Take a connection and end it at once."""
        if self._next_dial(which):
            self.stage.connects().closes()

    def answer(self, which: int) -> None:
        if (server := _one(self.servers, which)) and server.got():
            server.sends(ANSWERS[which % len(ANSWERS)])

    def reset(self, which: int) -> None:
        if server := _one(self.servers, which):
            self.servers.remove(server)
            server.resets()

    def ring(self, _which: int) -> None:
        """The head start of the oldest search is over."""
        if self.stage.turns.later:
            self.trip.rings()

    def wait(self, which: int) -> None:
        self.stage.passes(0.1 * which)

    def halt(self, _which: int) -> None:
        self.trip.halts()

    def resume(self, _which: int) -> None:
        self.trip.resumes()

    def move(self, which: int) -> None:
        """A name leads nowhere any more, or to where it led before."""
        self.gone ^= {NAMES[which % len(NAMES)]}
        table = self.stage.plane.table
        located = {name: (IP,) for name in NAMES if name not in self.gone}
        shop = replace(table.services["shop"], located=located)
        self.stage.plane.table = table.replace(table.generation, [shop])
        self.stage.plane.pool.retain({one for side in shop.backends for one in shop.addresses(side)})

    # What holds.

    def check(self) -> None:
        stage = self.stage
        pending = [stage.pending(url) for url in URLS]
        under_way = self.under_way()
        assert all(count >= 0 for count in pending), pending
        assert under_way <= sum(pending) <= under_way + len(stage.plane.dialler.calls), pending
        for url, name in zip(URLS, NAMES, strict=True):
            if name not in self.gone:
                self._check_record(url)

    def _check_record(self, url: str) -> None:
        pool = self.stage.plane.pool
        record: Any = pool.shelf(address(url)).record
        assert pool.alive(address(url)) == (record is None or record.state in ("counting", "due")), record
        if record is None:
            return
        assert (record.state == "trial") == (record.trial is not None), record
        assert record.trial is None or record.trial.ending is None, "its trial is under way"
        assert self.stage.pending(url) or record.trial is None

    def under_way(self) -> int:
        return sum(counts.in_flight for counts in self.stage.tally.everything().values())

    def _next_dial(self, which: int) -> bool:
        calls = self.stage.plane.dialler.calls
        calls.rotate(-(which % (len(calls) or 1)))
        return bool(calls)


def _one(some: list[Any], which: int) -> Any:
    return some[which % len(some)] if some else None


MOVES = ["send", "again", "leave", "refuse", "connect", "hang_up", "answer", "reset", "ring", "wait"]
TABLES = ["halt", "resume"]


def moves(names: list[str]) -> st.SearchStrategy[list[tuple[str, int]]]:
    return st.lists(st.tuples(st.sampled_from(names), st.integers(0, 30)), min_size=20, max_size=120)


def played(seed: int, history: list[tuple[str, int]]) -> History:
    made = History(seed)
    for move, which in history:
        getattr(made, move)(which)
        made.check()
    return made


def ended(history: History) -> None:
    """Let all clients leave, and all dials come to an end: nothing is left of any request."""
    for client in history.clients:
        client.resets()
    while history.stage.plane.dialler.calls:
        history.refuse(0)
    history.check()
    assert history.under_way() == 0
    assert [history.stage.pending(url) for url in URLS] == [0] * len(URLS)
    assert not history.stage.turns.later, "a search that is over has no timer"


@given(st.integers(0, 1 << 32), moves(MOVES + TABLES))
def test_every_request_is_pending_where_it_is_and_every_trial_is_under_way(
    seed: int, history: list[tuple[str, int]]
) -> None:
    ended(played(seed, history))


@given(st.integers(0, 1 << 32), moves([*MOVES, *TABLES, "move"]))
@example(0, [("send", 0), ("move", 1), ("refuse", 0), ("move", 1)])
def test_the_same_holds_while_names_move(seed: int, history: list[tuple[str, int]]) -> None:
    ended(played(seed, history))


def test_the_moves_lead_to_every_kind_of_end() -> None:
    seen: set[tuple[str, int, bool]] = set()
    for seed in range(8):
        choices = random.Random(seed)
        names = choices.choices([*MOVES, "resume"], k=400)
        history = played(seed, [(name, choices.randrange(31)) for name in names] + [("halt", 0)])
        ended(history)
        seen |= {(one.ending, one.status, one.passed_on) for one in history.stage.tally.outcomes}
    assert seen >= {
        ("complete", 200, False),
        ("complete", 503, True),
        ("connect", 502, True),
        ("connect", 502, False),
        ("reset", 502, True),
        ("halted", 0, True),
        ("client-left", 0, False),
    }
