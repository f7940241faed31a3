"""Point 18: what a tunnel carries, and how it ends (RFC 9110 section 7.8, RFC 6455 section 7)."""

import threading

from proxy.demo.processes import wait_until
from tests.wire.case import case, cases
from tests.wire.kernel import fill
from tests.wire.program import Wire
from tests.wire.upstream import OK

GET = b"GET /u HTTP/1.1\r\nHost: shop.example\r\n\r\n"
MIB = 1 << 20
OPEN = 'weir_tunnels_open{backend="stable",service="shop"}'


@case("p18-rfc6455-5-opaque")
def test_a_tunnel_carries_any_bytes_both_ways(wire: Wire) -> None:
    client, link = wire.tunnel()
    every = bytes(range(256)) + b"HTTP/1.1 200 OK\r\n\r\nGET / HTTP/1.1\r\n\r\n0\r\n\r\n"
    for _ in range(3):
        client.send(every)
        assert link.read(len(every)) == every
        link.send(every)
        assert client.read(len(every)) == every
    client.drip(every[:40])
    assert link.read(40) == every[:40]


@case("p18-rfc6455-5-large")
def test_a_tunnel_carries_much_both_ways_at_once(wire: Wire) -> None:
    client, link = wire.tunnel()
    ours, theirs = b"c" * 4 * MIB, b"u" * 4 * MIB
    senders = [
        threading.Thread(target=client.send, args=(ours,)),
        threading.Thread(target=link.send, args=(theirs,)),
    ]
    got: list[bytes] = []
    senders.append(threading.Thread(target=lambda: got.append(link.read(len(ours)))))
    for sender in senders:
        sender.start()
    assert client.read(len(theirs)) == theirs
    for sender in senders:
        sender.join()
    assert got == [ours]


@case("p18-back-pressure")
def test_a_tunnel_holds_back_whoever_is_faster(wire: Wire) -> None:
    client, link = wire.tunnel()
    for sock in (client.sock, link.sock):
        assert fill(sock, 64 * MIB) < 16 * MIB, "the tunnel takes what nobody reads"


@case("p18-half-close-of-the-client")
def test_a_client_may_end_its_half(wire: Wire) -> None:
    client, link = wire.tunnel()
    client.send(b"last words")
    client.finish()
    assert link.rest() == b"last words"
    link.send(b"an answer all the same")
    assert client.read(22) == b"an answer all the same"
    link.finish()
    assert client.ended() == "closed"


@case("p18-half-close-of-the-upstream")
def test_an_upstream_may_end_its_half(wire: Wire) -> None:
    client, link = wire.tunnel()
    link.send(b"last words")
    link.finish()
    assert client.read(10) == b"last words"
    assert client.ended() == "closed"
    client.send(b"an answer all the same")
    assert link.read(22) == b"an answer all the same"
    client.finish()
    link.gone()


@case("p18-half-close-with-early-bytes")
def test_a_client_may_end_its_half_before_the_101(wire: Wire) -> None:
    client, link = wire.tunnel(early=b"all I have")
    client.finish()
    assert link.rest() == b"all I have"
    link.close()
    assert client.ended() in ("closed", "reset")


@case("p18-reset-of-the-client")
def test_a_reset_of_the_client_ends_the_tunnel(wire: Wire) -> None:
    client, link = wire.tunnel()
    client.reset()
    link.gone()
    wire.serves_on()


@case("p18-reset-of-the-upstream")
def test_a_reset_of_the_upstream_is_a_reset_for_the_client(wire: Wire) -> None:
    client, link = wire.tunnel()
    link.reset()
    assert client.ended() == "reset"
    wire.serves_on()


@case("p18-never-pooled")
def test_the_connection_of_a_tunnel_is_never_used_again(wire: Wire) -> None:
    client, link = wire.tunnel()
    client.finish()
    link.gone()
    link.finish()
    client.ended()
    wire.upstream.answers(OK)
    assert wire.ask(GET).body == b"ok"
    assert len(wire.upstream.links) == 2


@case("p18-counted")
def test_open_tunnels_are_counted(wire: Wire) -> None:
    client, link = wire.tunnel()
    wait_until(lambda: wire.metric(OPEN) == 1, "the tunnel is counted", 5)
    client.close()
    link.close()
    wait_until(lambda: wire.metric(OPEN) == 0, "its end is counted", 5)


@cases(
    "side", ("p18-much-then-end-of-the-upstream", "upstream"), ("p18-much-then-end-of-the-client", "client")
)
def test_all_that_was_sent_before_an_end_arrives(wire: Wire, side: str) -> None:
    client, link = wire.tunnel()
    body = bytes(range(256)) * (8 * MIB // 256)
    giver, taker = (link, client) if side == "upstream" else (client, link)

    def give() -> None:
        giver.send(body)
        giver.finish()

    giving = threading.Thread(target=give)
    giving.start()
    assert taker.read(len(body)) == body
    giving.join()
    taker.send(b"thanks")
    assert giver.read(6) == b"thanks"
