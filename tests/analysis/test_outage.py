"""When stable counts as out: nearly all of its latest requests came to nothing."""

import pytest

from proxy.analysis.outage import LATELY, LONG, SAMPLE, SLOT, Outage
from proxy.telemetry.counts import Counts


def good(number: int) -> Counts:
    return Counts(drawn={"success": number}, codes={("GET", 200): number})


def failed(number: int, ending: str = "connect") -> Counts:
    errors = {} if ending == "complete" else {ending: number}
    return Counts(drawn={"failure": number}, errors=errors, codes={("GET", 502): number})


def left(number: int) -> Counts:
    return Counts(drawn={"excluded": number}, codes={("GET", 0): number})


def after(*counts: Counts, at: float = 100.0) -> Outage:
    made = Outage()
    for each in counts:
        made.add(each, at)
    return made


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        ([failed(40)], "40 of its 40 latest requests failed (connect 40x)"),
        ([failed(40, "refused")], "40 of its 40 latest requests failed (no endpoint alive 40x)"),
        ([failed(5, "complete")], "5 of its 5 latest requests failed (bad answers 5x)"),
        (
            [failed(3, "timeout"), failed(6, "complete"), good(1)],
            "9 of its 10 latest requests failed (bad answers 6x, timeout 3x)",
        ),
        ([left(7)], "7 of its 7 latest requests failed (clients that left without an answer 7x)"),
        ([failed(SAMPLE - 1)], ""),
        ([failed(8), good(2)], ""),
        ([good(100)], ""),
        ([], ""),
    ],
)
def test_nearly_all_has_to_come_to_nothing(counts: list[Counts], sentence: str) -> None:
    assert after(*counts).sentence(100.0) == sentence


def test_a_client_that_got_its_status_and_left_is_no_sign() -> None:
    streams = Counts(drawn={"excluded": 50}, codes={("GET", 200): 50})
    assert after(streams).sentence(100.0) == ""


def test_good_answers_end_it_as_soon_as_the_bad_ones_are_old() -> None:
    made = after(failed(500), at=0.0)
    lately = SLOT * LATELY
    made.add(good(20), lately - 1)
    assert made.sentence(lately - 1)
    made.add(good(20), lately + SLOT)
    assert made.sentence(lately + SLOT) == ""


def test_with_few_requests_older_ones_are_looked_at_up_to_ten_minutes() -> None:
    made = Outage()
    for at in range(0, 300, 60):
        made.add(failed(1), float(at))
    assert made.sentence(240.0) == "5 of its 5 latest requests failed (connect 5x)"
    assert made.sentence(LONG * SLOT + 30.0) == "", "the first is too old, and four are too few"
