"""Made messages, odd but legal in every part, cross the proxy whole; h11 reads what came out on each side."""

import re
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fuzz.reader import answers, requests
from tests.kits.stage import Stage

TCHAR = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
VCHAR = bytes(range(0x21, 0x7F))
OBS_TEXT = bytes(range(0x80, 0x100))
CHANGED = re.compile(
    rb"connection|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade|content-length|host|expect|"
    rb"forwarded|max-forwards|via|x-forwarded-.*|x-real-ip|x-request-id|http2-settings|date|proxy-.*",
    re.IGNORECASE,
)
"""Fields that steer, or that the proxy writes itself; each has tests of its own."""


def of(alphabet: bytes, least: int = 0, most: int = 12) -> Any:
    """Bytes of an alphabet; much faster than a list of samples of it."""
    return st.binary(min_size=least, max_size=most).map(
        lambda data: bytes(alphabet[one % len(alphabet)] for one in data)
    )


token = of(TCHAR, 1)
blank = st.sampled_from([b"", b" ", b"\t", b"  \t"])
names = token.filter(lambda name: not CHANGED.fullmatch(name)) | st.sampled_from([b"A", b"a", b"Set-Cookie"])
values = st.lists(of(VCHAR + OBS_TEXT, 1), max_size=3).flatmap(
    lambda words: st.sampled_from([b" ", b"\t", b" , "]).map(lambda between: between.join(words))
)
fields = st.lists(st.tuples(names, values), max_size=6)
body = st.binary(max_size=300) | st.just(b"GET / HTTP/1.1\r\nHost: b\r\n\r\n") | st.just(b"0\r\n\r\n")
methods = st.sampled_from(
    [b"GET", b"POST", b"PUT", b"DELETE", b"PATCH", b"OPTIONS", b"PROPFIND", b"M-SEARCH", b"REPORT"]
)
paths = of(VCHAR.replace(b"#", b""), most=20).map(lambda rest: b"/" + rest)
hosts = st.sampled_from([b"shop", b"SHOP.example:81", b"[2001:db8::1]:8080", b"192.0.2.1", b"a_b.example"])
reasons = of(VCHAR + OBS_TEXT + b" \t")
cuts = st.lists(st.integers(1, 600), max_size=8)


@st.composite
def lines(draw: Callable[..., Any], made: list[tuple[bytes, bytes]]) -> bytes | None:
    """Field lines with any blanks that are allowed around a value."""
    return b"".join(name + b":" + draw(blank) + value + draw(blank) + b"\r\n" for name, value in made)


@st.composite
def extension(draw: Callable[..., Any]) -> bytes:
    if draw(st.booleans()):
        return b""
    value = draw(
        st.just(b"") | token.map(b"=".__add__) | st.sampled_from([b'=""', b'="a;\\" b"', b'="\xe9"'])
    )
    return draw(st.sampled_from([b";", b" ;", b"; "])) + draw(token) + value


@st.composite
def chunks(draw: Callable[..., Any], content: bytes) -> bytes:
    """The content in chunks of any sizes, spelled in any way, with extensions and trailers."""
    ends = sorted({*draw(st.lists(st.integers(1, max(1, len(content))), max_size=5)), len(content)} - {0})
    wire, at = b"", 0
    for end in (one for one in ends if one <= len(content)):
        spelled = draw(st.sampled_from([b"%x", b"%X", b"%04x"])) % (end - at)
        wire += spelled + draw(extension()) + b"\r\n" + content[at:end] + b"\r\n"
        at = end
    trailers = draw(st.lists(st.tuples(names, values), max_size=2))
    return wire + draw(st.sampled_from([b"0", b"000"])) + draw(extension()) + b"\r\n" + draw(lines(trailers))


@st.composite
def framed(
    draw: Callable[..., Any], content: bytes, framings: tuple[Any, ...] = ("sized", "chunked")
) -> tuple[bytes, bytes]:
    """Framing line, and the body with it."""
    match draw(st.sampled_from(framings)):
        case "sized":
            digits = draw(st.sampled_from([b"%d", b"%05d"])) % len(content)
            return b"content-LENGTH:" + draw(blank) + digits + draw(blank) + b"\r\n", content
        case "chunked":
            coding = draw(st.sampled_from([b"chunked", b"Chunked", b"CHUNKED"]))
            return b"TRANSFER-encoding: " + coding + b"\r\n", draw(chunks(content)) + b"\r\n"
        case _:
            return b"", content


@st.composite
def a_request(draw: Callable[..., Any]) -> tuple[tuple[bytes, bytes, list[Any], bytes], bytes] | None:
    method, path, made, content = draw(methods), draw(paths), draw(fields), draw(body)
    framing, wire = draw(framed(content)) if content or draw(st.booleans()) else (b"", b"")
    host = b"hOST:" + draw(blank) + draw(hosts) + draw(blank) + b"\r\n"
    head = draw(st.permutations([host, framing, draw(lines(made))]))
    return (method, path, made, content), b"%b %b HTTP/1.1\r\n%b\r\n%b" % (method, path, b"".join(head), wire)


