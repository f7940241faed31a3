"""What is left of a play: connections in the pool, counts, and nothing at all in the end."""

from collections import Counter

from fault import expect
from play import Peer, Play
from reader import Stream, answers, requests


def replies_of(server: Peer, stream: Stream) -> Stream:
    """Return what an endpoint sent, read as the answers to the requests that it got."""
    methods = tuple(one.method for one in stream.messages)
    return answers(server.sent, methods, ended=server.left == "eof", strict=False)


def check_quiet(play: Play) -> None:
    """Raise Fault when something is left of a play in which nobody has done anything for hours."""
    stage = play.stage
    expect(not stage.members, "a client's connection outlives every deadline", stage.members)
    expect(repr(stage.plane.deadlines) == "<Deadlines of 0>", "a deadline without a connection", stage.plane)
    expect(repr(stage.plane.pool) == "<Pool 0 idle, 0 pending>", "something is left in the pool", stage.plane)
    for peer in (*play.clients, *play.servers):
        expect(peer.transport.lost, "a descriptor outlives every deadline", peer)
    check_counts(play)
    in_flight = {key: one.in_flight for key, one in stage.tally.everything().items() if one.in_flight}
    expect(not in_flight, "requests are in flight that nobody waits for", in_flight)


def check_pool(play: Play) -> None:
    """Raise Fault when a connection waits in the pool that is unclean: bytes left, or half a message."""
    idle = set(play.stage.plane.pool.waiting())
    for server in play.servers:
        if server.transport.protocol in idle:
            stream = requests(server.written, strict=True)
            replies = replies_of(server, stream)
            clean = not replies.trouble and not replies.rest and not server.left
            expect(clean, "an unclean connection waits in the pool", server, server.sent)
            counts = len(stream.messages), len(replies.messages)
            expect(counts[0] == counts[1], "requests and answers in the pool differ", counts, server.sent)
            whole = all(one.end is not None for one in (*stream.messages, *replies.messages))
            expect(whole, "a connection waits in the pool within a message", server.sent, server.written)
            expect(all(one.goes_on for one in replies.messages), "a last answer in the pool", server.sent)
            expect(server.transport.reading, "a connection that isn't read waits in the pool", server)
            idle.discard(server.transport.protocol)
    expect(not idle, "a connection that nobody knows waits in the pool", idle)


def check_counts(play: Play) -> None:
    """Every exchange is counted once, and what is in flight is what somebody waits for."""
    stage = play.stage
    entries = stage.tally.everything().values()
    in_flight = sum(entry.in_flight for entry in entries)
    open_now = sum(connection.crossing.exchange is not None for connection in stage.members)
    expect(in_flight == open_now, "in flight isn't what is open", in_flight, open_now)
    endings = Counter(one.ending for one in stage.tally.outcomes)
    failures = sum(one.result == "failure" for one in stage.tally.outcomes)
    expect(len(stage.failures) == failures, "a failure that wasn't reported", endings)
