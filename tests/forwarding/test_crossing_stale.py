"""Pooled connections that had ended: made good once, where sending twice is as good as once."""

from typing import Any

import pytest

from tests.kits.stage import Stage

GET = b"GET /a HTTP/1.1\r\nHost: shop\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: shop\r\nContent-Length: 10\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
FORWARDED = b"GET /a HTTP/1.1\r\nHost: shop\r\nX-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\n"
FORWARDED += (
    b"X-Forwarded-Host: shop\r\nX-Forwarded-Port: 80\r\nX-Real-IP: 192.0.2.7\r\nX-Request-Id: w1-1\r\n\r\n"
)
INTERIM = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"


@pytest.mark.parametrize("end", ["closes", "resets"])
@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"DELETE"])
def test_a_stale_connection_is_made_good_once(stage: Stage, end: str, method: bytes) -> None:
    client = stage.client()
    server = stage.warm(client)
    client.sends(GET.replace(b"GET", method))
    getattr(server, end)()
    assert client.got() == b""
    assert stage.dialled() == ["http://stable:9001"]
    fresh = stage.connects()
    assert fresh.got() == FORWARDED.replace(b"GET", method)
    fresh.sends(b"HTTP/1.1 204 No Content\r\n\r\n")
    assert client.got() == b"HTTP/1.1 204 No Content\r\n\r\n"
    assert stage.outcomes() == [("complete", 204, "success")]
    assert stage.idle() == 1


def test_it_is_made_good_once_only(stage: Stage) -> None:
    client = stage.client()
    server = stage.warm(client)
    client.sends(GET)
    server.resets()
    stage.connects().resets()
    stage.failed(client, 502, "reset")


def test_another_idle_connection_is_not_tried_as_it_may_be_stale_too(stage: Stage) -> None:
    clients = stage.client(), stage.client()
    for client in clients:
        client.sends(GET)
    servers = stage.connects(), stage.connects()
    for server in servers:
        server.sends(OK)
    assert stage.idle() == 2
    clients[0].sends(GET)
    servers[1].resets()
    assert (stage.dialled(), stage.idle()) == (["http://stable:9001"], 1)


@pytest.mark.parametrize(
    "request_",
    [
        GET.replace(b"GET", b"POST"),
        POST + b"0123456789",
        POST.replace(b"POST", b"PUT") + b"0123456789",
        POST.replace(b"POST", b"GET") + b"0123456789",
    ],
)
def test_what_may_not_be_sent_twice_is_not(stage: Stage, request_: bytes) -> None:
    client = stage.client()
    server = stage.warm(client)
    client.sends(request_)
    server.resets()
    stage.failed(client, 502, "reset")
    assert stage.dialled() == []


@pytest.mark.parametrize("sent", [b"H", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"])
def test_once_the_endpoint_spoke_nothing_is_sent_again(stage: Stage, sent: bytes) -> None:
    client = stage.client()
    server = stage.warm(client)
    client.sends(GET)
    server.sends(sent)
    server.resets()
    stage.failed(client, 502, "reset")
    assert stage.dialled() == []


def test_an_interim_answer_is_speaking_too(stage: Stage) -> None:
    client = stage.client()
    server = stage.warm(client)
    client.sends(GET)
    server.sends(INTERIM)
    client.got()
    server.resets()
    stage.failed(client, 502, "reset")
    assert stage.dialled() == []


def test_an_earlier_interim_answer_does_not_count_for_the_next_request(stage: Stage) -> None:
    client = stage.client()
    server = stage.warm(client)
    client.sends(GET)
    server.sends(INTERIM + OK)
    client.sends(GET)
    server.resets()
    assert stage.dialled() == ["http://stable:9001"]


def test_the_client_leaves_while_it_is_made_good(stage: Stage) -> None:
    client = stage.client()
    server = stage.warm(client)
    client.sends(GET)
    server.resets()
    client.resets()
    assert stage.outcomes() == [("client-left", 0, "excluded")]
    stage.connects()
    assert stage.idle() == 1


# Connections on which something lies that the loop hasn't told of yet.


@pytest.mark.parametrize("arrived", [OK, b"x", None, ConnectionResetError()])
@pytest.mark.parametrize("method", [b"GET", b"POST"])
def test_a_connection_with_input_is_not_handed_out(stage: Stage, arrived: Any, method: bytes) -> None:
    client = stage.client()
    server = stage.warm(client)
    server.slips(arrived)
    client.sends(GET.replace(b"GET", method))
    assert (server.got(), server.end, stage.idle()) == (b"", "abort", 0)
    fresh = stage.connects()
    assert fresh.got() == FORWARDED.replace(b"GET", method)
    fresh.sends(OK)
    assert client.got() == OK
    assert stage.outcomes() == [("complete", 200, "success")]


def test_one_below_it_that_is_clean_is_taken(stage: Stage) -> None:
    clients = stage.client(), stage.client()
    for client in clients:
        client.sends(GET)
    servers = stage.connects(), stage.connects()
    for server in servers:
        server.sends(OK)
        server.got()
    servers[1].slips(OK)
    clients[0].sends(GET)
    assert (servers[0].got(), stage.dialled(), stage.idle()) == (FORWARDED, [], 0)


def test_a_connection_that_was_dialled_and_has_ended_already_is_no_stale_one(stage: Stage) -> None:
    client = stage.client()
    client.sends(GET)
    stage.connects().resets()
    stage.failed(client, 502, "reset")
    assert stage.dialled() == []


def test_a_pooled_connection_that_nobody_had_used_yet_can_be_stale_too(stage: Stage) -> None:
    left = stage.client()
    left.sends(GET)
    left.resets()
    server = stage.connects()
    assert (stage.idle(), stage.outcomes()) == (1, [("client-left", 0, "excluded")])
    client = stage.client()
    client.sends(GET)
    server.resets()
    assert client.got() == b""
    fresh = stage.connects()
    fresh.sends(OK)
    assert client.got() == OK
