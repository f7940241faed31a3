"""Bad and good requests of both sides, of those that the coin sent there: what bets are made on."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from proxy.analysis.weight_history import WeightHistory, odds
from proxy.routing.split import CANARY, STABLE
from proxy.telemetry.counts import Counts
from proxy.telemetry.outcome import QUANTILES

_NOTHING = Counts()


@dataclass(slots=True)
class Observations:
    """Counts, of one report or of all that were seen.

    Never edited; not frozen only because that triples the cost of making one.
    """

    canary_bad: int = 0
    canary_ok: int = 0
    stable_bad: int = 0
    stable_ok: int = 0

    @property
    def canary(self) -> int:
        """The canary's requests."""
        return self.canary_bad + self.canary_ok

    @property
    def stable(self) -> int:
        """Stable's requests."""
        return self.stable_bad + self.stable_ok

    @property
    def canary_share(self) -> float | None:
        """The share (0..1) of the canary's requests that were bad; None without any."""
        return self.canary_bad / self.canary if self.canary else None

    @property
    def stable_share(self) -> float | None:
        """The share (0..1) of stable's requests that were bad; None without any."""
        return self.stable_bad / self.stable if self.stable else None

    def plus(self, other: "Observations") -> "Observations":
        """Return both together."""
        return Observations(
            self.canary_bad + other.canary_bad,
            self.canary_ok + other.canary_ok,
            self.stable_bad + other.stable_bad,
            self.stable_ok + other.stable_ok,
        )

    def to_json(self) -> list[int]:
        """Return plain JSON values."""
        return [self.canary_bad, self.canary_ok, self.stable_bad, self.stable_ok]


def observe(checks: Collection[str], canary: Counts, stable: Counts) -> dict[str, Observations]:
    """Return what each check sees in the counts of both sides; all but those of latencies see errors.

    A request that was meant for a backend without a living endpoint counts as its failure: the coin was
    tossed and the backend couldn't answer. Were it left out, a dead canary would starve the judge.
    """
    errors = Observations(canary.drawn_bad, canary.drawn_good, stable.drawn_bad, stable.drawn_good)
    found = dict.fromkeys(checks, errors)
    for number, name in enumerate(QUANTILES):
        if name in found:
            found[name] = Observations(
                canary.slow(number), canary.timely(number), stable.slow(number), stable.timely(number)
            )
    return found


@dataclass(frozen=True, slots=True)
class RevisionCounts:
    """What one report has of one revision, and what the checks see in it."""

    parts: int
    """The canary's of 10,000 by which the requests were routed."""
    current: bool
    """Whether the weight is still the same."""
    canary: Counts
    stable: Counts
    observations: Mapping[str, Observations]
    """By check."""

    @property
    def odds(self) -> float:
        """The canary's share to stable's."""
        return odds(self.parts)


def by_revision(
    checks: Collection[str], tally: Iterable[tuple[int, str, Counts]], weights: WeightHistory
) -> list[RevisionCounts]:
    """Return a report (revision, backend, what came since the last one) by those revisions that are known."""
    sides: dict[int, dict[str, Counts]] = {}
    for revision, backend, counts in tally:
        sides.setdefault(revision, {})[backend] = counts
    found = []
    for revision, by_backend in sides.items():
        parts = weights.of(revision)
        if parts is not None:
            canary, stable = by_backend.get(CANARY, _NOTHING), by_backend.get(STABLE, _NOTHING)
            current = revision >= weights.since
            found.append(RevisionCounts(parts, current, canary, stable, observe(checks, canary, stable)))
    return found
