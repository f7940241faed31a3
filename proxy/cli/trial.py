"""The results of a policy on simulated traffic, as text and as JSON."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from proxy.counted import counted
from proxy.simulation.scenario import Scenario
from proxy.simulation.summary import Spread, Summary, bound

MEANING = """\
How to read this: the policy judged random traffic of the given kind, in which requests fail
independently of each other unless the scenario has another rule. Real failures come in bursts and real
times vary more, so take the requests until a rollback as an order of magnitude. Rescues aren't
simulated: in reality stable may answer a request that the canary failed. Where bets judge, the bound on
false rollbacks does not depend on this simulation: they stay below `false_rollbacks` for any traffic.
Guard and plain checks have no such bound; their rollbacks are listed above."""

FEW = 20
"""Runs below which no bound on a share is printed, because it would be too wide to be of use."""


@dataclass(frozen=True, slots=True)
class Trial:
    """The results of all runs of one policy."""

    what: str
    """The service, the file and the scenario."""
    scenario: Scenario
    seed: int
    bad: Summary | None
    """The runs whose canary turns bad; None: it doesn't, or they are still to come."""
    good: Summary | None
    """The runs with a canary as good as stable; None: there were none, or they are still to come."""
    watched: float
    """Seconds for which the good canary was judged."""

    def to_json(self) -> dict[str, Any]:
        """Return the results as JSON values."""
        return {
            "what": self.what,
            "scenario": asdict(self.scenario),
            "seed": self.seed,
            "bad": self.bad.to_json() if self.bad else None,
            "good": self.good.to_json() if self.good else None,
            "watched": self.watched,
        }

    def heading(self) -> str:
        """Return what is tried, in one line."""
        return f"{self.what}: {_setting(self.scenario)}; seed {self.seed}"

    def on_bad(self) -> Iterator[str]:
        """Yield what came of the canary that turns bad, in lines."""
        if self.bad:
            yield from _on_bad(self.bad, self.scenario.lasts)

    def on_good(self) -> Iterator[str]:
        """Yield what came of the good canary, in lines."""
        if self.good:
            yield from _on_good(self.good, self.watched)


def _setting(scenario: Scenario) -> str:
    """Return the traffic in one line."""
    stable, canary = scenario.stable, scenario.canary.beside(scenario.stable)
    words = [
        f"{scenario.rate:,.10g} requests/s",
        f"weight {scenario.weight * 100:g} %",
        f"stable fails {stable.errors * 100:g} % and takes {stable.median * 1000:g} ms at the median",
    ]
    if not scenario.good:
        after = f"after {_time(scenario.onset)} " if scenario.onset else ""
        words.append(f"the canary {after}fails {canary.errors * 100:g} %, takes {canary.median * 1000:g} ms")
        words += [f"hangs on {canary.hang * 100:g} %"] if canary.hang else []
    return ", ".join(words)


def _on_bad(bad: Summary, lasts: float) -> Iterator[str]:
    yield f"canary requests until rollback: {_spread(bad.requests)} ({counted(bad.runs, 'run')})"
    yield f"seconds until rollback: {_spread(bad.seconds, 1)}"
    late = bad.runs - bad.early
    never = late - (bad.rolled_back - bad.early)
    yield f"never rolled back within {_time(lasts)}: {never} of {counted(late, 'run')}"
    if bad.early:
        yield f"rolled back while the canary was still good: {bad.early} of {counted(bad.runs, 'run')}"
    yield from _by(bad)


def _on_good(good: Summary, watched: float) -> Iterator[str]:
    share = bound(good.rolled_back, good.runs)
    bounded = f"fewer than {share * 100:.1f} % with 95 % confidence"
    runs = counted(good.runs, "run")
    certainty = bounded if good.runs >= FEW else "too few runs for a bound"
    yield (
        f"false rollbacks of a good canary: {good.rolled_back} of {runs} of {_time(watched)}, "
        f"{counted(good.met // good.runs, 'canary request')} each; {certainty}"
    )
    yield from _by(good)


def _by(found: Summary) -> Iterator[str]:
    if found.checks:
        yield "  by " + ", ".join(f"{check} ({count})" for check, count in found.checks)


def _spread(spread: Spread, digits: int = 0) -> str:
    pairs = {"median": spread.median, "p95": spread.p95, "largest": spread.max}
    return ", ".join(
        f"{name} {'never' if value is None else f'{value:.{digits}f}'}" for name, value in pairs.items()
    )


def _time(seconds: float) -> str:
    """Return a time such as 3 h, 10 m or 45 s."""
    for unit, size in (("h", 3600), ("m", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"
