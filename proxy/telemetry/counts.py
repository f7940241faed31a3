"""Counts of exchanges: of one backend under one revision of its service, or sums and differences of such.

Each part is one of four kinds, which decide what becomes of it when counts are put together:

| kind | parts | `minus` an earlier state | `plus`, as of two workers | `absorb`, `shed`: sums and windows |
|---|---|---|---|---|
| events | most | what came since | sum | added and taken out |
| gauges | in_flight, tunnels, overdue | stays | sum | left alone |
| state | exposed | stays | union | union; can't be taken out |
| | failed | stays | both lists, cut to the most frequent | left alone |
| log | users | the events since, and whether there is a gap | one behind the other | left alone |
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from proxy.telemetry import labels, users
from proxy.telemetry.histogram import Histogram
from proxy.telemetry.hyperloglog import Registers
from proxy.telemetry.outcome import (
    CLIENT_LEFT,
    COMPLETE,
    EXCLUDED,
    FAILURE,
    HALTED,
    SUCCESS,
    SWITCHED,
    Ending,
    Outcome,
    Result,
    Thresholds,
)
from proxy.telemetry.sparse import merge, separate
from proxy.telemetry.top_failures import TopFailures
from proxy.telemetry.users import Users

BY_KEY = ("drawn", "pinned", "taken_over", "codes", "errors", "labels")
"""Events that are counted by a key: a result, a status, an ending or a label."""
HISTOGRAMS = ("head", "total")
"""Events that are durations."""
NUMBERS = (
    "diverted", "pins_diverted", "rescued", "harmed", "abandoned", "abandoned_rescues", "cut", "ejections",
)  # fmt: skip  # one line reads as the list it is
"""Events that are one number each."""
GAUGES = ("in_flight", "tunnels", "overdue")
STATES = ("exposed", "failed")
_OBJECTS = (*BY_KEY, *HISTOGRAMS, *STATES)


@dataclass(slots=True)
class Counts:
    """What became of some exchanges, to be added up, compared and sent.

    Empty when new; what was never met is absent.
    """

    drawn: dict[Result, int] = field(default_factory=dict)
    """Exchanges whose backend the coin chose, by result."""
    pinned: dict[Result, int] = field(default_factory=dict)
    """Exchanges whose backend a segment or a header chose, by result."""
    taken_over: dict[Result, int] = field(default_factory=dict)
    """Exchanges that neither coin nor pin brought here, by result: diverted ones and rescues."""
    codes: dict[tuple[str, int], int] = field(default_factory=dict)
    """What clients were sent, by method and status, 0 when nothing was: each request once, where it ended."""
    errors: dict[Ending, int] = field(default_factory=dict)
    """Failures by ending; those that were answered whole are not here."""
    labels: dict[int, int] = field(default_factory=dict)
    """Drawn exchanges that were compared with thresholds, see `proxy.telemetry.labels`: successes, and
    those that fell overdue whatever became of them."""
    head: Histogram = field(default_factory=Histogram)
    """Time to the response head, of those with one that are not excluded: what latency checks judge."""
    total: Histogram = field(default_factory=Histogram)
    """Time from the request's head to the end: of each request once, where it ended."""
    diverted: int = 0
    """Drawn requests that were meant for this backend, when no endpoint of it was alive."""
    pins_diverted: int = 0
    """Pinned requests that were meant for this backend, when no endpoint of it was alive."""
    rescued: int = 0
    """Attempts that were passed on to another backend, which did its work."""
    harmed: int = 0
    """Bad answers that reached clients: failures not passed on, or only to a backend that failed, too, and
    what was cut off or refused because the backend was halted.

    Of two backends that failed to answer one request, the first has harmed."""
    abandoned: int = 0
    """Requests that had been overdue when their clients went away, whatever brought them here."""
    abandoned_rescues: int = 0
    """Requests that were overdue here and then passed on, and whose clients went away before the answer."""
    cut: int = 0
    """Answers that broke off when their clients had got a part; `codes` has the status that began them."""
    ejections: int = 0
    """Times that an endpoint was left alone because it failed, whatever brought it the requests."""
    in_flight: int = 0
    """Exchanges open now; a gauge."""
    tunnels: int = 0
    """Those of them that have become tunnels; a gauge."""
    overdue: int = 0
    """Exchanges open now that have been waiting for their answer for too long; a gauge."""
    users: Users = field(default_factory=Users)
    """The users who had failures and slow answers among the drawn ones, where the service keeps users."""
    exposed: Registers = field(default_factory=Registers)
    """How many different users met the backend, where they have keys."""
    failed: TopFailures = field(default_factory=TopFailures)
    """The requests that failed most often."""
    life: int = 0
    """Which entry of the worker's tally these are, 0 for sums and differences."""

    @property
    def requests(self) -> int:
        """Answered exchanges: successes and failures. Excluded ones are apart."""
        return self.successes + self.failures

    @property
    def successes(self) -> int:
        """Successes, whatever brought them here."""
        return self.of(SUCCESS)

    @property
    def failures(self) -> int:
        """Failures, whatever brought them here."""
        return self.of(FAILURE)

    @property
    def excluded(self) -> int:
        """Exchanges that are no evidence about the backend."""
        return self.of(EXCLUDED)

    @property
    def gave_up(self) -> int:
        """Clients that gave up waiting: they went away when their answer was overdue."""
        return self.abandoned + self.abandoned_rescues

    @property
    def harm(self) -> int:
        """Clients that the backend harmed: those with bad answers, and those that gave up waiting."""
        return self.harmed + self.gave_up

    @property
    def drawn_bad(self) -> int:
        """Requests that the coin meant for this backend and that it failed or had no endpoint alive for."""
        return self.drawn.get(FAILURE, 0) + self.diverted

    @property
    def drawn_good(self) -> int:
        """Requests that the coin meant for this backend and that it answered well."""
        return self.drawn.get(SUCCESS, 0)

    @property
    def drawn_meant(self) -> int:
        """Requests that the coin meant for this backend, excluded ones apart."""
        return self.drawn_bad + self.drawn_good

    def slow(self, quantile: int) -> int:
        """Return how many labelled requests exceeded the threshold of a quantile: 0 is p50, 1 p90, 2 p99."""
        return labels.slow(self.labels, quantile)

    def timely(self, quantile: int) -> int:
        """Return how many labelled requests were answered within the threshold of a quantile."""
        return labels.timely(self.labels, quantile)

    def record(self, outcome: Outcome) -> None:
        """Count one ended exchange, without a look at whether it was open."""
        result, drawn = outcome.result, outcome.drawn
        results = self.drawn if drawn else self.taken_over if outcome.taken_over else self.pinned
        results[result] = results.get(result, 0) + 1
        if not outcome.passed_on:
            code = (outcome.method, outcome.status)
            codes = self.codes
            codes[code] = codes.get(code, 0) + 1
            self.total.add(outcome.total_seconds)
        if outcome.head_seconds is not None and result != EXCLUDED:
            self.head.add(outcome.head_seconds)
            if drawn and outcome.thresholds and result == SUCCESS and not outcome.overdue:
                self._compare(outcome, outcome.head_seconds)
        if outcome.exposed:
            self.exposed.add(outcome.user)
        if result != SUCCESS:  # first: most are, and to compare a string with itself is quick
            (self._fail if result == FAILURE else self._exclude)(outcome)

    def end(self, outcome: Outcome) -> None:
        """Count one exchange fewer as open, if it ever was."""
        if self.in_flight:
            self.in_flight -= 1
        if outcome.status == SWITCHED and self.tunnels:
            self.tunnels -= 1
        if outcome.overdue and self.overdue:
            self.overdue -= 1

    def fall_overdue(self, thresholds: Thresholds, user: int) -> None:
        """Count an open exchange that has exceeded all thresholds.

        Args:
            thresholds: Those of the exchange; () for one that wasn't drawn, and gets no label.
            user: Identifies its user; 0 where the service keeps none.
        """
        if thresholds:
            code = labels.overdue(thresholds)
            self.labels[code] = self.labels.get(code, 0) + 1
        self.overdue += 1
        if user:
            self.users.add(user, users.ALL_SLOW)

    def divert(self, user: int, *, drawn: bool) -> None:
        """Count a request that could not be sent here. `user` is 0 where the service keeps none."""
        if not drawn:
            self.pins_diverted += 1
            return
        self.diverted += 1
        if user:
            self.users.add(user, users.FAILED)

    def settle_rescue(self, outcome: Outcome) -> None:
        """Count what came of a request that was passed on: nothing, where its client left in time."""
        if outcome.result == FAILURE:
            self.harmed += 1
        elif outcome.result == SUCCESS:
            self.rescued += 1
        elif outcome.gave_up:
            self.abandoned_rescues += 1

    def _compare(self, outcome: Outcome, seconds: float) -> None:
        # label() and exceeded(), written out: once thresholds are known, most requests pass here.
        exceeded = bisect_left(outcome.thresholds, seconds)
        code = labels.STEP * len(outcome.thresholds) + exceeded
        counts = self.labels
        counts[code] = counts.get(code, 0) + 1
        if exceeded and outcome.user:
            self.users.add(outcome.user, users.slow(exceeded))

    def _fail(self, outcome: Outcome) -> None:
        ending = outcome.ending
        if outcome.drawn and outcome.user:
            self.users.add(outcome.user, users.FAILED)
        self.failed.add(outcome.method, outcome.route, outcome.status)
        if ending != COMPLETE:
            self.errors[ending] = self.errors.get(ending, 0) + 1
            self._cut(outcome)
        if outcome.rescue_of is None and not outcome.passed_on:
            self.harmed += 1

    def _exclude(self, outcome: Outcome) -> None:
        """Count whom an exchange has harmed that is no evidence."""
        if outcome.ending == CLIENT_LEFT:
            self.abandoned += outcome.gave_up and outcome.rescue_of is None
        elif not outcome.passed_on:
            self._cut(outcome)
            if outcome.ending == HALTED and outcome.status != SWITCHED:  # a tunnel may end at any time
                self.harmed += outcome.rescue_of is None

    def _cut(self, outcome: Outcome) -> None:
        """Count an answer that broke off, if it had begun."""
        if outcome.head_seconds is not None and outcome.status != SWITCHED:
            self.cut += 1

    def of(self, result: Result) -> int:
        """Return how many exchanges had this result, whatever brought them here."""
        return sum(results.get(result, 0) for results in (self.drawn, self.pinned, self.taken_over))

    def absorb(self, other: "Counts") -> None:
        """Add the events of `other` to these."""
        for mine, more in self._pairs(other, BY_KEY):
            merge(mine, more)
        for mine, more in self._pairs(other, HISTOGRAMS):
            mine.absorb(more)
        for name in NUMBERS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.exposed.absorb(other.exposed)

    def shed(self, other: "Counts") -> None:
        """Take the events of `other` out of these.

        After an error these counts are half done; `minus` works on a copy.

        Raises:
            ValueError: `other` has more of any event than there is.
        """
        for mine, gone in self._pairs(other, BY_KEY):
            separate(mine, gone)
        for name in NUMBERS:
            have, gone = getattr(self, name), getattr(other, name)
            if gone > have:
                raise ValueError(f"{gone} {name} were to be subtracted, of {have}")
            setattr(self, name, have - gone)
        for mine, gone in self._pairs(other, HISTOGRAMS):
            mine.shed(gone)

    def _pairs(self, other: "Counts", names: tuple[str, ...]) -> Iterator[tuple[Any, Any]]:
        return ((getattr(self, name), getattr(other, name)) for name in names)

    def copy(self, since: int = 0) -> "Counts":
        """Return counts of their own with the same content; of the log of users what came from `since` on."""
        parts: dict[str, Any] = {name: getattr(self, name).copy() for name in _OBJECTS}
        numbers: dict[str, Any] = {name: getattr(self, name) for name in (*NUMBERS, *GAUGES)}
        return Counts(**parts, **numbers, users=self.users.since(since), life=self.life)

    def mark(self) -> "Counts":
        """Return what has to be kept of these to recognise what came after them: without the users."""
        result = self.copy(self.users.end)
        result.exposed = Registers()
        return result

    def plus(self, other: "Counts") -> "Counts":
        """Return both together, as of two workers."""
        result = self.copy()
        result.absorb(other)
        for name in GAUGES:
            setattr(result, name, getattr(self, name) + getattr(other, name))
        result.failed.absorb(other.failed)
        result.users = self.users.plus(other.users)
        result.life = 0
        return result

    def minus(self, other: "Counts") -> "Counts":
        """Return what came after `other`, an earlier state of these, or a mark of one.

        Nothing is subtracted when `other` is of another life.

        Raises:
            ValueError: `other` has more than these and so is no earlier state.
        """
        result = self.copy()
        result.life = 0
        if self.life == other.life or not (self.life and other.life):
            result.shed(other)
            result.users = self.users.minus(other.users)
        else:
            result.users = self.users.minus(Users())
        return result
