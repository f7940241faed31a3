"""Where a request says something that a rule can ask for: its fields, cookies, query, path and method.

Reading is bounded: a head has a size limit of its own, and of its cookies and its query only the
first pairs count, so that a client cannot buy much time with many small pairs.
"""

from collections.abc import Callable, Sequence
from typing import Literal
from urllib.parse import unquote_to_bytes

from proxy.http1.head import RequestHead

Source = Literal["header", "cookie", "query", "path", "method"]
Reader = Callable[[RequestHead], Sequence[bytes]]

MOST_PAIRS = 256
"""Pairs that are looked at in a query, and in all the cookie lines of one request together."""


def cookie(head: RequestHead, name: bytes) -> bytes | None:
    """The first cookie of this name in all cookie lines, undecoded, without quotes (RFC 6265, 4.1.1)."""
    left = MOST_PAIRS
    for line in head.values(b"cookie"):
        if name in line:
            for pair in line.split(b";", left)[:left]:
                key, equals, value = pair.partition(b"=")
                if equals and key.strip(b" \t") == name:
                    return _unquoted(value.strip(b" \t"))
        left = max(left - line.count(b";") - 1, 0)
    return None


def _unquoted(value: bytes) -> bytes:
    return value[1:-1] if len(value) >= 2 and value[:1] == value[-1:] == b'"' else value


def parameter(head: RequestHead, name: bytes) -> bytes | None:
    """The first query parameter of this name, percent-decoded; a ``+`` stays one: a blank only in forms."""
    query = head.query
    if name not in query and b"%" not in query:
        return None
    for pair in query.split(b"&", MOST_PAIRS)[:MOST_PAIRS]:
        key, _, value = pair.partition(b"=")
        if unquote_to_bytes(key) == name and pair:
            return unquote_to_bytes(value)
    return None


def _header(name: bytes) -> Reader:
    lower = name.lower()
    return lambda head: head.values(lower)


def _cookie(name: bytes) -> Reader:
    def read(head: RequestHead) -> Sequence[bytes]:
        value = cookie(head, name)
        return () if value is None else (unquote_to_bytes(value),)

    return read


def _query(name: bytes) -> Reader:
    def read(head: RequestHead) -> Sequence[bytes]:
        value = parameter(head, name)
        return () if value is None else (value,)

    return read


_READERS: dict[Source, Callable[[bytes], Reader]] = {
    "header": _header,
    "cookie": _cookie,
    "query": _query,
    "path": lambda _: lambda head: (head.path,),
    "method": lambda _: lambda head: (head.method,),
}


def reader(source: Source, name: str) -> Reader:
    """How to read every value that a request has at a source: none when it says nothing there.

    ``name`` is of the field, cookie or parameter; path and method have none. Raises ValueError for an unknown
    source.
    """
    if source not in _READERS:
        raise ValueError(
            f"`{source}` is nothing that a request can be matched by: expected {', '.join(_READERS)}"
        )
    return _READERS[source](name.encode())
