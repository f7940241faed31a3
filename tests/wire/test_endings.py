"""The table of endings, walked with the real program: each row is counted and logged as docs/reference has it."""

import itertools
import json
import re
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from docs.generator.endings import ROWS, SHOWN, Row, Series, counted, logged
from proxy.demo.ports import free_ports
from proxy.demo.processes import DeadlineExceeded, wait_until
from tests.wire.client import Client
from tests.wire.kernel import PATIENCE
from tests.wire.pair import Pair, running
from tests.wire.program import SWITCHED
from tests.wire.reader import Ambiguous
from tests.wire.upstream import OK, Link

SETTINGS = """
timeouts: {connect: 20s, response: 2s, body: 2s}
limits: {body: 1KiB}
log: {access: json}
defaults:
  analysis: {enforce: false, slower: {by: 25%, at_least: 700ms}}
  guard: off
  ejection: off
  halt: {drain: 0}
services:
  main: {PATH, stable: UP, canary: IT, FORCE}
  closed: {PATH, stable: UP, canary: OFF, FORCE}
  alone: {PATH, stable: UP, canary: OFF, FORCE, rescue: off}
  sibling: {PATH, stable: [UP, IT]}
  tls: {PATH, stable: UP, canary: "https://127.0.0.1:{canary}", FORCE}
  out: {PATH, stable: UP, canary: OFF, FORCE, ejection: {failures: 1, backoff: 5m}}
  dead: {PATH, stable: OFF, health: {path: /, interval: 200ms, timeout: 200ms}}
  failing: {PATH, stable: OFF}
  rescued: {PATH, stable: UP, canary: IT, FORCE}
  unsent: {PATH, stable: UP, canary: "http://127.0.0.1:{deaf}", FORCE}
  cut: {PATH, stable: UP, canary: IT, FORCE}
  tunnel: {PATH, stable: UP, canary: IT, FORCE}
"""
SERVICES = {
    "connect": "closed",
    "alone": "alone",
    "sibling": "sibling",
    "tls": "tls",
    "diverted": "out",
    "no-endpoint": "dead",
    "stable-fails": "failing",
    "halt-rescued": "rescued",
    "halt-unsent": "unsent",
    "halt-cut": "cut",
    "halt-tunnel": "tunnel",
    "no-service": "nowhere",
}
"""Where a row is played; all others in `main`."""
TO_CANARY = b"X-To: always\r\n"
UPGRADE = b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
PART = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"


SIBLINGS = itertools.count()
"""Counts the requests of that row, wherever they come: the first is not answered."""


def status(code: int) -> bytes:
    return f"HTTP/1.1 {code} X\r\nContent-Length: 0\r\n\r\n".encode()


ANSWERS = {"missing": 404, "fail": 500, "unavailable": 503, "both": 503, "garbage": 0}
WAITS = ("timeout", "hangs", "leaves", "gives-up", "gives-up-rescue", "halt-rescued")
PARTS = ("truncated", "stall", "leaves-within", "halt-cut")


def canary(link: Link) -> None:
    """Does as the last part of the path says."""
    while True:
        try:
            word = link.head().target.rpartition("/")[2]
        except Ambiguous:  # a hello of TLS
            link.finish()
            return
        if word in ("slow-body", "too-large"):
            link.gone()
        elif word in ("tunnel", "halt-tunnel"):
            link.request_of_upgrade()
            link.send(SWITCHED)
            link.gone()
        else:
            link.request()
            _answer(link, word)


def _answer(link: Link, word: str) -> None:
    if word == "sibling" and next(SIBLINGS) == 0:
        link.finish()
    elif word in WAITS:
        link.gone()
    elif word in ("reset", "stale"):
        link.finish()
    elif word in PARTS:
        link.send(PART)
        link.finish() if word == "truncated" else link.gone()
    elif word == "garbage":
        link.send(b"what is no HTTP\r\n\r\n")
        link.gone()
    else:
        link.send(status(ANSWERS[word]) if word in ANSWERS else OK)


def stable(link: Link) -> None:
    """Answers, but where a row says otherwise."""
    while True:
        word = link.request().target.rpartition("/")[2]
        if word == "sibling" and next(SIBLINGS) == 0:
            link.finish()
            return
        if word == "gives-up-rescue":
            link.gone()
        link.send(status(500) if word == "both" else OK)


