"""Point 23: endpoints that fail, or are dead: who is left alone, who answers instead, and how they come back."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from proxy.demo.processes import wait_until
from tests.wire.case import case, cases
from tests.wire.kernel import PATIENCE
from tests.wire.pair import STABLE, Pair, running
from tests.wire.upstream import OK, Link

HEALTH = "health: {path: /healthz, interval: 300ms, timeout: 300ms, healthy_after: 1, unhealthy_after: 3}"
EJECTION = "ejection: {failures: 3, backoff: 200ms, longest: 1s}"
BOTH = """stable: "http://127.0.0.1:{stable}"
    canary: "http://127.0.0.1:{canary}"
    force: {header: X-To}"""
UNJUDGED = """analysis: off
    guard: off
    rescue: off"""
TWO = 'stable: ["http://127.0.0.1:{stable}", "http://127.0.0.1:{canary}"]'
BUSY = b"HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n"
TO_CANARY, TO_STABLE = b"X-To: always\r\n", b"X-To: never\r\n"


@pytest.fixture
def start(tmp_path: Path, deaf: socket.socket) -> Iterator[object]:
    """Starts the proxy with one service of these lines."""
    with contextlib.ExitStack() as stack:

        def started(*lines: str) -> Pair:
            settings = "services:\n  shop:\n    " + "\n    ".join(lines) + "\n"
            pair = stack.enter_context(running(tmp_path, settings, deaf))
            stack.callback(pair.fresh)
            return pair

        yield started


class Origin:
    """Answers requests, and probes apart from them, as long as it is told to."""

    def __init__(self, said: bytes) -> None:
        self.said = said
        self.works = threading.Event()
        self.well = threading.Event()
        self.works.set()
        self.well.set()

    def serve(self, link: Link) -> None:
        while True:
            if link.request().target == "/healthz":
                link.send(OK if self.well.is_set() else BUSY)
            else:
                link.send(self.said if self.works.is_set() else BUSY)


def behind(pair: Pair) -> tuple[Origin, Origin]:
    """What stands behind the proxy: stable, or its first endpoint, and the other one."""
    stable, other = Origin(STABLE), Origin(OK)
    pair.upstream.serve(stable.serve)
    pair.canary.serve(other.serve)
    return stable, other


def ask(pair: Pair, more: bytes = b"") -> tuple[int, bytes, bytes]:
    """One request: status and body of the answer, and the mark by which it is found."""
    request, mark = pair.request("GET", "/a", more)
    answer = pair.ask(request)
    return answer.status, answer.body, mark


def until(pair: Pair, wanted: tuple[int, bytes], more: bytes = b"") -> None:
    """Asks until this is the answer."""
    wait_until(lambda: ask(pair, more)[:2] == wanted, f"{wanted}", PATIENCE)


def counted(pair: Pair, name: str, backend: str, least: int) -> float:
    """The value of a counter, once it is that much."""
    series = f'weir_{name}_total{{backend="{backend}",service="shop"}}'
    wait_until(lambda: pair.metric(series) >= least, f"{series} is {least}", PATIENCE)
    return pair.metric(series)


# What requests tell.


@case("p23-ejected-canary")
def test_a_canary_that_fails_in_a_row_is_left_alone_and_back_once_it_works(start: Callable[..., Any]) -> None:
    pair = start(BOTH, UNJUDGED, "ejection: {failures: 3, backoff: 2s}")
    _, canary = behind(pair)
    canary.works.clear()
    assert [ask(pair, TO_CANARY)[0] for _ in range(3)] == [503] * 3
    status, body, mark = ask(pair, TO_CANARY)
    assert (status, body, pair.seen(mark)) == (200, b"st", (0, 1)), "nobody is sent there"
    assert counted(pair, "ejections", "canary", 1) == 1
    assert counted(pair, "diverted", "canary", 1) == 1
    canary.works.set()
    until(pair, (200, b"ok"), TO_CANARY)
    assert [ask(pair, TO_CANARY)[1] for _ in range(5)] == [b"ok"] * 5
    assert counted(pair, "ejections", "canary", 1) == 1


@case("p23-ejected-endpoint")
def test_an_endpoint_of_stable_that_fails_costs_few_requests_and_is_back_once_it_works(
    start: Callable[..., Any],
) -> None:
    pair = start(TWO, EJECTION)
    _, other = behind(pair)
    other.works.clear()
    statuses = [ask(pair)[0] for _ in range(40)]
    assert 3 <= statuses.count(503) < 15
    wait_until(lambda: ask(pair)[0] == 503, "a trial that fails", PATIENCE)
    assert counted(pair, "ejections", "stable", 2) >= 2
    other.works.set()
    until(pair, (200, b"ok"))
    assert {ask(pair)[:2] for _ in range(40)} == {(200, b"ok"), (200, b"st")}


@case("p23-all-ejected")
def test_stable_is_tried_though_all_its_endpoints_are_ejected(start: Callable[..., Any]) -> None:
    pair = start(TWO, "ejection: {failures: 3, backoff: 1m}")
    for origin in behind(pair):
        origin.works.clear()
    asked = [ask(pair) for _ in range(30)]
    assert {status for status, _, _ in asked} == {503}
    assert counted(pair, "ejections", "stable", 2) == 2
    assert all(sum(pair.seen(mark)) == 1 for _, _, mark in asked)


# What probes tell.


@case("p23-dead-canary")
def test_the_share_of_a_dead_canary_goes_to_stable_and_counts_against_it(start: Callable[..., Any]) -> None:
    pair = start(BOTH, UNJUDGED, "weight: 50%", HEALTH)
    _, canary = behind(pair)
    assert ask(pair, TO_CANARY)[:2] == (200, b"ok")
    canary.well.clear()
    until(pair, (200, b"st"), TO_CANARY)
    asked = [ask(pair) for _ in range(60)]
    assert {each[:2] for each in asked} == {(200, b"st")}
    assert {pair.seen(mark) for _, _, mark in asked} == {(0, 1)}
    assert counted(pair, "diverted", "canary", 10) < 70
    canary.well.set()
    until(pair, (200, b"ok"), TO_CANARY)


@case("p23-dead-canary-trips")
def test_a_canary_without_a_living_endpoint_is_taken_out_though_no_request_of_its_fails(
    start: Callable[..., Any],
) -> None:
    pair = start(BOTH, "guard: off", "weight: 50%", HEALTH)
    _, canary = behind(pair)
    canary.well.clear()
    until(pair, (200, b"st"), TO_CANARY)
    asked = [ask(pair)[:2] for _ in range(100)]
    assert set(asked) == {(200, b"st")}
    trip = pair.running.admin.await_trip("shop", PATIENCE)["trip"]
    assert trip["check"] == "errors"


@case("p23-dead-stable")
def test_a_dead_stable_answers_503_until_it_is_back(start: Callable[..., Any]) -> None:
    pair = start(BOTH, UNJUDGED, HEALTH)
    stable, _ = behind(pair)
    stable.well.clear()
    wait_until(lambda: ask(pair)[0] == 503, "nobody is there", PATIENCE)
    _, _, mark = ask(pair)
    assert pair.seen(mark) == (0, 0)
    assert ask(pair, TO_CANARY)[:2] == (200, b"ok"), "who is meant for the canary has it"
    stable.well.set()
    until(pair, (200, b"st"))


@cases("more", ("p23-fallback", b""), ("p23-fallback-forced", TO_STABLE))
def test_the_canary_stands_in_for_a_dead_stable(start: Callable[..., Any], more: bytes) -> None:
    pair = start(BOTH, UNJUDGED, HEALTH, "fallback: canary")
    stable, canary = behind(pair)
    assert ask(pair, more)[:2] == (200, b"st")
    stable.well.clear()
    until(pair, (200, b"ok"), more)
    assert counted(pair, "diverted", "stable", 1) >= 1
    canary.well.clear()
    wait_until(lambda: ask(pair, more)[0] == 503, "nobody is left", PATIENCE)
    stable.well.set()
    until(pair, (200, b"st"), more)
