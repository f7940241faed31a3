"""Point 20: nothing that one peer sends changes another's answer, and no fault leaves anything behind."""

import resource
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from proxy.demo.processes import wait_until
from tests.wire.case import case, cases
from tests.wire.client import Client
from tests.wire.kernel import await_taken, fill
from tests.wire.program import Wire
from tests.wire.upstream import OK, Link

GET = b"GET /i HTTP/1.1\r\nHost: shop.example\r\n\r\n"
POST = b"POST /i HTTP/1.1\r\nHost: shop.example\r\n"
SIZED = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def tagged(target: str) -> bytes:
    return b"GET %b HTTP/1.1\r\nHost: shop.example\r\n\r\n" % target.encode()


def echo(link: Link) -> None:
    """Answers with the target that was asked for."""
    while True:
        target = link.request().target.encode()
        link.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(target), target))


@case("p20-interleaved-heads")
def test_requests_that_arrive_interleaved_are_answered_each_for_itself(wire: Wire) -> None:
    wire.upstream.serve(echo)
    clients = [wire.client() for _ in range(60)]
    sent = [tagged(f"/{number:02}") for number in range(60)]
    for at in range(0, len(sent[0]), 7):
        for client, request in zip(clients, sent, strict=True):
            client.send(request[at : at + 7])
        await_taken([client.sock for client in clients])
    for number, client in reversed(list(enumerate(clients))):
        assert client.answer().body == b"/%02d" % number


@case("p20-tagged-answers-beside-faults")
def test_answers_stay_with_their_requests_while_others_break_off(wire: Wire) -> None:
    wire.upstream.serve(echo)
    wrong: list[object] = []

    def ask(worker: int) -> None:
        client = Client(wire.connect())
        for number in range(100):
            target = f"/{worker}/{number}"
            client.send(tagged(target))
            if number % 7 == worker % 7:
                client.reset()  # with its answer on the way
                client = Client(wire.connect())
            elif (answer := client.answer()).body.decode() != target:
                wrong.append((target, answer))
        client.close()

    workers = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong


@case("p20-answers-out-of-order")
def test_the_upstream_may_answer_its_connections_in_any_order(wire: Wire) -> None:
    clients = [wire.client(tagged(f"/{number}")) for number in range(20)]
    links = [wire.upstream.accept() for _ in clients]
    targets = [link.request().target.encode() for link in links]
    for link, target in reversed(list(zip(links, targets, strict=True))):
        link.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(target), target))
    assert [client.answer().body for client in clients] == [b"/%d" % number for number in range(20)]


@case("p20-a-cut-answer-beside-others")
def test_a_cut_answer_cuts_one_client_alone(wire: Wire) -> None:
    clients = [wire.client(GET) for _ in range(10)]
    links = [wire.upstream.accept() for _ in clients]
    for link in links:
        link.request()
        link.send(SIZED + b"hello")
    for client in clients:
        client.head()
    links[3].reset()
    for number, link in enumerate(links):
        if number != 3:
            link.send(b"world")
    cut = [client for client in clients if not whole(client)]
    assert len(cut) == 1


def whole(client: Client) -> bool:
    try:
        return client.answer().body == b"helloworld"
    except AssertionError:
        return False


