"""The real program between scripted ends."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rig.weir import Weir, weir

from proxy.demo.ports import LOOPBACK
from tests.wire.client import Client
from tests.wire.kernel import await_taken
from tests.wire.reader import Ambiguous, Answer, Request, requests
from tests.wire.upstream import OK, Link, Upstream

Statuses = int | tuple[int, ...]

UPGRADE = b"GET /tunnel HTTP/1.1\r\nHost: shop.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
PROBE = b"GET /probe HTTP/1.1\r\nHost: probe.example\r\n\r\n"


class Wire:
    """A running proxy, the upstream behind it, and the clients of one case.

    It is ready to serve a case from nothing: no connection is left from the case before.
    """

    def __init__(self, running: Weir, upstream: Upstream) -> None:
        self.running = running
        self.upstream = upstream
        self._clients: list[Client] = []

    def connect(self) -> socket.socket:
        """A new TCP connection to the proxy."""
        sock = socket.create_connection((LOOPBACK, self.running.port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def client(self, *segments: bytes, sock: socket.socket | None = None) -> Client:
        """A new client that has sent these segments."""
        client = Client(sock or self.connect())
        self._clients.append(client)
        client.send(*segments)
        return client

    def ask(self, sent: bytes, method: str = "GET") -> Answer:
        """The answer to a request of a connection of its own."""
        return self.client(sent).answer(method)

    def halves(self, sent: bytes, splits: Sequence[int] | None = None) -> Iterator[Client]:
        """Clients that have sent these bytes in two segments, one for each point between two bytes."""
        points = list(splits or range(1, len(sent)))
        for first in range(0, len(points), 50):
            batch = [(at, self.client(sent[:at])) for at in points[first : first + 50]]
            await_taken([client.sock for _, client in batch])
            for at, client in batch:
                client.send(sent[at:])
            for _, client in batch:
                yield client
                client.close()

    def tunnel(self, early: bytes = b"") -> tuple[Client, Link]:
        """A client and an upstream that have agreed on another protocol; the client hasn't waited for it."""
        client = self.client(UPGRADE + early)
        link = self.upstream.accept()
        link.request_of_upgrade()
        link.send(SWITCHED)
        assert client.answer().status == 101
        return client, link

    def passed(self) -> Request:
        """The one request that reached the upstream."""
        (request,) = self.upstream.requests
        return request

    # What most cases say of a request.

    def refuses(self, sent: bytes, statuses: Statuses, method: str = "GET") -> Answer:
        """A request is answered by the proxy, which closes; nothing of it reaches the upstream."""
        self.upstream.answers(OK)
        answer = self.turned_away(self.client(sent), statuses, method)
        self.only_the_probe_passes()
        return answer

    def turned_away(self, client: Client, statuses: Statuses, method: str = "GET") -> Answer:
        """A client gets one answer with one of these statuses, and the connection is closed behind it."""
        answer = client.answer(method)
        wanted = (statuses,) if isinstance(statuses, int) else statuses
        assert answer.status in wanted, f"{answer.status}, not {statuses}: {answer}"
        assert answer.closes, f"no Connection: close: {answer}"
        assert client.ended() == "closed"
        return answer

    def only_the_probe_passes(self) -> None:
        """The next client's request is answered, and all that the upstream ever saw."""
        answer = self.ask(PROBE)
        assert (answer.status, answer.body) == (200, b"ok")
        assert [request.target for request in self.upstream.requests] == ["/probe"]

    def breaks_off(self, statuses: Statuses, *segments: bytes) -> None:
        """A request is found bad when some of it is on its way: it is refused, and never becomes whole."""
        self.upstream.serve(Link.gone)
        self.turned_away(self.client(*segments), statuses)
        self.never_whole()
        self.serves_on()

    def never_whole(self) -> None:
        """The proxy ends its connections, and none of them holds a whole request."""
        for link in self.upstream.links:
            assert not whole(link.ended()), f"a whole request: {link.raw!r}"

    def refused(self, reason: str) -> float:
        """How many requests the proxy says it has turned away for this reason."""
        return self.metric(f'weir_refused_total{{reason="{reason}"}}')

    def metric(self, series: str) -> float:
        """The value of a series; 0 while it isn't there."""
        lines = self.running.admin.metrics().splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{series} "))

    def serves_on(self) -> None:
        """Whatever was before: the next client's request is answered."""
        self.leave()
        self.upstream.fresh()
        self.upstream.answers(OK)
        self.only_the_probe_passes()

    def leave(self) -> None:
        """All clients leave."""
        while self._clients:
            self._clients.pop().close()

    def fresh(self) -> None:
        """Nothing of the case before is left."""
        self.leave()
        self.upstream.fresh()


def whole(stream: bytes) -> bool:
    """Whether there is a whole request in a stream."""
    try:
        return bool(requests(stream))
    except Ambiguous:
        return False


@contextmanager
def running(directory: Path, settings: str, *, more_listen: Sequence[str] = ()) -> Iterator[Wire]:
    """A proxy of one worker with these settings; `{port}` in them stands for the upstream's."""
    with ExitStack() as stack:
        upstream = Upstream()
        stack.callback(upstream.close)
        text = settings.replace("{port}", str(upstream.port))
        started = stack.enter_context(weir(directory, text, workers=1, more_listen=more_listen))
        yield Wire(started, upstream)
        # What goes wrong in a callback of the event loop hurts nobody that a case could see.
        assert "Traceback" not in started.log(), started.log()
