"""Where bodies end: every rule of RFC 9112 section 6.3, and the same end however the bytes are cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.http1.errors import BadMessage
from proxy.http1.framing import (
    CHUNKED,
    UNTIL_CLOSE,
    Chunks,
    Endless,
    Sized,
    measure,
    request_length,
    response_length,
)
from proxy.http1.head import RequestHead, ResponseHead

NOT_A_NUMBER = [b"", b"+5", b"-5", b"5,5", b"5, 5", b"0x5", b"5 5", b"5.0", b"1_0", b"\xb2", b"\xd9\xa5"]
TOO_LONG = b"9" * 19
NOT_CHUNKED = [(b"gzip", 501), (b"identity", 501), (b"", 400), (b"gzip, chunked", 400)]
NOT_CHUNKED += [(b"chunked, gzip", 400), (b"chunked,chunked", 400), (b",chunked", 400), (b"chunked;q=1", 400)]


def request(minor=1, **steering):
    named = {name.replace("_", "-").encode(): value for name, value in steering.items()}
    return RequestHead(b"POST", b"/", minor, [], b"a", named)


def response(status=200, minor=1, **steering):
    named = {name.replace("_", "-").encode(): value for name, value in steering.items()}
    return ResponseHead(status, b"", minor, [], named)


def refused(function, *arguments):
    with pytest.raises(BadMessage) as caught:
        function(*arguments)
    return caught.value.status


# Section 6.3 for requests: rules 3, 4, 5, 6 and 7.


@pytest.mark.parametrize("minor", [0, 1])
@pytest.mark.parametrize(
    ("value", "length"), [(b"0", 0), (b"5", 5), (b"0005", 5), (b"9" * 18, 10**18 - 1), (None, 0)]
)
def test_a_request_is_as_long_as_it_says_and_empty_when_it_says_nothing(minor, value, length):
    head = request(minor) if value is None else request(minor, content_length=value)
    assert request_length(head) == length


@pytest.mark.parametrize("value", [b"chunked", b"Chunked", b"CHUNKED"])
def test_a_request_in_chunks(value):
    assert request_length(request(transfer_encoding=value)) == CHUNKED


@pytest.mark.parametrize("value", [*NOT_A_NUMBER, TOO_LONG])
def test_a_request_whose_length_is_no_single_number_is_refused(value):
    assert refused(request_length, request(content_length=value)) == 400


@pytest.mark.parametrize(("value", "status"), NOT_CHUNKED)
def test_a_request_in_another_coding_is_refused(value, status):
    assert refused(request_length, request(transfer_encoding=value)) == status


def test_a_request_with_two_lengths_is_refused():
    assert refused(request_length, request(content_length=b"5", transfer_encoding=b"chunked")) == 400


def test_a_coding_in_http_1_0_is_refused():
    assert refused(request_length, request(0, transfer_encoding=b"chunked")) == 400
    assert refused(response_length, response(minor=0, transfer_encoding=b"chunked"), b"GET") == 400


# Section 6.3 for responses: rules 1 to 8 but for CONNECT, which never gets this far.

WITHOUT_BODY = [(200, b"HEAD"), (500, b"HEAD"), (204, b"GET"), (304, b"GET"), (100, b"GET"), (103, b"POST")]


@pytest.mark.parametrize(("status", "method"), WITHOUT_BODY)
@pytest.mark.parametrize("steering", [{}, {"content_length": b"5"}, {"transfer_encoding": b"chunked"}])
def test_some_answers_never_have_a_body_whatever_they_announce(status, method, steering):
    assert response_length(response(status, **steering), method) == 0


@pytest.mark.parametrize(("status", "method"), WITHOUT_BODY)
@pytest.mark.parametrize(
    "steering", [{"content_length": b"5,5"}, {"content_length": b"5", "transfer_encoding": b"chunked"}]
)
def test_an_ambiguous_length_is_an_error_even_where_there_is_no_body(status, method, steering):
    assert refused(response_length, response(status, **steering), method) == 400


@pytest.mark.parametrize("status", [200, 201, 205, 206, 301, 404, 503])
@pytest.mark.parametrize("minor", [0, 1])
def test_other_answers_are_as_long_as_they_say_or_end_with_the_connection(status, minor):
    assert response_length(response(status, minor, content_length=b"12"), b"GET") == 12
    assert response_length(response(status, minor, content_length=b"0"), b"GET") == 0
    assert response_length(response(status, minor), b"GET") == UNTIL_CLOSE


def test_an_answer_in_chunks():
    assert response_length(response(transfer_encoding=b"Chunked"), b"GET") == CHUNKED


@pytest.mark.parametrize("value", [*NOT_A_NUMBER, TOO_LONG])
def test_an_answer_whose_length_is_no_single_number_is_refused(value):
    assert refused(response_length, response(content_length=value), b"GET") == 400


@pytest.mark.parametrize(("value", "_"), NOT_CHUNKED)
def test_an_answer_in_another_coding_is_refused(value, _):
    assert refused(response_length, response(transfer_encoding=value), b"GET") in (400, 501)


# Bodies.


def test_measure_makes_what_finds_the_end():
    assert repr(measure(0)) == "<Sized 0 bytes left>"
    assert repr(measure(12)) == "<Sized 12 bytes left>"
    assert repr(measure(CHUNKED)) == "<Chunks size, 0 bytes left>"
    assert repr(measure(UNTIL_CLOSE)) == "<Endless>"


def read(body, *parts):
    """Feed parts one after the other; what is behind the body is never fed to it."""
    pieces = []
    for at, part in enumerate(parts):
        pieces += body.feed(part)
        if body.done:
            return b"".join(pieces), body.rest + b"".join(parts[at + 1 :])
    return b"".join(pieces), None


def every_cut(data):
    """The same bytes: whole, one by one, and in two at every split point."""
    yield (data,)
    yield tuple(data[at : at + 1] for at in range(len(data)))
    for at in range(1, len(data)):
        yield data[:at], data[at:]


@pytest.mark.parametrize("rest", [b"", b"GET / HTTP/1.1\r\n"])
@pytest.mark.parametrize("content", [b"a", b"hello", bytes(range(256))])
def test_a_sized_body_ends_at_its_length_wherever_it_is_cut(content, rest):
    for parts in every_cut(content + rest):
        assert read(Sized(len(content)), *parts) == (content, rest)


def test_an_empty_body_is_done_before_it_began():
    assert Sized(0).done
    body = Sized(0)
    assert b"".join(body.feed(b"next")) == b""
    assert (body.done, body.rest) == (True, b"next")


def test_a_sized_body_that_lacks_a_byte_is_not_done():
    body = Sized(3)
    assert body.feed(b"ab") == [b"ab"]
    assert not body.done
    assert repr(body) == "<Sized 1 bytes left>"


def test_an_endless_body_is_never_done():
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
def test_chunks_give_the_same_body_and_rest_wherever_they_are_cut(wire, content, rest):
    for parts in every_cut(wire + rest):
        assert read(Chunks(), *parts) == (content, rest)


@pytest.mark.parametrize(("wire", "_"), CHUNKED_BODIES)
def test_chunks_are_done_with_their_last_byte_and_not_before(wire, _):
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
def test_any_chunks_in_any_cuts(contents, extension, trailers, rest, sizes):
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
def test_what_is_not_chunks_is_refused_wherever_it_is_cut(wire):
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
def test_endless_lines_and_trailers_are_refused(wire):
    for parts in ((wire,), tuple(wire[at : at + 1000] for at in range(0, len(wire), 1000))):
        assert refused(read, Chunks(), *parts) == 431


def test_long_extensions_and_trailers_within_the_limits_are_read():
    wire = b"1;" + b"a" * 16000 + b"\r\nx\r\n0\r\n" + b"X: %b\r\n" % (b"a" * 1000) * 60 + b"\r\n"
    assert read(Chunks(), wire) == (b"x", b"")


def test_chunks_say_where_they_stand():
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
