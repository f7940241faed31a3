"""Server-sent events: order, resuming, slow readers, the end."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import ClientError, web
from aiohttp.test_utils import make_mocked_request

from proxy.control.api.events import Stream, Streams, frame, starting_point
from tests.control.conftest import FakeControl

EVENTS = "/api/v1/events"


def an_entry(number: int, **more: Any) -> dict[str, Any]:
    return {"id": number, "service": "checkout", "event": "weight", "reason": "a: b"} | more


async def block(response: Any) -> dict[str, str]:
    """The next block of the stream as fields; a comment stands under ""."""
    found: dict[str, str] = {}
    while line := (await response.content.readline()).decode().removesuffix("\n"):
        name, _, value = line.partition(":")
        found[name] = value.removeprefix(" ")
    return found


async def opened(client: Any, path: str = EVENTS, **headers: str) -> Any:
    """An open stream, its first block (how long to wait before coming back) read."""
    response = await client.get(path, headers=headers)
    assert response.status == 200
    assert response.headers["Content-Type"].startswith("text/event-stream")
    assert response.headers["Cache-Control"] == "no-store"
    assert await block(response) == {"retry": "1000"}
    return response


async def test_an_entry_is_told_as_it_happens(serve: Callable[..., Any], fake_control: FakeControl) -> None:
    client = await serve()
    response = await opened(client)
    fake_control.happen(an_entry(5))
    fake_control.happen(an_entry(6, event="trip", reason="first\nsecond"))
    assert await block(response) == {
        "id": "5",
        "event": "weight",
        "data": json.dumps(an_entry(5), separators=(",", ":")),
    }
    second = await block(response)
    assert (second["id"], second["event"], json.loads(second["data"])["reason"]) == (
        "6",
        "trip",
        "first\nsecond",
    )
    response.close()


@pytest.mark.parametrize(
    ("path", "headers", "first"),
    [
        (EVENTS, {}, "4"),
        (f"{EVENTS}?after=2", {}, "3"),
        (EVENTS, {"Last-Event-ID": "1"}, "2"),
        (f"{EVENTS}?after=0", {"Last-Event-ID": "2"}, "3"),
        (f"{EVENTS}?after=", {}, "4"),
        (f"{EVENTS}?after=3", {}, "4"),
        (
            f"{EVENTS}?after=900",
            {},
            "4",
        ),  # a ledger that began anew: its entries are news, whatever their number
    ],
)
async def test_where_a_stream_begins(
    serve: Callable[..., Any], fake_control: FakeControl, path: str, headers: dict[str, str], first: str
) -> None:
    fake_control.written = [an_entry(number) for number in (1, 2, 3)]
    client = await serve()
    response = await opened(client, path, **headers)
    fake_control.happen(an_entry(4))
    assert (await block(response))["id"] == first
    response.close()


async def test_what_happens_while_the_missed_is_read_is_sent_once(
    serve: Callable[..., Any], fake_control: FakeControl
) -> None:
    fake_control.written = [an_entry(1)]
    read = fake_control.entries_after

    async def slowly(entry: int) -> list[dict[str, Any]]:
        fake_control.happen(an_entry(2))
        return await read(entry)

    fake_control.entries_after = slowly
    client = await serve()
    response = await opened(client, f"{EVENTS}?after=0")
    fake_control.happen(an_entry(3))
    assert [(await block(response))["id"] for _ in range(3)] == ["1", "2", "3"]
    response.close()


@pytest.mark.parametrize("wrong", ["x", "-1", "1.5", "9" * 19, "٣"])
async def test_an_id_that_is_none_is_400(serve: Callable[..., Any], wrong: str) -> None:
    client = await serve()
    response = await client.get(EVENTS, params={"after": wrong})
    assert response.status == 400
    assert response.content_type == "application/problem+json"


async def test_a_ledger_that_cannot_be_read_is_a_500(
    serve: Callable[..., Any], fake_control: FakeControl
) -> None:
    async def broken(entry: int) -> list[dict[str, Any]]:
        raise OSError("no such disk")

    fake_control.entries_after = broken
    client = await serve()
    assert (await client.get(f"{EVENTS}?after=0")).status == 500
    assert fake_control.callbacks == []


async def test_silence_is_filled_with_comments(
    aiohttp_client: Callable[..., Any], fake_control: FakeControl
) -> None:
    app = web.Application()
    app.router.add_get(EVENTS, Streams(fake_control, keep_alive=0.01).serve)
    response = await opened_at(await aiohttp_client(app))
    assert await block(response) == {"": "still here"}
    fake_control.happen(an_entry(1))
    while not (found := await block(response)).get("id"):
        assert found == {"": "still here"}
    response.close()


async def opened_at(client: Any) -> Any:
    """As ``opened``, where only the stream is served."""
    response = await client.get(EVENTS)
    assert await block(response) == {"retry": "1000"}
    return response


async def test_a_reader_that_does_not_read_is_cut_off_and_can_come_back(
    aiohttp_client: Callable[..., Any], fake_control: FakeControl
) -> None:
    streams = Streams(fake_control, backlog=4)
    app = web.Application()
    app.router.add_get(EVENTS, streams.serve)
    client = await aiohttp_client(app)
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(f"GET {EVENTS} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    await reader.readuntil(b"retry: 1000\n\n")
    number = 0
    while fake_control.callbacks:  # the sockets' buffers fill, then the stream's own four places
        number += 1
        fake_control.happen(an_entry(number, reason="x" * 200_000))
        await asyncio.sleep(0)
        assert number < 1_000
    assert repr(streams) == "<Streams serving open=0>"
    writer.close()
    response = await client.get(EVENTS, headers={"Last-Event-ID": str(number - 1)})
    await block(response)
    assert (await block(response))["id"] == str(number)
    response.close()


async def test_a_client_that_left_is_forgotten(
    aiohttp_client: Callable[..., Any], fake_control: FakeControl
) -> None:
    app = web.Application()
    app.router.add_get(EVENTS, Streams(fake_control, keep_alive=0.01).serve)
    response = await opened_at(await aiohttp_client(app))
    assert len(fake_control.callbacks) == 1
    response.close()
    await fake_control.left.wait()
    assert fake_control.callbacks == []


async def test_streams_end_cleanly_at_shutdown(serve: Callable[..., Any], fake_control: FakeControl) -> None:
    client = await serve()
    response = await opened(client)
    fake_control.happen(an_entry(1))
    await block(response)
    await client.app.shutdown()
    assert await response.content.read() == b""
    assert fake_control.callbacks == []
    assert (await client.get(EVENTS)).status == 503


async def test_shutdown_does_not_wait_for_who_does_not_read(
    aiohttp_client: Callable[..., Any], fake_control: FakeControl
) -> None:
    streams = Streams(fake_control, backlog=100_000)
    app = web.Application()
    app.router.add_get(EVENTS, streams.serve)
    client = await aiohttp_client(app)
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(f"GET {EVENTS} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    await reader.readuntil(b"retry: 1000\n\n")
    for number in range(60):
        fake_control.happen(an_entry(number, reason="x" * 1_000_000))
        await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await streams.close(app)
        await fake_control.left.wait()
    assert fake_control.callbacks == []
    writer.close()


async def test_an_entry_that_is_no_json_ends_the_stream_and_is_logged(
    serve: Callable[..., Any], fake_control: FakeControl, caplog: pytest.LogCaptureFixture
) -> None:
    client = await serve()
    response = await opened(client)
    fake_control.happen(an_entry(1, value=float("nan")))
    with pytest.raises(ClientError):
        await response.content.read()
    assert "an event stream failed" in caplog.text
    assert fake_control.callbacks == []


async def test_a_closed_stream_takes_nothing(fake_control: FakeControl) -> None:
    cuts: list[int] = []
    stream = Stream(lambda: cuts.append(1), backlog=2)
    for number in (1, 2):
        stream.offer(an_entry(number))
    assert repr(stream) == "<Stream open waiting=2>"
    stream.offer(an_entry(3))
    stream.offer(an_entry(4))
    assert repr(stream) == "<Stream closed waiting=0>"
    assert cuts == [1]
    assert await stream.take(0.01) == []


def test_an_event_is_one_data_line() -> None:
    text = frame(an_entry(1, reason="a\nid: 9\n\nevent: trip")).decode()
    assert text.count("\n") == 4
    assert text.endswith("\n\n")


def test_starting_point_is_read_by_the_request_alone() -> None:
    assert starting_point(make_mocked_request("GET", EVENTS, headers={"Last-Event-ID": "12"})) == 12
    assert starting_point(make_mocked_request("GET", EVENTS)) is None
