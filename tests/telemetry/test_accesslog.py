"""The access log: the lines as written, and that no client can break out of one."""

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.telemetry.accesslog import FORMATS, Access, format_combined, format_common, format_json

PLAIN = Access(
    when=971186136.25,
    client="203.0.113.7",
    method=b"GET",
    target=b"/cart?item=1",
    version="HTTP/1.1",
    status=200,
    bytes_out=512,
    referer=b"https://shop.example/",
    user_agent=b"curl/8.5.0",
    host=b"shop.example",
    request_id=b"6f1e",
    service="shop",
    backend="canary",
    endpoint="http://app.test:9001",
    address="10.0.0.7:9001",
    why="weight",
    ending="complete",
    reason="",
    rescued="",
    overdue=False,
    seconds=0.0312345678,
    upstream_seconds=0.03,
)

# nginx's combined, with quoted strings that hold neither a bare quote nor a bare backslash.
QUOTED = r'"((?:[ !#-\[\]-~]|\\x[0-9A-F]{2})*)"'
COMBINED = re.compile(
    r"([!-~]+) - - \[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000)\] "
    + QUOTED
    + r" (\d{3}) (\d+) "
    + QUOTED
    + " "
    + QUOTED
)

NASTY = st.binary(max_size=30) | st.sampled_from(
    [b'"', b"\\", b"\\x22", b'x" 200 0 "', b"a\r\nb", b"\x1b[31m", b"\x7f", b"\xff\xfe", "ü\u2028".encode()]
)


def test_combined_is_nginx_s() -> None:
    assert format_combined(PLAIN) == (
        '203.0.113.7 - - [10/Oct/2000:13:55:36 +0000] "GET /cart?item=1 HTTP/1.1" 200 512 '
        '"https://shop.example/" "curl/8.5.0"'
    )


def test_common_is_combined_without_referer_and_agent() -> None:
    assert format_common(PLAIN) == (
        '203.0.113.7 - - [10/Oct/2000:13:55:36 +0000] "GET /cart?item=1 HTTP/1.1" 200 512'
    )


def test_json_tells_everything() -> None:
    assert json.loads(format_json(PLAIN)) == {
        "time": "2000-10-10T13:55:36.250Z",
        "client": "203.0.113.7",
        "method": "GET",
        "target": "/cart?item=1",
        "version": "HTTP/1.1",
        "host": "shop.example",
        "status": 200,
        "bytes": 512,
        "seconds": 0.031235,
        "upstream_seconds": 0.03,
        "service": "shop",
        "backend": "canary",
        "endpoint": "http://app.test:9001",
        "address": "10.0.0.7:9001",
        "why": "weight",
        "ending": "complete",
        "reason": "",
        "rescued": "",
        "overdue": False,
        "request_id": "6f1e",
        "referer": "https://shop.example/",
        "user_agent": "curl/8.5.0",
    }


def test_what_is_absent_is_a_dash_or_null() -> None:
    bare = replace(PLAIN, client="", referer=b"", user_agent=b"", upstream_seconds=None)
    assert format_combined(bare).startswith("- - - [")
    assert format_combined(bare).endswith('200 512 "-" "-"')
    assert json.loads(format_json(bare))["upstream_seconds"] is None


@pytest.mark.parametrize("name", FORMATS)
def test_no_status_sent_is_499_as_in_nginx(name: str) -> None:
    assert "499" in FORMATS[name](replace(PLAIN, status=0, ending="client-left"))


@pytest.mark.parametrize(
    ("sent", "logged"),
    [
        (b'a"b', r"a\x22b"),
        (b"a\\b", r"a\x5Cb"),
        (b"a\r\nb", r"a\x0D\x0Ab"),
        (b"\x1b[31m", r"\x1B[31m"),
        (b"\x7f", r"\x7F"),
        ("ü".encode(), r"\xC3\xBC"),
        (b"plain ~!", "plain ~!"),
    ],
)
def test_combined_escapes_as_nginx_does(sent: bytes, logged: str) -> None:
    assert format_combined(replace(PLAIN, user_agent=sent)).endswith(f'"{logged}"')


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (b'a"b\\c', 'a"b\\c'),
        (b"a\r\nb\x00", "a\r\nb\x00"),
        ("ü\u2028".encode(), "ü\u2028"),
        (b"a\xffb", "a\\xffb"),
    ],
)
def test_json_reads_back_as_text(sent: bytes, read: str) -> None:
    line = format_json(replace(PLAIN, user_agent=sent))
    assert json.loads(line)["user_agent"] == read


@pytest.mark.parametrize("client", ["a b", 'a"b', "a\nb", "\udcff", "\u2028", "fe80::1%eth0\x00"])
def test_a_strange_client_address_stays_in_its_place(client: str) -> None:
    assert COMBINED.fullmatch(format_combined(replace(PLAIN, client=client)))


def nasty(
    method: bytes, target: bytes, referer: bytes, agent: bytes, host: bytes, request_id: bytes
) -> Access:
    return replace(
        PLAIN,
        method=method,
        target=target,
        referer=referer,
        user_agent=agent,
        host=host,
        request_id=request_id,
    )


NASTY_ACCESS = st.builds(nasty, NASTY, NASTY, NASTY, NASTY, NASTY, NASTY)


@pytest.mark.parametrize("name", FORMATS)
@given(NASTY_ACCESS)
def test_a_line_is_one_line_of_printable_ascii_whatever_was_sent(name: str, access: Access) -> None:
    assert re.fullmatch(r"[ -~]+", FORMATS[name](access))


@given(NASTY_ACCESS)
def test_combined_reads_back_field_by_field_whatever_was_sent(access: Access) -> None:
    match = COMBINED.fullmatch(format_combined(access))
    request, referer, agent = match.group(3), match.group(6), match.group(7)
    assert unescaped(request) == access.method + b" " + access.target + b" HTTP/1.1"
    assert unescaped(referer) == (access.referer or b"-")
    assert unescaped(agent) == (access.user_agent or b"-")


def unescaped(text: str) -> bytes:
    return re.sub(rb"\\x(..)", lambda found: bytes.fromhex(found[1].decode()), text.encode())


@given(NASTY_ACCESS)
def test_json_has_the_same_keys_whatever_was_sent(access: Access) -> None:
    line = json.loads(format_json(access))
    assert line.keys() == json.loads(format_json(PLAIN)).keys()
    assert (line["backend"], line["status"]) == ("canary", 200)
