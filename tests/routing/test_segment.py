from collections.abc import Callable, Iterator
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.http1.head import RequestHead
from proxy.routing.match import Condition, Kind
from proxy.routing.segment import Segment, SegmentIndex
from proxy.routing.sources import Source

Ask = Callable[..., RequestHead]

WORDS = ("", "a", "b", "ab", "/", "/a", "/ab", "GET", "PUT", "%61", '"a"')


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    kind = draw(st.sampled_from(get_args(Kind)))
    values = draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=2))
    return Condition(
        draw(st.sampled_from(get_args(Source))), draw(st.sampled_from(("x", "Y"))), kind, tuple(values)
    )


@st.composite
def heads(draw: st.DrawFn) -> RequestHead:
    values = st.sampled_from(WORDS)
    headers = draw(st.lists(st.tuples(st.sampled_from(("x", "y")), values), max_size=3))
    cookies = draw(st.lists(st.tuples(st.sampled_from(("x", "Y")), values), max_size=2))
    lines = [*headers, *(("cookie", f"{name}={value}") for name, value in cookies)]
    fields = [(name.encode(), f"{name.title()}: {value}".encode()) for name, value in lines]
    target = draw(
        st.sampled_from(("*", "/", "/a", "/a/b", "/ab", "/?x=a&Y=b", "/a?Y=ab", "/?x", "/?%78=%61"))
    )
    return RequestHead(draw(st.sampled_from((b"GET", b"PUT"))), target.encode(), 1, fields)


@given(st.lists(st.lists(conditions(), min_size=1, max_size=3), max_size=8), st.lists(heads(), max_size=8))
def test_the_index_finds_what_asking_one_by_one_finds(
    rules: list[list[Condition]], requests: list[RequestHead]
) -> None:
    segments = tuple(Segment(f"s{n}", "canary", tuple(rule)) for n, rule in enumerate(rules))
    segment_index = SegmentIndex(segments)
    for head in requests:
        expected = next((segment for segment in segments if segment.matches(head)), None)
        assert segment_index.first(head) is expected


def test_a_segment_wants_all_its_conditions(ask: Ask) -> None:
    beta = Condition("header", "x-beta", "present")
    berlin = Condition("cookie", "city", "exact", ("Berlin",))
    segment = Segment("beta-berlin", "canary", (beta, berlin))
    assert segment.matches(ask(fields=[("X-Beta", "1"), ("Cookie", "city=Berlin")]))
    assert not segment.matches(ask(fields=[("X-Beta", "1")]))
    assert not segment.matches(ask(fields=[("Cookie", "city=Berlin")]))
    assert segment.sharpest is berlin


def test_the_first_in_file_order_wins(ask: Ask) -> None:
    broad = Segment("broad", "stable", (Condition("header", "x", "prefix", ("a",)),))
    sharp = Segment("sharp", "canary", (Condition("header", "x", "exact", ("ab",)),))
    request = ask(fields=[("X", "ab")])
    assert SegmentIndex((broad, sharp)).first(request) is broad
    assert SegmentIndex((sharp, broad)).first(request) is sharp
    assert SegmentIndex(()).first(request) is None


def test_a_header_is_read_once_for_all_segments() -> None:
    class Fields(list[tuple[bytes, bytes]]):
        passes = 0

        def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
            self.passes += 1
            return super().__iter__()

    fields = Fields([(b"x", b"X: no"), (b"y", b"Y: no")])
    names = ("x", "y", "z")
    segments = tuple(
        Segment(f"s{n}", "canary", (Condition("header", names[n % 3], "exact", (f"v{n}",)),))
        for n in range(20)
    )
    assert SegmentIndex(segments).first(RequestHead(b"GET", b"/", 1, fields)) is None
    assert fields.passes == 1


def test_cookies_and_the_line_that_they_stand_in_are_both_seen(ask: Ask) -> None:
    line = Segment("line", "canary", (Condition("header", "Cookie", "prefix", ("a=1",)),))
    first = Segment("first", "canary", (Condition("cookie", "a", "exact", ("2",)),))
    second = Segment("second", "canary", (Condition("cookie", "b", "exact", ("2",)),))
    segment_index = SegmentIndex((first, second, line))
    assert segment_index.first(ask(fields=[("Cookie", "a=1; b=2")])) is second
    assert segment_index.first(ask(fields=[("Cookie", "a=1; a=2")])) is line
    assert segment_index.first(ask(fields=[("Cookie", "c=2"), ("Cookie", "a=2")])) is first
    assert segment_index.first(ask(fields=[("Cookie", "a=3"), ("Cookie", "a=2")])) is None


def test_a_value_too_long_for_a_regex_is_no_suspect(ask: Ask) -> None:
    segment = Segment("any", "canary", (Condition("header", "x", "regex", (".*", "a+")),))
    assert SegmentIndex((segment,)).first(ask(fields=[("X", "a" * 1024)])) is segment
    assert SegmentIndex((segment,)).first(ask(fields=[("X", "a" * 1025)])) is None


def test_refuses_a_segment_that_asks_for_nothing() -> None:
    with pytest.raises(ValueError, match="`all` asks for nothing"):
        Segment("all", "canary", ())