class Walk:
    """The program on its way through the table."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.begin()

    def begin(self) -> None:
        """Begin a row: no connection is left from the one before."""
        self.pair.fresh()
        self.pair.upstream.serve(stable)
        self.pair.canary.serve(canary)

    def send(self, row: Row, more: bytes = b"", body: bytes = b"") -> Client:
        """A client that has sent the row's request."""
        return self.ask(row.method, path(row), TO_CANARY + more, body)

    def ask(self, method: str, where: str, more: bytes = TO_CANARY, body: bytes = b"") -> Client:
        return self.pair.client(self.pair.request(method, where, more, body)[0])

    def view(self, service: str) -> dict[str, Any]:
        return self.pair.running.admin.service(service)

    def counters(self, service: str) -> dict[Series, float]:
        """The counters of the table, as Prometheus gets them."""
        found = {}
        for family in text_string_to_metric_families(self.pair.running.admin.metrics()):
            for sample in family.samples:
                if sample.name in SHOWN and sample.labels.get("service", service) == service:
                    labels = sorted(
                        (name, value) for name, value in sample.labels.items() if name != "service"
                    )
                    found[sample.name, tuple(value for _, value in labels)] = sample.value
        return found

    def open(self, service: str, number: int = 1) -> None:
        """Waits until so many requests are with the canary."""
        series = f'weir_requests_in_flight{{backend="canary",service="{service}"}}'
        self.until(lambda: self.pair.metric(series) == number, f"{number} on the canary of {service}")

    def overdue(self, service: str) -> None:
        self.until(lambda: self.view(service)["overdue"]["canary"] == 1, "one is overdue")

    def until(self, done: Callable[[], bool], what: str) -> None:
        wait_until(done, what, PATIENCE)

    def learn_thresholds(self) -> None:
        """Waits until the worker knows what is overdue: a hung request of a client that stays tells."""
        client = self.pair.client()
        for _ in range(120):
            client.send(self.pair.request("GET", "/main/warm")[0])
            assert client.answer().status == 200

        def known() -> bool:
            hung = self.ask("GET", "/main/leaves")
            try:
                wait_until(lambda: self.view("main")["overdue"]["canary"] == 1, "it is overdue", 1.5)
            except DeadlineExceeded:
                return False
            finally:
                hung.close()
            return True

        self.until(known, "the thresholds are known")
        self.open("main", 0)


def path(row: Row) -> str:
    return f"/{SERVICES.get(row.name, 'main')}/{row.name}"


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory, deaf: socket.socket) -> Iterator[Walk]:
    words = {
        "UP": '"http://127.0.0.1:{stable}"',
        "IT": '"http://127.0.0.1:{canary}"',
        "OFF": f'"http://127.0.0.1:{free_ports([0])[0]}"',
        "FORCE": "force: {header: X-To}",
    }
    settings = re.sub(r"  (\w+): {PATH", r"  \1: {match: {path: /\1}", SETTINGS)
    for word, text in words.items():
        settings = re.sub(rf"\b{word}\b", text, settings)
    with running(tmp_path_factory.mktemp("endings"), settings, deaf) as pair:
        walk = Walk(pair)
        walk.learn_thresholds()
        yield walk


@pytest.fixture
def walk(started: Walk) -> Iterator[Walk]:
    started.begin()
    yield started
    started.pair.fresh()


# What is done for a row beside sending its request and reading the answer.


def leaves(walk: Walk, row: Row) -> None:
    client = walk.send(row)
    walk.open("main")
    client.close()


def gives_up(walk: Walk, row: Row) -> None:
    client = walk.send(row)
    walk.overdue("main")
    client.close()


def gives_up_rescue(walk: Walk, row: Row) -> None:
    client = walk.send(row)
    series = 'weir_requests_in_flight{backend="stable",service="main"}'
    walk.until(lambda: walk.pair.metric(series) == 1, "stable is asked")
    client.close()


def leaves_within(walk: Walk, row: Row) -> None:
    client = walk.send(row)
    assert client.head().status == 200
    client.close()


def slow_body(walk: Walk, row: Row) -> None:
    assert walk.send(row, b"Content-Length: 10\r\n", b"abc").answer().status == 408


