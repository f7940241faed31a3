"""Whether clients get an endpoint's early refusal of an upload, or a 502 in its place.

    python loadtests/refused_uploads.py [--uploads 32] [--rounds 5] [--peers weir haproxy]

An endpoint answers each POST with 413 as soon as it has the head, and closes its connection at once, over
TCP and over TLS: by a close, after which the kernel answers what still comes with a reset, or by a reset
(SO_LINGER 0). Clients upload 0.1 to 5 MB beside each other. Told are their answers, of each proxy in turn.
Exit status 1 when more than 1 in 50 of those that came through weir is no 413: a write that is under way
when the reset comes still loses the answer, the likelier the busier the machine is.
"""

import argparse
import asyncio
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from contextlib import ExitStack, suppress
from pathlib import Path

from rig.client import Connection
from rig.contenders import CONTENDERS, Place, Running, leashed, missing
from rig.weir import weir

from proxy.demo.ports import LOOPBACK

SIZES = (100_000, 300_000, 1_000_000, 5_000_000)
"""Bytes of uploads, one after the other."""
PIECE = 64 * 1024
REFUSAL = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 9\r\nConnection: close\r\n\r\ntoo large"
PATIENCE = 20.0
MOST = 1 / 50
"""The share of uploads that may get another answer."""


class Refusing:
    """An endpoint that refuses uploads, in threads."""

    def __init__(self, ending: str, context: ssl.SSLContext | None) -> None:
        self._ending = ending
        self._context = context
        self._listener = socket.create_server((LOOPBACK, 0), backlog=256)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Listen no longer."""
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._refuse, args=(connection,), daemon=True).start()

    def _refuse(self, connection: socket.socket) -> None:
        with suppress(OSError):
            # Or the answer would wait behind the session tickets, and the close would discard it.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
            head = b""
            while b"\r\n\r\n" not in head:
                piece = connection.recv(4096)
                if not piece:
                    break
                head += piece
            if head:
                connection.sendall(REFUSAL)
            if self._ending == "reset":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()


async def upload(port: int, size: int) -> str:
    """Send a POST, and read its answer beside that; return its status, or what went wrong."""
    try:
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
            connection = Connection(reader, writer)
            sending = asyncio.ensure_future(_send(connection, size))
            try:
                status, _, _ = await connection.answer()
            finally:
                sending.cancel()
                connection.close()
            return str(status)
    except (OSError, EOFError, TimeoutError) as error:
        return type(error).__name__


async def _send(connection: Connection, size: int) -> None:
    with suppress(OSError):
        await connection.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size)
        while size > 0:
            await connection.send(b"x" * min(size, PIECE))
            size -= PIECE


def certificate(directory: Path) -> ssl.SSLContext:
    """Return a context with a certificate that nobody trusts."""
    cert, key = directory / "cert.pem", directory / "key.pem"
    subject = ["-subj", "/CN=localhost", "-days", "2", "-keyout", str(key), "-out", str(cert)]
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    subprocess.run(["openssl", "req", "-x509", *kind, *subject], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


def begin(peer: str, place: Place, *, secure: bool) -> Running:
    """Start a proxy before the endpoint."""
    if peer == "weir":
        stable = f"{{endpoints: 'https://{place.origin}', tls: {{verify: false}}}}"
        settings = f"services: {{shop: {{stable: {stable if secure else f'http://{place.origin}'}}}}}\n"
        running = place.stack.enter_context(weir(place.directory, settings, workers=1))
        return Running(running.port, running.tree)
    origin = f"{place.origin} ssl verify none" if secure else place.origin
    return leashed("haproxy", "haproxy.cfg", ["-f", "@"], Place(place.directory, origin, place.stack))


async def one(peer: str, ending: str, context: ssl.SSLContext | None, asked: argparse.Namespace) -> float:
    """Measure one proxy before one endpoint; return the share of other answers than 413."""
    endpoint = Refusing(ending, context)
    with tempfile.TemporaryDirectory() as made, ExitStack() as stack:
        stack.callback(endpoint.close)
        place = Place(Path(made), f"{LOOPBACK}:{endpoint.port}", stack)
        running = await asyncio.to_thread(begin, peer, place, secure=context is not None)
        answers: Counter[str] = Counter()
        for number in range(asked.rounds * len(SIZES)):
            size = SIZES[number % len(SIZES)]
            answers.update(await asyncio.gather(*(upload(running.port, size) for _ in range(asked.uploads))))
        await asyncio.to_thread(stack.close)
    total = answers.total()
    wire = "TLS" if context else "TCP"
    others = ", ".join(f"{count} {what}" for what, count in answers.most_common() if what != "413")
    print(
        f"{peer:8} {wire} {ending:6} {answers['413']} of {total} got 413; {others or 'no other answer'}",
        flush=True,
    )
    return 1 - answers["413"] / total


async def measure(asked: argparse.Namespace) -> bool:
    """Measure all; return whether weir was good."""
    with tempfile.TemporaryDirectory() as made:
        context = certificate(Path(made))
    worst = 0.0
    for wire in (None, context):
        for ending in ("close", "reset"):
            for peer in asked.peers:
                lost = await one(peer, ending, wire, asked)
                worst = max(worst, lost if peer == "weir" else 0.0)
    return worst <= MOST


def main() -> int:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--uploads", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peers", nargs="+", choices=("weir", "haproxy"), default=["weir", "haproxy"])
    asked = parser.parse_args()
    for peer in asked.peers:
        if said := missing(peer, CONTENDERS[peer]):
            print(said, file=sys.stderr)
            asked.peers.remove(peer)
    return 0 if asyncio.run(measure(asked)) else 1


if __name__ == "__main__":
    sys.exit(main())
