"""Who is read: not while any reason stands, and pausing happens once."""

from itertools import permutations
from typing import Any

import pytest

from proxy.forwarding.backpressure import Reading, Sending

REASONS = ("full", "pipelined")


class Transport:
    """Notes pausing and resuming."""

    def __init__(self) -> None:
        self.calls = []
        self.size = 0
        self.known = {}

    def pause_reading(self) -> None:
        self.calls.append("pause")

    def resume_reading(self) -> None:
        self.calls.append("resume")

    def get_write_buffer_size(self) -> int:
        return self.size

    def get_extra_info(self, name: str) -> Any:
        return self.known.get(name)


@pytest.mark.parametrize("order", list(permutations(REASONS)))
@pytest.mark.parametrize("back", list(permutations(REASONS)))
def test_reading_goes_on_when_the_last_reason_is_gone(order: tuple[str, str], back: tuple[str, str]) -> None:
    transport = Transport()
    reading = Reading(transport)
    for reason in order:
        reading.hold(reason)
        reading.hold(reason)
    assert transport.calls == ["pause"]
    for reason in back:
        assert reading.held_for(reason)
        assert transport.calls == ["pause"]
        reading.free(reason)
        reading.free(reason)
        assert not reading.held_for(reason)
    assert transport.calls == ["pause", "resume"]


def test_what_was_never_held_is_not_resumed() -> None:
    transport = Transport()
    Reading(transport).free("full")
    assert transport.calls == []


def test_it_says_why_it_is_held() -> None:
    reading = Reading(Transport())
    assert repr(reading) == "<Reading>"
    reading.hold("full")
    reading.hold("pipelined")
    assert repr(reading) == "<Reading held: full, pipelined>"


def test_what_is_sent_stalls_while_its_size_stays() -> None:
    transport = Transport()
    sending = Sending(transport)
    seen = []
    for now, transport.size in enumerate((0, 5, 5, 5, 4, 4, 9, 0, 0, 5)):
        seen.append((sending.waits(), sending.stalled(float(now))))
    assert [stalled for _, stalled in seen] == [0, 0, 1, 2, 0, 1, 0, 0, 0, 0]
    assert [waits for waits, _ in seen] == [size > 0 for size in (0, 5, 5, 5, 4, 4, 9, 0, 0, 5)]
    assert repr(sending) == "<Sending 5 bytes>"


def test_under_tls_what_the_kernel_holds_waits_too(monkeypatch: pytest.MonkeyPatch) -> None:
    transport = Transport()
    transport.known = {"sslcontext": object()}
    held = iter((5, 5, 3, 3, 0))
    monkeypatch.setattr("proxy.forwarding.backpressure.queued", lambda _: next(held))
    sending = Sending(transport)
    assert sending.secure
    assert sending.waits()
    sending.watch(1.0)
    assert (sending.stalled(3.0), sending.stalled(5.0)) == (0.0, 2.0)
    assert not sending.waits()


def test_in_plain_what_the_kernel_holds_is_its_own_affair(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxy.forwarding.backpressure.queued", lambda _: 5)
    assert not Sending(Transport()).waits()


def test_a_stall_is_counted_from_when_it_is_watched() -> None:
    transport = Transport()
    sending = Sending(transport)
    transport.size = 5
    sending.watch(1.0)
    transport.size = 0
    transport.size = 5
    sending.watch(100.0)
    assert sending.stalled(101.0) == 1.0
