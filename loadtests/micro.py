"""What do the single steps of a request cost? Nanoseconds a call, so that a slip is seen before it is felt.

    python loadtests/micro.py [--repeats 9] [--only choose] [--json FILE]

Of each step the best of several repeats, which are interleaved, so that a slow second of the machine hits all
of them. A line that stands beside another says how much more or how many times as much it costs. "One
exchange" is all of ours from the bytes of a request to the tally, between two transports that take what is
written and do nothing: what is missing of a proxied request are the event loop and the kernel.
"""

import argparse
import itertools
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter_ns
from typing import Any

from rig.machine import machine
from rig.quiet import Pair

from proxy.http1 import parser, serializer
from proxy.http1.head import RequestHead
from proxy.http1.head_cache import Heads
from proxy.http1.limits import DEFAULT
from proxy.routing.endpoint import Endpoint
from proxy.routing.match import Condition, RouteMatch
from proxy.routing.segment import Segment
from proxy.routing.split import Split
from proxy.routing.sticky import Sticky
from proxy.routing.table import Backend, RoutingTable, Service
from proxy.telemetry.outcome import Outcome
from proxy.telemetry.tally import Tally

BATCH_NS = 5_000_000
"""How long the calls of one repeat take together, about."""
MANY = 1_000
"""Services."""
SEGMENTS = 20
HOST = "shop500.example"

BROWSER = (
    b"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n"
    b"Accept-Encoding: gzip, deflate, br\r\nAccept-Language: de,en-US;q=0.7,en;q=0.3\r\n"
    b"Cache-Control: no-cache\r\nCookie: session=4f1c9d2e7a6b; theme=dark; lang=de\r\nPragma: no-cache\r\n"
    b"Referer: https://shop500.example/cart\r\nSec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\n"
    b"Sec-Fetch-Site: same-origin\r\n"
    b"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
)
"""With Host, twelve fields."""
REQUEST = b"GET /api500/items?page=3 HTTP/1.1\r\nHost: shop500.example\r\n" + BROWSER + b"\r\n"
ANSWER_HEAD = (
    b"HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\nContent-Type: text/html\r\n"
    b'Content-Length: 1024\r\nConnection: keep-alive\r\nETag: "65a1"\r\nX-Version: v1\r\n\r\n'
)
BODY = b"x" * 1024
OURS = b"X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\nVia: 1.1 weir\r\n"

Call = Callable[[], object]


@dataclass(slots=True)
class Step:
    """One line of the table; `beside` names the one that it is compared with."""

    name: str
    call: Call
    beside: str = ""
    best: float = float("inf")
    """Nanoseconds a call."""
    calls: int = 1
    """In one repeat."""


class Everybody:
    """An idle pool whose endpoints are all alive."""

    def alive(self, endpoint: Endpoint) -> bool:
        """Yes."""
        return True

    def pending(self, endpoint: Endpoint) -> int:
        """None."""
        return 0


# Choosing.


def service(number: int = 500, *, host: str = "", path: str = "/", **more: Any) -> Service:
    """A service with a canary at 10 %."""
    backends = tuple(
        Backend(name, (Endpoint.parse(f"http://127.0.0.1:{port}"),))
        for name, port in (("stable", 9001), ("canary", 9002))
    )
    values = {"split": Split((("canary", 1_000),)), **more}
    return Service(f"shop{number}", 1, RouteMatch(host, path), backends, **values)


def hosts_and_paths(number: int) -> Service:
    """One of many: a third has a host, a third a path below one host, a third both."""
    host = "shop500.example" if number % 3 == 1 else f"shop{number}.example"
    return service(number, host=host, path="/" if number % 3 == 0 else f"/api{number}")


def segments(kind: str) -> tuple[Segment, ...]:
    """As many as are measured, over three fields of the request; none matches it."""
    wanted = {"exact": "beta{}", "prefix": "beta{}-", "regex": "beta{}-[0-9]+"}[kind]
    fields = (("header", "user-agent"), ("cookie", "session"), ("query", "page"))
    return tuple(
        Segment(f"s{n}", "canary", (Condition(*fields[n % 3], kind, (wanted.format(n),)),))  # type: ignore[arg-type]
        for n in range(SEGMENTS)
    )


def choosing() -> Iterator[Step]:
    """Choose under tables of several kinds."""
    head = parser.read_request(REQUEST)
    live, draw = Everybody(), 0x1234_5678_9ABC_DEF0_1234_5678_9ABC_DEF0

    def step(
        name: str, *services: Service, beside: str = "choose, 1 service", asked: RequestHead = head
    ) -> Step:
        table = RoutingTable.build(1, services)
        chosen = table.choose(asked, "192.0.2.7", draw, live)
        assert chosen is not None, name
        assert not chosen.pinned, name
        return Step(name, partial(table.choose, asked, "192.0.2.7", draw, live), beside)

    def many(name: str, make: Callable[[int], Service]) -> Step:
        return step(f"choose, {MANY} services {name}", *map(make, range(MANY)))

    yield step("choose, 1 service", service(), beside="")
    yield step("choose, 1 service with host and path", service(host=HOST, path="/api500"))
    yield many("by host", lambda n: service(n, host=f"shop{n}.example"))
    yield many("by path", lambda n: service(n, path=f"/api{n}"))
    yield many("by suffix", lambda n: service(n, host="*.example" if n == 500 else f"*.shop{n}.example"))
    yield many("by host and path", hosts_and_paths)
    for kind in ("exact", "prefix", "regex"):
        yield step(f"choose, {SEGMENTS} {kind} segments, none matches", service(segments=segments(kind)))
    for source in ("cookie", "header", "client-ip"):
        name = {"cookie": "session", "header": "user-agent", "client-ip": ""}[source]
        yield step(f"choose, sticky by {source}", service(sticky=Sticky(source, name, salt="s")))  # type: ignore[arg-type]


