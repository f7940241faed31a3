"""Endpoints that fail are left alone and tried again, as clients and endpoints see it."""

from collections.abc import Callable

import pytest

from proxy.health.ejection import EjectionRecord
from proxy.routing.endpoint import Endpoint
from proxy.routing.failures import Ejection
from proxy.routing.match import RouteMatch
from proxy.routing.table import Backend, Service
from tests.kits.located import address
from tests.kits.stage import Stage
from tests.kits.transports import Client

RULE = Ejection(failures=2, backoff=10, longest=300)
GET = b"GET /a HTTP/1.1\r\nHost: shop\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: shop\r\nContent-Length: 0\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BUSY = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
STABLE, CANARY = "http://stable:9001", "http://canary:9002"


@pytest.fixture
def canary(staged: type[Stage], service: Callable[..., Service]) -> Stage:
    """A stage with all its weight on the canary."""
    return staged(service(weight=10_000, ejection=RULE))


@pytest.fixture
def pair(staged: type[Stage], service: Callable[..., Service]) -> Stage:
    """A stage whose stable has two endpoints, of which the first is always the first that is drawn."""
    stage = staged(service(endpoints=("http://one:1", "http://two:2"), ejection=RULE))
    stage.plane.draw = lambda: 0
    return stage


def alive(stage: Stage, url: str) -> bool:
    return stage.plane.pool.alive(address(url))


def record(stage: Stage, url: str) -> EjectionRecord | None:
    return stage.plane.pool.shelf(address(url)).record


def fail(stage: Stage, times: int = 1, request: bytes = POST) -> None:
    """So many requests whose endpoint gives no answer."""
    for _ in range(times):
        client = stage.client()
        client.sends(request)
        stage.connects().resets()


def answer(stage: Stage, said: bytes = OK, request: bytes = GET) -> tuple[str, Client]:
    """One request on a fresh connection to its endpoint, which says this."""
    client = stage.client()
    client.sends(request)
    [url] = stage.dialled()
    server = stage.connects()
    server.sends(said)
    server.closes()
    return url, client


def ejections(stage: Stage) -> dict[str, int]:
    return {key[2]: counts.ejections for key, counts in stage.tally.everything().items() if counts.ejections}


