"""What a child hears and says on its lifeline, on both event loops."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
import uvloop

from proxy.child.lifeline import Lifeline, attach


class Child:
    def __init__(self) -> None:
        self.heard: asyncio.Queue[str] = asyncio.Queue()
        self.lifeline = Lifeline(*(self._note(word) for word in ("drain", "stop", "gone", "reload")))

    def _note(self, word: str) -> Callable[..., Any]:
        return lambda: self.heard.put_nowait(word)


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, int]]:
    """The supervisor's end, and the file descriptor of the child's."""
    ours, theirs = socket.socketpair()
    ours.settimeout(5)
    with ours:
        yield ours, theirs.detach()


def on_both_loops(story: Callable[[socket.socket, Child], Awaitable[None]]) -> Callable[..., None]:
    """Plays a story with a child that is attached; afterwards it has heard the supervisor's end, once."""

    async def play(supervisor: socket.socket, fd: int) -> None:
        child = Child()
        await attach(fd, child.lifeline)
        async with asyncio.timeout(10):
            await story(supervisor, child)
            supervisor.close()
            assert await child.heard.get() == "gone"
        assert child.heard.empty()

    @pytest.mark.parametrize(
        "loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"]
    )
    def test(ends: tuple[socket.socket, int], loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
        with asyncio.Runner(loop_factory=loop) as runner:
            runner.run(play(*ends))

    return test


@on_both_loops
async def test_says_ready_and_why_it_failed(supervisor: socket.socket, child: Child) -> None:
    child.lifeline.ready()
    assert supervisor.recv(100) == b"ready\n"
    child.lifeline.failed("weir.db:\n  locked by another process\n")
    assert supervisor.recv(100) == b"failed: weir.db: locked by another process\n"


@on_both_loops
async def test_hears_orders_cut_anywhere(supervisor: socket.socket, child: Child) -> None:
    for part in (b"dr", b"ain\nwhat", b"ever\nstop\n", b"reload\ndrain"):
        supervisor.send(part)
    assert [await child.heard.get() for _ in range(3)] == ["drain", "stop", "reload"]


@on_both_loops
async def test_a_long_reason_is_cut(supervisor: socket.socket, child: Child) -> None:
    child.lifeline.failed("ä" * 5000)
    line = supervisor.recv(100_000)
    assert line.endswith(b"\n")
    assert 1000 < len(line) <= 2001


@on_both_loops
async def test_when_nobody_listens_any_more_nothing_breaks(supervisor: socket.socket, child: Child) -> None:
    assert repr(child.lifeline).startswith("<Lifeline fd ")
    supervisor.close()
    child.lifeline.failed("too late")


def test_before_it_is_attached_nothing_can_be_said() -> None:
    lifeline = Lifeline(lambda: None, lambda: None, lambda: None)
    lifeline.ready()
    assert repr(lifeline) == "<Lifeline not attached>"


async def test_attach_refuses_what_is_no_socket() -> None:
    read, write = os.pipe()
    with pytest.raises(OSError):
        await attach(read, Lifeline(lambda: None, lambda: None, lambda: None))
    for fd in (read, write):
        os.close(fd)


LAST_WORDS = """
import os, sys, uvloop
from proxy.child.lifeline import Lifeline, attach

async def main():
    lifeline = Lifeline(*[lambda: None] * 3)
    await attach(int(sys.argv[1]), lifeline)
    lifeline.failed("no luck")
    os._exit(1)

uvloop.new_event_loop().run_until_complete(main())
"""


@pytest.mark.process
def test_the_last_words_of_a_process_arrive(ends: tuple[socket.socket, int]) -> None:
    supervisor, theirs = ends
    argv = [sys.executable, "-c", LAST_WORDS, str(theirs)]
    done = subprocess.run(argv, pass_fds=[theirs], timeout=20, check=False)
    os.close(theirs)
    assert done.returncode == 1
    assert supervisor.recv(100) == b"failed: no luck\n"
    assert supervisor.recv(100) == b""
