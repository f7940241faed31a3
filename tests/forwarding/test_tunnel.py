"""Tunnels: bytes both ways until both sides have ended, as the table says and in no other way."""

from itertools import product
from types import SimpleNamespace

import pytest

from proxy.forwarding.deadlines import Deadline
from proxy.forwarding.tunnel import MOVES, Tunnel

STATES = ("open", "client-ended", "endpoint-ended", "over")


class Sending:
    """Bytes that wait at one end, and since when none of them was taken."""

    def __init__(self) -> None:
        self.unsent = False
        self.since = 0.0

    def waits(self) -> bool:
        return self.unsent

    def stalled(self, now: float) -> float:
        return now - self.since


class Half:
    """One end: notes what is done to it."""

    def __init__(self, half_closes: bool) -> None:
        self.half_closes = half_closes
        self.deadline = Deadline(lambda: 0.0, 0.0)
        self.sending = Sending()
        self.reading = SimpleNamespace(held=False)
        self.gone = False
        self.done = []

    def broken(self) -> bool:
        return self.gone

    def write(self, data: bytes) -> None:
        assert not {"eof", "close", "reset"} & set(self.done), "a write behind the end"
        self.done.append(data)

    def end_writing(self) -> None:
        self.done.append("eof")

    def close(self) -> None:
        self.done.append("close")

    def reset(self) -> None:
        self.done.append("reset")


class Setting:
    """A tunnel that may be silent for 10 s, and what is on its both ends."""

    def __init__(self, *, client: bool = True, endpoint: bool = True) -> None:
        self.client = Half(client)
        self.endpoint = Half(endpoint)
        self.now = 100.0
        self.over = []
        self.tunnel = Tunnel(self.client, self.endpoint, self.over.append, 10.0, lambda: self.now)

    def does(self, move: str) -> bool | None:
        """What a side does; the loop asks whether the connection stays."""
        return getattr(self.tunnel, move)()

    def brought_to(self, state: str) -> "Setting":
        for move in {"client-ended": ["client_ended"], "endpoint-ended": ["endpoint_ended"]}.get(state, []):
            assert self.does(move) is True
        if state == "over":
            self.does("client_lost")
        assert repr(self.tunnel) == f"<Tunnel {state}>"
        self.client.done.clear(), self.endpoint.done.clear(), self.over.clear()
        return self

    def seen(self) -> tuple[list[str], ...]:
        return self.client.done, self.endpoint.done, self.over


@pytest.fixture
def setting() -> type[Setting]:
    return Setting


def test_the_table_holds_nothing_but_known_words() -> None:
    assert {state for state, _ in MOVES} | set(MOVES.values()) == set(STATES)
    assert {move for _, move in MOVES} == {"client-ends", "endpoint-ends", "break"}


# What is done to the client, to the endpoint, and what the tunnel comes to: by state and by what a side does.
EFFECTS = {
    ("open", "client_ended"): ([], ["eof"], []),
    ("open", "endpoint_ended"): (["eof"], [], []),
    ("open", "client_lost"): ([], ["reset"], ["client-left"]),
    ("open", "endpoint_lost"): (["reset"], [], ["truncated"]),
    ("client-ended", "endpoint_ended"): (["close"], ["close"], ["complete"]),
    ("client-ended", "client_lost"): ([], ["reset"], ["client-left"]),
    ("client-ended", "endpoint_lost"): (["reset"], [], ["truncated"]),
    ("endpoint-ended", "client_ended"): (["close"], ["close"], ["complete"]),
    ("endpoint-ended", "client_lost"): ([], ["reset"], ["client-left"]),
    ("endpoint-ended", "endpoint_lost"): (["reset"], [], ["truncated"]),
    **{
        ("over", move): ([], [], [])
        for move in ("client_ended", "endpoint_ended", "client_lost", "endpoint_lost")
    },
}
AFTER = {"client_ended": "client-ends", "endpoint_ended": "endpoint-ends"}


@pytest.mark.parametrize(
    ("state", "move"),
    list(product(STATES, ["client_ended", "endpoint_ended", "client_lost", "endpoint_lost"])),
)
def test_every_move_in_every_state(setting: type[Setting], state: str, move: str) -> None:
    it = setting().brought_to(state)
    if (state, move) not in EFFECTS:
        with pytest.raises(KeyError):  # a side ends once
            it.does(move)
        return
    stays = it.does(move)
    assert it.seen() == EFFECTS[state, move]
    after = MOVES.get((state, AFTER.get(move, "break")), "over")
    assert repr(it.tunnel) == f"<Tunnel {after}>"
    if move in AFTER:
        assert stays is (after != "over")


