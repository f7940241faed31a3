"""If-Match and Idempotency-Key, in all the ways they are written, and what an order is known by."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.control.api import requests
from proxy.control.api.problems import HttpProblem

UUID = "8e03978e-40d5-43dd-bc93-6894a57f9324"


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ([], None),
        (["*"], None),
        (['"7"'], {7}),
        (['"3", "7"'], {3, 7}),
        (['"3"', '"7"'], {3, 7}),
        (['W/"3" , "x"'], set()),
        (['"07000000000000000000"'], set()),
    ],
)
def test_revisions_of_if_match(fields: list[str], found: set[int] | None) -> None:
    assert requests.revisions(fields) == found


@pytest.mark.parametrize("field", ["7", '"7', '"7" "8"', '"7",', "", '*, "7"'])
def test_what_is_no_entity_tag(field: str) -> None:
    with pytest.raises(HttpProblem) as refused:
        requests.revisions([field])
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("allowed", "insisted"),
    [(None, None), ({7}, 7), ({3, 7}, 7), ({3, 6}, 6), (set(), requests.NO_REVISION)],
)
def test_control_is_told_one_revision(allowed: set[int] | None, insisted: int | None) -> None:
    assert requests.expected(None if allowed is None else frozenset(allowed), 7) == insisted


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ([], ""),
        ([UUID], UUID),
        ([f'"{UUID}"'], UUID),
        ([f"  {UUID} "], UUID),
        (["deploy 4711/3"], "deploy 4711/3"),
        ([r'"a \"b\" \\"'], r'a "b" \ '.strip()),
        (["x" * 255], "x" * 255),
        (['"' + "x" * 255 + '"'], "x" * 255),
    ],
)
def test_keys(fields: list[str], found: str) -> None:
    assert requests.key(fields) == found


@pytest.mark.parametrize(
    "fields",
    [[""], ['""'], ['"a'], ['"a" "b"'], [r'"\a"'], ["x" * 256], ["größe"], ["a\tb"], ["a\x00"], ["a", "a"]],
)
def test_what_is_no_key(fields: list[str]) -> None:
    with pytest.raises(HttpProblem, match="printable ASCII") as refused:
        requests.key(fields)
    assert refused.value.status == 400


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=255))
def test_every_printable_key_can_be_written_in_quotes(text: str) -> None:
    written = text.replace("\\", "\\\\").replace('"', '\\"')
    assert requests.key([f'"{written}"']) == text


def test_another_service_order_or_body_is_another_order() -> None:
    known = requests.digest("checkout", "start", b"{}")
    assert known == requests.digest("checkout", "start", b"{}")
    others = [("check", "start", b"{}"), ("checkout", "retry", b"{}"), ("checkout", "start", b"{ }")]
    assert known not in {requests.digest(*each) for each in others}
    assert len(known) == 64


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, 0.0),
        ("0", 1e9),
        ("90s", 1e9 - 90),
        ("24h", 1e9 - 86_400),
        ("2001-09-09T01:46:30Z", 1e9 - 10),
        ("2001-09-09 01:46:30Z", 1e9 - 10),  # as `weir history` prints it
        ("2001-09-09T01:46:30", 1e9 - 10),
        ("2001-09-09T03:46:30+02:00", 1e9 - 10),
        ("2001-09-09", 1e9 - 6400),
    ],
)
def test_since_is_how_long_ago_or_a_time(text: str | None, seconds: float) -> None:
    assert requests.since(text, 1e9) == seconds


@pytest.mark.parametrize("text", ["", "yesterday", "5", "-5m", "2001-13-09", "1e3s", "03:00", "9" * 40 + "h"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(HttpProblem, match="expected how long ago, such as 90m or 24h, or a time"):
        requests.since(text, 1e9)


@pytest.mark.parametrize(("text", "number"), [(None, 10_000), ("1", 1), ("10000", 10_000)])
def test_a_limit(text: str | None, number: int) -> None:
    assert requests.most(text) == number


@pytest.mark.parametrize("text", ["", "0", "-1", "10001", "1.5", "all", "\u0665"])
def test_what_is_no_limit(text: str) -> None:
    with pytest.raises(HttpProblem, match="expected a whole number from 1 to 10000"):
        requests.most(text)


@given(st.text(max_size=30))
def test_any_text_is_a_time_or_refused(text: str) -> None:
    with contextlib.suppress(HttpProblem):
        assert requests.since(text, 1e9) < 1e12