def too_large(walk: Walk, row: Row) -> None:
    body = b"800\r\n" + b"x" * 0x800 + b"\r\n"
    assert walk.send(row, b"Transfer-Encoding: chunked\r\n", body).answer().status == 413


def tunnel(walk: Walk, row: Row) -> None:
    client = walk.send(row, UPGRADE)
    assert client.answer().status == 101
    client.finish()


def halted(walk: Walk, row: Row) -> None:
    service = SERVICES[row.name]
    client = walk.send(row, UPGRADE if service == "tunnel" else b"")
    if row.attempts[0].begun:
        assert client.head().status == row.attempts[0].status
    walk.open(service)
    walk.pair.running.admin.order(service, "abort")
    if len(row.attempts) > 1:
        assert client.answer().status == 200


SCENES: dict[str, Callable[[Walk, Row], None]] = {
    "leaves": leaves,
    "gives-up": gives_up,
    "gives-up-rescue": gives_up_rescue,
    "leaves-within": leaves_within,
    "slow-body": slow_body,
    "too-large": too_large,
    "tunnel": tunnel,
    "halt-rescued": halted,
    "halt-unsent": halted,
    "halt-cut": halted,
    "halt-tunnel": halted,
}


def prepare(walk: Walk, row: Row) -> None:
    """Does what has to be before the row is counted."""
    if row.name == "diverted":
        assert walk.ask("POST", "/out/first").answer().status == 200
        walk.until(
            lambda: walk.counters("out")["weir_attempts_total", ("canary", "failure")] == 1, "it is ejected"
        )
    elif row.name == "no-endpoint":
        walk.until(lambda: walk.view("dead")["outage"] is not None, "stable is dead")
    elif row.name == "stale":
        series = "weir_requests_total", ("canary", "200", "GET")
        before = walk.counters("main").get(series, 0)
        assert walk.ask("GET", "/main/ok").answer().status == 200  # its connection is kept
        walk.until(lambda: walk.counters("main").get(series, 0) == before + 1, "it is counted")


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_a_row(walk: Walk, row: Row) -> None:
    service = SERVICES.get(row.name, "main")
    prepare(walk, row)
    before = walk.counters(service)
    scene = SCENES.get(row.name)
    if scene:
        scene(walk, row)
    else:
        client = walk.send(row)
        cut = row.attempts and row.attempts[-1].begun and row.attempts[-1].ending != "complete"
        answer = client.head() if cut else client.answer()
        assert answer.status == (row.attempts[-1].status if row.attempts else row.status)
    expected = counted(row, service)

    def rise() -> dict[Series, int]:
        after = walk.counters(service)
        return {
            series: int(value - before.get(series, 0))
            for series, value in after.items()
            if value > before.get(series, 0)
        }

    try:
        walk.until(lambda: rise() == expected, "it is counted")
    except DeadlineExceeded:
        assert rise() == expected
    line = log_line(walk.pair, path(row))
    assert {name: line[name] for name in logged(row)} == logged(row)
    if row.attempts and row.attempts[-1].ending != "refused" and row.attempts[-1].sent:
        assert line["endpoint"].endswith(line["address"])


def test_clients_that_gave_up_waiting_are_told_as_harm(walk: Walk) -> None:
    before = walk.view("main")["blast_radius"]
    client = walk.ask("POST", "/main/gives-up")
    walk.overdue("main")
    client.close()
    walk.until(lambda: walk.view("main")["blast_radius"]["gave_up"] > before["gave_up"], "it is harm")
    after = walk.view("main")["blast_radius"]
    assert after["harmed"] == before["harmed"] + 1
    assert walk.view("main")["window"]["canary"]["error_rate"] > 0
    text = walk.pair.running.admin.explain("main")
    assert "gave up waiting" in text
    assert "no bad answer reached a client" not in text


def log_line(pair: Pair, target: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = []

    def logged_now() -> bool:
        lines = (json.loads(line) for line in pair.running.log().splitlines() if line.startswith("{"))
        found[:] = [line for line in lines if line.get("target") == target]
        return bool(found)

    wait_until(logged_now, f"{target} is in the access log", PATIENCE)
    return found[-1]


def test_every_scene_is_a_row() -> None:
    names = {row.name for row in ROWS}
    assert SCENES.keys() | SERVICES.keys() <= names
