"""What has to be true of every play, however mad the peers: no request and no answer has two readings.

Each request that an endpoint got is traced to its client by the address that the proxy wrote into it, and to
one of that client's requests by how many answers the client had had by then. It has to be that request, and
the answer that the client got next has to be the endpoint's answer to it, or the proxy's own.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fault import expect
from play import Peer, Play, Recorded
from reader import SWITCHED, Field, Message, Stream, answers, requests
from remains import check_counts, check_pool, check_quiet, replies_of

HOP_BY_HOP = {
    b"connection",
    b"keep-alive",
    b"proxy-connection",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
}
WRITTEN_AFRESH = {
    b"content-length",
    b"host",
    b"expect",
    b"forwarded",
    b"max-forwards",
    b"via",
    b"x-forwarded-for",
    b"x-forwarded-host",
    b"x-forwarded-port",
    b"x-real-ip",
    b"x-forwarded-proto",
    b"x-request-id",
}
"""Fields that the proxy may change; each has tests of its own."""
IDEMPOTENT = (b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"PUT", b"DELETE")
_ABSOLUTE = re.compile(rb"(?i:https?)://[^/?]*")
OUR_DATE = b"Thu, 01 Jan 1970 00:00:00 GMT"  # the stage's clock stands at 0


@dataclass(frozen=True, slots=True)
class Forwarded:
    """One request as an endpoint got it."""

    place: int
    """Where in the journal its first write stands."""
    request: Message
    server: Peer
    answer: Message | None
    """What the endpoint sent for it; None when it sent nothing, or nothing that can be read."""
    bad: str
    """Why its answer can't be read."""
    reused: bool
    """Whether the connection had carried another request before, or waited for one whose client left."""
    through: tuple[bytes, bytes]
    """What the endpoint got and sent behind all requests and answers."""


def check(play: Play, *, settled: bool = False) -> None:
    """Raise Fault for what is wrong with a play as it stands.

    Args:
        play: the play.
        settled: whether every deadline has passed, so that nothing is still to come.
    """
    forwarded = _forwarded(play)
    traced = 0
    for client in play.clients:
        mine = [one for one in forwarded if _sender(one) == client.address.encode()]
        traced += len(mine)
        asked, got = _check_client(client, mine)
        waits = settled and not play.stage.plane.draining and math.isinf(client.transport.taken)
        if waits and not client.left:
            _check_all_answered(asked, got)
    expect(traced == len(forwarded), "a request of nobody", forwarded)
    check_pool(play)
    check_counts(play)


def _sender(forwarded: Forwarded) -> bytes:
    """The address that the proxy wrote: the last one; trusted clients say those before it."""
    chains = forwarded.request.values(b"x-forwarded-for")
    return chains[-1].rpartition(b",")[2].strip() if chains else b""


# What endpoints got.


def _forwarded(play: Play) -> list[Forwarded]:
    """Return the requests that endpoints got, in order."""
    places = {(write.transport, write.start): place for place, write in enumerate(play.journal)}
    found = [one for server in play.servers for one in _read_server(server, places)]
    return sorted(found, key=lambda one: one.place)


def _read_server(server: Peer, places: Mapping[tuple[Recorded, int], int]) -> Iterator[Forwarded]:
    stream = requests(server.written, strict=True, most=server.transport.protocol.used)
    expect(not stream.trouble, "an endpoint got what is no request", stream.trouble, server.written)
    # One whose body is refused in the segment of its head is never written, and takes its connection along.
    unsent = server.transport.protocol.used - len(stream.messages)
    expect(unsent == 0 or (unsent == 1 and server.end.end == "abort"), "not one request an exchange", server)
    expect(
        all(one.end is not None for one in stream.messages[:-1]), "a request behind a cut one", server.written
    )
    replies = replies_of(server, stream)
    switched = bool(replies.messages) and replies.messages[-1].status == SWITCHED
    expect(not stream.rest or switched, "an endpoint got bytes of no request", stream.rest, server.written)
    for number, request in enumerate(stream.messages):
        place = places.get((server.transport, request.start))
        expect(place is not None, "a request that doesn't begin with a write", server, request)
        assert place is not None
        answer = replies.messages[number] if number < len(replies.messages) else None
        through = stream.rest, replies.rest
        reused = number > 0 or server.transport.protocol.idle_since > 0
        yield Forwarded(place, request, server, answer, replies.trouble, reused, through)


