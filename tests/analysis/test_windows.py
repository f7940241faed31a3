"""Windows of each backend."""

import pytest
from made import counts

from proxy.analysis.windows import SHOWN, Windows


def test_each_span_looks_back_as_far_as_it_says():
    windows = Windows([10.0, 120.0])
    windows.add("canary", counts(ok=5), 0.0)
    windows.add("canary", counts(bad=3), 20.0)
    seen = windows.counts("canary", 20.0)
    assert {span: each.requests for span, each in seen.items()} == {10.0: 3, 30.0: 8, 120.0: 8}
    assert {span: each.requests for span, each in windows.counts("canary", 110.0).items()} == {
        10.0: 0,
        30.0: 0,
        120.0: 8,
    }


def test_the_one_that_is_shown_is_there_in_any_case():
    windows = Windows()
    windows.add("stable", counts(ok=5), 0.0)
    assert SHOWN == 30.0
    assert windows.shown("stable", 29.0).requests == 5
    assert windows.shown("stable", 31.0).requests == 0
    assert [*windows.counts("stable", 0.0)] == [SHOWN]


def test_backends_are_apart():
    windows = Windows()
    windows.add("stable", counts(ok=5), 0.0)
    assert windows.counts("canary", 0.0) == {}
    assert windows.shown("canary", 0.0) == counts()


@pytest.mark.parametrize("look", [lambda windows: windows.shown("canary", 1.0)])
def test_what_is_looked_at_is_a_copy(look):
    windows = Windows()
    windows.add("canary", counts(ok=5), 0.0)
    look(windows).absorb(counts(ok=50))
    assert look(windows).requests == 5
