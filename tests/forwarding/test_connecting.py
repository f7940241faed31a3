"""The search for a connection over the addresses of a backend, with dials that the test answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.forwarding.connecting import HEAD_START
from proxy.health.ejection import EjectionRecord
from proxy.routing.endpoint import Endpoint
from proxy.routing.failures import Ejection, Rescue
from proxy.routing.table import Backend, Timeouts
from tests.kits.located import address
from tests.kits.stage import Stage, Trip, service
from tests.kits.transports import Client, Server

ONE, TWO, THREE = URLS = tuple(f"http://stable-{number}:9001" for number in (1, 2, 3))
CANARY = "http://canary:9002"
GET = b"GET /a HTTP/1.1\r\nHost: shop\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: shop\r\nContent-Length: 4\r\n\r\nbody"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
RULE = Ejection(failures=3, backoff=10, longest=300)


def staged(count: int = 3, **more: object) -> Stage:
    """A stage whose stable has so many addresses, dialled in their order."""
    stable = Backend("stable", tuple(map(Endpoint.parse, URLS[:count])))
    canary = Backend("canary", (Endpoint.parse(CANARY),))
    stage = Stage(service(**{"backends": (stable, canary), "ejection": RULE, **more}))
    stage.plane.draw = lambda: 0
    return stage


def state(stage: Stage, url: str) -> str:
    """What is held against an address, in one word."""
    record = stage.plane.pool.shelf(address(url)).record
    return record.state if record else ""


def pending(stage: Stage) -> list[int]:
    return [stage.pending(url) for url in URLS]


def answered(stage: Stage, client: Client) -> None:
    """The connection that was dialled first answers the request."""
    stage.connects().sends(OK)
    assert client.got() == OK
    assert [one[:2] for one in stage.outcomes()] == [("complete", 200)]


@pytest.mark.parametrize("request_", [GET, POST])
def test_what_was_refused_goes_to_another_address_whatever_its_method(request_: bytes) -> None:
    stage = staged()
    client = stage.client()
    client.sends(request_)
    for url in (ONE, TWO):
        assert stage.dialled() == [url]
        stage.refuses()
    assert [state(stage, url) for url in URLS] == ["avoided", "avoided", ""]
    assert pending(stage) == [0, 0, 1]
    answered(stage, client)
    assert pending(stage) == [0, 0, 0]


def test_the_next_request_goes_to_what_worked() -> None:
    stage = staged(2)
    client = stage.client()
    client.sends(GET)
    stage.refuses()
    stage.connects().sends(OK)
    other = stage.client()
    other.sends(GET)
    assert (stage.dialled(), stage.idle(TWO)) == ([], 0), "the connection that was kept"


def test_a_backend_fails_once_when_none_of_its_addresses_takes_a_connection() -> None:
    stage = staged()
    client = stage.client()
    client.sends(POST)
    for _ in URLS:
        stage.refuses()
    assert client.got().startswith(b"HTTP/1.1 502 ")
    assert stage.outcomes() == [("connect", 502, "failure")]
    assert (stage.dialled(), pending(stage)) == ([], [0, 0, 0])


def test_one_that_keeps_is_left_behind_by_the_next() -> None:
    stage = staged()
    client = stage.client()
    client.sends(POST)
    assert Trip(stage, None).timers == [HEAD_START]
    Trip(stage, None).rings()
    assert (stage.dialled(), pending(stage)) == ([ONE, TWO], [1, 1, 0])
    slow = stage.plane.dialler.calls.popleft()
    answered(stage, client)
    assert (state(stage, ONE), state(stage, TWO), pending(stage)) == ("avoided", "", [0, 0, 0])
    stage.plane.dialler.calls.append(slow)
    late = stage.connects()
    assert (late.got(), late.end, stage.idle(ONE)) == (b"", "", 1), "as good for another request"


def test_one_that_was_dialled_later_and_loses_is_held_against_nobody() -> None:
    stage = staged()
    client = stage.client()
    client.sends(GET)
    Trip(stage, None).rings()
    answered(stage, client)
    assert (stage.dialled(), state(stage, ONE), state(stage, TWO)) == ([TWO], "", "")
    assert pending(stage) == [0, 0, 0]
    stage.refuses()
    assert state(stage, TWO) == "", "the search was over"


def test_one_that_had_no_head_start_of_250_ms_is_not_too_slow() -> None:
    stage = staged()
    client = stage.client()
    client.sends(GET)
    Trip(stage, None).rings()
    stage.refuses()
    assert stage.dialled() == [TWO, THREE], "both at the same time"
    stage.plane.dialler.calls.rotate(1)
    answered(stage, client)
    assert (state(stage, TWO), stage.pending(TWO)) == ("", 0)


def test_another_is_dialled_at_once_when_one_of_two_is_refused() -> None:
    stage = staged()
    client = stage.client()
    client.sends(GET)
    Trip(stage, None).rings()
    stage.refuses()
    assert stage.dialled() == [TWO, THREE]
    answered(stage, client)


def test_a_single_address_has_nothing_to_be_left_behind_for() -> None:
    stage = staged(1)
    stage.client().sends(GET)
    assert (stage.dialled(), Trip(stage, None).timers) == ([ONE], [])


def test_all_of_it_takes_no_longer_than_one_connection_may() -> None:
    stage = staged(timeouts=Timeouts(connect=3))
    client = stage.client()
    client.sends(GET)
    stage.passes(2)
    stage.refuses()
    assert [seconds for _, seconds, _ in stage.plane.dialler.calls] == [pytest.approx(1)]
    stage.passes(1)
    stage.refuses(504, "connecting took longer than 1 s")
    assert stage.dialled() == []
    assert client.got().startswith(b"HTTP/1.1 504 ")


def test_it_is_paid_for_out_of_the_budget_of_rescues() -> None:
    stage = staged()
    stage.plane.accounts.affords = lambda exchange: False
    client = stage.client()
    client.sends(GET)
    stage.refuses()
    assert client.got().startswith(b"HTTP/1.1 502 ")


@pytest.mark.parametrize("more", [{}, {"rescue": Rescue(on=False)}])
def test_a_client_that_leaves_ends_it(more: dict[str, object]) -> None:
    stage = staged(**more)
    client = stage.client()
    client.sends(GET)
    Trip(stage, None).rings()
    client.resets()
    assert pending(stage) == [0, 0, 0]
    stage.refuses()
    stage.connects()
    assert (stage.dialled(), state(stage, ONE), stage.idle(TWO)) == ([], "", 1)
    assert [one[0] for one in stage.outcomes()] == ["client-left"]


def test_a_canary_that_is_halted_meanwhile_gets_no_request() -> None:
    stage = staged(weight=10_000)
    client = stage.client()
    client.sends(POST)
    assert stage.dialled() == [CANARY]
    Trip(stage, None).halts()
    late = stage.connects()
    assert (stage.pending(CANARY), late.got(), stage.dialled()) == (0, b"", [ONE])
    stage.connects().sends(OK)
    assert client.got() == OK


def test_a_kept_connection_that_proves_stale_leads_to_another_address_when_its_own_is_gone() -> None:
    stage = staged(2)
    client = stage.client()
    client.sends(GET)
    server = stage.connects()
    server.sends(OK)
    client.got()
    client.sends(GET)
    server.resets()
    assert stage.dialled() == [ONE]
    stage.refuses()
    assert stage.dialled() == [TWO]
    stage.connects().sends(OK)
    assert client.got() == OK
    assert state(stage, ONE) == "avoided"


def test_avoided_addresses_are_tried_when_no_other_is_left() -> None:
    stage = staged(1, weight=10_000)
    for _ in range(2):
        client = stage.client()
        client.sends(GET)
        assert stage.dialled() == [CANARY]
        stage.refuses()
        stage.connects().sends(OK)
        assert client.got() == OK
    assert state(stage, CANARY) == "avoided"
    counts = stage.tally.everything()["shop", 7, "canary"]
    assert (counts.diverted, counts.failures) == (0, 2)


class History:
    """Requests, dials and answers in any order."""

    def __init__(self) -> None:
        self.stage = staged()
        self.clients: list[Client] = []
        self.servers: list[Server] = []

    def send(self, which: int) -> None:
        self.clients.append(self.stage.client())
        self.clients[-1].sends(GET if which % 2 else POST)

    def refuse(self, which: int) -> None:
        if calls := self.stage.plane.dialler.calls:
            calls.rotate(-(which % len(calls)))
            self.stage.refuses()

    def connect(self, which: int) -> None:
        if calls := self.stage.plane.dialler.calls:
            calls.rotate(-(which % len(calls)))
            self.servers.append(self.stage.connects())

    def answer(self, which: int) -> None:
        if self.servers and (server := self.servers.pop(which % len(self.servers))).got():
            server.sends(OK)

    def leave(self, which: int) -> None:
        if self.clients:
            self.clients.pop(which % len(self.clients)).resets()

    def ring(self, _which: int) -> None:
        if self.stage.turns.later:
            Trip(self.stage, None).rings()

    def wait(self, which: int) -> None:
        self.stage.passes(0.1 * which)


MOVES = st.tuples(
    st.sampled_from(["send", "refuse", "connect", "answer", "leave", "ring", "wait"]), st.integers(0, 5)
)


@given(st.lists(MOVES, max_size=40))
def test_in_any_history_what_is_pending_is_under_way_and_every_trial_is_settled(
    moves: list[tuple[str, int]],
) -> None:
    history = History()
    for move, which in moves:
        getattr(history, move)(which)
    stage = history.stage
    for client in history.clients:
        client.resets()
    while stage.plane.dialler.calls:
        stage.refuses()
    assert pending(stage) == [0, 0, 0]
    records = [stage.plane.pool.shelf(address(url)).record for url in URLS]
    assert all(record is None or record.trial is None for record in records)
    assert sum(counts.in_flight for counts in stage.tally.everything().values()) == 0


def test_a_connection_that_another_address_has_kept_is_used() -> None:
    stage = staged(2)
    stage.plane.draw = lambda: 1 << 64  # the other one first
    client = stage.client()
    client.sends(GET)
    assert stage.dialled() == [TWO]
    kept = stage.connects()
    kept.sends(OK)
    client.got()
    kept.got()
    stage.plane.draw = lambda: 0
    client.sends(POST)
    assert stage.dialled() == [ONE]
    stage.refuses()
    assert (stage.dialled(), kept.got()[:5]) == ([], b"POST ")
    kept.sends(OK)
    assert client.got() == OK
    assert pending(stage) == [0, 0, 0]


@pytest.mark.parametrize("end", ["loses", "leaves"])
def test_a_trial_that_was_only_dialled_shows_nothing(end: str) -> None:
    stage = staged(2)
    pool = stage.plane.pool
    pool.remember(pool.shelf(address(TWO)), EjectionRecord("due", 3, 10.0, 0.0, out=True))
    client = stage.client()
    client.sends(GET)
    Trip(stage, None).rings()
    assert (stage.dialled(), state(stage, TWO)) == ([ONE, TWO], "trial")
    if end == "loses":
        answered(stage, client)
    else:
        client.resets()
    assert state(stage, TWO) == "due"


def test_what_was_sent_once_uses_no_kept_connection() -> None:
    stage = staged(2)
    one, other = stage.client(), stage.client()
    for client in (one, other):
        client.sends(GET)
    assert stage.dialled() == [ONE, TWO]
    first, kept = stage.connects(), stage.connects()
    for server in (first, kept):
        server.sends(OK)
        server.got()
    other.got()
    one.got()
    one.sends(GET)
    first.resets()
    stage.refuses()
    assert stage.dialled() == [TWO], "a kept one may prove stale, and there is no third attempt"
