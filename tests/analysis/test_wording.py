"""Sentences as people read them."""

import pytest

from proxy.analysis.check import Check
from proxy.analysis.observations import Observations
from proxy.analysis.verdict import Assurance
from proxy.analysis.wording import (
    answers,
    assured,
    capped,
    duration,
    evidence,
    odds,
    of_users,
    quantity,
    sentence,
    slower,
    to_go,
)

RATE = Check("error-rate", 0.10, 30.0, 20)
P99 = Check("latency-p99", 0.4, 90.0, 50, times_stable=2.0)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            (RATE, "failing", 0.2727, 0.10, 0.004, 55),
            "error-rate 27.3 % over 30 s is above its limit of 10.0 % (stable: 0.4 %; 55 canary answers)",
        ),
        (
            (RATE, "healthy", 0.05, 0.10, None, 20),
            "error-rate 5.0 % over 30 s is within its limit of 10.0 % (stable: no data; 20 canary answers)",
        ),
        (
            (Check("error-rate", 0.10, 30.0, 20, times_stable=3.0), "failing", 0.9, 0.6, 0.2, 40),
            "error-rate 90.0 % over 30 s is above its limit of 60.0 %, 3 x stable's "
            "(stable: 20.0 %; 40 canary answers)",
        ),
        (
            (Check("error-rate", 0.1, 30.0, 1), "failing", 1.0, 0.1, None, 1),
            "error-rate 100.0 % over 30 s is above its limit of 10.0 % (stable: no data; 1 canary answer)",
        ),
        (
            (P99, "failing", 1.25, 0.9, 0.45, 60),
            "latency-p99 1.25 s over 90 s is above its limit of 900 ms, 2 x stable's "
            "(stable: 450 ms; 60 canary answers)",
        ),
        (
            (RATE, "inconclusive", 1.0, 0.10, 0.0, 7),
            "error-rate 100.0 % over 30 s: 7 of the 20 canary answers needed to judge it",
        ),
        (
            (P99, "inconclusive", None, 0.4, None, 0),
            "latency-p99 over 90 s: 0 of the 50 canary answers needed to judge it",
        ),
    ],
)
def test_a_sentence_tells_value_limit_stable_and_sample(
    arguments: tuple[Check | float | str | None, ...], text: str
) -> None:
    assert sentence(*arguments) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0, "ratio", "0.0 %"),
        (1.0, "ratio", "100.0 %"),
        (0.00042, "seconds", "0.4 ms"),
        (0.0123, "seconds", "12 ms"),
        (0.412, "seconds", "412 ms"),
        (1.254, "seconds", "1.25 s"),
    ],
)
def test_a_quantity_has_its_unit(value: float, unit: str, text: str) -> None:
    assert quantity(value, unit) == text


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.0, "less than 1:1"), (0.99, "less than 1:1"), (1.0, "1:1"), (2.14, "2.1:1"), (9.94, "9.9:1"),
        (9.96, "10:1"), (12.4, "12:1"), (3400.0, "3,400:1"), (1e6, "more than 1,000,000:1"),
        (float("inf"), "more than 1,000,000:1"),
    ],
)  # fmt: skip
def test_odds(value: float, said: str) -> None:
    assert odds(value) == said


@pytest.mark.parametrize(("seconds", "said"), [(40.2, "40 s"), (720, "12 min"), (12_600, "3.5 h")])
def test_durations(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_one_answer_is_no_answers() -> None:
    assert (answers(1), answers(1_180, "stable")) == ("1 canary answer", "1,180 stable answers")


def test_evidence_says_for_what_it_is_and_when_it_is_enough() -> None:
    assert evidence("it is worse", 241.0, 100.0) == "evidence that it is worse: 241:1, out at 100:1"


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0, 1.04])
def test_even_odds_are_no_evidence(value: float) -> None:
    assert evidence("it is worse", value, 100.0) == "no evidence that it is worse"


@pytest.mark.parametrize(
    ("value", "first"),
    [
        (0.055, "p99 55 ms, stable 3.2 ms (limit 8.2 ms); "),
        (None, "p99 unknown for 30 s, stable 3.2 ms (limit 8.2 ms); "),
    ],
)
def test_a_latency_begins_with_the_times(value: float | None, first: str) -> None:
    said = slower("p99", value, (0.0082, 0.0032), Observations(3, 59, 5, 1_175), 12.0, 100.0)
    assert said == (
        f"{first}4.8 % of 62 canary answers took longer than the limit in force, "
        "0.4 % of 1,180 stable answers longer than stable's p99; "
        "evidence that it is slower: 12:1, out at 100:1"
    )


def test_a_latency_without_stable() -> None:
    said = slower("p50", 0.055, (0.0082, 0.0032), Observations(1, 0, 0, 0), 1.0, 100.0)
    assert "100.0 % of 1 canary answer took longer than the limit in force, no stable answers yet" in said


@pytest.mark.parametrize(
    ("exposed", "said"),
    [(None, ""), (0, " of unknown users"), (1, " of about 1 user"), (1_200, " of about 1,200 users")],
)
def test_users_without_a_key_are_unknown_and_not_none(exposed: int | None, said: str) -> None:
    assert of_users(exposed) == said


def test_a_cap_says_since_when_it_counts() -> None:
    assert capped("harmed", 9, 10, resumed=True) == (
        "harmed: 9 clients got a bad answer or gave up waiting since it was resumed; the cap is 10"
    )
    assert capped("exposed-users", 9, 10, resumed=False) == (
        "exposed-users: 9 users met the canary since the release began; the cap is 10"
    )
    assert capped("harmed", 1, 10, resumed=False).startswith("harmed: 1 client got a bad answer or gave up")


@pytest.mark.parametrize(
    ("assurance", "said"),
    [
        (
            Assurance(25.0, 20.0, 0, 0.0),
            "evidence that it is less than 1.0 % worse: 25:1, good enough at 20:1",
        ),
        (
            Assurance(0.2, 20.0, 130, 40.0),
            "no evidence that it is less than 1.0 % worse; about 130 more requests (40 s)",
        ),
        (
            Assurance(0.2, 20.0, None, None),
            "no evidence that it is less than 1.0 % worse; at the rates seen it can't be shown",
        ),
    ],
)
def test_assurance(assurance: Assurance, said: str) -> None:
    assert assured(assurance, 0.01) == said


@pytest.mark.parametrize(
    ("requests", "seconds", "text"),
    [
        (0, 0.0, "shown"),
        (None, None, "at the rates seen it can't be shown"),
        (1, None, "about 1 more request"),
        (130, 120.0, "about 130 more requests (2 min)"),
        (9000, 7200.0, "about 9,000 more requests (2.0 h)"),
    ],
)
def test_what_a_larger_weight_waits_for(requests: int | None, seconds: float | None, text: str) -> None:
    assert to_go(requests, seconds) == text
