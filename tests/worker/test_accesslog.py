"""The access log is written off the path, in order, and loses lines rather than stopping the traffic."""

import asyncio
import json
import threading
from dataclasses import replace

import pytest

from proxy.forwarding.accounts import UNREAD, NoAccessLog, Refusal
from proxy.forwarding.data_plane import DataPlane
from proxy.forwarding.exchange import Exchange
from proxy.http1.parser import read_request
from proxy.routing.address import Address
from proxy.routing.endpoint import Endpoint
from proxy.routing.match import RouteMatch
from proxy.routing.split import Split
from proxy.routing.table import Backend, Choice, RoutingTable, Service
from proxy.telemetry.tally import Tally
from proxy.worker import accesslog as module
from proxy.worker.accesslog import AccessLog, AccessLogSwitch

SERVICE = Service(
    "shop",
    1,
    RouteMatch(),
    (Backend("stable", (Endpoint.parse("http://a:1"),)), Backend("canary", (Endpoint.parse("http://b:1"),))),
    Split((("canary", 500),)),
)
BLOCK = b"GET /a?b HTTP/1.1\r\nHost: Shop:80\r\nUser-Agent: curl\r\nReferer: r\r\nX-Request-Id: id1\r\n\r\n"


def exchange() -> Exchange:
    choice = Choice(SERVICE, "canary", None, "weight", True, b"", b"")
    done = Exchange(read_request(BLOCK), choice, 0, 10.0, b"id1")
    done.send(10.25, ())
    done.response_came_whole(200, 10.5, 7)
    return done


async def test_what_was_noted_becomes_lines() -> None:
    written: list[bytes] = []
    log = AccessLog("json", 1000.0, written.append)
    log.note(exchange(), "192.0.2.7", 11.0)
    log.note(exchange(), "192.0.2.8", 11.0)
    assert written == [], "nothing is written where the traffic is"
    await log.close()
    first, second = b"".join(written).decode().splitlines()
    assert json.loads(first) == {
        "time": "1970-01-01T00:16:51.000Z",
        "client": "192.0.2.7",
        "method": "GET",
        "target": "/a?b",
        "version": "HTTP/1.1",
        "host": "shop",
        "status": 200,
        "bytes": 7,
        "seconds": 1.0,
        "upstream_seconds": 0.25,
        "service": "shop",
        "backend": "canary",
        "endpoint": "",
        "address": "",
        "why": "weight",
        "ending": "complete",
        "reason": "",
        "rescued": "",
        "overdue": False,
        "request_id": "id1",
        "referer": "r",
        "user_agent": "curl",
    }
    assert json.loads(second)["client"] == "192.0.2.8"


async def test_a_reader_that_stands_still_costs_lines_and_not_traffic(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "LIMIT", 2)
    reads = threading.Event()
    written: list[bytes] = []

    def write(lines: bytes) -> None:
        reads.wait(10)
        written.append(lines)

    log = AccessLog("common", 0.0, write)
    log.note(exchange(), "1", 11.0)
    log.flush()
    for client in ("2", "3", "4"):
        log.note(exchange(), client, 11.0)
        log.flush()
    assert repr(log) == "<AccessLog 2 waiting, 1 dropped>"
    reads.set()
    await log.close()
    assert [line.split()[0] for line in b"".join(written).decode().splitlines()] == ["1", "2", "3"]
    assert "1 line of the access log was dropped" in caplog.text


@pytest.mark.parametrize(
    ("url", "ip", "address"),
    [
        ("http://10.0.0.7:9001", "10.0.0.7", "10.0.0.7:9001"),
        ("http://[::1]", "::1", "[::1]:80"),
        ("unix:/run/app.sock", "", "unix:/run/app.sock"),
        ("http://app.test:9001", "10.0.0.8", "10.0.0.8:9001"),
    ],
)
async def test_the_endpoint_stands_as_it_was_written_beside_its_address(
    url: str, ip: str, address: str
) -> None:
    written: list[bytes] = []
    log = AccessLog("json", 1000.0, written.append)
    done = exchange()
    done.choice = replace(done.choice, address=Address(Endpoint.parse(url), ip))
    log.note(done, "192.0.2.7", 11.0)
    await log.close()
    line = json.loads(written[0])
    assert (line["endpoint"], line["address"]) == (url, address)