@pytest.mark.parametrize(("client", "endpoint"), [(True, False), (False, True), (False, False)])
@pytest.mark.parametrize("move", ["client_ended", "endpoint_ended"])
def test_where_no_half_can_end_alone_the_end_of_one_ends_both(
    setting: type[Setting], client: bool, endpoint: bool, move: str
) -> None:
    it = setting(client=client, endpoint=endpoint)
    assert it.does(move) is False
    assert it.seen() == (["close"], ["close"], ["complete"])
    assert repr(it.tunnel) == "<Tunnel over>"


@pytest.mark.parametrize(
    ("state", "to_endpoint", "to_client"),
    [
        ("open", [b"up"], [b"down"]),
        ("client-ended", [], [b"down"]),
        ("endpoint-ended", [b"up"], []),
        ("over", [], []),
    ],
)
def test_bytes_go_across_until_the_side_they_come_from_has_ended(
    setting: type[Setting], state: str, to_endpoint: list[bytes], to_client: list[bytes]
) -> None:
    it = setting().brought_to(state)
    it.tunnel.from_client(b"up")
    it.tunnel.from_endpoint(b"down")
    assert it.seen() == (to_client, to_endpoint, [])


def test_nothing_is_written_for_no_bytes(setting: type[Setting]) -> None:
    it = setting()
    it.tunnel.from_client(b"")
    it.tunnel.from_endpoint(b"")
    assert it.seen() == ([], [], [])


# Silence.


def test_it_is_due_after_so_much_silence(setting: type[Setting]) -> None:
    it = setting()
    assert it.client.deadline.due == 110.0


@pytest.mark.parametrize("speaks", ["from_client", "from_endpoint"])
@pytest.mark.parametrize("state", ["open", "client-ended", "endpoint-ended"])
def test_a_byte_gives_it_its_time_anew(setting: type[Setting], speaks: str, state: str) -> None:
    it = setting().brought_to(state)
    it.now = 109.0
    getattr(it.tunnel, speaks)(b"x")
    it.tunnel.overdue(110.0)
    assert (it.client.deadline.due, it.over) == (119.0, [])
    it.tunnel.overdue(118.9)
    assert it.over == []
    it.tunnel.overdue(119.0)
    assert it.over == ["complete"]
    assert (it.client.done[-1:], it.endpoint.done[-1:]) == (["close"], ["close"])


@pytest.mark.parametrize("end", ["client", "endpoint"])
def test_bytes_that_are_being_taken_are_no_silence(setting: type[Setting], end: str) -> None:
    it = setting()
    sending = getattr(it, end).sending
    sending.unsent, sending.since = True, 108.0
    it.tunnel.overdue(110.0)
    assert (it.client.deadline.due, it.over) == (118.0, [])
    it.tunnel.overdue(118.0)
    assert it.over == ["complete"], "none of them was taken since"


def test_one_end_that_takes_its_bytes_is_enough(setting: type[Setting]) -> None:
    it = setting()
    for half, since in ((it.client, 90.0), (it.endpoint, 109.0)):
        half.sending.unsent, half.sending.since = True, since
    it.tunnel.overdue(110.0)
    assert it.client.deadline.due == 119.0


def test_an_end_that_takes_nothing_does_not_hold_it(setting: type[Setting]) -> None:
    it = setting()
    it.client.sending.unsent, it.client.sending.since = True, 90.0
    it.tunnel.overdue(110.0)
    assert it.seen() == (["close"], ["close"], ["complete"])


# Ends that aren't read, of which nobody tells.


@pytest.mark.parametrize(
    ("held", "blind"), [("", False), ("client", True), ("endpoint", True), ("client endpoint", True)]
)
def test_it_is_blind_while_one_of_its_ends_is_not_read(
    setting: type[Setting], held: str, blind: bool
) -> None:
    it = setting()
    for end in held.split():
        getattr(it, end).reading.held = True
    assert it.tunnel.blind is blind


@pytest.mark.parametrize("state", ["open", "client-ended", "endpoint-ended"])
@pytest.mark.parametrize(
    ("gone", "seen"),
    [
        ("", ([], [], [])),
        ("client", (["reset"], ["reset"], ["client-left"])),
        ("endpoint", (["reset"], ["reset"], ["truncated"])),
        ("client endpoint", (["reset"], ["reset"], ["client-left"])),
    ],
)
def test_an_end_that_is_found_broken_breaks_both_off(
    setting: type[Setting], state: str, gone: str, seen: tuple[list[str], ...]
) -> None:
    it = setting().brought_to(state)
    for end in gone.split():
        getattr(it, end).gone = True
    it.tunnel.look()
    assert it.seen() == seen
