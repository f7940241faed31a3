"""Who is read: not while any reason stands, and pausing happens once."""

from itertools import permutations

import pytest

from proxy.forwarding.backpressure import Reading, Sending

REASONS = ("full", "pipelined")


class Transport:
    """Notes pausing and resuming."""

    def __init__(self):
        self.calls = []
        self.size = 0

    def pause_reading(self):
        self.calls.append("pause")

    def resume_reading(self):
        self.calls.append("resume")

    def get_write_buffer_size(self):
        return self.size

    def get_extra_info(self, name):
        return None


@pytest.mark.parametrize("order", list(permutations(REASONS)))
@pytest.mark.parametrize("back", list(permutations(REASONS)))
def test_reading_goes_on_when_the_last_reason_is_gone(order, back):
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


def test_what_was_never_held_is_not_resumed():
    transport = Transport()
    Reading(transport).free("full")
    assert transport.calls == []


def test_it_says_why_it_is_held():
    reading = Reading(Transport())
    assert repr(reading) == "<Reading>"
    reading.hold("full")
    reading.hold("pipelined")
    assert repr(reading) == "<Reading held: full, pipelined>"


def test_what_is_sent_stalls_while_its_size_stays():
    transport = Transport()
    sending = Sending(transport)
    seen = []
    for now, transport.size in enumerate((0, 5, 5, 5, 4, 4, 9, 0, 0, 5)):
        seen.append((sending.waits, sending.stalled(float(now))))
    assert [stalled for _, stalled in seen] == [0, 0, 1, 2, 0, 1, 0, 0, 0, 0]
    assert [waits for waits, _ in seen] == [size > 0 for size in (0, 5, 5, 5, 4, 4, 9, 0, 0, 5)]
    assert repr(sending) == "<Sending 5 bytes>"
