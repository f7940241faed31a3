"""A backend is out: who waits for it, and who was to be sent to it."""

from collections.abc import Callable

import pytest

from proxy.forwarding.halt import HaltedBackend
from proxy.routing.endpoint import Endpoint
from proxy.routing.failures import Rescue
from proxy.routing.table import Backend, Service
from tests.kits.stage import Stage, Trip

CANARY = "http://canary:9002"
STABLE = "http://stable:9001"
GET = b"GET /a HTTP/1.1\r\nHost: shop\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\n\r\nhello"
PUT = POST.replace(b"POST", b"PUT")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


# Who waits for a head.


@pytest.mark.parametrize("request_", [GET, PUT, GET.replace(b"GET", b"DELETE")])
def test_all_who_wait_are_answered_by_stable_at_once(
    tripping: Callable[..., tuple[Stage, Trip]], request_: bytes
) -> None:
    stage, trip = tripping()
    clients = [stage.client() for _ in range(3)]
    for client in clients:
        client.sends(request_)
    first = [stage.connects() for _ in clients]
    trip.halts()
    assert stage.dialled() == [STABLE] * 3
    assert [one.end for one in first] == ["abort"] * 3
    asked = first[0].got()
    for server in [stage.connects() for _ in clients]:
        assert server.got() == asked
        server.sends(OK)
    assert [client.got() for client in clients] == [OK] * 3
    assert stage.outcomes() == [("halted", 0, "excluded")] * 3 + [("complete", 200, "success")] * 3
    assert stage.failures == [], "nobody knows what the canary would have answered"
    entry = trip.counts()[7, "canary"]
    assert (entry.drawn, entry.rescued, entry.harmed) == ({"excluded": 3}, 3, 0)
    client.sends(GET)
    assert server.got().startswith(b"GET /a"), "it is no longer chosen"


def test_who_may_not_be_sent_twice_waits_on_and_gets_the_canary_s_answer(
    tripping: Callable[..., tuple[Stage, Trip]],
) -> None:
    for request_, more in ((POST, {}), (GET, {"rescue": Rescue(on=False)})):
        stage, trip = tripping(**more)
        client = stage.client()
        client.sends(request_)
        server = stage.connects()
        trip.halts()
        assert (stage.dialled(), client.got(), server.end) == ([], b"", "")
        server.sends(OK)
        assert client.got() == OK
        assert stage.outcomes() == [("complete", 200, "success")]


def test_an_upload_that_is_kept_goes_on_at_stable(tripping: Callable[..., tuple[Stage, Trip]]) -> None:
    stage, trip = tripping()
    client = stage.client()
    client.sends(PUT[:-2])
    stage.connects()
    trip.halts()
    second = stage.connects()
    client.sends(b"lo")
    assert second.got().endswith(b"\r\n\r\nhello")
    second.sends(OK)
    assert client.got() == OK
    stage.outcomes()


def test_who_has_seen_an_interim_answer_waits_on(tripping: Callable[..., tuple[Stage, Trip]]) -> None:
    stage, trip = tripping()
    client = stage.client()
    client.sends(GET)
    server = stage.connects()
    server.sends(b"HTTP/1.1 103 Hi\r\n\r\n")
    trip.halts()
    assert (stage.dialled(), server.end) == ([], "")


def test_rescues_at_a_trip_are_paid_for(tripping: Callable[..., tuple[Stage, Trip]]) -> None:
    stage, trip = tripping()
    clients = [stage.client() for _ in range(60)]
    for client in clients:
        client.sends(GET)
    servers = [stage.connects() for _ in clients]
    trip.halts()
    assert stage.dialled() == [STABLE] * 50
    assert sum(server.end == "" for server in servers) == 10, "the others wait on"


@pytest.mark.parametrize(
    "other", [("other", "canary", CANARY), ("shop", "another", CANARY), ("shop", "canary", STABLE)]
)
def test_a_trip_of_another_service_backend_or_release_is_none_of_theirs(
    tripping: Callable[..., tuple[Stage, Trip]], other: tuple[str, ...]
) -> None:
    stage, _ = tripping()
    client = stage.client()
    client.sends(GET)
    server = stage.connects()
    halted = HaltedBackend(*other[:2], frozenset({Endpoint.parse(other[2])}))
    for drained in (False, True):
        for member in stage.members:
            assert not member.halted(halted, drained=drained)
    assert (stage.dialled(), server.end) == ([], "")


