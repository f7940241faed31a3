"""Labels: the whole table of what is slow and what is timely."""

import pytest

from proxy.telemetry import labels

# Of every label: the quantiles for which it is slow, and those for which it is timely.
TABLE = {
    8: ([], [0]),
    9: ([0], []),
    16: ([], [0, 1]),
    17: ([0], [1]),
    18: ([0, 1], []),
    24: ([], [0, 1, 2]),
    25: ([0], [1, 2]),
    26: ([0, 1], [2]),
    27: ([0, 1, 2], []),
    28: ([0, 1, 2], []),
}


def test_the_table_is_whole() -> None:
    assert set(TABLE) == labels.CODES


@pytest.mark.parametrize(("code", "slow", "timely"), [(code, *row) for code, row in TABLE.items()])
def test_each_label_is_slow_or_timely_for_the_thresholds_that_were_known(
    code: int, slow: list[int], timely: list[int]
) -> None:
    assert [n for n in range(3) if labels.slow({code: 1}, n)] == slow
    assert [n for n in range(3) if labels.timely({code: 1}, n)] == timely


def test_counts_of_labels_add_up() -> None:
    met = {9: 2, 24: 5, 28: 1}
    assert [labels.slow(met, n) for n in range(3)] == [3, 1, 1]
    assert [labels.timely(met, n) for n in range(3)] == [5, 5, 5]


def test_an_overdue_one_has_a_label_of_its_own() -> None:
    assert labels.overdue((0.1, 0.2, 0.3)) == 28


@pytest.mark.parametrize(
    ("thresholds", "seconds", "code"),
    [((0.1,), 0.1, 8), ((0.1,), 0.11, 9), ((0.1, 0.2), 0.15, 17), ((0.1, 0.2, 0.3), 9.0, 27)],
)
def test_an_answer_is_slow_when_it_took_longer_than_a_threshold(
    thresholds: tuple[float, ...], seconds: float, code: int
) -> None:
    assert labels.label(thresholds, seconds) == code
    assert labels.exceeded(code) == code - 8 * len(thresholds)
