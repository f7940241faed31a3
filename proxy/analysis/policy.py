"""The policy that a service's canary is judged by: what its owner may set, as values."""

from dataclasses import dataclass

from proxy import defaults
from proxy.analysis.check import Check
from proxy.analysis.verdict import ERROR_LIMIT, ERRORS, EXPOSED_USERS, GUARD, HARMED
from proxy.telemetry.outcome import QUANTILES


@dataclass(frozen=True, slots=True)
class Slower:
    """From when on the canary counts as slow beside stable: more than `by` and more than `at_least`."""

    by: float = defaults.SLOWER_BY
    """A ratio: 0.25 is a quarter more than stable's threshold."""
    at_least: float = defaults.SLOWER_AT_LEAST
    """Seconds over stable's threshold."""


HUNG = Slower(by=9.0, at_least=1.0)
"""From when on an answer is overdue where latency isn't compared: ten times stable's p99, and 1 s more."""


@dataclass(frozen=True, slots=True)
class StepUp:
    """What must be shown before the weight may rise."""

    extra_errors_below: float = defaults.STEP_UP_EXTRA_ERRORS
    """The margin: by how much (0..1) more of the canary's answers than of stable's may fail."""
    confidence: float = defaults.STEP_UP_CONFIDENCE
    """How sure (0..1) that must be."""

    @property
    def bar(self) -> float:
        """The odds at which it is shown."""
        return 1 / (1 - self.confidence)


@dataclass(frozen=True, slots=True)
class Caps:
    """How large the blast radius may become; None: as large as it will."""

    harmed: int | None = None
    """Clients that got a bad answer of the canary, or gave up waiting for one."""
    exposed_users: int | None = None
    """Users who met the canary."""


@dataclass(frozen=True, slots=True)
class Policy:
    """All of it. The defaults are those of `analysis: auto`."""

    comparing: bool = True
    """Whether the canary is compared with stable by bets; False: `analysis: off`."""
    extra_errors: float = defaults.EXTRA_ERRORS
    """How much (0..1) more of the canary's answers than of stable's may fail."""
    slower: Slower | None = Slower()
    """None: latency isn't compared, and errors have all of the capital."""
    warm_up: float = defaults.WARM_UP
    """Seconds after each rise of the weight in which the canary may be slower than it will be; 0: none."""
    false_rollbacks: float = defaults.FALSE_ROLLBACKS
    """The share (0..1) of good releases that may be rolled back by chance, at most."""
    error_limit: float | None = None
    """The share (0..1) of the canary's answers that may fail, whatever stable's do; None: no limit."""
    step_up: StepUp | None = StepUp()
    """None: little evidence against the canary is enough."""
    guard: bool = True
    """Whether the canary is watched over a window where no coin is tossed."""
    checks: tuple[Check, ...] = ()
    """Plain rules on windows, beside all else."""
    caps: Caps = Caps()
    sticky: bool = False
    """Whether the coin is tossed for users and not for requests."""

    @property
    def late(self) -> Slower | None:
        """From when on an answer is overdue, compared or not; None where nothing judges."""
        judged = self.comparing or self.guard or self.checks or self.caps != Caps()
        return (self.slower if self.comparing and self.slower else HUNG) if judged else None

    @property
    def names(self) -> tuple[str, ...]:
        """Every check that may find the canary failing, by its name."""
        bets = [ERRORS] if self.comparing else []
        if self.comparing and self.slower:
            bets += QUANTILES
        if self.comparing and self.error_limit is not None:
            bets.append(ERROR_LIMIT)
        caps = {HARMED: self.caps.harmed, EXPOSED_USERS: self.caps.exposed_users}
        capped = [name for name, cap in caps.items() if cap is not None]
        guard = [GUARD] if self.guard else []
        return (*bets, *guard, *capped, *(check.name for check in self.checks))

    @property
    def bar(self) -> float:
        """The odds against the canary at which it is failing."""
        return 1 / self.false_rollbacks
