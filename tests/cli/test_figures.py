"""Numbers as text."""

import pytest

from proxy.cli import figures


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (0, "0 %"),
        (5.0, "5 %"),
        (0.25, "0.25 %"),
        (0.01, "0.01 %"),
        (100.0, "100 %"),
        (99.99, "99.99 %"),
    ],
)
def test_percent(value: float | None, text: str) -> None:
    assert figures.percent(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (0.0, "0.0 %"), (0.0001, "<0.1 %"), (0.0005, "0.1 %"), (0.273, "27.3 %"), (1, "100.0 %")],
)
def test_no_errors_and_few_errors_differ(value: float | None, text: str) -> None:
    assert figures.rate(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (0.0004, "0.4 ms"),
        (0.0123, "12.3 ms"),
        (0.1234, "123 ms"),
        (1.5, "1.50 s"),
        (60, "60.00 s"),
    ],
)
def test_durations(value: float | None, text: str) -> None:
    assert figures.duration(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02 03:04:05Z"),
        ("2026-01-02T03:04:05.678901+00:00", "2026-01-02 03:04:05Z"),
        ("2026-01-02T03:04:05+00:00", "2026-01-02 03:04:05Z"),
        ("2026-01-02T03:04:05+02:00", "2026-01-02T03:04:05+02:00"),
    ],
)
def test_moments(value: str, text: str) -> None:
    assert figures.moment(value) == text
