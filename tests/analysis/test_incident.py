"""Incidents of stable."""

import pytest
from reports import counts

from proxy.analysis.incident import Incident


def after(*minutes):
    """Ten minutes: so many failures of 100 answers in each, the last ones."""
    made = Incident()
    for minute, failed in enumerate(minutes, start=10 - len(minutes)):
        made.add(counts(ok=100 - failed, bad=failed), minute * 60.0)
    return made


@pytest.mark.parametrize(
    ("minutes", "share"),
    [
        ((), None),
        ((5,), None),
        ((0, 0, 0, 0, 5), None),
        ((0, 0, 0, 0, 6), 0.06),
        ((6,), None),  # it has never been better
        ((10, 10, 10, 10, 20), None),
        ((0, 0, 0, 0, 0, 10, 30), 0.3),
        ((10, 10, 10, 10, 40), None),
    ],
)
def test_it_takes_failures_and_more_than_there_were(minutes, share):
    assert after(*minutes).share(540.0) == share


def test_it_passes_with_its_minute():
    made = after(0, 0, 0, 0, 20)
    assert (made.share(599.0), made.share(600.0)) == (0.2, None)


def test_ten_minutes_are_remembered():
    made = after(40, 0, 0, 0, 0, 0, 0, 0, 0, 11)
    assert made.share(540.0) is None
    made.add(counts(ok=89, bad=11), 600.0)
    assert made.share(600.0) == 0.11
    assert len(made._slots) == 10
