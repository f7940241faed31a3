"""A name server of the tests' own, over UDP and TCP on one port of the loopback, in a thread of its own.

    with NameServer() as server:
        server.zone["app.test"] = ["192.0.2.1", "2001:db8::1"]

What it says of a name is changed while it runs; of names that it doesn't know it says that there are none.
"""

import asyncio
import contextlib
import struct
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Self, cast

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

Fault = Literal[
    "mute",
    "nxdomain",
    "servfail",
    "refused",
    "truncated",
    "garbage",
    "wrong-id",
    "wrong-question",
    "mute-aaaa",
]


@dataclass(frozen=True)
class Reply:
    """What is said of one name.

    A name among the addresses is a CNAME; `fault` says in which way the answer is bad, and `late` by how many
    seconds it comes.
    """

    addresses: Sequence[str] = ()
    fault: Fault | None = None
    late: float = 0.0
    ttl: int = 1


@dataclass
class NameServer:
    """The server. `asked` counts the questions by name and type."""

    zone: dict[str, Sequence[str] | Reply] = field(default_factory=dict)
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    port: int = 0

    def __enter__(self) -> Self:
        started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run(started)), daemon=True)
        self._thread.start()
        assert started.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)

    @property
    def address(self) -> str:
        """What `resolver.servers` takes."""
        return f"127.0.0.1:{self.port}"

    async def _run(self, started: threading.Event) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        tcp = await asyncio.start_server(self._by_tcp, "127.0.0.1", self.port)
        self.port = tcp.sockets[0].getsockname()[1]
        udp, _ = await self._loop.create_datagram_endpoint(
            lambda: _Datagrams(self), local_addr=("127.0.0.1", self.port)
        )
        started.set()
        await self._over.wait()
        udp.close()
        tcp.close()

    async def _by_tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                (size,) = struct.unpack("!H", await reader.readexactly(2))
                said, _ = self.answer(await reader.readexactly(size), by_udp=False)
                if said:
                    writer.write(struct.pack("!H", len(said)) + said)
        writer.close()

    def answer(self, question: bytes, *, by_udp: bool) -> tuple[bytes, float]:
        """Return the answer to a question, empty for none, and how late it is."""
        query = dns.message.from_wire(question)
        [asked] = query.question
        name, kind = asked.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(asked.rdtype)
        self.asked[name, kind] += 1
        known = self.zone.get(name, Reply(fault="nxdomain"))
        reply = known if isinstance(known, Reply) else Reply(known)
        if reply.fault == "mute" or (reply.fault == "mute-aaaa" and kind == "AAAA"):
            return b"", 0.0
        if reply.fault == "garbage":
            return question[:2] + b"\xff" * 7, reply.late
        response = dns.message.make_response(query)
        if reply.fault in _CODES:
            response.set_rcode(_CODES[reply.fault])
        elif reply.fault == "truncated" and by_udp:
            response.flags |= dns.flags.TC
        else:
            response.answer += _records(asked.name, kind, reply, self.zone)
        if reply.fault == "wrong-id":
            response.id ^= 1
        if reply.fault == "wrong-question":
            response.question = [dns.rrset.RRset(dns.name.from_text("else."), asked.rdclass, asked.rdtype)]
        return response.to_wire(), reply.late


_CODES = {"nxdomain": dns.rcode.NXDOMAIN, "servfail": dns.rcode.SERVFAIL, "refused": dns.rcode.REFUSED}


def _records(
    owner: dns.name.Name, kind: str, reply: Reply, zone: dict[str, Sequence[str] | Reply]
) -> list[dns.rrset.RRset]:
    found = []
    for one in reply.addresses:
        if one.replace(".", "").isdigit() or ":" in one:
            if (":" in one) == (kind == "AAAA"):
                found.append(dns.rrset.from_text(owner, reply.ttl, "IN", kind, one))
            continue
        found.append(dns.rrset.from_text(owner, reply.ttl, "IN", "CNAME", f"{one}."))
        known = zone.get(one, ())
        target = known if isinstance(known, Reply) else Reply(known)
        found += _records(dns.name.from_text(one), kind, target, zone)
    return found


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: NameServer) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        said, late = self._server.answer(data, by_udp=True)
        if said:
            asyncio.get_running_loop().call_later(late, self._transport.sendto, said, addr)
