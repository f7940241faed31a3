"""An upstream that does as a case says, and records exactly the bytes that reached it.

A case plays it by hand (`accept`, then the methods of the Link), or leaves it to a script that runs for every
connection in a thread of its own.
"""

import contextlib
import itertools
import queue
import socket
import ssl
import threading
from collections.abc import Callable

from proxy.demo.ports import LOOPBACK
from tests.wire.kernel import PATIENCE, await_taken
from tests.wire.reader import Request, RequestReader, requests
from tests.wire.sender import Sender

_numbers = itertools.count()

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Gone(Exception):
    """The proxy has ended the connection."""


class Link(Sender):
    """One connection from the proxy."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self.raw = b""
        """All that came."""
        self.thread: threading.Thread | None = None
        self._read = 0

    def __repr__(self) -> str:
        return f"<Link {self.raw[:100]!r}>"

    # Reading. Each raises Gone when the proxy hangs up first, and TimeoutError when nothing comes.

    def request(self) -> Request:
        """The next request, whole."""
        return self._next(whole=True)

    def request_of_upgrade(self) -> Request:
        """The next request, which has no body; what follows is the new protocol's."""
        request = self.head()
        self._read = self.raw.index(b"\r\n\r\n", self._read) + 4
        return request

    def head(self) -> Request:
        """The head of the next request; its bytes stay to be read by request()."""
        return self._next(whole=False)

    def read(self, size: int) -> bytes:
        """Exactly so many bytes."""
        while len(self.raw) < self._read + size:
            self.receive()
        self._read += size
        return self.raw[self._read - size : self._read]

    def rest(self) -> bytes:
        """Everything up to the end of the connection."""
        with contextlib.suppress(Gone):
            while True:
                self.receive()
        start, self._read = self._read, len(self.raw)
        return self.raw[start:]

    def gone(self) -> None:
        """Returns once the proxy has ended the connection."""
        self.rest()

    def ended(self) -> bytes:
        """All that came, once the proxy has ended the connection."""
        if self.thread is None:
            self.gone()
        else:
            self.thread.join(2 * PATIENCE)
            assert not self.thread.is_alive(), f"the proxy keeps the connection: {self}"
        return self.raw

    def receive(self) -> None:
        """Takes what comes next."""
        try:
            data = self.sock.recv(1 << 20)
        except (ConnectionError, ssl.SSLError):
            data = b""
        if not data:
            raise Gone
        self.raw += data

    def _next(self, *, whole: bool) -> Request:
        reader = RequestReader()
        if self.raw[self._read :]:
            reader.feed(self.raw[self._read :])
        while not (reader.done if whole else reader.began):
            before = len(self.raw)
            self.receive()
            reader.feed(self.raw[before:])
        if whole:
            self._read = len(self.raw) - len(reader.rest)
        return reader.message()

    # Answering.

    def taken(self) -> None:
        """Returns once the proxy has read what was sent."""
        await_taken([self.sock])

    def say_goodbye(self) -> None:
        """Ends a TLS connection as TLS has it, with close_notify."""
        assert isinstance(self.sock, ssl.SSLSocket), self
        with contextlib.suppress(OSError):
            self.sock = self.sock.unwrap()


Script = Callable[[Link], None]


def answering(*answers: bytes) -> Script:
    """A script that answers the requests of a connection with these, and with the last one from then on."""

    def script(link: Link) -> None:
        left = list(answers)
        while True:
            link.request()
            link.send(left.pop(0) if len(left) > 1 else left[0])

    return script


class Upstream:
    """Listens for the proxy's connections.

    Args:
        listener: where; a port of its own otherwise.
        tls: what it shows to those who speak TLS to it; otherwise it speaks plainly.
    """

    def __init__(self, listener: socket.socket | None = None, tls: ssl.SSLContext | None = None) -> None:
        self._listener = listener or socket.create_server((LOOPBACK, 0), backlog=1024)
        self._tls = tls
        self._waiting: queue.SimpleQueue[Link] = queue.SimpleQueue()
        self._script: Script | None = None
        self._failures: list[BaseException] = []
        self._accepted = threading.Condition()
        self._mine: object = None
        self._links: list[Link] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self._listener.getsockname()[1]
        return port

    def answers(self, *answers: bytes) -> None:
        """Answers the requests of every connection with these, and with the last one from then on."""
        self.serve(answering(*answers or (OK,)))

    def serve(self, script: Script | None) -> None:
        """Runs a script for each connection from now on; None: they wait for accept()."""
        self._script = script

    def accept(self) -> Link:
        """The next connection, by hand."""
        try:
            return self._waiting.get(timeout=PATIENCE)
        except queue.Empty:
            raise AssertionError("the proxy opened no connection") from None

    @property
    def links(self) -> list[Link]:
        """All connections that the proxy has opened until now."""
        # One that is opened now is accepted behind all the others.
        with socket.socket(self._listener.family) as mine, self._accepted:
            here = self._listener.getsockname()
            mine.bind((LOOPBACK, 0) if isinstance(here, tuple) else f"{here}.{next(_numbers)}")
            self._mine = mine.getsockname()
            mine.connect(here)
            assert self._accepted.wait_for(lambda: self._mine is None, PATIENCE)
            return list(self._links)

    @property
    def requests(self) -> list[Request]:
        """Every request that came; AssertionError when a connection holds anything else."""
        return [request for link in self.links for request in requests(link.raw)]

    def fresh(self) -> None:
        """Ends all connections, which the proxy has to notice, and forgets them; raises what a script has."""
        links, self._script = self.links, None
        self._links.clear()
        while not self._waiting.empty():
            self._waiting.get()
        for link in links:
            link.finish()
        for link in links:
            self._forget(link)
        failures, self._failures = self._failures, []
        if failures:
            raise failures[0]

    def close(self) -> None:
        """Listens no longer."""
        self._listener.close()

    def _forget(self, link: Link) -> None:
        if link.thread is not None:
            link.thread.join(2 * PATIENCE)
        with contextlib.suppress(OSError):
            link.gone()
        link.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed: the end
            while True:
                sock, peer = self._listener.accept()
                with self._accepted:
                    if peer == self._mine:
                        self._mine = None
                        self._accepted.notify_all()
                        sock.close()
                    elif (secured := self._secured(sock)) is not None:
                        self._begin(Link(secured), self._script)

    def _secured(self, sock: socket.socket) -> socket.socket | None:
        """The connection behind its handshake; None when the proxy breaks that off."""
        if self._tls is None:
            return sock
        sock.settimeout(PATIENCE)
        with contextlib.suppress(OSError):
            return self._tls.wrap_socket(sock, server_side=True)
        sock.close()
        return None

    def _begin(self, link: Link, script: Script | None) -> None:
        if link.sock.family == socket.AF_INET:
            link.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._links.append(link)
        if script is None:
            self._waiting.put(link)
        else:
            link.thread = threading.Thread(target=self._run, args=(script, link), daemon=True)
            link.thread.start()

    def _run(self, script: Script, link: Link) -> None:
        try:
            script(link)
        except (Gone, ConnectionError):
            pass
        except BaseException as failure:
            self._failures.append(failure)
        link.finish()
