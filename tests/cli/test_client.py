"""The client of the admin API: what it sends, and what each kind of failure becomes."""

import socket
from threading import Thread
from typing import Any

import pytest

from proxy.cli.client import (
    ApiFailure,
    Client,
    Misuse,
    OrderConflict,
    Unreachable,
    address,
    reason,
    service_path,
)
from tests.cli.fake_admin import FakeAdmin, Make


def test_a_call_carries_token_body_and_condition(fake_admin: FakeAdmin) -> None:
    fake_admin.answers["PUT /api/v1/services/a%20b/weights"] = (200, {"name": "a b"})
    client = Client(f"{fake_admin.url}/", "s3cret")
    assert client.call("PUT", service_path("a b", "/weights"), {"canary": 5.0}, {"If-Match": '"7"'}) == {
        "name": "a b"
    }
    [(_, headers, body)] = fake_admin.asked
    assert body == {"canary": 5.0}
    assert headers["Authorization"] == "Bearer s3cret"
    assert headers["If-Match"] == '"7"'
    assert headers["Content-Type"] == "application/json"
    assert repr(client) == f"<Client of {fake_admin.url} with a token>"


def test_a_call_without_them_carries_none(fake_admin: FakeAdmin) -> None:
    fake_admin.show()
    assert Client(fake_admin.url).services() == {"generation": 12, "services": []}
    [(_, headers, body)] = fake_admin.asked
    assert body is None
    assert not {"Authorization", "If-Match", "Content-Type"} & headers.keys()


def test_the_api_may_live_below_a_path(fake_admin: FakeAdmin, view: Make) -> None:
    fake_admin.answers["GET /weir/api/v1/services/checkout"] = (200, view())
    assert Client(f"{fake_admin.url}/weir/").service("checkout") == view()


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        *((status, Misuse, 2) for status in (400, 401, 403, 404, 413, 415, 422)),
        *((status, OrderConflict, 4) for status in (409, 412)),
        *((status, ApiFailure, 3) for status in (500, 503)),
    ],
)
def test_a_problem_becomes_the_failure_it_stands_for(
    fake_admin: FakeAdmin, status: int, kind: type[Any], code: int
) -> None:
    fake_admin.answers["GET /x"] = (status, {"detail": "it is so because."})
    with pytest.raises(kind) as caught:
        Client(fake_admin.url).call("GET", "/x")
    assert caught.value.message.startswith(f"it is so because (HTTP {status})")
    assert ("--token-file" in caught.value.message) is (status == 401)
    assert caught.value.exit_code == code
    fake_admin.answers["GET /api/v1/events"] = fake_admin.answers["GET /x"]
    with pytest.raises(kind):
        Client(fake_admin.url).events()


@pytest.mark.parametrize(
    "answer", [(200, "<html>"), (200, "[]"), (302, "{}"), (404, "not found"), (500, "{}"), (201, "{}")]
)
def test_what_is_not_weir_is_unreachable(fake_admin: FakeAdmin, answer: tuple[int, str]) -> None:
    fake_admin.answers["GET /x"] = answer
    with pytest.raises(Unreachable, match=f"answered {answer[0]}, but not as weir does"):
        Client(fake_admin.url).call("GET", "/x")


def test_nobody_there(dead_url: str) -> None:
    for ask in (Client(dead_url).services, Client(dead_url).events):
        with pytest.raises(Unreachable) as caught:
            ask()
        assert caught.value.exit_code == 3
        assert f"{dead_url} is unreachable: Connection refused" in caught.value.message
        assert "--admin" in caught.value.message


@pytest.mark.process
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"", "RemoteDisconnected"),
        (b"SSH-2.0\r\n", "BadStatusLine"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", "IncompleteRead"),
    ],
)
def test_who_breaks_off_or_speaks_something_else(answer: bytes, words: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        thread = Thread(target=serve)
        thread.start()
        with pytest.raises(Unreachable, match=words):
            Client(f"http://127.0.0.1:{listener.getsockname()[1]}").services()
        thread.join()


def test_a_name_that_no_resolver_takes() -> None:
    with pytest.raises(Unreachable, match="label"):
        Client("http://a..b").services()


def test_reasons_are_a_few_words() -> None:
    assert reason(TimeoutError()) == "no answer in time"
    assert reason(ConnectionRefusedError(111, "Connection refused")) == "Connection refused"
    assert reason(OSError("odd")) == "odd"
    assert reason(OSError()) == "OSError"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:9900",
        "localhost",
        "ftp://x",
        "http://",
        "http://x:y",
        "http://x:99999",
        "http://[::1",
        "http://x?a=b",
        "unix:/x",
    ],
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(Misuse, match="expected one such as http:") as caught:
        Client(url)
    assert caught.value.exit_code == 2


def test_addresses() -> None:
    assert address("http://[::1]:9900") == (False, "::1", 9900, "")
    assert address("https://weir.example/admin/") == (True, "weir.example", None, "/admin")


@pytest.mark.parametrize("token", ["a b", "a\nb", "ü", "a\x00"])
def test_a_token_that_no_header_can_carry(token: str) -> None:
    with pytest.raises(Misuse, match="token"):
        Client("http://localhost", token)


def test_a_probe_tells_status_and_words(fake_admin: FakeAdmin) -> None:
    fake_admin.answers["GET /readyz"] = (503, {"detail": "not ready: draining"})
    fake_admin.answers["GET /livez"] = (200, "ok\n")
    client = Client(fake_admin.url)
    assert client.probe("/readyz") == (503, "not ready: draining")
    assert client.probe("/livez") == (200, "ok")
    assert Client(f"{fake_admin.url}/livez").probe() == (200, "ok")


def test_events_are_read_until_the_stream_ends(fake_admin: FakeAdmin, entry: Make) -> None:
    fake_admin.answers["GET /api/v1/events"] = [[entry(3), entry(4, reason="a: b")]]
    events = Client(fake_admin.url).events(after=2)
    assert repr(events) == "<EventStream open>"
    assert list(events) == [entry(3), entry(4, reason="a: b")]
    assert repr(events) == "<EventStream closed>"
    assert fake_admin.asked[0][1]["Last-Event-ID"] == "2"
