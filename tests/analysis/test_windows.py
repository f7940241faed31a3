"""Windows by backend and span."""

from reports import counts

from proxy.analysis.windows import SHOWN, Windows


def test_each_backend_and_span_has_its_own():
    windows = Windows([60.0])
    windows.add("canary", counts(ok=1), 0.0)
    windows.add("canary", counts(ok=2), 40.0)
    windows.add("stable", counts(ok=4), 40.0)
    assert {span: each.requests for span, each in windows.counts("canary", 41.0).items()} == {
        SHOWN: 2,
        60.0: 3,
    }
    assert windows.counts("stable", 41.0)[60.0].requests == 4
    assert windows.counts("other", 41.0) == {}


def test_what_is_shown_is_kept_as_it_was():
    windows = Windows()
    windows.add("canary", counts(ok=1), 0.0)
    shown = windows.shown("canary", 1.0)
    windows.add("canary", counts(ok=2), 1.0)
    assert shown.requests == 1
    assert windows.shown("stable", 1.0).requests == 0
