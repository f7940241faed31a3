"""Sources of a request that a rule can look at: its fields, cookies, query, path and method.

Reading takes linear time, whatever a client sends: a head has a size limit of its own, cookies are searched
in one pass, and of a query only the first pairs count.
"""

import re
from collections.abc import Callable, Sequence
from typing import Literal
from urllib.parse import unquote_to_bytes

from proxy.http1.head import RequestHead

Source = Literal["header", "cookie", "query", "path", "method"]
Reader = Callable[[RequestHead], Sequence[bytes]]
"""Reads every value that a request has at a source; none when there is nothing."""

MOST_PAIRS = 256
"""Pairs of a query that are looked at; a parameter behind them is not there."""

# As numbers: bytes are sought in bytes by way of an exception, at 140 ns instead of 15.
_PERCENT, _QUOTE = b'%"'


def cookie_in(name: bytes) -> Callable[[bytes], bytes | None]:
    """Return how to find the first cookie of a name in one line: undecoded, no quotes (RFC 6265, 4.1.1)."""
    # Starting with a literal, the search skips from one semicolon to the next: twice as fast as `(?:^|;)`.
    search = re.compile(rb";[ \t]*" + re.escape(name) + rb"[ \t]*=([^;]*)").search

    def find(line: bytes) -> bytes | None:
        found = search(b";" + line)
        if found is None:
            return None
        value = found[1].strip(b" \t")
        return _unquoted(value) if _QUOTE in value else value

    return find


def cookie(name: bytes) -> Callable[[RequestHead], bytes | None]:
    """Return how to read the first cookie of a name in all cookie lines, as `cookie_in` finds it."""
    find = cookie_in(name)

    def read(head: RequestHead) -> bytes | None:
        for line in head.values(b"cookie"):
            if (value := find(line)) is not None:
                return value
        return None

    return read


def _unquoted(value: bytes) -> bytes:
    return value[1:-1] if len(value) >= 2 and value[:1] == value[-1:] == b'"' else value


def decoded(value: bytes) -> bytes:
    """Return a value without percent-encoding."""
    return unquote_to_bytes(value) if _PERCENT in value else value


def _header(name: bytes) -> Reader:
    lower = name.lower()
    return lambda head: head.values(lower)


def _cookie(name: bytes) -> Reader:
    undecoded = cookie(name)

    def read(head: RequestHead) -> Sequence[bytes]:
        value = undecoded(head)
        return () if value is None else (decoded(value),)

    return read


def _query(name: bytes) -> Reader:
    def read(head: RequestHead) -> Sequence[bytes]:
        query = head.target.partition(b"?")[2]
        encoded = _PERCENT in query
        if not encoded and query.find(name) < 0:
            return ()
        for pair in query.split(b"&", MOST_PAIRS)[:MOST_PAIRS]:
            key, _, value = pair.partition(b"=")
            if pair and (key == name or (encoded and decoded(key) == name)):
                # A `+` in it stays one: it means a blank in forms only.
                return (decoded(value) if encoded else value,)
        return ()

    return read


_READERS: dict[Source, Callable[[bytes], Reader]] = {
    "header": _header,
    "cookie": _cookie,
    "query": _query,
    "path": lambda _: lambda head: (head.path,),
    "method": lambda _: lambda head: (head.method,),
}


def reader(source: Source, name: str) -> Reader:
    """Return how to read a source.

    The first cookie or parameter of a name counts, percent-decoded; of a header every line; a path stays raw.

    Args:
        source: Where to look.
        name: Of the header (in any case), cookie or parameter; empty for others.

    Raises:
        ValueError: The source is unknown.
    """
    if source not in _READERS:
        sources = ", ".join(_READERS)
        raise ValueError(f"`{source}` is nothing that a request can be matched by: expected {sources}")
    return _READERS[source](name.encode())
