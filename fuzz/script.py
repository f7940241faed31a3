"""What the fuzzer's bytes mean: a script of who does what, in order.

A script is a list of steps. Each begins with the byte RS (0x1e, the record separator of ASCII) and a letter
that says what happens; what follows, up to the next RS, belongs to it. So a seed reads nearly like the wire,
and cutting a message into segments, or weaving two connections, takes the fuzzer two bytes. What stands
before the first step is sent by the client. Letters that mean nothing are no steps.
"""

from collections.abc import Iterator

SEPARATOR = b"\x1e"
MOST_STEPS = 48
"""Further ones are left out, so that no input takes long."""
LARGE = 80_000
"""Bytes of a large segment: more than is taken before somebody asks for a pause, and than a head may have."""

STEPS = {
    "c": "the client sends a segment",
    "b": "the client sends bytes one by one",
    "l": "the client sends a large segment: the last of these bytes comes 80,000 times",
    "e": "the client ends its side",
    "x": "the client resets the connection",
    "s": "the client takes no more bytes",
    "t": "the client takes bytes again",
    "n": "another client is meant from now on: 0 to 3",
    "u": "the endpoint sends a segment",
    "v": "the endpoint sends bytes one by one",
    "L": "the endpoint sends a large segment: the last of these bytes comes 80,000 times",
    "E": "the endpoint ends its side",
    "X": "the endpoint resets the connection",
    "S": "the endpoint takes no more bytes",
    "T": "the endpoint takes bytes again",
    "N": "another connection of the endpoint is meant from now on: 0 to 9",
    "d": "the endpoint takes a connection",
    "r": "the endpoint refuses a connection",
    "w": "time passes: 1 to 99 seconds",
    "o": "the proxy has other settings, before the first connection: 0 to 4",
    "f": "the worker is told to finish",
}

Step = tuple[str, bytes]
"""A letter and what belongs to it."""


def read(data: bytes) -> Iterator[Step]:
    """Return the steps of a script; every string of bytes is one."""
    first, *others = data.split(SEPARATOR)[:MOST_STEPS]
    if first:
        yield "c", first
    for other in others:
        letter = chr(other[0]) if other else ""
        if letter in STEPS:
            yield letter, other[1:]


def write(*steps: Step) -> bytes:
    """Return the script of these steps."""
    return b"".join(SEPARATOR + letter.encode() + data for letter, data in steps)


def large(data: bytes) -> bytes:
    """Return these bytes with the last of them so often that the segment is large; nothing for nothing."""
    return data + data[-1:] * (LARGE - 1)


def number(data: bytes, otherwise: int) -> int:
    """Return the number that two digits tell, or another one when they tell none."""
    return int(data[:2]) if data[:2].isdigit() else otherwise
