"""Headers of the PROXY protocol: what they say of the client, and what is none."""

import asyncio
import socket
import struct
from collections.abc import Iterator

import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st

from proxy.forwarding.proxy_protocol import (
    LONGEST,
    LONGEST_TEXT,
    BadHeader,
    header_end,
    read_source,
    source,
)

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
V4 = socket.inet_aton("192.0.2.7") + socket.inet_aton("10.0.0.1") + struct.pack("!HH", 50000, 443)
TEXT = b"PROXY TCP4 192.0.2.7 10.0.0.1 50000 443\r\n"


def binary(command: int, kind: int, rest: bytes) -> bytes:
    return SIGNATURE + struct.pack("!BBH", command, kind, len(rest)) + rest


def v6(client: str) -> bytes:
    ends = [socket.inet_pton(socket.AF_INET6, each) for each in (client, "2001:db8::1")]
    return b"".join(ends) + struct.pack("!HH", 50000, 443)


GOOD = [
    (TEXT, "192.0.2.7"),
    (b"PROXY TCP6 2001:DB8:0::7 2001:db8::1 0 65535\r\n", "2001:db8::7"),
    (b"PROXY TCP6 ::ffff:192.0.2.7 ::1 1 2\r\n", "192.0.2.7"),
    (b"PROXY UNKNOWN\r\n", ""),
    (b"PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n", ""),
    (binary(0x21, 0x11, V4), "192.0.2.7"),
    (binary(0x21, 0x11, V4 + b"\x04\x00\x03abc"), "192.0.2.7"),
    (binary(0x21, 0x21, v6("2001:db8::7")), "2001:db8::7"),
    (binary(0x21, 0x21, v6("::ffff:192.0.2.7")), "192.0.2.7"),
    (binary(0x20, 0x00, b""), ""),
    (binary(0x20, 0x11, V4), ""),
    (binary(0x21, 0x00, b""), ""),
    (binary(0x21, 0x31, bytes(216)), ""),
    (binary(0x21, 0x11, V4 + bytes(LONGEST - 16 - 12)), "192.0.2.7"),
]


@pytest.mark.parametrize(("header", "client"), GOOD)
def test_who_the_client_is(header: bytes, client: str) -> None:
    assert header_end(header + b"GET / HTTP/1.1\r\n") == len(header)
    assert source(header) == client
    assert {header_end(header[:end]) for end in range(len(header))} == {0}, "it is awaited whole"


@pytest.mark.parametrize(
    ("header", "why"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "does not begin with a header"),
        (b"\x16\x03\x01", "does not begin with a header"),
        (b"\r\n\r\nGET", "does not begin with a header"),
        (b"PROXX", "does not begin with a header"),
        (b"PROXY " + b"x" * LONGEST_TEXT, "more than 107 bytes"),
        (binary(0x21, 0x11, V4 + bytes(LONGEST - 16 - 11)), "more than 4096 bytes"),
    ],
)
def test_what_cannot_become_one(header: bytes, why: str) -> None:
    with pytest.raises(BadHeader, match=why):
        header_end(header)


@pytest.mark.parametrize(
    ("header", "why"),
    [
        (b"PROXY TCP4 192.0.2.7 10.0.0.1 50000\r\n", "isn't as it has to be"),
        (b"PROXY TCP4 192.0.2.7 10.0.0.1 50000 65536\r\n", "isn't as it has to be"),
        (b"PROXY TCP4 192.0.2.7 10.0.0.1 50000 443 1\r\n", "isn't as it has to be"),
        (b"PROXY TCP4 2001:db8::7 10.0.0.1 50000 443\r\n", "isn't as it has to be"),
        (b"PROXY TCP4 192.0.2.7 10.0.0.256 50000 443\r\n", "isn't as it has to be"),
        (b"PROXY TCP6 192.0.2.7 10.0.0.1 50000 443\r\n", "isn't as it has to be"),
        (b"PROXY UDP4 192.0.2.7 10.0.0.1 50000 443\r\n", "isn't as it has to be"),
        (b"PROXY  TCP4 192.0.2.7 10.0.0.1 50000 443\r\n", "isn't as it has to be"),
        ("PROXY TCP4 192.0.2.7 10.0.0.1 ٣ 443\r\n".encode(), "isn't as it has to be"),
        (b"PROXY \r\n", "isn't as it has to be"),
        (binary(0x11, 0x11, V4), "0x11, which are not known"),
        (binary(0x22, 0x11, V4), "0x22, which are not known"),
        (binary(0x21, 0x12, V4), "0x12, which no TCP client has"),
        (binary(0x21, 0x11, V4[:-1]), "too short for its addresses"),
        (binary(0x21, 0x21, V4), "too short for its addresses"),
    ],
)
def test_what_is_none(header: bytes, why: str) -> None:
    assert header_end(header) == len(header)
    with pytest.raises(BadHeader, match=why):
        source(header)


@given(
    st.binary(max_size=300),
    st.sampled_from((b"", b"PROXY ", b"PROXY TCP4 ", SIGNATURE, SIGNATURE + b"\x21\x11")),
)
def test_whatever_comes_is_a_header_or_a_bad_one(data: bytes, before: bytes) -> None:
    try:
        end = header_end(before + data)
        assert 0 <= end <= len(before + data)
        if end:
            source((before + data)[:end])
    except BadHeader:
        pass


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The balancer's end, and ours."""
    theirs, ours = socket.socketpair()
    ours.setblocking(False)
    with theirs, ours:
        yield theirs, ours


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
@pytest.mark.parametrize("header", [TEXT, binary(0x21, 0x11, V4 + bytes(300))])
@pytest.mark.parametrize("piece", [1, 7, 10_000])
def test_nothing_behind_it_is_taken(
    pair: tuple[socket.socket, socket.socket], loop: type, header: bytes, piece: int
) -> None:
    theirs, ours = pair
    sent = header + b"GET / HTTP/1.1\r\n\r\n"

    async def send() -> str:
        reading = asyncio.ensure_future(read_source(ours))
        for at in range(0, len(sent), piece):
            await asyncio.sleep(0)
            theirs.sendall(sent[at : at + piece])
        return await reading

    with asyncio.Runner(loop_factory=loop) as runner:
        assert runner.run(send()) == "192.0.2.7"
    assert ours.recv(1000) == b"GET / HTTP/1.1\r\n\r\n"


async def test_the_end_before_it_and_within_it(pair: tuple[socket.socket, socket.socket]) -> None:
    theirs, ours = pair
    theirs.sendall(b"PROXY TC")
    theirs.shutdown(socket.SHUT_WR)
    with pytest.raises(BadHeader, match="ended within its header"):
        await read_source(ours)
    with pytest.raises(EOFError):
        await read_source(ours)