def test_a_canary_that_fails_in_a_row_is_left_alone_and_what_is_meant_for_it_is_counted(
    canary: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    fail(canary)
    assert (alive(canary, CANARY), ejections(canary)) == (True, {})
    fail(canary)
    assert (alive(canary, CANARY), ejections(canary)) == (False, {"canary": 1})
    said = f"{CANARY} (192.0.2.9) of shop: ejected for 10 s after 2 failures in a row, the last one: reset"
    assert said in caplog.text
    url, client = answer(canary)
    assert (url, client.got()) == (STABLE, OK)
    counts = canary.tally.everything()["shop", 7, "canary"]
    assert (counts.diverted, counts.failures) == (1, 2)


def test_a_healthy_endpoint_has_no_record(canary: Stage) -> None:
    answer(canary)
    assert record(canary, CANARY) is None
    fail(canary)
    assert record(canary, CANARY).row == 1
    answer(canary)
    assert record(canary, CANARY) is None


def test_what_is_passed_on_to_stable_is_held_against_who_failed(canary: Stage) -> None:
    for _ in range(2):
        client = canary.client()
        client.sends(GET)
        canary.connects().sends(BUSY)
        canary.connects().sends(OK)
        assert client.got() == OK
    assert (alive(canary, CANARY), record(canary, STABLE)) == (False, None)
    assert ejections(canary) == {"canary": 1}
    assert (canary.pending(STABLE), canary.pending(CANARY)) == (0, 0)


@pytest.mark.parametrize(
    ("said", "left"),
    [
        (BUSY, True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", True),
        (b"garbage\r\n\r\n", True),
        (b"", True),
        (b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", False),
    ],
)
def test_an_endpoint_that_gives_no_answer_of_its_own_is_left_alone(
    canary: Stage, said: bytes, left: bool
) -> None:
    for _ in range(2):
        answer(canary, said, POST)
    assert alive(canary, CANARY) is not left


def test_one_that_is_silent_for_too_long_is_left_alone(canary: Stage) -> None:
    for _ in range(2):
        canary.client().sends(POST)
        canary.connects()
        canary.passes(61)
    assert not alive(canary, CANARY)


def test_clients_that_leave_say_nothing(canary: Stage) -> None:
    for _ in range(3):
        client = canary.client()
        client.sends(GET)
        canary.connects()
        client.resets()
    assert record(canary, CANARY) is None


def test_it_is_tried_with_one_request_and_is_back(pair: Stage) -> None:
    fail(pair, 2)
    assert not alive(pair, "http://one:1")
    assert answer(pair)[0] == "http://two:2"
    pair.passes(11)
    client, other = pair.client(), pair.client()
    client.sends(GET)
    other.sends(GET)
    assert pair.dialled() == ["http://one:1", "http://two:2"], "one request at a time"
    server = pair.connects()
    server.sends(OK)
    assert (client.got(), alive(pair, "http://one:1"), record(pair, "http://one:1")) == (OK, True, None)


def test_a_trial_that_fails_doubles_the_back_off(pair: Stage) -> None:
    fail(pair, 2)
    pair.passes(11)
    fail(pair)
    pair.passes(19)
    assert answer(pair)[0] == "http://two:2"
    pair.passes(2)
    assert answer(pair)[0] == "http://one:1"
    assert ejections(pair) == {"stable": 2}


def test_a_trial_whose_client_leaves_is_no_trial(pair: Stage) -> None:
    fail(pair, 2)
    pair.passes(11)
    client = pair.client()
    client.sends(GET)
    pair.connects()
    client.resets()
    assert alive(pair, "http://one:1")
    assert answer(pair)[0] == "http://one:1"


def test_an_answer_without_end_or_a_tunnel_need_not_end_to_pass(pair: Stage) -> None:
    fail(pair, 2)
    pair.passes(11)
    client = pair.client()
    client.sends(GET)
    server = pair.connects()
    pair.passes(0.1)
    assert not alive(pair, "http://one:1")
    server.sends(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    pair.passes(0.1)
    assert alive(pair, "http://one:1")


def test_while_all_endpoints_of_stable_are_ejected_they_are_tried_all_the_same(
    staged: type[Stage], service: Callable[..., Service]
) -> None:
    stage = staged(service(ejection=RULE))
    fail(stage, 5)
    assert not alive(stage, STABLE)
    assert ejections(stage) == {"stable": 1}, "what fails meanwhile is no reason to wait longer"
    url, client = answer(stage)
    assert (url, client.got()) == (STABLE, OK)
    stage.passes(11)
    assert answer(stage)[0] == STABLE
    assert record(stage, STABLE) is None


def test_where_it_is_off_nobody_is_left_alone(stage: Stage) -> None:
    fail(stage, 20)
    assert record(stage, STABLE) is None


def test_two_services_share_what_they_know_of_an_endpoint(
    staged: type[Stage], service: Callable[..., Service]
) -> None:
    both = Backend("stable", (Endpoint.parse(STABLE), Endpoint.parse("http://two:2")))
    backends = (both, service().backends[1])
    one = service("a", backends=backends, ejection=RULE)
    other = service("b", backends=backends, ejection=RULE, match=RouteMatch("b"))
    stage = staged(one, other)
    stage.plane.draw = lambda: 0
    fail(stage, 1)
    fail(stage, 1, POST.replace(b"shop", b"b"))
    assert not alive(stage, STABLE)
    assert {key[0]: counts.ejections for key, counts in stage.tally.everything().items()} == {"a": 0, "b": 1}
