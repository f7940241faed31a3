"""The values of orders, and all the near misses."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.config.problems import Unfit
from proxy.control.api import order_parser


@pytest.mark.parametrize(
    ("value", "parts"),
    [(0, 0), (100, 10_000), ("0.01", 1), ("0.29", 29), ("5.50", 550), ("1e1", 1000), ("-0.0", 0)],
)
def test_weights_in_steps_of_a_hundredth_percent(value: int | str, parts: int) -> None:
    assert order_parser.weight(Decimal(value) if isinstance(value, str) else value) == parts


@pytest.mark.parametrize(
    "value",
    [
        *map(Decimal, ("-0.01", "100.01", "1e400", "1e-400", "0.001", "5.005", "1e999999", "1e-999999999")),
        *(Decimal("5." + "0" * 40 + "1"), 10**4000, -1, 101, "5", True, False, None, [5], {}),
    ],
)
def test_what_is_no_weight(value: Any) -> None:
    with pytest.raises(Unfit) as unfit:
        order_parser.weight(value)
    assert unfit.value.advice == "expected a number from 0 to 100 (percent) in steps of 0.01"
    assert len(unfit.value.message) < 100


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-200, max_value=200))
def test_parts_are_exact_or_nothing(percent: Decimal) -> None:
    try:
        parts = order_parser.weight(percent)
    except Unfit:
        assert not 0 <= percent <= 100 or percent != percent.quantize(Decimal("0.01"))
    else:
        assert 0 <= parts <= 10_000
        assert Decimal(parts) / 100 == percent


def test_seconds() -> None:
    assert [order_parser.seconds(value) for value in (0, Decimal("0.5"), 2_592_000)] == [
        0.0,
        0.5,
        2_592_000.0,
    ]


@pytest.mark.parametrize("value", [-1, Decimal("2592000.1"), "60", "1m", True, None, []])
def test_what_is_no_duration(value: Any) -> None:
    with pytest.raises(Unfit, match="is no duration"):
        order_parser.seconds(value)


def test_a_deadline_may_be_none_and_not_nothing() -> None:
    assert (order_parser.deadline(None), order_parser.deadline(60)) == (None, 60.0)
    with pytest.raises(Unfit, match="over before it began"):
        order_parser.deadline(0)


def test_answers() -> None:
    assert (order_parser.answers(0), order_parser.answers(10**9)) == (0, 10**9)


@pytest.mark.parametrize("value", [-1, 10**9 + 1, Decimal("1.0"), "1", True, None])
def test_what_is_no_number_of_answers(value: Decimal | int | str | None) -> None:
    with pytest.raises(Unfit, match="is no number of answers"):
        order_parser.answers(value)


def test_flags() -> None:
    assert (order_parser.flag(True), order_parser.flag(False)) == (True, False)


@pytest.mark.parametrize("value", ["true", 1, 0, None, []])
def test_what_is_no_flag(value: int | list[Any] | str | None) -> None:
    with pytest.raises(Unfit, match="neither true nor false"):
        order_parser.flag(value)


@pytest.mark.parametrize(
    "text", ["\n", "\x1b[2J", "\x7f", "\x85", "\u2028", "\u202e", "\ud800", "x" * 501, 7]
)
def test_texts_that_could_forge_a_line_or_fill_the_ledger(text: int | str) -> None:
    with pytest.raises(Unfit):
        order_parser.text(text)


@pytest.mark.parametrize("text", ["", "x" * 500, "größer, 50 % 🚀 👩‍🚀", "a\u00a0b"])
def test_texts_that_people_write(text: str) -> None:
    assert order_parser.text(text) == text


def test_a_pause_says_something() -> None:
    assert order_parser.nonempty(" ask the on-call ") == "ask the on-call"
    with pytest.raises(Unfit, match="is empty"):
        order_parser.nonempty("  ")


def test_endpoints_in_one_spelling() -> None:
    found = order_parser.endpoints(["HTTP://Shop:80/", "https://[::1]:8443", "unix:/run/app.sock"])
    assert [each.url for each in found] == ["http://shop", "https://[::1]:8443", "unix:/run/app.sock"]
    assert [each.url for each in order_parser.endpoints("http://shop:81")] == ["http://shop:81"]


@pytest.mark.parametrize(
    "value",
    [
        *([], {}, None, 7, [7], [None], ["10.0.0.7:8000"], ["ftp://x"], ["http://u:p@x"], ["http://x/path"]),
        *(["http://x\n"], ["http://x", "http://X:80"], ["http://x:0"], [f"http://h{n}" for n in range(101)]),
    ],
)
def test_what_are_no_endpoints(value: Any) -> None:
    with pytest.raises(Unfit) as unfit:
        order_parser.endpoints(value)
    assert unfit.value.advice
