"""The same rows are shown on a terminal and in a pipe."""

import io

import pytest

from proxy.demo.customer_counts import ActSummary
from proxy.demo.screen import LiveScreen, PlainScreen, Row, wrapped

GOOD = Row(5.0, "idle", ActSummary("shop", "v2", 200, 0.055, 1, 0.0142))
EMPTY = Row(0.0, "rolled-back", ActSummary("search", "v3", 0, None, 0, None))


def test_cells_are_what_a_person_reads() -> None:
    assert GOOD.cells() == ("shop", "v2", "5 %", "5.5 %", "200", "1", "14 ms", "idle")
    assert EMPTY.cells() == ("search", "v3", "0 %", "-", "0", "0", "-", "rolled-back")


def test_plain_text_shows_rows_at_the_end_of_an_act_only() -> None:
    out = io.StringIO()
    with PlainScreen(out) as screen:
        screen.title("An act")
        screen.show([GOOD], last=False)
        screen.show([GOOD, EMPTY], last=True)
    assert out.getvalue().splitlines() == [
        "",
        "An act",
        "  service  canary  set    seen     requests  errors  p99     state",
        "  shop     v2      5 %    5.5 %    200       1       14 ms   idle",
        "  search   v3      0 %    -        0         0       -       rolled-back",
    ]


def test_the_live_screen_shows_the_same_and_takes_brackets_as_text(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with LiveScreen() as screen:
        screen.title("An [act]")
        screen.write("[v3] was taken out")
        screen.show([GOOD], last=False)
        screen.show([GOOD, EMPTY], last=True)
    printed = capsys.readouterr().out
    for part in ("An [act]", "[v3] was taken out", "5.5 %", "14 ms", "rolled-back"):
        assert part in printed


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("  step  5 % -> 25 %", ["  step  5 % -> 25 %"]),
        ("  everywhere after 290 ms", ["  everywhere after", "    290 ms"]),
        ("to begin again: weir retry", ["to begin again: weir", "  retry"]),
        ("  http://127.0.0.1:9900/api", ["  http://127.0.0.1:9900/api"]),
        ("", [""]),
    ],
)
def test_long_lines_are_cut_between_words(text: str, lines: list[str]) -> None:
    assert wrapped(text, 20) == "\n".join(lines)


def test_the_live_screen_cuts_no_word(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    with LiveScreen() as screen:
        screen.write("  the canary goes from five % to everybody")
    assert "  the canary goes from five %\n    to everybody\n" in capsys.readouterr().out
