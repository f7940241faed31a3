"""One service as a tree."""

import pytest

from proxy.cli.tree import ASCII, bar, tree
from tests.cli.fake_admin import Make

FINDING = {"check": "errors", "value": 0.048, "limit": None, "stable": 0.004, "sample": 62}
FINDING |= {"needed": None, "unit": "ratio", "odds": 12.4, "sentence": "errors 4.8 %"}
PLAIN = {"check": "latency-p99", "value": None, "limit": 0.4, "stable": None, "sample": 3}
PLAIN |= {"needed": 20, "unit": "seconds", "odds": None, "sentence": "3 of 20"}


def test_all_there_is_to_see_while_a_rollout_goes_on(rolling_view: Make) -> None:
    verdict = {"state": "inconclusive", "findings": [FINDING, PLAIN], "assurance": None, "sentence": ""}
    assert tree(rolling_view(verdict=verdict), flags=" -x").splitlines() == [
        "checkout  progressing, step 1 of 3, revision 7",
        "├─ stable  http://127.0.0.1:9001",
        "│  ├─ set   ███████████████████░  95 %",
        "│  ├─ seen  ███████████████████░  94.8 %",
        "│  └─ last 30 s: 1,234 requests, errors 0.2 %, p99 12.3 ms",
        "├─ canary v3  http://127.0.0.1:9002",
        "│  ├─ set   █░░░░░░░░░░░░░░░░░░░  5 %",
        "│  ├─ seen  █░░░░░░░░░░░░░░░░░░░  5.2 %",
        "│  └─ last 30 s: 0 requests, errors -, p99 -",
        "├─ verdict: inconclusive",
        "│  ├─ CHECK        VALUE   LIMIT  STABLE   SAMPLE  ODDS",
        "│  ├─ errors       4.8 %       -   0.4 %       62  12:1",
        "│  └─ latency-p99      -  400 ms       -  3 of 20     -",
        "├─ step 1 of 3 (5 % for 10 min and 200 answers): 31 of 200 answers; at this rate in about 11 min",
        "└─ to its end: about 42 min at 41 requests a second, and 1 pause",
    ]


def test_without_a_canary_there_is_no_verdict(view: Make) -> None:
    alone = view()
    del alone["backends"]["canary"]
    drawn = tree(alone)
    assert "verdict: none, there is no canary to judge" in drawn
    assert "healthy" not in drawn


def test_one_request_is_no_requests(view: Make) -> None:
    one = view()
    one["window"]["stable"]["requests"] = 1
    assert "last 30 s: 1 request, errors" in tree(one)


def test_a_terminal_without_unicode(tripped_view: Make) -> None:
    view = tripped_view(verdict={"state": "failing", "findings": [], "assurance": None, "sentence": ""})
    drawn = tree(view, ASCII, " -x")
    assert drawn.isascii()
    assert "|  |- seen  ....................  -" in drawn.splitlines()
    assert "|- verdict: failing" in drawn.splitlines()
    assert drawn.splitlines()[-1] == "`- to let the canary back in at 20 %: weir resume pay -x"


@pytest.mark.parametrize(
    ("part", "full"), [(None, 0), (0, 0), (0.01, 1), (5, 1), (50, 10), (97.4, 19), (100, 20)]
)
def test_bars(part: float | None, full: int) -> None:
    assert bar(part, ASCII) == "#" * full + "." * (20 - full)
