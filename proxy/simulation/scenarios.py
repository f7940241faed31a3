"""Named scenarios."""

from collections.abc import Mapping
from dataclasses import dataclass

from proxy.simulation.scenario import Canary, Day, EjectionRule, Incidents, Population, Scenario

HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Named:
    """A scenario and one line on it."""

    line: str
    scenario: Scenario


_DEAD = Canary(errors=1.0)

SCENARIOS: Mapping[str, Named] = {
    "good": Named("a canary as good as stable, for an hour", Scenario(lasts=HOUR)),
    "day": Named("as good, while traffic, errors and times swing together", Scenario(day=Day(), lasts=HOUR)),
    "incidents": Named(
        "as good, while both fail and are slow at once now and then",
        Scenario(incidents=Incidents(), lasts=HOUR),
    ),
    "dead": Named("fails everything from the first request on", Scenario(canary=_DEAD)),
    "sick": Named("fails 20 % from the first request on", Scenario(canary=Canary(errors=0.2))),
    "feeble": Named("fails 5 % from the first request on", Scenario(canary=Canary(errors=0.05), lasts=HOUR)),
    "dies-late": Named("good for 3 hours, then fails everything", Scenario(canary=_DEAD, onset=3 * HOUR)),
    "sickens-late": Named(
        "good for 3 hours, then fails 20 %", Scenario(canary=Canary(errors=0.2), onset=3 * HOUR)
    ),
    "hangs": Named(
        "answers nothing from the first request on; stable's times are known",
        Scenario(canary=Canary(hang=1.0), alone=60.0),
    ),
    "slow": Named(
        "twice as slow from the first request on; stable's times are known",
        Scenario(canary=Canary(times=2.0), alone=60.0),
    ),
    "segment": Named(
        "weight 0 %, lives on the 10 % that a segment pins to it, dies after a minute",
        Scenario(canary=_DEAD, weight=0.0, segment=0.1, onset=60.0),
    ),
    "ejected": Named(
        "dies at 20 %, and workers spare its endpoint after 5 failures",
        Scenario(canary=_DEAD, weight=0.2, ejection=EjectionRule()),
    ),
    "users": Named(
        "200 users; good for 3 hours, then fails everything",
        Scenario(canary=_DEAD, crowd=Population(), onset=3 * HOUR),
    ),
    "retries": Named(
        "200 users who try again up to 20 times, for an hour; as good as stable",
        Scenario(crowd=Population(retries=20), lasts=HOUR),
    ),
    "speeds": Named(
        "200 users with speeds of their own, for an hour; as good as stable",
        Scenario(crowd=Population(speeds=0.7), lasts=HOUR),
    ),
}
