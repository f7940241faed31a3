"""The load at a fixed rate: the clock starts when a request is due, and nothing else passes for an answer."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import pytest
from rig import fixedrate

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Answer = Callable[[socket.socket, int], None]


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], int]]:
    """Answers requests on one connection by a function of their number; the port."""
    with contextlib.ExitStack() as stack:

        def start(answer: Answer) -> int:
            listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

            def run() -> None:
                connection, _ = listening.accept()
                with connection, contextlib.suppress(OSError):
                    number = 0
                    while connection.recv(65536):
                        answer(connection, number)
                        number += 1

            thread = threading.Thread(target=run)
            thread.start()
            stack.callback(thread.join)
            return int(listening.getsockname()[1])

        yield start


def test_an_answer_is_whole_with_its_last_byte() -> None:
    assert [fixedrate.whole(ANSWER[:end]) for end in range(len(ANSWER))] == [False] * len(ANSWER)
    assert fixedrate.whole(ANSWER)


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\n"]
)
def test_no_other_answer_counts(head: bytes) -> None:
    with pytest.raises(fixedrate.Unanswered, match="expected 200"):
        fixedrate.whole(head)


@pytest.mark.process
def test_each_request_has_a_latency(serve: Callable[[Answer], int]) -> None:
    port = serve(lambda connection, number: connection.sendall(ANSWER))
    found = fixedrate.latencies(port, b"GET / HTTP/1.1\r\n\r\n", 2000, 20, connections=1)
    assert len(found) == 20
    assert all(seconds > 0 for seconds in found)


@pytest.mark.process
def test_who_waits_for_a_connection_has_waited_since_it_was_due(serve: Callable[[Answer], int]) -> None:
    """The third answer comes once all requests are due; those behind it waited for it, each 1 ms less."""
    over = threading.Event()
    clock = threading.Timer(0.05, over.set)

    def answer(connection: socket.socket, number: int) -> None:
        if number == 2:
            clock.start()
            over.wait()
        connection.sendall(ANSWER)

    found = fixedrate.latencies(serve(answer), b"GET / HTTP/1.1\r\n\r\n", 1000, 10, connections=1)
    clock.join()
    assert all(seconds > 0.035 for seconds in found[2:])


@pytest.mark.process
def test_a_closed_connection_is_no_answer(serve: Callable[[Answer], int]) -> None:
    port = serve(lambda connection, number: connection.shutdown(socket.SHUT_RDWR))
    with pytest.raises(fixedrate.Unanswered, match="closed"):
        fixedrate.latencies(port, b"GET / HTTP/1.1\r\n\r\n", 1000, 3, connections=1)


@pytest.mark.process
def test_silence_ends_the_run(serve: Callable[[Answer], int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fixedrate, "PATIENCE", 0.05)
    port = serve(lambda connection, number: None)
    with pytest.raises(fixedrate.Unanswered, match="3 requests had no answer"):
        fixedrate.latencies(port, b"GET / HTTP/1.1\r\n\r\n", 1000, 3, connections=3)


def test_quantiles_are_exact() -> None:
    values = [float(number) for number in range(200, 0, -1)]
    assert [fixedrate.quantile(values, level) for level in (0.5, 0.99, 1.0)] == [100.0, 198.0, 200.0]
    assert fixedrate.quantile([7.0], 0.01) == 7.0
