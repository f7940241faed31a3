"""Point 21: what the canary fails is sent to stable: what each client gets, and how often each origin is asked."""

import socket
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from proxy.demo.processes import wait_until
from tests.wire.case import case, cases
from tests.wire.kernel import PATIENCE
from tests.wire.pair import Pair, running
from tests.wire.upstream import Link

# A budget belongs to a service: each table has some of its own.
TO_CANARY = """    stable: "http://127.0.0.1:{stable}"
    weight: 100%
    analysis: off
    guard: off
    ejection: off
"""
SETTINGS = "timeouts: {connect: 300ms, response: 400ms, body: 800ms}\nservices:\n" + "".join(
    f'  {name}:\n    match: {{path: /{name}}}\n    canary: "http://127.0.0.1:{port}"\n{TO_CANARY}{more}'
    for name, port, more in (
        ("refused", "1", ""),
        ("deaf", "{deaf}", ""),
        ("status", "{canary}", ""),
        ("broken", "{canary}", ""),
        ("body", "{canary}", ""),
        ("stale", "{canary}", ""),
        ("budget", "{canary}", ""),
        ("off", "{canary}", "    rescue: off\n"),
        ("keyed", "{canary}", "    rescue: {keyed: true}\n"),
        ("small", "{canary}", "    rescue: {max_body: 4B}\n"),
    )
)
SETTINGS += '  stable:\n    match: {path: /stable}\n    stable: "http://127.0.0.1:{stable}"\n'

SAFE = ("GET", "HEAD", "OPTIONS")
IDEMPOTENT = ("PUT", "DELETE")
OTHERS = ("POST", "PATCH")
KINDS = tuple((method, at) for at, methods in enumerate((SAFE, IDEMPOTENT, OTHERS)) for method in methods)

CUT = 0
"""Stands for an answer that breaks off."""
HINT = b"HTTP/1.1 103 Early Hints\r\n\r\n"
BEGUN = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory, deaf: socket.socket) -> Iterator[Pair]:
    with running(tmp_path_factory.mktemp("rescue"), SETTINGS, deaf) as pair:
        yield pair


@pytest.fixture
def pair(program: Pair) -> Iterator[Pair]:
    yield program
    program.fresh()


def says(status: int, link: Link) -> None:
    link.send(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % status)


def resets(begun: bytes, link: Link) -> None:
    link.send(begun)
    if begun:
        link.taken()
    link.reset()


def hints(link: Link) -> None:
    link.send(HINT)
    says(503, link)


def serving(fail: Callable[..., Any], link: Link) -> None:
    while link.sock.fileno() >= 0:
        link.request()
        fail(link)


# How the canary fails; what the client of a safe, another idempotent and any other method gets; whether the
# canary gets to see the request. 200 is stable's.
FAILURES = (
    ("p21-failure-refused", "refused", None, (200, 200, 200), 0),
    ("p21-failure-connect-timeout", "deaf", None, (200, 200, 200), 0),
    ("p21-failure-500", "status", partial(says, 500), (200, 500, 500), 1),
    ("p21-failure-502", "status", partial(says, 502), (200, 200, 502), 1),
    ("p21-failure-503", "status", partial(says, 503), (200, 200, 503), 1),
    ("p21-failure-504", "status", partial(says, 504), (200, 200, 504), 1),
    ("p21-failure-501", "status", partial(says, 501), (501, 501, 501), 1),
    ("p21-failure-429", "status", partial(says, 429), (429, 429, 429), 1),
    ("p21-failure-404", "status", partial(says, 404), (404, 404, 404), 1),
    ("p21-failure-reset", "broken", partial(resets, b""), (200, 200, 502), 1),
    ("p21-failure-closed", "broken", Link.finish, (200, 200, 502), 1),
    ("p21-failure-garbage", "broken", lambda link: link.send(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), (200, 200, 502), 1),
    ("p21-failure-silent", "broken", lambda link: None, (200, 200, 504), 1),
    ("p21-failure-reset-in-the-head", "broken", partial(resets, b"HTTP/1.1 200 OK\r\nX"), (200, 200, 502), 1),
    ("p21-failure-reset-behind-an-interim-answer", "broken", partial(resets, HINT), (502, 502, 502), 1),
    ("p21-failure-503-behind-an-interim-answer", "broken", hints, (503, 503, 503), 1),
    ("p21-failure-reset-in-the-body", "broken", partial(resets, BEGUN), (CUT, CUT, CUT), 1),
)  # fmt: skip


@cases("service, fail, gets, asked", *FAILURES)
def test_who_is_rescued(
    pair: Pair, service: str, fail: Callable[..., Any] | None, gets: tuple[int, int, int], asked: int
) -> None:
    pair.canary.serve(partial(serving, fail))
    for method, kind in KINDS:
        request, mark = pair.request(method, f"/{service}")
        client = pair.client(request)
        if gets[kind] == CUT and method != "HEAD":
            client.cut(method)
        else:
            wanted = gets[kind] or 200  # a HEAD has all of the answer by then
            assert pair.answer_once(client, method).status == wanted, method
        assert pair.seen(mark) == (asked, int(gets[kind] == 200)), method


KIB64 = 64 * 1024


def sized(size: int) -> tuple[bytes, bytes]:
    return b"Content-Length: %d\r\n" % size, b"x" * size


def chunked(*sizes: int) -> tuple[bytes, bytes]:
    chunks = b"".join(b"%x\r\n%b\r\n" % (size, b"x" * size) for size in sizes)
    return b"Transfer-Encoding: chunked\r\n", chunks + b"0\r\n\r\n"


