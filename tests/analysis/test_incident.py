"""Incidents of stable, which are no time to step up."""

import pytest

from proxy.analysis.incident import Incident
from proxy.telemetry.counts import Counts
from tests.analysis.made import counts


def seen(*stretches: tuple[int, Counts]) -> tuple[Incident, float]:
    """Stretches of seconds, and what stable answered every ten of them; their end."""
    incident, now = Incident(), 0.0
    for seconds, stable in stretches:
        for _ in range(seconds // 10):
            incident.add(stable, now)
            now += 10
    return incident, now - 1


QUIET, BAD = counts(ok=100), counts(ok=80, bad=20)


@pytest.mark.parametrize(
    ("stretches", "share"),
    [
        ([], None),
        ([(600, QUIET)], None),
        ([(600, QUIET), (60, BAD)], 0.2),
        ([(600, QUIET), (10, BAD)], None),  # 3.3 % of a minute
        ([(600, QUIET), (10, counts(ok=50, bad=50))], 50 / 600),
        ([(600, QUIET), (60, counts(ok=95, bad=5))], None),  # not above 5 %
        ([(600, QUIET), (60, counts(ok=94, bad=6))], 0.06),
        ([(600, counts(ok=93, bad=7)), (60, BAD)], None),  # less than three times as much as ever
        ([(600, counts(ok=97, bad=3)), (60, BAD)], 0.2),
        ([(600, BAD)], None),  # that is how it is
        ([(600, QUIET), (60, BAD), (60, QUIET)], None),
        ([(600, QUIET), (60, counts(ok=80, diverted=20))], 0.2),
        ([(600, QUIET), (60, counts(ok=80, pinned_bad=20))], 0.2),
        ([(600, QUIET), (60, counts(ok=80, taken_over={"failure": 20}))], None),  # rescues of poison
    ],
)
def test_when_it_is_an_incident(stretches: list[tuple[int, Counts]], share: float | None) -> None:
    incident, now = seen(*stretches)
    assert incident.share(now) == (None if share is None else pytest.approx(share))


def test_it_passes_with_time_alone() -> None:
    incident, now = seen((600, QUIET), (60, BAD))
    assert incident.share(now + 50) == pytest.approx(0.2)
    assert incident.share(now + 61) is None


def test_what_is_older_than_ten_minutes_is_forgotten() -> None:
    incident, now = seen((600, BAD), (540, QUIET), (60, BAD))
    assert incident.share(now) is None or incident.share(now) == pytest.approx(0.2)
    assert repr(incident) == "<Incident? 60 slots>"
