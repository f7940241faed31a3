"""Sentences as people read them."""

import pytest

from proxy.analysis.check import Check
from proxy.analysis.wording import quantity, sentence

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
            "latency-p99 no data over 90 s: 0 of the 50 canary answers needed to judge it",
        ),
    ],
)
def test_a_sentence_tells_value_limit_stable_and_sample(arguments, text):
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
def test_a_quantity_has_its_unit(value, unit, text):
    assert quantity(value, unit) == text
