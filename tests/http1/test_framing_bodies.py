"""Bodies end where they say, however the bytes are cut, and chunks have one reading."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.http1.errors import BadMessage
from proxy.http1.framing import CHUNKED, Chunks, Endless, Sized, measure
from proxy.http1.limits import DEFAULT, Limits


def refused(function: Callable[..., Any], *arguments: Chunks | bytes) -> int:
    with pytest.raises(BadMessage) as caught:
        function(*arguments)
    return caught.value.status


def read(body: Sized, *parts: bytes) -> tuple[bytes, bytes]:
    """Feed parts one after the other; what is behind the body is never fed to it."""
    pieces = []
    for at, part in enumerate(parts):
        pieces += body.feed(part)
        if body.done:
            return b"".join(pieces), body.rest + b"".join(parts[at + 1 :])
    return b"".join(pieces), None


def every_cut(data: bytes) -> Iterator[tuple[Any, ...]]:
    """The same bytes: whole, one by one, and in two at every split point."""
    yield (data,)
    yield tuple(data[at : at + 1] for at in range(len(data)))
    for at in range(1, len(data)):
        yield data[:at], data[at:]


@pytest.mark.parametrize("rest", [b"", b"GET / HTTP/1.1\r\n"])
@pytest.mark.parametrize("content", [b"a", b"hello", bytes(range(256))])
def test_a_sized_body_ends_at_its_length_wherever_it_is_cut(content: bytes, rest: bytes) -> None:
    for parts in every_cut(content + rest):
        assert read(Sized(len(content)), *parts) == (content, rest)


def test_an_empty_body_is_done_before_it_began() -> None:
    assert Sized(0).done
    body = Sized(0)
    assert b"".join(body.feed(b"next")) == b""
    assert (body.done, body.rest) == (True, b"next")


def test_a_sized_body_that_lacks_a_byte_is_not_done() -> None:
    body = Sized(3)
    assert body.feed(b"ab") == [b"ab"]
    assert not body.done
    assert repr(body) == "<Sized 1 bytes left>"


def test_an_endless_body_is_never_done() -> None:
    body = Endless()
    assert body.feed(b"0\r\n\r\n") == [b"0\r\n\r\n"]
    assert (body.done, body.rest) == (False, b"")


CHUNKED_BODIES = [
    (b"0\r\n\r\n", b""),
    (b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
    (b"005\r\nhello\r\n000\r\n\r\n", b"hello"),
    (b"a\r\n0123456789\r\n1\r\n!\r\n0\r\n\r\n", b"0123456789!"),
    (b"A;name\r\n0123456789\r\n0;last=1\r\n\r\n", b"0123456789"),
    (b'1 ; a="b;c"\t\r\nx\r\n0\r\n\r\n', b"x"),
    (b"2\r\n\r\n\r\n0\r\n\r\n", b"\r\n"),
    (b"7\r\n0\r\n\r\n\r\n\r\n0\r\n\r\n", b"0\r\n\r\n\r\n"),
    (b"1\r\nx\r\n0\r\nDigest: abc\r\nX-Empty:\r\n\r\n", b"x"),
]


@pytest.mark.parametrize("rest", [b"", b"\r\n", b"GET / HTTP/1.1\r\n\r\n"])
@pytest.mark.parametrize(("wire", "content"), CHUNKED_BODIES)
def test_chunks_give_the_same_body_and_rest_wherever_they_are_cut(
    wire: bytes, content: bytes, rest: bytes
) -> None:
    for parts in every_cut(wire + rest):
        assert read(Chunks(), *parts) == (content, rest)


@pytest.mark.parametrize(("wire", "_"), CHUNKED_BODIES)
def test_chunks_are_done_with_their_last_byte_and_not_before(wire: bytes, _: bytes) -> None:
    body = Chunks()
    for at in range(len(wire)):
        assert not body.done
        body.feed(wire[at : at + 1])
    assert body.done


@given(
    st.lists(st.binary(min_size=1, max_size=40), max_size=5),
    st.sampled_from([b"", b";a", b";a=b;c", b' ; a="\xff"']),
    st.sampled_from([b"", b"X: y\r\n", b"X: y\r\nZ:\r\n"]),
    st.binary(max_size=20),
    st.lists(st.integers(1, 30), max_size=30),
)
def test_any_chunks_in_any_cuts(
    contents: list[bytes], extension: bytes, trailers: bytes, rest: bytes, sizes: list[int]
) -> None:
    wire = b"".join(b"%x%b\r\n%b\r\n" % (len(one), extension, one) for one in contents)
    wire += b"0" + extension + b"\r\n" + trailers + b"\r\n" + rest
    parts, at = [], 0
    for size in sizes:
        parts.append(wire[at : at + size])
        at += size
    assert read(Chunks(), *parts, wire[at:]) == (b"".join(contents), rest)


BAD_CHUNKS = [
    b"\r\n",
    b"g\r\n",
    b"-1\r\n",
    b"+1\r\n",
    b"0x1\r\n",
    b"1_0\r\n",
    b" 1\r\n",
    b"1 1\r\n",
    b"1\n",
    b"1;a\n",
    b"1;a\x00\r\n",
    b"1;a\rb\r\n",
    b"1\r\r\n",
    b"\xb2\r\n",
    b"1234567890abcdef\r\n",
    b"1\r\nxy\r\n",
    b"1\r\nx\n",
    b"1\r\nx0\r\n",
    b"1\r\nx\r\r\n",
    b"0\r\nX\r\n",
    b"0\r\nX : y\r\n",
    b"0\r\n X: y\r\n",
    b"0\r\n: y\r\n",
    b"0\r\nX: a\x00\r\n",
    b"0\r\nX: y\n",
    b"0\r\n\n",
]


@pytest.mark.parametrize("wire", BAD_CHUNKS)
def test_what_is_not_chunks_is_refused_wherever_it_is_cut(wire: bytes) -> None:
    for parts in every_cut(wire):
        assert refused(read, Chunks(), *parts) == 400


@pytest.mark.parametrize(
    "wire",
    [
        b"1;" + b"a" * 16384 + b"\r\n",
        b"1;" + b"a" * 16384,
        b"0\r\nX: " + b"a" * 16384 + b"\r\n",
        b"0\r\n" + b"X: %b\r\n" % (b"a" * 1000) * 70,
    ],
    ids=["extension", "unended extension", "trailer", "trailers"],
)
def test_endless_lines_and_trailers_are_refused(wire: bytes) -> None:
    for parts in ((wire,), tuple(wire[at : at + 1000] for at in range(0, len(wire), 1000))):
        assert refused(read, Chunks(), *parts) == 431


def test_long_extensions_and_trailers_within_the_limits_are_read() -> None:
    wire = b"1;" + b"a" * 16000 + b"\r\nx\r\n0\r\n" + b"X: %b\r\n" % (b"a" * 1000) * 60 + b"\r\n"
    assert read(Chunks(), wire) == (b"x", b"")


def test_chunks_say_where_they_stand() -> None:
    body = Chunks()
    seen = [repr(body)]
    for part in (b"5\r\n", b"he", b"llo", b"\r\n", b"0\r\n", b"\r\n"):
        body.feed(part)
        seen.append(repr(body))
    assert seen == [
        "<Chunks size, 0 bytes left>",
        "<Chunks data, 5 bytes left>",
        "<Chunks data, 3 bytes left>",
        "<Chunks data-end, 0 bytes left>",
        "<Chunks size, 0 bytes left>",
        "<Chunks trailers, 0 bytes left>",
        "<Chunks done, 0 bytes left>",
    ]


# The limits of lines and trailers, as they are given.

SHORT = Limits(line=20, head=50, fields=3)


def dripped(wire: bytes) -> tuple[bytes, ...]:
    return tuple(wire[at : at + 1] for at in range(len(wire)))


@pytest.mark.parametrize(
    ("wire", "reason"),
    [
        (b"1;" + b"a" * 16 + b"\r\nx\r\n0\r\n\r\n", ""),
        (b"1;" + b"a" * 17 + b"\r\nx\r\n0\r\n\r\n", "line"),
        (b"1;" + b"a" * 19, "line"),
        (b"1;\r\nx\r\n0;" + b"a" * 17 + b"\r\n", "line"),
        (b"0" * 19 + b"\r\n", "line"),
        (b"1\r\nx" + b"y" * 21, "line"),
        (b"0\r\nA:" + b"a" * 16 + b"\r\n\r\n", ""),
        (b"0\r\nA:" + b"a" * 17 + b"\r\n\r\n", "line"),
        (b"0\r\nA:" + b"a" * 19, "line"),
        (b"0\r\n" + b"A: 12345678901\r\n" * 3 + b"\r\n", ""),
        (b"0\r\n" + b"A: 123456789012\r\n" * 3 + b"\r\n", "head"),
        (b"0\r\n" + b"A:\r\n" * 3 + b"\r\n", ""),
        (b"0\r\n" + b"A:\r\n" * 4 + b"\r\n", "fields"),
    ],
    ids=str,
)
@pytest.mark.parametrize("made", [Chunks, lambda limits: measure(CHUNKED, limits)])
def test_lines_and_trailers_hold_to_the_limits_that_are_given(
    made: Callable[..., Any] | type[Chunks], wire: bytes, reason: str
) -> None:
    for parts in ((wire,), dripped(wire)):
        if reason:
            with pytest.raises(BadMessage) as caught:
                read(made(SHORT), *parts)
            assert (caught.value.status, caught.value.reason) == (431, reason)
        else:
            assert read(made(SHORT), *parts)[1] == b""


def test_as_many_trailers_as_fields_are_allowed_and_not_one_more() -> None:
    wire = b"0\r\n" + b"A: b\r\n" * DEFAULT.fields
    assert read(Chunks(), wire + b"\r\n") == (b"", b"")
    assert refused(read, Chunks(), wire + b"A: b\r\n") == 431


def test_chunks_themselves_have_no_limit() -> None:
    wire = b"64\r\n" + b"x" * 100 + b"\r\n0\r\n\r\n"
    assert read(Chunks(SHORT), wire) == (b"x" * 100, b"")


@given(st.lists(st.binary(min_size=1, max_size=3), min_size=1, max_size=8), st.data())
def test_small_chunks_read_the_same_however_they_are_cut(chunks: list[bytes], data: Any) -> None:
    wire = b"".join(b"%x\r\n%b\r\n" % (len(one), one) for one in chunks) + b"0\r\n\r\nrest"
    cut = data.draw(st.integers(0, len(wire)))
    body = Chunks()
    pieces = body.feed(wire[:cut])
    if not body.done:
        pieces += body.feed(wire[cut:])
        assert body.rest == b"rest"
    assert b"".join(pieces) == b"".join(chunks)
    assert body.done


@pytest.mark.parametrize(
    "wire", [b"1\r\nxy\r\n", b"2\r\nx\r\n1\r\n", b"1\r\nx\n\r\n", b"g\r\nx\r\n", b"-1\r\nx\r\n"]
)
def test_a_small_chunk_that_is_not_as_long_as_it_says_is_refused(wire: bytes) -> None:
    with pytest.raises(BadMessage):
        Chunks().feed(wire + b"0\r\n\r\n")
