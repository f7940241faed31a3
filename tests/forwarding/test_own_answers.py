"""What we answer ourselves: what is written, what is noted of it, and whether the connection goes on."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest

from proxy.forwarding import own_answers
from proxy.forwarding.accounts import UNREAD, Refusal
from proxy.http1.forwarded_fields import Provenance
from proxy.http1.head import RequestHead
from proxy.http1.parser import read_request
from tests.kits.exchanges import Answered

GET = b"GET /a HTTP/1.1\r\nHost: shop\r\n\r\n"


class Side:
    """A client's connection: keeps what is written and what is settled."""

    def __init__(self, persistent: bool) -> None:
        self.persistent = persistent
        self.client = "9.9.9.9"  # of the request before
        self.hop = Provenance().hop("192.0.2.7", secure=False)
        self.written = b""
        self.rests = []

    def write(self, data: bytes) -> None:
        self.written += data

    def settled(self, rest: bytes) -> None:
        assert self.written, "settled before it was answered"
        self.rests.append(rest)


class DataPlane:
    """A worker at the beginning of time, which notes whom it turns away."""

    def __init__(self) -> None:
        self.refusals = []
        self.accounts = self

    def request_id(self) -> bytes:
        return b"w1-1"

    def unix_now(self) -> float:
        return 0.0

    def turn_away(self, refusal: Refusal, client: str) -> None:
        self.refusals.append((refusal, client))


@pytest.fixture(params=[True, False])
def place(request: pytest.FixtureRequest) -> SimpleNamespace:
    return SimpleNamespace(plane=DataPlane(), side=Side(request.param), persistent=request.param)


def head_of(method: bytes = b"GET", *lines: bytes) -> RequestHead:
    more = b"".join(line + b"\r\n" for line in lines)
    return read_request(GET.replace(b"GET", method).replace(b"\r\n\r\n", b"\r\n" + more + b"\r\n"))


def closes(place: SimpleNamespace) -> bool:
    return b"\r\nConnection: close\r\n" in place.side.written


def test_an_answer_says_what_is_wrong_and_how_long_it_is(
    place: SimpleNamespace, answers: Callable[..., list[Answered]]
) -> None:
    size = own_answers.answer(place.plane, place.side, 502, "no luck", b"theirs", head_of())
    [(status, fields, body)] = answers(place.side.written)
    assert (status, len(body)) == (502, size)
    assert body == b"502 Bad Gateway: no luck\nrequest id: theirs\n"
    assert ("Date", "Thu, 01 Jan 1970 00:00:00 GMT") in fields
    assert closes(place) is not place.persistent
    assert (place.side.rests, place.plane.refusals) == ([], []), "its exchange settles itself"


def test_as_json_where_that_is_preferred(
    place: SimpleNamespace, answers: Callable[..., list[Answered]]
) -> None:
    own_answers.answer(
        place.plane, place.side, 502, "no luck", b"1", head_of(b"GET", b"Accept: application/json")
    )
    [(_, fields, body)] = answers(place.side.written)
    assert ("Content-Type", "application/json") in fields
    assert body.startswith(b"{")


def test_a_head_has_no_body_but_says_how_long_it_would_be(
    place: SimpleNamespace, answers: Callable[..., list[Answered]]
) -> None:
    size = own_answers.answer(place.plane, place.side, 502, "no luck", b"1", head_of(b"HEAD"))
    [(_, fields, _)] = answers(place.side.written, ["HEAD"])
    assert size == 0
    assert int(dict(fields)["Content-Length"]) > 0


def test_who_is_turned_away_is_answered_noted_and_settled(
    place: SimpleNamespace, answers: Callable[..., list[Answered]]
) -> None:
    head = head_of()
    own_answers.turn_away(place.plane, place.side, 404, "no-service", "nobody here", head)
    [(status, _, body)] = answers(place.side.written)
    [(refusal, client)] = place.plane.refusals
    assert (status, refusal.status, refusal.reason, client) == (404, 404, "no-service", "192.0.2.7")
    assert (refusal.head, refusal.request_id, refusal.bytes_out) == (head, b"w1-1", len(body))
    assert place.side.rests == [b""]
    assert place.side.persistent is place.persistent
    assert closes(place) is not place.persistent


def test_what_could_not_be_read_is_the_last(place: SimpleNamespace) -> None:
    own_answers.turn_away(place.plane, place.side, 400, "malformed", "what", None)
    [(refusal, _)] = place.plane.refusals
    assert refusal.head is UNREAD
    assert (place.side.persistent, closes(place), place.side.rests) == (False, True, [b""])


@pytest.mark.parametrize("method", [b"OPTIONS", b"TRACE"])
def test_the_last_hop_is_an_answer_that_is_noted_as_a_refusal(
    place: SimpleNamespace, answers: Callable[..., list[Answered]], method: bytes
) -> None:
    head = head_of(method, b"Max-Forwards: 0", b"Cookie: a=b")
    own_answers.answer_last_hop(place.plane, place.side, head)
    [(status, _, body)] = answers(place.side.written)
    [(refusal, client)] = place.plane.refusals
    assert (status, refusal.status, refusal.reason, client) == (200, 200, "last-hop", "192.0.2.7")
    assert (refusal.head, refusal.request_id, refusal.bytes_out) == (head, b"w1-1", len(body))
    assert b"Cookie" not in body
    assert (place.side.rests, closes(place)) == ([b""], not place.persistent)


@pytest.mark.parametrize(
    ("trusted", "told"), [((), (b"w1-1", "192.0.2.7")), (("192.0.2.7",), (b"theirs", "1.2.3.4"))]
)
def test_of_a_trusted_peer_the_id_and_the_client_are_taken_over(
    place: SimpleNamespace, trusted: tuple[str], told: tuple[bytes, str]
) -> None:
    place.side.hop = Provenance(trusted).hop("192.0.2.7", secure=False)
    head = head_of(b"TRACE", b"X-Request-Id: theirs", b"X-Forwarded-For: 1.2.3.4")
    own_answers.turn_away(place.plane, place.side, 404, "no-service", "nobody here", head)
    own_answers.answer_last_hop(place.plane, place.side, head)
    own_answers.turn_away(place.plane, place.side, 400, "malformed", "what", None)
    assert [(refusal.request_id, client) for refusal, client in place.plane.refusals] == [
        told,
        told,
        (b"w1-1", "192.0.2.7"),
    ]
    shown, last = place.side.written.split(b"HTTP/1.1 400 ")
    assert shown.count(b"\r\nX-Request-Id: " + told[0] + b"\r\n") == 2 + bool(trusted)  # TRACE shows it too
    assert b"\r\nX-Request-Id: w1-1\r\n" in last