# What a client got, and what of its requests went on.


def _check_client(client: Peer, mine: list[Forwarded]) -> tuple[Stream, Stream]:
    asked = requests(client.sent, strict=False)
    methods = tuple(one.method for one in asked.messages)
    ended = client.end.end in ("eof", "close") and not client.left
    got = answers(client.written, methods, ended=ended, strict=True)
    if got.trouble and _ours(got.messages[-1:]):
        # One of h11 and the proxy reads HEAD in what the other can't read: only then has a refusal no body.
        before = len(got.messages) - 1
        other = b"GET" if before < len(methods) else b"HEAD"
        got = answers(client.written, (*methods[:before], other), ended=ended, strict=True)
    expect(not got.trouble, "a client got what is no answer", got.trouble, client.written)
    switched = bool(got.messages) and got.messages[-1].status == SWITCHED
    expect(not got.rest or switched, "a client got half a head", got.rest)
    _check_ending(client, got, ended=ended)
    # A request that can't be read is answered once, and is the last one.
    more = len(got.messages) - len(asked.messages)
    blind = any(one.odd_trailers for one in asked.messages)
    expect(blind or more <= 1, "more answers than requests", client.sent, client.written)
    expect(blind or more < 1 or _ours(got.messages[-1:]), "an answer to no request", client.written)
    by_request = _by_request(client, asked, got, mine)
    for number, request in enumerate(asked.messages):
        sent = by_request.get(number, [])
        _check_copies(sent)
        for one in sent:
            _check_request(request, one.request)
        if number < len(got.messages):
            _check_answer(request, got.messages[number], sent, client)
    if switched:
        number = len(got.messages) - 1
        _check_tunnel(client, asked.messages[number], got, by_request.get(number, []))
    return asked, got


def _check_all_answered(asked: Stream, got: Stream) -> None:
    """Whoever stayed, took what came and asked in full has an answer, or knows that there is none."""
    last = got.messages[-1] if got.messages else None
    over = last is not None and (last.end is None or not last.goes_on)
    whole = sum(one.end is not None for one in asked.messages)
    expect(over or len(got.messages) >= whole, "a request that was never answered", asked, got)


def _by_request(
    client: Peer, asked: Stream, got: Stream, mine: list[Forwarded]
) -> dict[int, list[Forwarded]]:
    """Return what was forwarded of each request: it comes when those before it have been answered."""
    journal = client.end.transport.turns.journal
    found: dict[int, list[Forwarded]] = {}
    begun = written = answered = 0
    ends = [message.end for message in got.messages if message.end is not None]
    for one in mine:
        expect(one.place < client.seen_leaving, "a request of a client that has left", client, one)
        for write in journal[begun : one.place]:
            written = write.end if write.transport is client.transport else written
        begun = one.place
        while answered < len(ends) and ends[answered] <= written:
            answered += 1
        if answered >= len(asked.messages) and asked.messages and asked.messages[-1].odd_trailers:
            break
        expect(answered < len(asked.messages), "what h11 refuses was forwarded", asked.trouble, one.request)
        found.setdefault(answered, []).append(one)
    return found


def _check_ending(client: Peer, got: Stream, *, ended: bool) -> None:
    last = got.messages[-1] if got.messages else None
    expect(all(one.goes_on for one in got.messages[:-1]), "an answer behind the last", client.written)
    expect(all(one.end is not None for one in got.messages[:-1]), "an answer behind a cut", client.written)
    if (
        last is None
        or last.status == SWITCHED
        or client.left
        or (client.transport.lost and not client.end.end)
    ):
        return
    if last.end is None:
        expect(not ended, "a cut answer that ends like a whole one", client, client.written)
        expect(client.end.end != "abort" or client.end.was_reset, "a cut that isn't evident", client)
    elif not last.goes_on and last.status:
        expect(client.end.end, "the last answer, and the connection goes on", client, client.written)


def _check_copies(sent: list[Forwarded]) -> None:
    """A request goes twice only if that means the same, and if the first went to a stale connection."""
    expect(len(sent) <= 2, "a request was sent more than twice", sent)
    if len(sent) == 2:
        first = sent[0]
        expect(first.request.method in IDEMPOTENT, "a request was sent twice", first)
        expect(not first.request.body, "a body was sent twice", first)
        expect(first.reused and first.answer is None, "a request was sent again for no reason", first)


