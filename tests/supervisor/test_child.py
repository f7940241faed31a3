"""One process and its lifeline: what it says, how it ends."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable

import pytest

from proxy.supervisor import child as module
from proxy.supervisor.child import Child, cause

pytestmark = pytest.mark.process

PREAMBLE = "import os, signal, socket, sys, time; life = socket.socket(fileno=int(sys.argv[-1]))\n"


def played(program: str) -> Callable[[Callable[[Child], Awaitable[None]]], Callable[[], None]]:
    """Runs `program` as a child while the story goes on; the child is reaped as the supervisor would."""

    def decorate(story: Callable[[Child], Awaitable[None]]) -> Callable[[], None]:
        async def play() -> None:
            loop = asyncio.get_running_loop()
            child = Child([sys.executable, "-S", "-E", "-c", PREAMBLE + program], [], os.environ)
            loop.add_signal_handler(signal.SIGCHLD, child.reap)
            try:
                async with asyncio.timeout(20):
                    await story(child)
            finally:
                child.kill()
                child.reap()
                await child.ended

        return lambda: asyncio.run(play())

    return decorate


@played(
    "life.send(b'rea'); life.send(b'dy\\nnoise\\nfailed: late\\n')\n"
    "sys.exit(5 if life.recv(9) == b'stop\\n' else 1)"
)
async def test_ready_then_told_to_stop(child: Child) -> None:
    assert repr(child) == f"<Child {child.pid} is starting>"
    assert await child.started is None
    assert repr(child) == f"<Child {child.pid} is ready>"
    child.send("stop")
    assert await child.ended == 5
    assert repr(child) == f"<Child {child.pid} ended with exit code 5>"
    child.send("stop")
    child.kill()
    child.reap()


@played("life.send('failed: kein Schlüssel\\n'.encode()); os._exit(1)")
async def test_last_words(child: Child) -> None:
    assert await child.ended == 1
    assert await child.started == "kein Schlüssel"


@played("os.kill(os.getpid(), signal.SIGABRT)")
async def test_dies_without_a_word(child: Child) -> None:
    assert await child.ended == -signal.SIGABRT
    assert await child.started == "it was killed by SIGABRT before it was ready"


@played("life.send(b'ready\\n'); time.sleep(60)")
async def test_killed(child: Child) -> None:
    await child.started
    child.kill()
    assert await child.ended == -signal.SIGKILL


@played("life.send(b'ready\\n'); life.close(); time.sleep(60)")
async def test_lets_go_of_the_lifeline_and_lives_on(child: Child) -> None:
    assert await child.ended == -signal.SIGKILL


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_EXIT_SECONDS", 0.1)


@played(
    "life.send(b'ready\\n' if os.getsid(0) == os.getpid() and not sys.stdin.read() else b'failed: here\\n')"
)
async def test_has_a_session_of_its_own_and_no_input(child: Child) -> None:
    assert await child.started is None


async def test_a_program_that_is_not_there() -> None:
    before = len(os.listdir("/dev/fd"))  # noqa: PTH208  # the count alone matters
    with pytest.raises(OSError):
        Child(["/no/such/program"], [], {})
    assert len(os.listdir("/dev/fd")) == before  # noqa: PTH208  # as above


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "ended with exit code 0"),
        (1, "ended with exit code 1"),
        (-9, "was killed by SIGKILL"),
        (-40, "was killed by signal 40"),
    ],
)
def test_cause(code: int, words: str) -> None:
    assert cause(code) == words