FAULTS: tuple[tuple[str, bytes, Callable[[Link], None] | None], ...] = (
    ("malformed-head", b"BAD\r\n\r\n", None),
    ("half-a-head", GET[:20], None),
    ("half-an-upload", POST + b"Content-Length: 10\r\n\r\nhello", None),
    ("broken-chunk", POST + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n", None),
    ("reset-before-the-head", GET, Link.reset),
    ("closed-before-the-head", GET, Link.finish),
    ("garbage", GET, lambda link: link.send(b"garbage\r\n\r\n")),
    ("cut-answer", GET, lambda link: (link.send(SIZED + b"x"), link.finish())),
    ("broken-chunk-of-an-answer", GET, lambda link: link.send(CHUNKED + b"xyz\r\n")),
    ("two-answers", GET, lambda link: link.send(OK + OK)),
    ("leaving-within-the-answer", GET, lambda link: link.send(SIZED + b"x")),
    ("early-answer", POST + b"Content-Length: 10\r\n\r\nhello", lambda link: link.send(OK)),
    ("nobody-there", GET.replace(b"/i", b"/nobody"), None),
)


@pytest.fixture
def descriptors(wire: Wire) -> Callable[[], int]:
    if sys.platform != "linux":
        pytest.skip("/proc tells of the descriptors of other processes on Linux alone")
    (worker,) = wire.running.workers()
    return lambda: len(list(Path(f"/proc/{worker}/fd").iterdir()))


@cases("sent, act", *((f"p20-no-descriptor-left-by-{name}", sent, act) for name, sent, act in FAULTS))
def test_no_fault_leaves_a_descriptor_behind(
    wire: Wire, descriptors: Callable[..., Any], sent: bytes, act: Callable[..., Any] | None
) -> None:
    wire.fresh()
    wait_until(lambda: settled(wire, descriptors), "nothing is open", 5)
    before = descriptors()
    for _ in range(20):
        client = wire.client(sent)
        if act is not None:
            link = wire.upstream.accept()
            link.head()
            act(link)
            link.taken()
        else:
            await_taken([client.sock])
        client.close()
    wire.fresh()
    wait_until(lambda: descriptors() <= before, f"no more than {before} descriptors are open", 5)
    wire.serves_on()


def settled(wire: Wire, descriptors: Callable[[], int]) -> bool:
    """Whether a client that comes and goes is all that changes the number of open descriptors."""
    before = descriptors()
    wire.client(b"\r\n").close()
    return descriptors() <= before


@pytest.fixture
def many_sockets() -> Iterator[None]:
    """Room for 1,300 connections in this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 4096:
        pytest.skip(f"this process may have {hard} open files, and needs 4096")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 4096), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@case("p20-1000-idle-and-300-half-sent")
@pytest.mark.usefixtures("many_sockets")
def test_a_crowd_that_asks_nothing_is_in_nobodys_way(wire: Wire) -> None:
    wire.upstream.serve(echo)
    for _ in range(1000):
        wire.client()
    for number in range(300):
        wire.client((GET[:30], POST + b"Content-Length: 10\r\n\r\nhello"[:number])[number % 2])
    asking = wire.client()
    for number in range(200):
        asking.send(tagged(f"/{number}"))
        assert asking.answer().body == b"/%d" % number


@case("p20-a-hanging-upstream-is-in-nobodys-way")
def test_exchanges_that_hang_are_in_nobodys_way(wire: Wire) -> None:
    hanging = [wire.client(GET) for _ in range(100)]
    links = [wire.upstream.accept() for _ in hanging]
    wire.upstream.serve(echo)
    assert wire.ask(tagged("/other")).body == b"/other"
    for link in links:
        link.request()
        link.send(OK)
    assert [client.answer().body for client in hanging] == [b"ok"] * 100


@case("p20-a-slow-reader-is-in-nobodys-way")
def test_a_client_that_reads_nothing_is_in_nobodys_way(wire: Wire) -> None:
    wire.client(GET)
    link = wire.upstream.accept()
    link.request()
    link.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
    fill(link.sock, 64 << 20)
    wire.upstream.serve(echo)
    asking = wire.client()
    for number in range(50):
        asking.send(tagged(f"/{number}"))
        assert asking.answer().body == b"/%d" % number


@case("p20-the-word-of-one-client-is-not-anothers")
def test_fields_that_were_read_before_are_not_mixed_up(wire: Wire) -> None:
    """What was read lately is remembered; what differs in one byte is something else."""
    wire.upstream.answers(OK)
    for value in (b"a", b"b", b"a", b"A"):
        wire.ask(GET[:-2] + b"X-Who: " + value + b"\r\n\r\n")
    for sent in (GET, GET.replace(b"1.1", b"1.0"), GET):
        wire.ask(sent)
    assert [request.one("x-who") for request in wire.upstream.requests][:4] == ["a", "b", "a", "A"]
    assert [request.one("via") for request in wire.upstream.requests][4:] == [
        "1.1 weir",
        "1.0 weir",
        "1.1 weir",
    ]


@case("p20-refused-requests-are-not-remembered-as-good")
def test_what_was_refused_is_refused_again(wire: Wire) -> None:
    bad = GET[:-2] + b"X : 1\r\n\r\n"
    wire.upstream.answers(OK)
    for _ in range(3):
        wire.turned_away(wire.client(bad), 400)
        assert wire.ask(GET).status == 200
    assert len(wire.upstream.requests) == 3
