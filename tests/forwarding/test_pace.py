"""The deadline of an exchange: what is waited for has its time, and bytes that are taken set it anew."""

from types import SimpleNamespace

import pytest

from proxy.forwarding.backpressure import LOOKS
from proxy.forwarding.exchange import Exchange
from proxy.forwarding.pace import Pace
from proxy.http1.head import RequestHead
from proxy.routing.choice import Choice
from proxy.routing.table import Timeouts

RESPONSE, BODY = 20.0, 8.0


class Sending:
    """Bytes that wait at one end: `stalled` answers with what the test says."""

    def __init__(self, waits=True, stalled=0.0):
        self.unsent = waits
        self.for_seconds = stalled
        self.looked = []
        self.watched = []

    def watch(self, now):
        self.watched.append(now)

    def waits(self):
        return self.unsent

    def stalled(self, now):
        self.looked.append(now)
        return self.for_seconds


@pytest.fixture
def side():
    return SimpleNamespace(due=0.0)


@pytest.fixture
def pace(side):
    return Pace(side, lambda: 100.0)


@pytest.fixture
def exchange(service):
    def build(request="done", response="awaited", expects=False):
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
    pace, side, exchange, request_, response, expects, seconds
):
    pace.await_bytes(exchange(request_, response, expects))
    assert side.due == 100.0 + seconds


def test_bytes_that_wait_are_looked_at_from_now_on_and_often(pace, side, exchange):
    sending = Sending()
    pace.await_taking(exchange(), sending)
    assert side.due == 100.0 + BODY / LOOKS
    assert sending.watched == [100.0], "or the first look would find nothing taken for ages"


def test_a_tunnel_has_a_deadline_of_its_own(pace, side, exchange):
    side.due = 7.0
    sending = Sending()
    pace.await_bytes(exchange(response="tunnel"))
    pace.await_taking(exchange(response="tunnel"), sending)
    assert (side.due, sending.watched) == (7.0, [])


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
def test_it_goes_on_while_one_end_takes_bytes(pace, side, exchange, ends, goes_on):
    side.due = 104.0
    assert pace.goes_on(exchange(), ends, 105.0) is goes_on
    assert side.due == (105.0 + BODY / LOOKS if goes_on else 104.0)


def test_it_says_until_when(pace, exchange):
    pace.await_bytes(exchange())
    assert repr(pace) == "<Pace, due at 120.000>"
