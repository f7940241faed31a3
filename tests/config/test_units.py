"""Percents, durations, numbers and words: what they mean, and what is said when they mean nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.config.problems import Unfit
from proxy.config.units import (
    as_duration,
    as_percent,
    as_seconds,
    as_size,
    as_switch,
    boolean,
    duration,
    percent,
    size,
    switch,
    weight,
    whole,
    word,
)


def refusal(read: object, *given: object) -> tuple[str, str]:
    assert callable(read)
    with pytest.raises(Unfit) as caught:
        read(*given)
    return caught.value.message, caught.value.advice


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("5%", 500), ("5 %", 500), ("100%", 10_000), ("100.00%", 10_000), ("0.01%", 1), ("33.3%", 3330),
        ("0", 0), ("0%", 0), ("0.0", 0), ("007%", 700), ("12.340%", 1234),
    ],
)  # fmt: skip
def test_percents(text: str, parts: int) -> None:
    assert percent(text) == parts


@pytest.mark.parametrize(
    ("text", "says", "advises"),
    [
        ("5", "`5` is a number without its unit, not a percent", "write `5%`"),
        ("0.05", "without its unit", "write `0.05%`, or `5%` if it was meant as a part of 1"),
        ("on", "`on` is a word, which YAML 1.1 would read as true or false, not a percent", "such as `5%`"),
        ("12:30:45", "a clock time, which YAML 1.1 would read as the number 45045, not a percent", "`5%`"),
        ("300ms", "`300ms` is a duration, not a percent", "such as `5%`"),
        ("101%", "`101%` is more than 100 %", "from `0%` to `100%`"),
        ("100.01%", "more than 100 %", "`100%`"),
        ("9" * 39 + "%", "more than 100 %", "`100%`"),
        ("9" * 5000 + "%", "is not a percent", "`5%`"),
        ("5.125%", "`5.125%` is finer than 0.01 %", "write `5.12%`"),
        ("0.001%", "finer than 0.01 %", "write `0.01%`"),
        ("5,5%", "is not a percent", "after a point: `5.5%`"),
        ("-5%", "`-5%` is less than 0 %", "such as `5%` or `0.25%`, without a sign"),
        ("five", "`five` is not a percent", "`5%`"),
        ("", "an empty text is not a percent", "`5%`"),
        ("\u0665%", "is not a percent", "`5%`"),
    ],
)
def test_what_is_no_percent(text: str, says: str, advises: str) -> None:
    message, advice = refusal(percent, text)
    assert says in message
    assert advises in advice


@pytest.mark.parametrize(
    ("text", "parts"),
    [("5", 500), ("12.5", 1250), ("100", 10_000), ("100.00", 10_000), ("0", 0), ("5%", 500), ("0.25%", 25)],
)
def test_weights_with_and_without_their_unit(text: str, parts: int) -> None:
    assert weight(text) == parts


@pytest.mark.parametrize(
    ("text", "says", "advises"),
    [
        ("0.05", "without its unit", "write `0.05%`, or `5%` if it was meant as a part of 1"),
        ("010", "without its unit", "write `010%`"),  # YAML 1.1 would read it as 8
        ("101", "`101%` is more than 100 %", "from `0%` to `100%`"),
        ("1.001", "is finer than 0.01 %", "write `1%`"),
        ("1e1", "is not a percent", "`5%`"),
        ("-1", "is not a percent", "`5%`"),
    ],
)
def test_what_is_no_weight(text: str, says: str, advises: str) -> None:
    message, advice = refusal(weight, text)
    assert says in message
    assert advises in advice


@pytest.mark.parametrize(
    ("text", "least", "most", "says", "advises"),
    [
        ("0", 1, 2_000, "`0` is less than 0.01 %", "from `0.01%` to `20%`"),
        ("20.01%", 1, 2_000, "`20.01%` is more than 20 %", "from `0.01%` to `20%`"),
        ("49.99%", 5_000, 9_999, "`49.99%` is less than 50 %", "from `50%` to `99.99%`"),
        ("1001%", 0, 100_000, "`1001%` is more than 1000 %", "from `0%` to `1000%`"),
    ],
)
def test_bounds_of_percents(text: str, least: int, most: int, says: str, advises: str) -> None:
    assert (percent(f"{least / 100}%", least, most), percent(f"{most / 100}%", least, most)) == (least, most)
    message, advice = refusal(percent, text, least, most)
    assert says in message
    assert advises in advice


@given(st.integers(0, 10_000))
def test_every_step_of_a_weight_is_read_exactly(parts: int) -> None:
    assert percent(f"{parts // 100}.{parts % 100:02}%") == parts


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("300ms", 0.3),
        ("5s", 5),
        ("2m", 120),
        ("1h", 3600),
        ("1.5h", 5400),
        ("10 s", 10),
        ("0", 0),
        ("0ms", 0),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "says", "advises"),
    [
        ("5", "`5` is a number without its unit, not a duration", "write `5s` for seconds, or `5ms`"),
        ("5S", "`S` in `5S` is not a unit", "units are lower case: write `5s`"),
        ("5sec", "`sec` in `5sec` is not a unit", "write `5s`"),
        ("2 minutes", "`minutes`", "write `2m`"),
        ("1d", "`d` in `1d`", "write `24h`"),
        ("5x", "`x` in `5x` is not a unit", "such as `5s`"),
        ("1m30s", "is not a duration", "one number and one unit"),
        ("12:30:45", "a clock time, which YAML 1.1 would read as the number 45045", "`45045s`"),
        ("off", "a word, which YAML 1.1 would read as true or false, not a duration", "such as `300ms`"),
        ("5%", "`5%` is a percent, not a duration", "such as `300ms`"),
        ("-1s", "is not a duration", "one number"),
        ("25h", "`25h` is too long", "from `0s` to `24h`"),
        ("9" * 40 + "h", "too long", "`24h`"),
        ("", "an empty text is not a duration", "one unit"),
    ],
)
def test_what_is_no_duration(text: str, says: str, advises: str) -> None:
    message, advice = refusal(duration, text)
    assert says in message
    assert advises in advice


def test_durations_have_bounds() -> None:
    assert duration("1s", 1, 60) == 1
    assert refusal(duration, "0", 1, 60) == ("`0` is too short", "write a duration from `1s` to `1m`")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (0.3, "300ms"), (90, "90s"), (120, "2m"), (7200, "2h")]
)
def test_durations_are_written_back(seconds: float, text: str) -> None:
    assert as_duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (0.005, "5ms"), (1, "1s"), (60, "60s"), (75, "75s"), (120, "2m"), (3600, "1h")],
)
def test_seconds_as_files_mostly_have_them(seconds: float, text: str) -> None:
    assert as_seconds(seconds) == text
    assert duration(text, 0, 3600) == seconds


@pytest.mark.parametrize(("ratio", "text"), [(0.001, "0.1%"), (0.07, "7%"), (0.25, "25%"), (1.0, "100%")])
def test_a_ratio_as_files_have_it(ratio: float, text: str) -> None:
    assert as_percent(ratio) == text
    assert percent(text) == round(10_000 * ratio)


@pytest.mark.parametrize("value", [True, False])
def test_a_switch_as_files_have_it(value: bool) -> None:
    assert switch(as_switch(value)) is value


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("0", "out of range"), ("257", "out of range"), ("9" * 5000, "out of range"), ("010", "octal"),
        ("1_000", "not a whole number"), ("4.0", "not a whole number"), ("-1", "not a whole number"),
        ("1:30", "a clock time"), ("yes", "a word"), ("", "an empty text"), ("²", "not a whole number"),
    ],
)  # fmt: skip
def test_what_is_no_number(text: str, says: str) -> None:
    assert says in refusal(whole, text, 1, 256)[0]


def test_numbers() -> None:
    assert whole("256", 1, 256) == 256
    assert refusal(whole, "010", 1, 256)[1] == "write `10`"


def test_truth_is_written_in_one_way() -> None:
    assert boolean("true") is True
    assert boolean("false") is False
    assert refusal(boolean, "on") == ("`on` is neither `true` nor `false`", "write `true`")
    assert refusal(boolean, "No")[1] == "write `false`"
    assert refusal(boolean, "1")[1] == "write `true` or `false`"


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("true", "write `on`"), ("Yes", "write `on`"), ("On", "write `on`"),
        ("false", "write `off`"), ("NO", "write `off`"), ("1", "write `on` or `off`"),
    ],
)  # fmt: skip
def test_a_switch_is_on_or_off(text: str, advice: str) -> None:
    assert (switch("on"), switch("off")) == (True, False)
    assert refusal(switch, text) == (f"`{text}` is neither `on` nor `off`", advice)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("512B", 512), ("16KiB", 16_384), ("64 KiB", 65_536), ("1MiB", 1_048_576), ("2GiB", 2_147_483_648),
        ("0", 0), ("0B", 0), ("007KiB", 7168),
    ],
)  # fmt: skip
def test_sizes(text: str, number: int) -> None:
    assert size(text, 0, 1 << 40) == number


@pytest.mark.parametrize(
    ("text", "says", "advises"),
    [
        ("16384", "`16384` is a number without its unit, not a size", "write `16384B` for bytes, or `163"),
        ("16kB", "`kB` in `16kB` is not a unit of sizes", "powers of 1024: write `16KiB`"),
        ("16KB", "`KB` in `16KB` is not a unit of sizes", "write `16KiB`"),
        ("16k", "`k` in `16k` is not a unit of sizes", "write `16KiB`"),
        ("16kib", "`kib` in `16kib` is not a unit", "write `16KiB`"),
        ("1.5 mb", "`mb` in `1.5 mb` is not a unit", "write `1.5MiB`"),
        ("1m", "`m` in `1m` is not a unit of sizes", "write `1MiB`"),
        ("2g", "`g` in `2g` is not a unit", "write `2GiB`"),
        ("9 bytes", "`bytes` in `9 bytes` is not a unit", "write `9B`"),
        ("1.5MiB", "`1.5MiB` is not a whole number of `MiB`", "`1536KiB`"),
        ("0.3KiB", "`0.3KiB` is not a whole number of `KiB`", "`307B`"),
        ("5TiB", "`5TiB` is not a size", "such as `512B`"),
        ("30s", "`30s` is a duration, not a size", "such as `512B`"),
        ("5%", "`5%` is a percent, not a size", "such as `512B`"),
        ("none", "`none` is not a size", "one number and one unit"),
        ("-1B", "`-1B` is not a size", "one number"),
        ("²KiB", "is not a size", "one number"),
        ("", "an empty text is not a size", "one unit"),
        ("1023KiB", "`1023KiB` is too small", "write a size from `1MiB` to `1GiB`"),
        ("0", "`0` is too small", "from `1MiB` to `1GiB`"),
        ("1048577KiB", "`1048577KiB` is too large", "to `1GiB`"),
        ("9" * 40 + "GiB", "too large", "`1GiB`"),
    ],
)
def test_what_is_no_size(text: str, says: str, advises: str) -> None:
    message, advice = refusal(size, text, 1 << 20, 1 << 30)
    assert says in message
    assert advises in advice


def test_the_bounds_of_a_size_are_sizes_too() -> None:
    assert (size("256B", 256, 1024), size("1KiB", 256, 1024)) == (256, 1024)


@given(st.integers(1, 1 << 50))
def test_sizes_are_written_back(number: int) -> None:
    assert size(as_size(number), 0, 1 << 50) == number


def test_sizes_are_written_in_their_largest_unit() -> None:
    assert [as_size(n) for n in (0, 1, 1023, 1024, 1536, 3 << 20, 1 << 30)] == [
        "0B", "1B", "1023B", "1KiB", "1536B", "3MiB", "1GiB",
    ]  # fmt: skip


def test_sizes_are_known_where_they_do_not_belong() -> None:
    assert refusal(duration, "16KiB")[0] == "`KiB` in `16KiB` is not a unit of durations"
    assert refusal(whole, "16KiB", 1, 9)[0] == "`16KiB` is a size, not a whole number"


def test_words() -> None:
    assert word("off", ("off", "json"), "an access log") == "off"
    message, advice = refusal(word, "jsno", ("off", "json"), "an access log")
    assert message == "`jsno` is not an access log"
    assert advice == "did you mean `json`? expected `off` or `json`"
