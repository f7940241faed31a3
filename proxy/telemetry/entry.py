"""What a worker counts of one backend under one revision of its service: exchanges that ended, and how."""

from bisect import bisect_left
from dataclasses import dataclass, field

from proxy.telemetry import labels, users
from proxy.telemetry.failed import Failed
from proxy.telemetry.histogram import Histogram
from proxy.telemetry.outcome import (
    CLIENT_LEFT,
    COMPLETE,
    EXCLUDED,
    FAILURE,
    SUCCESS,
    SWITCHED,
    Ending,
    Outcome,
    Result,
    Thresholds,
)
from proxy.telemetry.registers import Registers
from proxy.telemetry.users import Users


@dataclass(slots=True)
class Entry:
    """What became of some exchanges. Empty when new; what was never met is absent."""

    drawn: dict[Result, int] = field(default_factory=dict)
    """Exchanges whose backend the coin chose, by result."""
    pinned: dict[Result, int] = field(default_factory=dict)
    """Exchanges whose backend a segment or a header chose, by result."""
    codes: dict[tuple[str, int], int] = field(default_factory=dict)
    """All exchanges by method and the status sent, 0 when none was."""
    errors: dict[Ending, int] = field(default_factory=dict)
    """Failures by ending; those that were answered whole are not here."""
    head: Histogram = field(default_factory=Histogram)
    """Time to the response head, of those with one that are not excluded: what latency checks judge."""
    total: Histogram = field(default_factory=Histogram)
    """Time from the request's head to the end, of all exchanges."""
    in_flight: int = 0
    """Exchanges open now; a gauge."""
    tunnels: int = 0
    """Those of them that have become tunnels; a gauge."""
    life: int = 0
    """Which entry of the worker's tally this is, 0 for sums and differences."""
    taken_over: dict[Result, int] = field(default_factory=dict)
    """Exchanges that neither coin nor pin brought here, by result: diverted ones and rescues."""
    labels: dict[int, int] = field(default_factory=dict)
    """Drawn exchanges that were compared with thresholds, see :mod:`proxy.telemetry.labels`: successes, and
    those that fell overdue whatever became of them."""
    diverted: int = 0
    """Drawn requests that were meant for this backend, when no endpoint of it was alive."""
    pins_diverted: int = 0
    """Pinned requests that were meant for this backend, when no endpoint of it was alive."""
    rescued: int = 0
    """Attempts that were passed on to another backend, which did its work."""
    harmed: int = 0
    """Bad answers that reached clients: failures not passed on, or only to a backend that failed, too.

    Of two backends that failed to answer one request, the first has harmed."""
    abandoned: int = 0
    """Requests that had been overdue when their clients went away, whatever brought them here."""
    overdue: int = 0
    """Exchanges open now that have been waiting for their answer for too long; a gauge."""
    users: Users = field(default_factory=Users)
    """Who had failures and slow answers among the drawn ones, where the service keeps users."""
    exposed: Registers = field(default_factory=Registers)
    """How many different users met the backend, where they have keys."""
    ejections: int = 0
    """Times that an endpoint was left alone because it failed, whatever brought it the requests."""
    failed: Failed = field(default_factory=Failed)
    """The requests that failed most often."""

    @property
    def requests(self) -> int:
        """Answered exchanges: successes and failures. Excluded ones are apart."""
        return self.successes + self.failures

    @property
    def successes(self) -> int:
        """Successes, whatever brought them here."""
        return self._all(SUCCESS)

    @property
    def failures(self) -> int:
        """Failures, whatever brought them here."""
        return self._all(FAILURE)

    @property
    def excluded(self) -> int:
        """Exchanges that say nothing about the backend."""
        return self._all(EXCLUDED)

    def slow(self, quantile: int) -> int:
        """Labelled requests that exceeded the threshold of a quantile: 0 is p50, 1 p90, 2 p99."""
        return labels.slow(self.labels, quantile)

    def timely(self, quantile: int) -> int:
        """Labelled requests that were answered within the threshold of a quantile."""
        return labels.timely(self.labels, quantile)

    def record(self, outcome: Outcome) -> None:
        """Count one ended exchange; that it was open is not looked at."""
        result, drawn = outcome.result, outcome.drawn
        results = self.drawn if drawn else self.taken_over if outcome.taken_over else self.pinned
        results[result] = results.get(result, 0) + 1
        if outcome.status or not outcome.passed_on:  # else stable answered, and 499 would say the client left
            code = (outcome.method, outcome.status)
            codes = self.codes
            codes[code] = codes.get(code, 0) + 1
        if outcome.head_seconds is not None and result != EXCLUDED:
            self.head.add(outcome.head_seconds)
            if drawn and outcome.thresholds and result == SUCCESS and not outcome.overdue:
                self._compare(outcome, outcome.head_seconds)
        self.total.add(outcome.total_seconds)
        if outcome.exposed:
            self.exposed.add(outcome.user)
        if result == FAILURE:
            self._fail(outcome)
        elif outcome.overdue and outcome.ending == CLIENT_LEFT:
            self.abandoned += 1

    def end(self, outcome: Outcome) -> None:
        """One exchange fewer is open, if it ever was."""
        if self.in_flight:
            self.in_flight -= 1
        if outcome.status == SWITCHED and self.tunnels:
            self.tunnels -= 1
        if outcome.overdue and self.overdue:
            self.overdue -= 1

    def fall_overdue(self, thresholds: Thresholds, user: int) -> None:
        """An open exchange has exceeded all thresholds; () for one that wasn't drawn, and gets no label.

        `user`: 0 where the service keeps none.
        """
        if thresholds:
            code = labels.overdue(thresholds)
            self.labels[code] = self.labels.get(code, 0) + 1
        self.overdue += 1
        if user:
            self.users.add(user, users.ALL_SLOW)

    def divert(self, user: int, *, drawn: bool) -> None:
        """A request could not be sent here. `user`: 0 where the service keeps none."""
        if not drawn:
            self.pins_diverted += 1
            return
        self.diverted += 1
        if user:
            self.users.add(user, users.FAILED)

    def settle_rescue(self, result: Result) -> None:
        """What came of a request that was passed on: nothing, where its client didn't wait for it."""
        if result == FAILURE:
            self.harmed += 1
        elif result == SUCCESS:
            self.rescued += 1

    def _compare(self, outcome: Outcome, seconds: float) -> None:
        # label() and exceeded(), written out: once thresholds are known, most requests pass here.
        exceeded = bisect_left(outcome.thresholds, seconds)
        code = labels.STEP * len(outcome.thresholds) + exceeded
        counts = self.labels
        counts[code] = counts.get(code, 0) + 1
        if exceeded and outcome.user:
            self.users.add(outcome.user, users.slow(exceeded))

    def _fail(self, outcome: Outcome) -> None:
        if outcome.ending != COMPLETE:
            self.errors[outcome.ending] = self.errors.get(outcome.ending, 0) + 1
        if not outcome.passed_on and outcome.rescue_of is None:
            self.harmed += 1
        if outcome.drawn and outcome.user:
            self.users.add(outcome.user, users.FAILED)
        self.failed.add(outcome.method, outcome.route, outcome.status)

    def _all(self, result: Result) -> int:
        return sum(results.get(result, 0) for results in (self.drawn, self.pinned, self.taken_over))