async def test_a_client_that_left_before_an_answer() -> None:
    written: list[bytes] = []
    log = AccessLog("combined", 0.0, written.append)
    left = Exchange(read_request(BLOCK), Choice(SERVICE, "stable", None, "weight", True, b"", b""), 0, 10.0)
    left.broke("client-left")
    log.note(left, "192.0.2.7", 11.0)
    await log.close()
    assert written[0].split()[8:10] == [b"499", b"0"]


async def test_a_switch_writes_what_was_noted_before_it_was_off() -> None:
    reads = threading.Event()
    written: list[bytes] = []

    def write(lines: bytes) -> None:
        reads.wait(10)
        written.append(lines)

    plane = DataPlane(asyncio.get_running_loop(), RoutingTable.build(0, ()), Tally("b0"), lambda: None, "b0")
    switch = AccessLogSwitch(plane, write)
    switch.switch("common")
    first = plane.accounts.access
    assert isinstance(first, AccessLog)
    switch.switch("combined")
    assert plane.accounts.access is first
    first.note(exchange(), "192.0.2.7", 11.0)
    switch.switch("off")
    assert isinstance(plane.accounts.access, NoAccessLog)
    ending = asyncio.create_task(switch.close())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not ending.done(), "the worker ends when the lines are written"
    reads.set()
    await ending
    assert b"".join(written).endswith(b'200 7 "r" "curl"\n')


def test_the_lines_go_to_standard_output(capfd: pytest.CaptureFixture[str]) -> None:
    async def say() -> None:
        log = AccessLog("common", 0.0)
        log.note(exchange(), "192.0.2.7", 11.0)
        await log.close()

    asyncio.run(say())
    assert capfd.readouterr().out == '192.0.2.7 - - [01/Jan/1970:00:00:11 +0000] "GET /a?b HTTP/1.1" 200 7\n'


async def test_what_the_client_was_told_as_its_request_id_can_be_found() -> None:
    written: list[bytes] = []
    log = AccessLog("json", 0.0, written.append)
    choice = Choice(SERVICE, "stable", None, "weight", True, b"", b"")
    refused = Exchange(read_request(BLOCK), choice, 0, 10.0, b"b007b007-1")
    refused.answered_by_us(503, "refused", 0)
    log.note(refused, "192.0.2.7", 11.0)
    await log.close()
    assert json.loads(written[0])["request_id"] == "b007b007-1"


async def test_a_request_that_was_turned_away_is_noted_with_the_reason() -> None:
    written: list[bytes] = []
    log = AccessLog("json", 0.0, written.append)
    log.refused(Refusal(read_request(BLOCK), 404, "no-service", b"id2", 9), "192.0.2.7", 11.0)
    log.refused(Refusal(UNREAD, 400, "malformed", b"id3", 9), "192.0.2.8", 11.0)
    await log.close()
    read, unread = map(json.loads, b"".join(written).decode().splitlines())
    assert (read["target"], read["status"], read["reason"], read["request_id"]) == (
        "/a?b",
        404,
        "no-service",
        "id2",
    )
    assert (read["ending"], read["host"], read["service"], read["bytes"]) == ("refused", "shop", "", 9)
    assert (unread["method"], unread["target"], unread["version"]) == ("", "", "")
    assert (unread["status"], unread["reason"], unread["client"]) == (400, "malformed", "192.0.2.8")


async def test_a_log_that_cannot_be_written_is_said_once_and_stops_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def write(lines: bytes) -> None:
        raise OSError(28, "No space left on device")

    log = AccessLog("common", 0.0, write)
    for _ in range(3):
        log.note(exchange(), "192.0.2.7", 11.0)
        log.flush()
    log.note(exchange(), "192.0.2.7", 11.0)
    await log.close()
    assert caplog.text.count("No space left on device") == 1