def test_what_was_rescued_before_is_left_alone(tripping: Callable[..., tuple[Stage, Trip]]) -> None:
    stage, trip = tripping()
    client = stage.client()
    client.sends(GET)
    stage.connects().resets()
    server = stage.connects()
    trip.halts()
    trip.rings()
    assert (stage.dialled(), server.end, client.end) == ([], "", "")
    server.sends(OK)
    assert client.got() == OK


# Who isn't sent yet.


@pytest.mark.parametrize("rescue", [Rescue(), Rescue(on=False)])
@pytest.mark.parametrize("request_", [GET, PUT, POST, POST[:-5]])
def test_what_was_not_sent_yet_goes_to_stable_and_costs_nothing(
    tripping: Callable[..., tuple[Stage, Trip]], request_: bytes, rescue: Rescue
) -> None:
    stage, trip = tripping(rescue=rescue)
    client = stage.client()
    client.sends(request_)
    trip.halts()
    assert (stage.dialled(), stage.pending(CANARY), stage.pending()) == ([CANARY, STABLE], 0, 1)
    late = stage.connects()
    assert (late.got(), stage.idle(CANARY)) == (b"", 1)
    second = stage.connects()
    client.sends(POST[-5:] if request_ == POST[:-5] else b"")
    assert second.got().endswith(b"hello" if request_ != GET else b"\r\n\r\n")
    second.sends(OK)
    assert client.got() == OK
    assert stage.outcomes() == [("halted", 0, "excluded"), ("complete", 200, "success")]
    assert stage.plane.accounts.budgets == {}
    assert trip.counts()[7, "canary"].rescued == 0, "nobody had failed it"


def test_the_first_dial_may_fail_after_all(tripping: Callable[..., tuple[Stage, Trip]]) -> None:
    stage, trip = tripping()
    client = stage.client()
    client.sends(GET)
    trip.halts()
    stage.refuses()
    assert (client.got(), stage.dialled()) == (b"", [STABLE])
    stage.connects().sends(OK)
    assert client.got() == OK
    assert stage.outcomes() == [("halted", 0, "excluded"), ("complete", 200, "success")]


def test_a_stale_connection_is_not_made_good_at_a_halted_backend(
    tripping: Callable[..., tuple[Stage, Trip]],
) -> None:
    stage, trip = tripping()
    client = stage.client()
    client.sends(GET)
    server = stage.connects()
    server.sends(OK)
    client.got(), stage.outcomes()
    client.sends(GET)
    trip.turns_out()
    server.resets()
    assert stage.dialled() == [STABLE]
    stage.connects().sends(OK)
    assert client.got() == OK


def test_a_stale_connection_to_it_is_made_good_by_nobody_where_stable_may_not_be_asked(
    tripping: Callable[..., tuple[Stage, Trip]],
) -> None:
    stage, trip = tripping(rescue=Rescue(on=False))
    client = stage.client()
    client.sends(GET)
    server = stage.connects()
    server.sends(OK)
    client.got(), stage.outcomes()
    client.sends(GET)
    trip.halts()
    server.resets()
    assert (client.got()[:13], stage.dialled()) == (b"HTTP/1.1 502 ", [])
    assert stage.outcomes() == [("reset", 502, "failure")]


def test_a_stale_connection_to_what_was_promoted_since_is_made_good(
    tripping: Callable[..., tuple[Stage, Trip]], service: Callable[..., Service]
) -> None:
    stage, _ = tripping(rescue=Rescue(on=False))
    client = stage.client()
    client.sends(GET)
    server = stage.connects()
    server.sends(OK)
    client.got(), stage.outcomes()
    client.sends(GET)
    backends = (Backend("stable", (Endpoint.parse(CANARY),)), Backend("canary", (Endpoint.parse(STABLE),)))
    later = service(revision=9, backends=backends, halted=frozenset({"canary"}))
    stage.plane.table = stage.plane.table.replace(9, [later])
    server.resets()
    assert stage.dialled() == [CANARY]
