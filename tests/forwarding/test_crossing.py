"""Exchanges as playbooks: what client and endpoint send, what each of them gets, and what is counted."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.routing.sticky import Sticky

OURS = b"X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: shop\r\n"
OURS += b"X-Request-Id: w1-1\r\nVia: 1.1 weir\r\n\r\n"
GET = b"GET /a HTTP/1.1\r\nHost: shop\r\n\r\n"
GET_1_0 = b"GET /a HTTP/1.0\r\nHost: shop\r\n\r\n"
FORWARDED = b"GET /a HTTP/1.1\r\nHost: shop\r\n" + OURS
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

POST = b"POST /a HTTP/1.1\r\nHost: shop\r\nContent-Length: 10\r\n\r\n"
POSTED = b"POST /a HTTP/1.1\r\nHost: shop\r\nContent-Length: 10\r\n" + OURS
POST_CHUNKED = b"POST /a HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n"
POSTED_CHUNKED = b"POST /a HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n" + OURS

COMPLETE = [("complete", 200, "success")]


def dechunked(data):
    """The content of chunks, and what is behind them."""
    content = b""
    while True:
        size, _, data = data.partition(b"\r\n")
        assert re.fullmatch(rb"[0-9a-f]+", size), size
        content += data[: int(size, 16)]
        assert data[int(size, 16) :][:2] == b"\r\n"
        data = data[int(size, 16) + 2 :]
        if not int(size, 16):
            return content, data


# One request and its answer.


def test_over_a_fresh_connection_and_then_over_the_same(stage):
    client = stage.client()
    client.sends(GET)
    assert stage.dialled() == ["http://stable:9001"]
    assert stage.pending() == 1
    server = stage.connects()
    assert server.got() == FORWARDED
    server.sends(OK)
    assert client.got() == OK
    assert stage.outcomes() == COMPLETE
    client.sends(GET)
    assert stage.dialled() == []
    assert server.got() == FORWARDED
    server.sends(OK)
    assert client.got() == OK
    assert stage.outcomes() == COMPLETE
    assert (stage.idle(), client.end, server.end) == (1, "", "")


def test_two_clients_share_a_connection_one_after_the_other(stage):
    server = stage.warm(stage.client())
    other = stage.client(("2001:db8::1", 1, 0, 0))
    other.sends(GET)
    assert b"X-Forwarded-For: 2001:db8::1\r\n" in server.got()
    third = stage.client()
    third.sends(GET)
    assert stage.dialled() == ["http://stable:9001"]
    server.sends(OK)
    assert other.got() == OK
    assert third.got() == b""


def test_however_both_sides_are_cut(stage, every_cut):
    client = stage.client()
    server = stage.warm(client)
    for request in every_cut(GET):
        for answer in every_cut(OK):
            client.sends(*request)
            assert server.got() == FORWARDED
            server.sends(*answer)
            assert client.got() == OK
            assert stage.outcomes() == COMPLETE


def test_the_bytes_of_an_answer_go_on_at_once(stage):
    client = stage.client()
    server = stage.warm(client)
    client.sends(GET)
    head, _, body = OK.partition(b"hello")[0], None, b"hello"
    server.sends(head[:-1])
    assert client.got() == b""
    server.sends(head[-1:])
    assert client.got() == head
    for at in range(5):
        server.sends(body[at : at + 1])
        assert client.got() == body[at : at + 1]


def test_a_body_in_the_same_segment_goes_out_in_one_write(stage):
    client = stage.client()
    server = stage.warm(client)
    client.sends(POST + b"0123456789")
    server.sends(OK)
    assert server.transport.writes[-1] == POSTED + b"0123456789"
    assert client.transport.writes[-1] == OK


# Bodies of requests.


def test_a_sized_upload(stage, every_cut):
    client = stage.client()
    server = stage.warm(client)
    for parts in every_cut(POST + b"0123456789"):
        client.sends(*parts)
        assert server.got() == POSTED + b"0123456789"
        server.sends(OK)
        assert client.got() == OK
        assert stage.outcomes() == COMPLETE
    assert stage.idle() == 1


def test_an_upload_in_chunks(stage, every_cut):
    client = stage.client()
    server = stage.warm(client)
    for parts in every_cut(POST_CHUNKED + b"5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nDigest: abc\r\n\r\n"):
        client.sends(*parts)
        got = server.got()
        assert got.startswith(POSTED_CHUNKED)
        assert dechunked(got.removeprefix(POSTED_CHUNKED)) == (b"hello world", b"")
        server.sends(OK)
        assert client.got() == OK
        assert stage.outcomes() == COMPLETE


def test_an_upload_that_begins_while_dialling_waits_for_the_connection(stage):
    client = stage.client()
    client.sends(POST + b"0123")
    client.sends(b"456789")
    server = stage.connects()
    assert server.got() == POSTED + b"0123456789"


def test_an_upload_that_dialling_keeps_waiting_is_read_up_to_a_bound(stage):
    client = stage.client()
    client.sends(POST.replace(b"10", b"200000") + b"a" * 40_000)
    assert client.read
    client.sends(b"b" * 40_000)
    assert not client.read
    server = stage.connects()
    assert client.read
    assert server.got() == POSTED.replace(b"10", b"200000") + b"a" * 40_000 + b"b" * 40_000


def test_an_upload_is_forwarded_as_it_comes(stage):
    client = stage.client()
    client.sends(POST)
    server = stage.connects()
    assert server.got() == POSTED
    for byte in b"0123456789":
        client.sends(bytes([byte]))
        assert server.got() == bytes([byte])


@pytest.mark.parametrize("chunks", [b"x\r\n", b"5\r\nhello!", b"0\r\nbad\r\n\r\n", b"5\nhello"])
def test_a_malformed_upload_is_refused_and_what_went_out_is_aborted(stage, answers, chunks):
    client = stage.client()
    client.sends(POST_CHUNKED)
    server = stage.connects()
    client.sends(chunks + b"\r\n" * 3)
    [(status, fields, _)] = answers(client.got(), ["POST"])
    assert status == 400
    assert ("Connection", "close") in fields
    assert (server.end, client.end) == ("abort", "eof")
    assert stage.outcomes() == [("refused", 400, "excluded")]
    assert b"0\r\n\r\n" not in server.got()


def test_an_upload_that_is_malformed_at_once_never_goes_out(stage, answers):
    client = stage.client()
    client.sends(POST_CHUNKED + b"x\r\n\r\n")
    server = stage.connects()
    assert answers(client.got(), ["POST"])[0][0] == 400
    assert (server.got(), server.end) == (b"", "abort")
    assert stage.outcomes() == [("refused", 400, "excluded")]


def test_an_upload_that_turns_out_malformed_within_the_answer_cuts_it(stage):
    client = stage.client()
    client.sends(POST_CHUNKED)
    server = stage.connects()
    server.sends(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe")
    client.sends(b"x\r\n")
    assert client.was_reset
    assert server.end == "abort"
    assert stage.outcomes() == [("refused", 200, "excluded")]


# Bodies of answers.

ANSWERS = {
    "sized": (b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world", False),
    "empty": (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", False),
    "chunked": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
        False,
    ),
    "trailers": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n0\r\nA: b\r\n\r\n",
        False,
    ),
    "until close": (b"HTTP/1.1 200 OK\r\n\r\nhello world", True),
    "until close, 1.0": (b"HTTP/1.0 200 OK\r\n\r\nhello world", True),
}


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("minor", [0, 1])
def test_every_kind_of_answer_to_both_versions(stage, every_cut, answers, name, minor):
    wire, closes = ANSWERS[name]
    for parts in every_cut(wire):
        client = stage.client()
        client.sends(GET if minor else GET_1_0)
        server = stage.connects() if stage.dialled() else server  # noqa: F821 - the one of the round before
        server.sends(*parts)
        if closes:
            server.closes()
        [(status, fields, body)] = answers(client.got(), closed=client.end == "eof")
        assert (status, body) == (200, b"" if name == "empty" else b"hello world")
        assert stage.outcomes() == COMPLETE
        names = {field.lower(): value for field, value in fields}
        sized = name in ("sized", "empty")
        assert ("content-length" in names) is sized
        assert names.get("transfer-encoding") == (None if sized or not minor else "chunked")
        assert client.end == ("" if minor else "eof")
        assert names.get("connection") == (None if minor else "close")
        assert stage.idle() == (0 if closes else 1)


def test_http_1_0_may_keep_its_connection_when_the_length_is_known(stage):
    client = stage.client()
    for _ in range(2):
        client.sends(b"GET /a HTTP/1.0\r\nHost: shop\r\nConnection: Keep-Alive\r\n\r\n")
        server = stage.connects() if stage.dialled() else server  # noqa: F821 - the one of the round before
        server.sends(OK)
        assert client.got() == OK.replace(b"\r\n\r\n", b"\r\nConnection: keep-alive\r\n\r\n")
    assert client.end == ""


@pytest.mark.parametrize("name", ["chunked", "until close"])
def test_http_1_0_may_not_keep_it_when_only_the_end_tells_the_length(stage, name):
    client = stage.client()
    client.sends(GET_1_0.replace(b"\r\n\r\n", b"\r\nConnection: keep-alive\r\n\r\n"))
    server = stage.connects()
    server.sends(ANSWERS[name][0])
    server.closes()
    assert client.got() == b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello world"
    assert client.end == "eof"


def test_a_client_that_says_close_is_told_so(stage):
    client = stage.client()
    client.sends(b"GET /a HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n")
    server = stage.connects()
    assert server.got() == FORWARDED
    server.sends(OK)
    assert client.got() == OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    assert (client.end, stage.idle()) == ("eof", 1)


BODILESS = [
    ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 200),
    ("HEAD", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 200),
    ("HEAD", b"HTTP/1.1 200 OK\r\n\r\n", 200),
    ("GET", b"HTTP/1.1 204 No Content\r\n\r\n", 204),
    ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: a\r\n\r\n", 304),
    ("GET", b"HTTP/1.1 304 Not Modified\r\n\r\n", 304),
]


@pytest.mark.parametrize(("method", "wire", "status"), BODILESS)
def test_answers_without_a_body_end_with_their_head(stage, answers, method, wire, status):
    client = stage.client()
    client.sends(GET.replace(b"GET", method.encode()))
    server = stage.connects()
    server.sends(wire)
    [(got, fields, body)] = answers(client.got(), [method])
    assert (got, body) == (status, b"")
    assert [value for name, value in fields if name == "Content-Length"] == ["5"] * wire.count(
        b"Content-Length"
    )
    assert stage.outcomes() == [("complete", status, "success")]
    assert (stage.idle(), client.end) == (1, "")


@pytest.mark.parametrize(("method", "wire", "status"), BODILESS)
def test_a_body_that_may_not_be_there_reaches_nobody(stage, method, wire, status):
    client = stage.client()
    client.sends(GET.replace(b"GET", method.encode()))
    server = stage.connects()
    server.sends(wire + b"hello")
    assert b"hello" not in client.got()
    assert (stage.idle(), server.end) == (0, "abort")
    assert stage.outcomes() == [("complete", status, "success")]


@pytest.mark.parametrize("name", ["sized", "empty", "chunked", "trailers"])
@pytest.mark.parametrize("surplus", [b"x", b"\r\n", OK])
def test_bytes_behind_an_answer_reach_nobody_and_the_connection_is_not_kept(stage, answers, name, surplus):
    client = stage.client()
    client.sends(GET)
    server = stage.connects()
    server.sends(ANSWERS[name][0] + surplus)
    assert len(answers(client.got())) == 1
    assert stage.outcomes() == COMPLETE
    assert (stage.idle(), server.end) == (0, "abort")
    client.sends(GET)
    stage.connects().sends(OK)
    assert client.got() == OK


@pytest.mark.parametrize("close", [b"HTTP/1.1 200 OK\r\nConnection: close", b"HTTP/1.0 200 OK"])
def test_a_connection_that_the_endpoint_wants_closed_is_not_kept(stage, close):
    client = stage.client()
    client.sends(GET)
    server = stage.connects()
    server.sends(close + b"\r\nContent-Length: 5\r\n\r\nhello")
    assert client.got() == OK
    assert (client.end, stage.idle(), server.end) == ("", 0, "abort")
    assert stage.outcomes() == COMPLETE


def test_an_endpoint_of_http_1_0_may_keep_its_connection(stage):
    client = stage.client()
    client.sends(GET)
    stage.connects().sends(b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello")
    assert client.got() == OK
    assert stage.idle() == 1


# Interim answers.

INTERIM = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"


def test_interim_answers_go_before_the_answer(stage, every_cut):
    client = stage.client()
    server = stage.warm(client)
    for parts in every_cut(b"HTTP/1.1 100 Continue\r\n\r\n" + INTERIM + OK):
        client.sends(GET)
        server.sends(*parts)
        assert client.got() == b"HTTP/1.1 100 Continue\r\n\r\n" + INTERIM + OK
        assert stage.outcomes() == COMPLETE
    assert stage.idle() == 1


def test_http_1_0_never_gets_an_interim_answer(stage, answers):
    client = stage.client()
    client.sends(GET_1_0)
    stage.connects().sends(INTERIM + OK)
    assert [status for status, _, _ in answers(client.got())] == [200]


def test_a_client_that_waits_for_100_gets_it_from_the_endpoint(stage):
    client = stage.client()
    expecting = POST.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n")
    client.sends(expecting)
    server = stage.connects()
    assert b"Expect: 100-continue\r\n" in server.got()
    server.sends(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert client.got() == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.sends(b"0123456789")
    assert server.got() == b"0123456789"
    server.sends(OK)
    assert client.got() == OK
    assert stage.outcomes() == COMPLETE


def test_a_change_of_protocol_that_nobody_asked_for(stage, answers):
    client = stage.client()
    client.sends(GET)
    server = stage.connects()
    server.sends(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nsecrets")
    [(status, _, _)] = answers(client.got())
    assert (status, server.end) == (502, "abort")
    assert stage.outcomes() == [("garbage", 502, "failure")]


# The service's own marks on an answer.


def test_the_choice_is_told_when_asked_for(staged, service):
    stage = staged(service(choice_header="X-Weir"))
    client = stage.client()
    client.sends(GET)
    stage.connects().sends(OK)
    assert b"\r\nX-Weir: stable; why=weight\r\n" in client.got()


def test_a_key_is_issued_once_and_taken_back(staged, service, answers):
    stage = staged(service(weight=10_000, sticky=Sticky("cookie", "weir", issue=True, salt="s")))
    client = stage.client()
    client.sends(GET)
    assert stage.dialled() == ["http://canary:9002"]
    server = stage.connects()
    server.sends(OK.replace(b"Content-Length", b"Set-Cookie: a=1\r\nContent-Length"))
    [(_, fields, _)] = answers(client.got())
    first, issued = [value for name, value in fields if name == "Set-Cookie"]
    assert first == "a=1"
    assert re.fullmatch(r"weir=[0-9a-f]{32}; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax", issued)
    key = issued.partition(";")[0].encode()
    client.sends(GET.replace(b"\r\n\r\n", b"\r\nCookie: %b\r\n\r\n" % key))
    assert key in server.got()
    server.sends(OK)
    assert b"Set-Cookie" not in client.got()
    assert stage.tally.outcomes[-1].backend == "canary"


# What is counted.


def test_the_time_to_the_head_is_counted_from_the_connection(stage):
    client = stage.client()
    client.sends(GET)
    stage.now += 2
    server = stage.connects()
    stage.now += 0.25
    server.sends(OK[:-5])
    stage.now += 1
    server.sends(OK[-5:])
    [outcome] = stage.tally.outcomes
    assert (outcome.head_seconds, outcome.total_seconds) == (0.25, 3.25)
    assert (outcome.service, outcome.revision, outcome.backend, outcome.method) == (
        "shop",
        7,
        "stable",
        "GET",
    )


def test_an_exchange_is_in_flight_until_its_end(stage):
    client = stage.client()
    client.sends(GET)
    server = stage.connects()
    server.sends(OK[:-1])
    [counts] = stage.tally.changed().values()
    assert (counts.in_flight, counts.requests, stage.pending()) == (1, 0, 1)
    server.sends(OK[-1:])
    [counts] = stage.tally.changed().values()
    assert (counts.in_flight, counts.requests, stage.pending()) == (0, 1, 0)


class Log:
    def __init__(self):
        self.notes = []

    def note(self, exchange, client, now):
        self.notes.append((exchange.status, exchange.ending, exchange.bytes_out, client, now))


def test_the_access_log_gets_each_exchange_once_with_the_size_of_its_body(stage):
    log = stage.lane.access = Log()
    client = stage.client()
    client.sends(GET)
    server = stage.connects()
    stage.now += 1
    server.sends(OK[:-5], b"hel", b"lo")
    client.sends(GET)
    server.resets()
    client.got()
    stage.refuses()
    size = len(client.got().partition(b"\r\n\r\n")[2])
    assert log.notes == [
        (200, "complete", 5, "192.0.2.7", 1001.0),
        (502, "connect", size, "192.0.2.7", 1001.0),
    ]


def test_it_says_what_it_carries(stage):
    client = stage.client()
    crossing = client.transport.protocol._crossing
    assert repr(crossing) == "<Crossing idle>"
    client.sends(GET)
    assert repr(crossing) == "<Crossing <Exchange shop/stable request done, response awaited, open>>"


# Any messages in any cuts.

bodies = st.binary(max_size=30)
sizes = st.lists(st.integers(1, 60), max_size=20)


def cut(data, some):
    parts, at = [], 0
    for size in some:
        parts.append(data[at : at + size])
        at += size
    return [part for part in (*parts, data[at:]) if part]


def framed(content, chunked):
    if not chunked:
        return b"Content-Length: %d\r\n\r\n%b" % (len(content), content)
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(one), one) for one in cut(content, [7, 7, 7]))
    return b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"


def whole_body(message):
    head, _, rest = message.partition(b"\r\n\r\n")
    if b"Transfer-Encoding: chunked" in head:
        return dechunked(rest)
    size = int(re.search(rb"Content-Length: (\d+)", head)[1])
    return rest[:size], rest[size:]


@given(
    st.lists(st.tuples(bodies, st.booleans(), bodies, st.booleans()), min_size=1, max_size=3), sizes, sizes
)
def test_any_exchanges_in_any_cuts(staged, exchanges, request_sizes, answer_sizes):
    stage = staged()
    client = stage.client()
    requests = b"".join(
        b"POST /%d HTTP/1.1\r\nHost: shop\r\n" % number + framed(content, chunked)
        for number, (content, chunked, _, _) in enumerate(exchanges)
    )
    client.sends(*cut(requests, request_sizes))
    server = stage.connects()
    for number, (sent, _, answered, chunked) in enumerate(exchanges):
        got = server.got()
        assert got.startswith(b"POST /%d HTTP/1.1\r\n" % number)
        assert whole_body(got) == (sent, b"")
        server.sends(*cut(b"HTTP/1.1 200 OK\r\n" + framed(answered, chunked), answer_sizes))
        assert whole_body(client.got()) == (answered, b"")
    assert stage.outcomes() == COMPLETE * len(exchanges)
    assert (stage.idle(), stage.dialled(), client.end) == (1, [], "")
