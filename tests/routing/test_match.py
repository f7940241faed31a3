from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.http1.head import RequestHead
from proxy.routing.match import LONGEST_FOR_REGEX, Condition, Kind, RouteMatch, under

Ask = Callable[..., RequestHead]


@pytest.mark.parametrize(
    ("path", "prefix", "below"),
    [
        (b"/", b"/", True),
        (b"/a", b"/", True),
        (b"/a", b"/a", True),
        (b"/a/", b"/a", True),
        (b"/a/b", b"/a", True),
        (b"/ab", b"/a", False),
        (b"/a", b"/a/", False),
        (b"/a/", b"/a/", True),
        (b"/a/b", b"/a/", True),
        (b"/%61", b"/a", False),
        (b"/A", b"/a", False),
        (b"/", b"/a", False),
    ],
)
def test_a_prefix_ends_at_a_boundary(path: bytes, prefix: bytes, below: bool) -> None:
    assert under(path, prefix) is below


@given(st.text("/ab", max_size=6), st.text("/ab", max_size=4))
def test_below_is_what_comparing_segment_by_segment_says(path: str, prefix: str) -> None:
    path, prefix = "/" + path, "/" + prefix
    wanted = prefix.split("/")
    if wanted[-1] == "":
        wanted.pop()
        expected = path.split("/")[: len(wanted)] == wanted and len(path) >= len(prefix)
    else:
        expected = path.split("/")[: len(wanted)] == wanted
    assert under(path.encode(), prefix.encode()) is expected


@pytest.mark.parametrize("match", [("", ""), ("", "a"), ("*", "/"), ("a.*", "/"), ("*.*.b", "/")])
def test_refuses_a_match_that_nothing_meets(match: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="match nothing"):
        RouteMatch(*match)


@pytest.mark.parametrize(
    ("kind", "values", "meets", "misses"),
    [
        ("exact", ("beta",), ["beta"], ["", "Beta", "betas", "xbeta"]),
        ("in", ("a", "b"), ["a", "b"], ["", "ab", "c"]),
        ("prefix", ("be", "x"), ["be", "beta", "x1"], ["", "b", "abe"]),
        ("regex", ("v[0-9]+",), ["v1", "v23"], ["v", "xv1", "v1x", "v1\n"]),
        ("regex", ("a|ab",), ["a", "ab"], ["abc"]),
        ("regex", ("caf.",), ["café"], ["cafés"]),
        ("regex", ("x*",), ["", "x" * LONGEST_FOR_REGEX], ["x" * (LONGEST_FOR_REGEX + 1)]),
        ("present", (), ["", "x"], []),
    ],
)
def test_compares_in_every_way(
    ask: Ask, kind: Kind, values: tuple[str, ...], meets: list[str], misses: list[str]
) -> None:
    condition = Condition("header", "X-Beta", kind, values)
    assert [v for v in meets if not condition.matches(ask(fields=[("x-beta", v)]))] == []
    assert [v for v in misses if condition.matches(ask(fields=[("x-beta", v)]))] == []
    assert not condition.matches(ask(fields=[("x-alpha", value) for value in meets]))


@pytest.mark.parametrize(
    ("condition", "matches"),
    [
        (Condition("header", "accept", "exact", ("b",)), True),  # its second line
        (Condition("cookie", "plan", "exact", ("a b",)), True),
        (Condition("cookie", "plan", "exact", ("c",)), False),  # only the first counts
        (Condition("query", "q", "exact", ("ü",)), True),
        (Condition("query", "q", "exact", ("2",)), False),
        (Condition("path", "", "prefix", ("/shop",)), True),
        (Condition("path", "", "prefix", ("/sho",)), False),
        (Condition("path", "", "prefix", ("/sho", "/shop/")), True),
        (Condition("path", "", "exact", ("/shop/a b",)), False),  # raw
        (Condition("path", "", "exact", ("/shop/a%20b",)), True),
        (Condition("path", "", "regex", ("/shop/.*",)), True),
        (Condition("method", "", "in", ("PUT", "POST")), True),
        (Condition("method", "", "exact", ("post",)), False),
        (Condition("method", "", "present"), True),
    ],
)
def test_looks_at_every_source(ask: Ask, condition: Condition, matches: bool) -> None:
    fields = [("Accept", "a"), ("Accept", "b"), ("Cookie", "plan=a%20b; plan=c")]
    assert condition.matches(ask("/shop/a%20b?q=%C3%BC&q=2", fields=fields, method="POST")) is matches


@pytest.mark.parametrize(
    ("source", "kind", "values", "said"),
    [
        ("header", "exact", (), "needs a value"),
        ("header", "regex", ("(",), "no regular expression"),
        ("header", "regex", ("a{99999999999}",), "no regular expression"),
        ("header", "suffix", ("a",), "`suffix` is no way to match"),
        ("body", "exact", ("a",), "`body` is nothing"),
    ],
)
def test_refuses_what_it_cannot_ask(source: str, kind: str, values: tuple[str, ...], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Condition(source, "x", kind, values)  # type: ignore[arg-type]  # what a file may say


def test_is_a_value() -> None:
    one, same = (Condition("header", "x", "regex", ("a+",)) for _ in range(2))
    assert one == same
    assert hash(one) == hash(same)
    assert one != Condition("header", "x", "prefix", ("a+",))
    assert Condition.from_json(one.to_json()) == one
