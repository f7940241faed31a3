from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.http1.head import RequestHead
from proxy.routing.sources import MOST_PAIRS, Source, cookie, reader

Ask = Callable[..., RequestHead]


@pytest.mark.parametrize(
    ("lines", "value"),
    [
        ([], None),
        (["a=1"], b"1"),
        (["b=2; a=1"], b"1"),
        (["b=2;a=1"], b"1"),
        (["b=2;\t a=1 ;c=3"], b"1"),
        (["b=2", "c=3; a=1"], b"1"),
        (["a=1; a=2"], b"1"),
        (["a=1", "a=2"], b"1"),
        (["a="], b""),
        (["a =  1 "], b"1"),
        (['a="1 2"'], b"1 2"),
        (['a=""'], b""),
        (['a="'], b'"'),
        (['a="1'], b'"1'),
        (["a=b=c"], b"b=c"),
        (["a=%31"], b"%31"),
        (["A=1"], None),
        (["a"], None),
        (["a; b=a"], None),
        (["xa=1; ax=1; x-a=1"], None),
        (["b=a=1"], None),
        (["b=x a=1"], None),
        (["b=a", "; ; =; a=9"], b"9"),
    ],
)
def test_finds_the_first_cookie_of_a_name(ask: Ask, lines: list[str], value: bytes | None) -> None:
    assert cookie(b"a")(ask(fields=[("Cookie", line) for line in lines])) == value


def test_a_name_is_no_pattern(ask: Ask) -> None:
    assert cookie(b"a.b")(ask(fields=[("Cookie", "aab=1; a.b=2")])) == b"2"


def by_the_book(lines: list[bytes], name: bytes) -> bytes | None:
    """RFC 6265 section 5.4 read backwards, pair by pair."""
    for pair in b";".join(lines).split(b";"):
        key, equals, value = pair.partition(b"=")
        if equals and key.strip(b" \t") == name:
            value = value.strip(b" \t")
            quoted = len(value) > 1 and value.startswith(b'"') and value.endswith(b'"')
            return value[1:-1] if quoted else value
    return None


@given(st.lists(st.text(alphabet='ab.="; \t', max_size=20).map(str.encode), max_size=4))
def test_reads_cookies_as_splitting_into_pairs_does(lines: list[bytes]) -> None:
    head = RequestHead(b"GET", b"/", 1, [(b"cookie", b"Cookie: " + line) for line in lines])
    for name in (b"a", b"b", b"a.b"):
        assert cookie(name)(head) == by_the_book(lines, name)


@pytest.mark.parametrize(
    ("target", "values"),
    [
        ("/", []),
        ("/?", []),
        ("/?a=1", [b"1"]),
        ("/?b=2&a=1&a=3", [b"1"]),
        ("/?a", [b""]),
        ("/?a=", [b""]),
        ("/?a=1=2", [b"1=2"]),
        ("/?a=x%20y+z%2Bz%zz", [b"x y+z+z%zz"]),
        ("/?%61=1", [b"1"]),
        ("/?ba=1&ab=2&b=a", []),
        ("/?A=1", []),
        ("/a=1", []),
        ("/?&&a=1", [b"1"]),
        ("/?" + "&" * (MOST_PAIRS - 1) + "a=1", [b"1"]),
        ("/?" + "&" * MOST_PAIRS + "a=1", []),
    ],
)
def test_finds_the_first_query_parameter_of_a_name(ask: Ask, target: str, values: list[bytes]) -> None:
    assert list(reader("query", "a")(ask(target))) == values


@pytest.mark.parametrize(
    ("source", "name", "values"),
    [
        ("header", "X-Beta", [b"1", b"%32"]),
        ("header", "x-beta", [b"1", b"%32"]),
        ("header", "x-alpha", []),
        ("cookie", "theme", [b"dark red"]),
        ("cookie", "light", []),
        ("path", "", [b"/a%2fb"]),
        ("method", "", [b"PUT"]),
    ],
)
def test_reads_what_a_request_says(ask: Ask, source: Source, name: str, values: list[bytes]) -> None:
    fields: Any = [("X-Beta", "1"), ("Cookie", "theme=dark%20red"), ("x-BETA", "%32")]
    assert list(reader(source, name)(ask("/a%2fb?x=1", fields=fields, method="PUT"))) == values


def test_names_the_sources_there_are() -> None:
    with pytest.raises(ValueError, match=r"`body` is nothing .* header, cookie, query, path, method"):
        reader("body", "a")  # type: ignore[arg-type]  # what a file may say