def _check_request(asked: Message, sent: Message) -> None:
    expect(sent.method == asked.method, "another method", asked, sent)
    expect(sent.target == _origin_form(asked), "another target", asked, sent)
    expect(sent.minor == 1, "another version", sent)
    if sent.end is not None:
        expect(asked.end is not None or asked.odd_trailers, "a cut request was completed", asked, sent)
        expect(sent.body == asked.body, "another body", asked.body, sent.body)
    expect(asked.body.startswith(sent.body), "a body that wasn't sent", asked.body, sent.body)
    expect(_end_to_end(sent) == _end_to_end(asked), "other fields", asked.spelled, sent.spelled)
    expect(len(sent.values(b"host")) == 1, "not exactly one Host", sent.spelled)
    ours = sent.values(b"x-forwarded-for") + sent.values(b"x-forwarded-proto")
    expect(len(ours) == 2, "fields that a client said of itself", sent.spelled)


def _check_answer(asked: Message, got: Message, sent: list[Forwarded], client: Peer) -> None:
    if not asked.minor:
        expect(not got.interim, "an interim answer for HTTP/1.0", got)
        expect(not got.values(b"transfer-encoding"), "chunks for HTTP/1.0", got)
    if not got.status:
        return  # interim ones only, so far
    if _ours([got]):
        return
    expect(sent, "an answer that nobody gave", got)
    last = sent[-1]
    given = last.answer
    expect(given is not None, "an answer that h11 can't read was handed on", last.bad, got)
    assert given is not None
    expect(last.server.sent_at(given.start) > last.place, "an answer from before its request", last, got)
    expect(got.status == given.status, "another status", given, got)
    expect(_end_to_end(got) == _end_to_end(given), "other fields", given.spelled, got.spelled)
    expect(given.body.startswith(got.body), "a body that wasn't answered", given.body, got.body)
    if got.end is not None:
        expect(given.end is not None or given.odd_trailers, "a cut answer was completed", given, got, client)
        expect(given.body == got.body, "another body", given.body, got.body)
    _check_interim(given, got)


def _check_tunnel(client: Peer, asked: Message, got: Stream, sent: list[Forwarded]) -> None:
    """Behind a 101 that both sides wanted, each side gets what the other says, and nothing else."""
    expect(sent and asked.end is not None, "a tunnel to nowhere", asked, got)
    request = sent[-1].request
    for one in (asked, request, got.messages[-1]):
        expect(b"upgrade" in one.options() and one.values(b"upgrade"), "a tunnel that nobody asked for", one)
    expect(asked.minor == 1 and not asked.body, "a tunnel where there can be none", asked)
    arrived, said = sent[-1].through
    expect(said.startswith(got.rest), "a client got what nobody said", said, got.rest)
    expect(client.sent[asked.end :].startswith(arrived), "an endpoint got what nobody said", arrived)


def _check_interim(given: Message, got: Message) -> None:
    """Interim answers are handed on in order; 100 may be ours, and none is needed behind the body."""
    wanted = iter([status for status, _ in given.interim])
    for status, _ in got.interim:
        expect(status == 100 or status in wanted, "an interim answer that nobody gave", given, got)


def _ours(last: list[Message]) -> bool:
    """Tell whether the last of these answers is the proxy's own."""
    return bool(last) and last[0].values(b"date") == [OUR_DATE] and bool(last[0].values(b"x-request-id"))


def _origin_form(request: Message) -> bytes:
    absolute = _ABSOLUTE.match(request.target)
    if absolute is None:
        return request.target
    path = request.target[absolute.end() :]
    if not path and request.method == b"OPTIONS":
        return b"*"  # RFC 9112 section 3.2.4
    return path if path.startswith(b"/") else b"/" + path


def _end_to_end(message: Message) -> list[Field]:
    gone = HOP_BY_HOP | WRITTEN_AFRESH | message.options()
    return [(name, value) for name, value in message.spelled if name.lower() not in gone]


def judge(data: bytes) -> None:
    """Play a script to its end, and on until nothing can be left; raise Fault for what went wrong."""
    play = Play()
    play.run(data)
    check(play)
    play.silence()
    check(play, settled=True)
    check_quiet(play)
