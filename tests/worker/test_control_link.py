"""The link finds control again, and never lets the worker wait for it."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
import uvloop

from proxy.link.frames import Decoder, encode
from proxy.link.messages import Ack, Message
from proxy.worker import control_link as module
from proxy.worker.control_link import ControlLink
from tests.kits.messages import SETTINGS

pytestmark = pytest.mark.process


class Control:
    """The other end: accepts, decodes, and says what a test wants."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.got: asyncio.Queue[Message] = asyncio.Queue()
        self.writers: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()
        self.server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def start(self, read: bool = True) -> None:
        self.path.unlink(missing_ok=True)
        self._read = read
        self.server = await asyncio.start_unix_server(self._accepted, self.path)

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        self.writers.put_nowait(writer)
        decoder = Decoder()
        with contextlib.suppress(ConnectionError):
            while self._read and (data := await reader.read(65536)):
                for message in decoder.feed(data):
                    self.got.put_nowait(message)

    async def stop(self) -> None:
        if self.server:
            self.server.close()
        for writer in self._open:
            writer.transport.abort()
        self._open.clear()


class Worker:
    """This end: says Ack(1), Ack(2), ... at each connect."""

    task: asyncio.Task[None]

    def __init__(self, path: Path) -> None:
        self.opened = 0
        self.got: asyncio.Queue[Message] = asyncio.Queue()
        self.on_message: Callable[[Message], None] = self.got.put_nowait
        self.link = ControlLink(str(path), self._hello, lambda message: self.on_message(message))

    def _hello(self) -> None:
        self.opened += 1
        assert self.link.send(Ack(self.opened))


Story = Callable[[Control, Worker], Awaitable[None]]


def on_both_loops(story: Story) -> Callable[[Path, Callable[[], asyncio.AbstractEventLoop]], None]:
    """Plays a story with a worker that is running its link, and a control that has yet to start."""

    async def play(directory: Path) -> None:
        control = Control(directory / "link")
        worker = Worker(control.path)
        worker.task = asyncio.create_task(worker.link.run())
        async with asyncio.timeout(20):
            await story(control, worker)
        worker.task.cancel()
        await asyncio.wait([worker.task])
        await control.stop()

    @pytest.mark.parametrize(
        "loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"]
    )
    def test(tmp_path: Path, loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
        with asyncio.Runner(loop_factory=loop) as runner:
            runner.run(play(tmp_path))

    return test


async def until(true: Callable[[], bool]) -> None:
    while not true():  # noqa: ASYNC110  # what it waits for is a state that has no event
        await asyncio.sleep(0.001)


@on_both_loops
async def test_says_hello_and_both_ways_work(control: Control, worker: Worker) -> None:
    await control.start()
    assert await control.got.get() == Ack(1)
    assert worker.link.connected
    (await control.writers.get()).write(encode(SETTINGS) + encode(Ack(5))[:9])
    assert await worker.got.get() == SETTINGS
    assert worker.link.send(Ack(77))
    assert await control.got.get() == Ack(77)


@on_both_loops
async def test_without_control_it_keeps_trying_and_refuses_to_send(control: Control, worker: Worker) -> None:
    await until(lambda: worker.link.pause > module.SHORTEST)
    assert not worker.link.connected
    assert not worker.link.send(Ack(1))
    assert repr(worker.link) == f"<ControlLink {control.path} not connected>"
    await control.start()
    assert await control.got.get() == Ack(1)
    assert repr(worker.link) == f"<ControlLink {control.path} connected>"


@on_both_loops
async def test_a_new_control_gets_a_new_hello(control: Control, worker: Worker) -> None:
    await control.start()
    assert await control.got.get() == Ack(1)
    await control.stop()
    await until(lambda: not worker.link.connected)
    await control.start()
    assert await control.got.get() == Ack(2)


@on_both_loops
async def test_garbage_ends_the_connection_and_begins_another(control: Control, worker: Worker) -> None:
    await control.start()
    assert await control.got.get() == Ack(1)
    garbage = b"HTTP/1.1 400 Bad Request\r\n"
    (await control.writers.get()).write(encode(SETTINGS) + garbage + encode(Ack(3)))
    assert await control.got.get() == Ack(2)
    assert await worker.got.get() == SETTINGS
    assert worker.got.empty()
    (await control.writers.get()).write(encode(SETTINGS))
    assert await worker.got.get() == SETTINGS


@on_both_loops
async def test_one_message_is_heard_in_each_turn_of_the_loop(control: Control, worker: Worker) -> None:
    loop, turns = asyncio.get_running_loop(), 0
    heard: list[tuple[Message, int]] = []

    def turn() -> None:
        nonlocal turns
        turns += 1
        loop.call_soon(turn)

    turn()
    worker.on_message = lambda message: heard.append((message, turns))
    await control.start()
    (await control.writers.get()).write(b"".join(encode(Ack(number)) for number in range(9)))
    await until(lambda: len(heard) == 9)
    wire = module.Wire(worker.on_message)
    for number in range(9, 12):  # they may come one by one as well
        wire.data_received(encode(Ack(number)))
    await until(lambda: len(heard) == 12)
    assert [message for message, _ in heard] == [Ack(number) for number in range(12)]
    assert len({turn for _, turn in heard}) == 12


@on_both_loops
async def test_what_control_said_before_it_died_is_heard_and_then_it_connects_again(
    control: Control, worker: Worker
) -> None:
    heard: list[tuple[Message, int]] = []
    worker.on_message = lambda message: heard.append((message, worker.opened))
    await control.start()
    writer = await control.writers.get()
    writer.write(b"".join(encode(Ack(number)) for number in range(9)))
    writer.close()
    await control.writers.get()
    assert heard == [(Ack(number), 1) for number in range(9)]


@on_both_loops
async def test_pauses_double_up_to_a_second_and_a_word_from_control_ends_that(
    control: Control, worker: Worker
) -> None:
    await until(lambda: worker.link.pause >= 0.2)
    await control.start()
    (await control.writers.get()).write(encode(SETTINGS))
    assert await worker.got.get() == SETTINGS
    assert worker.link.pause == module.SHORTEST


@on_both_loops
async def test_a_control_that_does_not_read_is_not_waited_for(control: Control, worker: Worker) -> None:
    await control.start(read=False)
    await until(lambda: worker.opened == 1)
    sent = 0
    large = replace(SETTINGS, access="x" * 100_000)
    while worker.link.send(large):
        sent += 1
        await asyncio.sleep(0)  # the loop's turn to hand it to the kernel
    assert module.BOUND // 100_000 <= sent < 100
    assert worker.link.connected
    assert not worker.link.send(Ack(1))


@on_both_loops
async def test_cancelling_hangs_up(control: Control, worker: Worker) -> None:
    await control.start()
    await control.got.get()
    worker.task.cancel()
    await asyncio.wait([worker.task])
    assert not worker.link.connected
