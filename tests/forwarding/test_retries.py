"""The table of what is tried again, as the reference has it: each row is played."""

from collections.abc import Callable

import pytest

from docs.generator.retries import BROKEN, SITUATIONS, THERE, Situation
from proxy.routing.endpoint import Endpoint
from proxy.routing.split import STABLE
from proxy.routing.table import Backend
from tests.kits.located import address
from tests.kits.stage import Stage, Trip, service
from tests.kits.transports import Client, Server

BACKENDS = tuple(
    Backend(name, tuple(Endpoint.parse(f"http://{name}-{number}:9001") for number in (1, 2)))
    for name in ("stable", "canary")
)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BAD = b"HTTP/1.1 %d Bad\r\nContent-Length: 3\r\n\r\nbad"
BODY = b"Content-Length: 4\r\n\r\nbody"

METHODS = {
    "any": ("GET", "PUT", "POST", "TRACE", "PURGE"),
    "repeatable": ("GET", "HEAD", "OPTIONS", "PUT", "DELETE"),
    "repeatable with a body": ("PUT",),
    "not repeatable": ("POST", "PATCH", "PURGE"),
    "GET, HEAD, OPTIONS": ("GET", "HEAD", "OPTIONS"),
    "GET, HEAD, OPTIONS, TRACE, PUT, DELETE; without a body": ("GET", "HEAD", "OPTIONS", "TRACE", "PUT"),
    "GET, HEAD, OPTIONS, PUT, DELETE; without a body": ("GET", "HEAD", "OPTIONS", "PUT", "DELETE"),
}


class Play:
    """One request and its first attempt, at a backend with two addresses."""

    def __init__(self, backend: str, method: str, *, body: bool) -> None:
        self.stage = Stage(service(weight=10_000 if backend == "canary" else 0, backends=BACKENDS))
        self.stage.plane.draw = lambda: 0  # of two idle addresses always the same
        self.client = self.stage.client()
        self.backend = backend
        self.request = f"{method} /a HTTP/1.1\r\nHost: shop\r\n".encode() + (BODY if body else b"\r\n")

    def sends(self) -> str:
        """Send the request; return the URL that is dialled for it."""
        self.client.sends(self.request)
        [url] = self.stage.dialled()
        return url

    def sent(self) -> tuple[str, Server]:
        url = self.sends()
        return url, self.stage.connects()

    def kept(self) -> tuple[str, Server]:
        """Send the request on a connection that was kept."""
        other = self.stage.client()
        other.sends(b"GET /a HTTP/1.1\r\nHost: shop\r\n\r\n")
        [url] = self.stage.dialled()
        server = self.stage.connects()
        server.sends(OK)
        self.stage.outcomes()
        self.client.sends(self.request)
        return url, server


Plays = Callable[[Play], str]


def refused(play: Play) -> str:
    url = play.sends()
    play.stage.refuses()
    return url


def none_takes(play: Play) -> str:
    url = refused(play)
    play.stage.refuses()
    return url


def stale(play: Play) -> str:
    url, server = play.kept()
    server.resets()
    return url


def reset(play: Play) -> str:
    url, server = play.sent()
    server.resets()
    return url


def silent(play: Play) -> str:
    url, _ = play.sent()
    play.stage.passes(61)
    return url


def says(answer: bytes) -> Plays:
    def play_(play: Play) -> str:
        url, server = play.sent()
        server.sends(answer)
        return url

    return play_


def broken(play: Play) -> str:
    url, server = play.sent()
    server.sends(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nsome")
    server.resets()
    return url


def halted_waiting(play: Play) -> str:
    url = play.sends()
    Trip(play.stage, 10.0).halts()
    play.stage.plane.dialler.calls.popleft()
    return url


def halted_sent(play: Play) -> str:
    url, _ = play.sent()
    Trip(play.stage, 10.0).halts()
    return url


PLAYS: dict[str, tuple[Plays, ...]] = {
    "refused": (refused,),
    "none-of-canary": (none_takes,),
    "none-of-stable": (none_takes,),
    "stale-stable": (stale,),
    "stale-canary": (stale,),
    "stale-body": (stale,),
    "stale-post": (stale,),
    "reset-canary": (reset,),
    "reset-stable": (reset,),
    "silent": (silent,),
    "garbage": (says(b"garbage\r\n\r\n"),),
    "bad-gateway": tuple(says(BAD % status) for status in (502, 503, 504)),
    "error": (says(BAD % 500),),
    "failed-post": (reset, silent, says(b"garbage\r\n\r\n"), says(BAD % 500), says(BAD % 503)),
    "failed-stable": (silent, says(b"garbage\r\n\r\n"), says(BAD % 500), says(BAD % 503)),
    "broken": (broken,),
    "halted-waiting": (halted_waiting,),
    "halted-sent": (halted_sent,),
}
BODIES = {"stale-body": (True,), "stale-post": (False, True), "none-of-canary": (False, True)}
"""Whether with a body; without one where nothing is said."""


def cases() -> list[tuple[Situation, Plays, str, str, bool]]:
    return [
        (each, play, backend, method, body)
        for each in SITUATIONS
        for play in PLAYS[each.name]
        for backend in (("stable", "canary") if each.backend == "either" else (each.backend,))
        for method in METHODS[each.methods]
        for body in (
            (True,) if each.name == "stale-body" else (False, True) if each.name in BODIES else (False,)
        )
        if not (body and method in ("GET", "HEAD", "TRACE", "OPTIONS"))
    ]


def went(stage: Stage, first: str, backend: str) -> str:
    """Where the request is tried again."""
    found = stage.dialled()
    if not found:
        return "nowhere"
    [url] = found
    if url == first:
        return "the same address, on a new connection"
    own = url.startswith(f"http://{backend}-")
    if own and backend == STABLE:
        return "another address of stable"
    return "another address of the backend" if own else "stable"


def charged(stage: Stage, backend: str) -> str:
    """Who the failure is held against."""
    if any(one.result == "failure" and one.key[2] == backend for one in stage.tally.outcomes):
        return "the version"
    urls = [f"http://{backend}-{number}:9001" for number in (1, 2)]
    held = any(stage.plane.pool.shelf(address(url)).record for url in urls)
    return "the address" if held else "nobody"


@pytest.mark.parametrize(
    ("row", "play", "backend", "method", "body"),
    cases(),
    ids=lambda value: value.name if isinstance(value, Situation) else str(value)[:12],
)
def test_each_row_of_the_table_is_what_happens(
    row: Situation, play: Plays, backend: str, method: str, body: bool
) -> None:
    stage_of = Play(backend, method, body=body)
    first = play(stage_of)
    stage = stage_of.stage
    again = went(stage, first, backend)
    expected = row.again
    if row.name == "refused" and backend == STABLE:
        expected = "another address of stable"
    assert again == expected
    client: Client = stage_of.client
    if again != "nowhere":
        assert row.client == THERE
        server = stage.connects()
        assert server.got().startswith(method.encode())
        server.sends(OK if method != "HEAD" else OK[:-2])
        assert client.got().startswith(b"HTTP/1.1 200 ")
    elif row.client == BROKEN:
        assert client.was_reset
    else:
        status = client.got().split(b" ")[1].decode()
        assert status in row.client or row.client.endswith("or the answer")
    assert charged(stage, backend) == row.charged
    stage.outcomes()