# A PUT with this body, how much of it the canary had, and whether stable is asked.
BODIES = (
    ("p21-body-none", sized(0), None, True),
    ("p21-body-sized", sized(5), None, True),
    ("p21-body-sized-64kib", sized(KIB64), None, True),
    ("p21-body-sized-beyond", sized(KIB64 + 1), None, False),
    ("p21-body-chunked", chunked(5), None, True),
    ("p21-body-chunked-empty", chunked(), None, True),
    ("p21-body-chunked-many", chunked(*[1] * 2000), None, True),
    ("p21-body-chunked-64kib", chunked(KIB64 - 10, 10), None, True),
    ("p21-body-chunked-beyond", chunked(KIB64, 1), None, False),
    ("p21-body-sized-uploading", sized(1000), 500, True),
    ("p21-body-sized-nothing-came", sized(KIB64 + 1), 0, True),
    ("p21-body-sized-beyond-uploading", sized(KIB64 + 1), 500, False),
    ("p21-body-chunked-uploading", chunked(500, 500), 500, True),
    ("p21-body-chunked-beyond-uploading", chunked(KIB64, KIB64), KIB64 + 500, False),
)


@pytest.mark.parametrize("status", [502, 503])
@cases("body, came, rescued", *BODIES)
def test_a_body_is_sent_again_whole_or_not_at_all(
    pair: Pair, body: tuple[bytes, bytes], came: int | None, rescued: bool, status: int
) -> None:
    for method in ("PUT", "POST"):
        again = rescued and method == "PUT"
        request, mark = pair.request(method, "/body", *body)
        head = request.index(b"\r\n\r\n") + 4
        early = len(request) if came is None else head + came
        client = pair.client(request[:early])
        link = pair.canary.accept()
        link.request() if came is None else link.head()
        sent = request[head:early].count(b"x")
        while link.raw.partition(b"\r\n\r\n")[2].count(b"x") < sent:
            link.receive()
        resets(b"", link) if status == 502 else says(status, link)
        if again and came is not None:
            wait_until(lambda mark=mark: pair.seen(mark)[1], "stable is asked", PATIENCE)
            client.send(request[early:])
        answer = pair.answer_once(client)
        assert answer.status == (200 if again else status)
        assert pair.seen(mark) == (1, int(again))
        if again:
            [asked] = [one for one in pair.upstream.requests if one.one("X-Case") == mark[8:-2].decode()]
            assert asked.body.count(b"x") == len(asked.body) == body[1].count(b"x")
        link.close()


@cases(
    "service, method, more, body, gets",
    ("p21-owner-off", "off", "GET", b"", b"", 502),
    ("p21-owner-keyed", "keyed", "POST", b"Idempotency-Key: a\r\n", b"", 200),
    ("p21-owner-keyed-without-a-key", "keyed", "POST", b"", b"", 502),
    ("p21-owner-a-key-that-nobody-asked-for", "body", "POST", b"Idempotency-Key: a\r\n", b"", 502),
    ("p21-owner-small-enough", "small", "PUT", b"Content-Length: 4\r\n", b"xxxx", 200),
    ("p21-owner-too-large", "small", "PUT", b"Content-Length: 5\r\n", b"xxxxx", 502),
)
def test_what_the_owner_says(
    pair: Pair, service: str, method: str, more: bytes, body: bytes, gets: int
) -> None:
    pair.canary.serve(partial(serving, partial(resets, b"")))
    request, mark = pair.request(method, f"/{service}", more, body)
    assert pair.answer_once(pair.client(request)).status == gets
    assert pair.seen(mark) == (1, int(gets == 200))


# A connection that waits in the pool has ended when it is used; a fresh one to the canary would fail, too.
STALE = (
    ("p21-stale-get", "GET", b"", (200, 1, 1)),
    ("p21-stale-delete", "DELETE", b"", (200, 1, 1)),
    ("p21-stale-put-with-a-body", "PUT", b"hello", (200, 1, 1)),
    ("p21-stale-post", "POST", b"", (502, 1, 0)),
)


@cases("method, body, expected", *STALE)
def test_a_stale_connection_and_a_failure_are_never_three(
    pair: Pair, method: str, body: bytes, expected: tuple[int, int, int]
) -> None:
    client = pair.client(pair.request("GET", "/stale")[0])
    link = pair.canary.accept()
    link.request()
    says(200, link)
    client.answer()
    pair.canary.serve(partial(serving, partial(says, 503)))
    request, mark = pair.request(method, "/stale", b"Content-Length: %d\r\n" % len(body), body)
    client.send(request)
    link.request()
    link.reset()
    assert (pair.answer_once(client).status, *pair.seen(mark)) == expected


@case("p21-rfc9112-9.3.2-pipeline")
def test_a_pipeline_is_answered_in_order_and_each_once(pair: Pair) -> None:
    pair.canary.serve(partial(serving, partial(resets, b"")))
    requests = [pair.request(method, "/stale") for method in ("GET", "POST", "DELETE", "GET")]
    client = pair.client(b"".join(request for request, _ in requests))
    assert [client.answer().status for _ in requests] == [200, 502, 200, 200]
    assert [pair.seen(mark) for _, mark in requests] == [(1, 1), (1, 0), (1, 1), (1, 1)]


@case("p21-budget")
def test_rescues_end_with_the_budget(pair: Pair) -> None:
    pair.canary.serve(partial(serving, partial(says, 503)))
    begun = time.monotonic()
    client = pair.client()
    marks, got = [], []
    for _ in range(80):
        request, mark = pair.request("GET", "/budget")
        client.send(request)
        got.append(client.answer().status)
        marks.append(mark)
    most = 50 + 3 * (time.monotonic() - begun) + 1
    assert got[:50] == [200] * 50
    assert 50 <= got.count(200) <= min(most, 79)
    assert [pair.seen(mark)[1] for mark in marks] == [int(status == 200) for status in got]
