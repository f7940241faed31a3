"""Bytes of exchanges: cut at every point, and read as a client would read them."""

from collections import deque
from collections.abc import Iterator, Sequence


def every_cut(data: bytes) -> Iterator[tuple[bytes, ...]]:
    """The same bytes: whole, one by one, and in two at a few split points."""
    yield (data,)
    yield tuple(data[at : at + 1] for at in range(len(data)))
    for at in range(1, len(data), max(1, len(data) // 12)):
        yield data[:at], data[at:]


Answered = tuple[int, list[tuple[str, str]], bytes]
"""Status, fields and body."""


def answers(data: bytes, methods: Sequence[str] = ("GET",), closed: bool = False) -> list[Answered]:
    """Read answers as a client would: status, fields and body of each; nothing may be left over."""
    asked = deque(methods)
    found: list[Answered] = []
    while data:
        head, blank, data = data.partition(b"\r\n\r\n")
        assert blank, head
        first, *lines = head.decode("latin-1").split("\r\n")
        version, status, _ = first.split(" ", 2)
        assert version == "HTTP/1.1"
        fields = [(name, value) for name, _, value in (line.partition(": ") for line in lines)]
        body = b""
        if not status.startswith("1"):
            method = asked.popleft()
            if method != "HEAD" and status not in ("204", "304"):
                body, data = _body({name.lower(): value for name, value in fields}, data, closed)
        found.append((int(status), fields, body))
    return found


def _body(fields: dict[str, str], data: bytes, closed: bool) -> tuple[bytes, bytes]:
    if "content-length" in fields:
        size = int(fields["content-length"])
        assert len(data) >= size
        return data[:size], data[size:]
    if fields.get("transfer-encoding") != "chunked":
        assert closed, "a body without an end"
        return data, b""
    body = b""
    while True:
        line, _, data = data.partition(b"\r\n")
        size = int(line, 16)
        assert data[size : size + 2] == b"\r\n"
        body, data = body + data[:size], data[size + 2 :]
        if not size:
            return body, data