# Heads.


def heads() -> Iterator[Step]:
    """Look up heads that were met before, read others, and write them."""
    unlike = (b"%08x" % number for number in itertools.count())

    def unique(read: Callable[[bytes], object], block: bytes) -> Call:
        before, after = block[:-2] + b"X-Request-Id: ", b"\r\n\r\n"
        return lambda: read(before + next(unlike) + after)

    request, response = parser.read_request(REQUEST), parser.read_response(ANSWER_HEAD)

    def fresh(block: bytes) -> bytes:
        return bytes(memoryview(block))  # bytes remember their hash, and a request's are new

    known = Heads(DEFAULT)
    for _ in range(2):  # at the first time only that it was met is kept
        known.request(REQUEST)
        known.response(ANSWER_HEAD)
    yield Step("look up a request's head", lambda: known.requests.get(fresh(REQUEST)))
    yield Step("read a request's head, never met", unique(known.request, REQUEST))
    yield Step("look up an answer's head", lambda: known.responses.get(fresh(ANSWER_HEAD)))
    yield Step("read an answer's head, never met", unique(known.response, ANSWER_HEAD))
    asked = partial(serializer.request_head, request, b"shop500.example", 0, OURS)
    yield Step("write a request's head", asked)
    yield Step("write an answer's head", partial(serializer.response_head, response, 1024, b""))


# Counting.


def counting() -> Iterator[Step]:
    """Count an outcome; and copy what was counted, which a report does every 250 ms."""
    tally, key = Tally("boot"), ("shop500", 1, "stable")
    good = Outcome(key, "GET", 200, "complete", "success", True, 0.0021, 0.0023)

    def one(outcome: Outcome) -> None:
        tally.begin(key)
        tally.add(outcome)

    judged = Outcome(
        key, "GET", 200, "complete", "success", True, 0.0021, 0.0023, thresholds=(0.002, 0.01, 0.05)
    )
    bad = Outcome(key, "GET", 500, "complete", "failure", True, 0.0021, 0.0023, route=b"/api500/items")
    yield Step("tally: begin and add", partial(one, good))
    yield Step("tally: begin and add, with thresholds", partial(one, judged), "tally: begin and add")
    yield Step("tally: begin and add, a failure", partial(one, bad), "tally: begin and add")


# One whole exchange.


def exchanges() -> Iterator[Step]:
    """One exchange on kept-alive connections."""
    alone = service(split=Split())
    pair, unlike = (
        Pair(alone, REQUEST, ANSWER_HEAD + BODY),
        (b"X-Request-Id: %08x\r\n\r\n" % number for number in itertools.count()),
    )

    def unique() -> None:
        line = next(unlike)
        pair.exchange(REQUEST[:-2] + line, ANSWER_HEAD[:-2] + line + BODY)

    pair.exchange(REQUEST, ANSWER_HEAD + BODY)
    assert pair.ended() == 2
    name = "one exchange, heads met before"
    yield Step(name, partial(pair.exchange, REQUEST, ANSWER_HEAD + BODY))
    yield Step("one exchange, heads never met", unique, name)


# Measuring.


def measure(steps: list[Step], repeats: int) -> None:
    """The best of these repeats for each, interleaved."""
    for step in steps:
        step.calls = max(1, int(BATCH_NS / max(1, _batch(step.call, 100) / 100)))
    for _ in range(repeats):
        for step in steps:
            step.best = min(step.best, _batch(step.call, step.calls) / step.calls)
    empty = min(_batch(_nothing, 20_000) / 20_000 for _ in range(repeats))
    for step in steps:
        step.best = max(0.0, step.best - empty)


def _batch(call: Call, calls: int) -> int:
    rounds = itertools.repeat(None, calls)
    began = perf_counter_ns()
    for _ in rounds:
        call()
    return perf_counter_ns() - began


def _nothing() -> None:
    """What a call alone costs."""


def line(step: Step, known: dict[str, float]) -> str:
    """One line of the table."""
    shown = f"{step.name:48} {step.best:9,.0f} ns"
    if step.beside in known:
        base = known[step.beside]
        shown += f"  {step.best / base:5.2f} x, {step.best - base:+7,.0f} ns beside '{step.beside}'"
    return shown


def main() -> int:
    """Measure all of it, or what is asked for."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--repeats", type=int, default=9)
    options.add_argument("--only", default="", help="steps whose name begins so")
    options.add_argument("--json", type=Path, help="a file to write the figures to")
    asked = options.parse_args()
    made = itertools.chain(choosing(), heads(), counting(), exchanges())
    steps = [step for step in made if step.name.startswith(asked.only)]
    measure(steps, asked.repeats)
    known = {step.name: step.best for step in steps}
    print(*(f"{name}: {value}" for name, value in machine().items()), sep="; ")
    print(f"the best of {asked.repeats} repeats:")
    for step in steps:
        print(line(step, known))
    if asked.json:
        written = {"machine": machine(), "repeats": asked.repeats, "nanoseconds": known}
        asked.json.write_text(json.dumps(written, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