@st.composite
def an_answer(draw: Callable[..., Any]) -> tuple[tuple[int, list[Any], bytes], bytes, bool] | None:
    status, made, content = (
        draw(st.sampled_from([200, 201, 206, 299, 404, 418, 503, 599])),
        draw(fields),
        draw(body),
    )
    framing, wire = draw(framed(content, ("sized", "chunked", "until close")))
    reason = draw(reasons)
    head = b"".join(draw(st.permutations([framing, draw(lines(made))])))
    return (status, made, content), b"HTTP/1.1 %d %b\r\n%b\r\n%b" % (status, reason, head, wire), not framing


def cut(data: bytes, at: list[int]) -> list[bytes]:
    """The same bytes in segments."""
    ends = [*sorted({one for one in at if one < len(data)}), len(data)]
    return [data[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def kept(message: Any) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, value in message.spelled if not CHANGED.fullmatch(name)]


def cross(
    stage: Stage, request: list[bytes], answer: list[bytes], ended: bool = False
) -> tuple[list[Any], list[Any], str]:
    """Send the segments of a request and of its answer; return what both sides read, and the ending."""
    client = stage.client()
    client.sends(*request)
    written = b""
    if stage.dialled():
        server = stage.connects()
        server.sends(*answer)
        if ended:
            server.closes()
        written = server.transport.written
    sent = requests(written, strict=True)
    got = answers(client.transport.written, (b"GET",), ended=client.end == "eof", strict=True)
    assert (sent.trouble, sent.rest, got.trouble, got.rest) == ("", b"", "", b"")
    return sent.messages, got.messages, client.end


@given(a_request(), an_answer(), cuts, cuts)
def test_a_message_crosses_as_it_is_however_it_is_cut(
    staged: type[Stage],
    asked: tuple[tuple[bytes, bytes, list[Any], bytes], bytes],
    answered: tuple[tuple[int, list[Any], bytes], bytes, bool],
    client_cuts: list[int],
    server_cuts: list[int],
) -> None:
    (method, path, fields_sent, content_sent), request = asked
    (status, fields_given, content_given), answer, ended = answered
    stage = staged()
    [sent], [got], _ = cross(stage, cut(request, client_cuts), cut(answer, server_cuts), ended)
    assert (sent.method, sent.target, sent.body) == (method, path, content_sent)
    assert kept(sent) == fields_sent
    assert (got.status, got.body) == (status, content_given)
    assert kept(got) == fields_given
    assert None not in (sent.end, got.end)
    assert [outcome[0] for outcome in stage.outcomes()] == ["complete"]


SPOILING = [b"\r", b"\n", b"\r\n", b"\x00", b" ", b":", b";", b",", b"#", b"0", b"f", b"\xff", b"\r\n\r\n"]


@st.composite
def spoiled(draw: Callable[..., Any], message: bytes) -> bytes | None:
    """A message with something at a place where it may not belong, or a byte less."""
    at = draw(st.integers(0, len(message) - 1))
    return message[:at] + draw(st.sampled_from(SPOILING)) + message[at + draw(st.integers(0, 1)) :]


def read(messages: list[Any]) -> list[Any]:
    """What the whole ones among these messages say. Our own may say another reason."""
    return [
        m.status if m.values(b"x-request-id") else (m.method, m.target, m.status, m.fields, m.body)
        for m in messages
        if m.end is not None
    ]


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@given(a_request().flatmap(lambda made: spoiled(made[1])), cuts)
def test_a_spoiled_request_means_the_same_however_it_is_cut(
    staged: type[Stage], request_: bytes, client_cuts: list[int]
) -> None:
    sent, got, end = cross(staged(), [request_], [OK])
    sent_cut, got_cut, end_cut = cross(staged(), cut(request_, client_cuts), [OK])
    assert read(sent_cut) == read(sent)
    assert read(got_cut) == read(got)
    assert end_cut == end


@given(an_answer().flatmap(lambda made: spoiled(made[1])), cuts)
def test_a_spoiled_answer_means_the_same_however_it_is_cut(
    staged: type[Stage], answer: bytes, server_cuts: list[int]
) -> None:
    def told(*segments: bytes) -> str | tuple[list[tuple[Any, ...]], str]:
        """What the client was told; a 502 where nothing had been told yet is as good as a cut."""
        _, got, end = cross(staged(), [b"GET /a HTTP/1.1\r\nHost: shop\r\n\r\n"], segments, ended=True)
        return "broken" if end == "abort" or read(got) == [502] else (read(got), end)

    assert told(*cut(answer, server_cuts)) == told(answer)
