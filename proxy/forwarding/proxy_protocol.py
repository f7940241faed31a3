"""The PROXY protocol: a header before a connection's own bytes, in which a load balancer names the client.

Versions 1 (text) and 2 (binary), after the specification of HAProxy (proxy-protocol.txt, 2020/03/05).
"""

import asyncio
import socket
import struct
from ipaddress import IPv4Address, IPv6Address

LONGEST_TEXT = 107
"""Bytes of a header of version 1, its CRLF included."""
LONGEST = 4096
"""Bytes of a header of version 2, with what a balancer adds about TLS and itself."""
_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
_FIXED = struct.Struct("!12sBBH")
_ADDRESSES = {0x11: (IPv4Address, 4, 12), 0x21: (IPv6Address, 16, 36)}
"""By family and transport, TCP over IPv4 and IPv6: an address, its bytes, those of both ends with ports."""
_NO_ADDRESS = (0x00, 0x31)
"""Unspecified, and a unix socket."""


class BadHeader(Exception):
    """An error: what came is no header of the PROXY protocol. The message is a clause for a person."""


def header_end(data: bytes) -> int:
    """Return where the header at the beginning of these bytes ends; 0 while it isn't whole.

    Raises:
        BadHeader: it can't become one.
    """
    if data.startswith(b"PROXY "[: len(data)]):
        end = data.find(b"\r\n", 0, LONGEST_TEXT) + 2
        if end < 2 and len(data) >= LONGEST_TEXT:
            raise BadHeader(f"a line of more than {LONGEST_TEXT} bytes")
        return end if end >= 2 else 0
    if not data.startswith(_SIGNATURE[: len(data)]):
        raise BadHeader("it does not begin with a header of the PROXY protocol")
    if len(data) < _FIXED.size:
        return 0
    end = _FIXED.size + _FIXED.unpack_from(data)[3]
    if end > LONGEST:
        raise BadHeader(f"a header of more than {LONGEST} bytes")
    return end if len(data) >= end else 0


def source(header: bytes) -> str:
    """Return the client's address in a whole header; empty when it names none: the peer itself is the client.

    Raises:
        BadHeader: it isn't one of version 1 or 2.
    """
    return _source_in_text(header) if header.startswith(b"PROXY ") else _source_in_bytes(header)


def _source_in_text(header: bytes) -> str:
    try:
        match header.decode("ascii").removesuffix("\r\n").split(" "):
            case ["PROXY", "UNKNOWN", *_]:
                return ""
            case ["PROXY", "TCP4", client, ours, *ports] if _are_ports(ports):
                IPv4Address(ours)
                return str(IPv4Address(client))
            case ["PROXY", "TCP6", client, ours, *ports] if _are_ports(ports):
                IPv6Address(ours)
                return _unmapped(IPv6Address(client))
    except ValueError:  # no ASCII, or no address
        pass
    raise BadHeader("a line of the PROXY protocol that isn't as it has to be")


def _are_ports(written: list[str]) -> bool:
    return len(written) == 2 and all(each.isdecimal() and int(each[:6]) <= 65_535 for each in written)


def _source_in_bytes(header: bytes) -> str:
    _, command, kind, length = _FIXED.unpack_from(header)
    if command == 0x20:  # LOCAL: the balancer asks for itself
        return ""
    if command != 0x21:
        raise BadHeader(f"version and command are 0x{command:02x}, which are not known")
    if kind in _NO_ADDRESS:
        return ""
    if kind not in _ADDRESSES:
        raise BadHeader(f"the family and transport 0x{kind:02x}, which no TCP client has")
    address, size, most = _ADDRESSES[kind]
    if length < most:
        raise BadHeader("a header that is too short for its addresses")
    found = address(header[_FIXED.size : _FIXED.size + size])
    return _unmapped(found) if isinstance(found, IPv6Address) else str(found)


def _unmapped(address: IPv6Address) -> str:
    return str(address.ipv4_mapped or address)


async def read_source(connection: socket.socket) -> str:
    """Take the header off a connection, and no byte behind it; return the client's address as `source` does.

    Args:
        connection: non-blocking, and no transport's yet.

    Raises:
        BadHeader: something else came.
        EOFError: the end came, behind nothing at all.
        OSError: the connection broke.
    """
    header = b""
    while True:
        await _readable(connection)
        came = connection.recv(LONGEST, socket.MSG_PEEK)
        if not came and not header:
            raise EOFError
        if not came:
            raise BadHeader("it ended within its header")
        end = header_end(header + came)
        # Taken at once: what is only looked at would be reported again and again.
        header += connection.recv(end - len(header) if end else len(came))
        if end:
            return source(header)


async def _readable(connection: socket.socket) -> None:
    """Wait until bytes or the end have come."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(connection, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(connection)
