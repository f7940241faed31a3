"""Any exchanges in any cuts: each body arrives whole, and nothing of the next."""

import re

from hypothesis import given
from hypothesis import strategies as st

from tests.kits.stage import Stage

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
POST = b"POST /a HTTP/1.1\r\nHost: shop\r\nContent-Length: 10\r\n\r\n"
COMPLETE = [("complete", 200, "success")]


def dechunked(data: bytes) -> tuple[bytes, bytes]:
    """The content of chunks, and what is behind them."""
    content = b""
    while True:
        size, _, data = data.partition(b"\r\n")
        assert re.fullmatch(rb"[0-9a-f]+", size), size
        content += data[: int(size, 16)]
        assert data[int(size, 16) :][:2] == b"\r\n"
        data = data[int(size, 16) + 2 :]
        if not int(size, 16):
            return content, data


bodies = st.binary(max_size=30)
sizes = st.lists(st.integers(1, 60), max_size=20)


def cut(data: bytes, some: list[int]) -> list[bytes]:
    parts, at = [], 0
    for size in some:
        parts.append(data[at : at + size])
        at += size
    return [part for part in (*parts, data[at:]) if part]


def framed(content: bytes, chunked: bool) -> bytes:
    if not chunked:
        return b"Content-Length: %d\r\n\r\n%b" % (len(content), content)
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(one), one) for one in cut(content, [7, 7, 7]))
    return b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"


def whole_body(message: bytes) -> tuple[bytes, bytes]:
    head, _, rest = message.partition(b"\r\n\r\n")
    if b"Transfer-Encoding: chunked" in head:
        return dechunked(rest)
    size = int(re.search(rb"Content-Length: (\d+)", head)[1])
    return rest[:size], rest[size:]


@given(
    st.lists(st.tuples(bodies, st.booleans(), bodies, st.booleans()), min_size=1, max_size=3), sizes, sizes
)
def test_any_exchanges_in_any_cuts(
    staged: type[Stage],
    exchanges: list[tuple[bytes, bool, bytes, bool]],
    request_sizes: list[int],
    answer_sizes: list[int],
) -> None:
    stage = staged()
    client = stage.client()
    requests = b"".join(
        b"POST /%d HTTP/1.1\r\nHost: shop\r\n" % number + framed(content, chunked)
        for number, (content, chunked, _, _) in enumerate(exchanges)
    )
    client.sends(*cut(requests, request_sizes))
    server = stage.connects()
    for number, (sent, _, answered, chunked) in enumerate(exchanges):
        got = server.got()
        assert got.startswith(b"POST /%d HTTP/1.1\r\n" % number)
        assert whole_body(got) == (sent, b"")
        server.sends(*cut(b"HTTP/1.1 200 OK\r\n" + framed(answered, chunked), answer_sizes))
        assert whole_body(client.got()) == (answered, b"")
    assert stage.outcomes() == COMPLETE * len(exchanges)
    assert (stage.idle(), stage.dialled(), client.end) == (1, [], "")
