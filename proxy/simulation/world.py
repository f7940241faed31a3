"""Clients, both sides and a worker that counts: time passes, and the worker's reports come out.

What is counted, and under which label, is as the worker does it (`proxy.telemetry`): only requests that
the coin sent are labelled, by the thresholds in force when they were sent; one that is overdue is counted as
slow while its answer is awaited, and not again at its end; a failed one that wasn't overdue has no label.
What has no bearing on the judge's evidence is left out: rescues, and who answers a diverted request.
"""

from dataclasses import dataclass
from heapq import heappop, heappush

from proxy.routing.split import CANARY, STABLE
from proxy.simulation.chance import TIMES, Chance, times
from proxy.simulation.clients import Ask, Clients
from proxy.simulation.scenario import BackendBehavior, EjectionRule, Scenario
from proxy.simulation.shared_conditions import Climate, Weather
from proxy.telemetry.counts import Counts
from proxy.telemetry.labels import exceeded, label
from proxy.telemetry.outcome import FAILURE, QUANTILES, SUCCESS, Thresholds
from proxy.telemetry.users import FAILED, slow

LOOK = 0.05
"""Seconds between two looks at the age of requests that are awaited."""


@dataclass(slots=True)
class SentRequest:
    """One that was sent, and what will come of it."""

    ask: Ask
    backend: str
    drawn: bool
    """The coin chose the backend."""
    thresholds: Thresholds
    seconds: float
    """Until it ends."""
    failed: bool
    hangs: bool
    overdue: bool = False


class CanaryEndpoint:
    """The endpoint of the canary, as a worker that ejects failing endpoints sees it. Times are seconds."""

    def __init__(self, ejection: EjectionRule | None) -> None:
        self._ejection = ejection
        self._in_a_row = 0
        self._pause = ejection.pause if ejection else 0.0
        self._until = 0.0

    def alive(self, now: float) -> bool:
        """Return whether requests are sent there."""
        return now >= self._until

    def answered(self, failed: bool, now: float) -> None:
        """Take note of an answer. One that fails after an ejection begins the next one at once."""
        ejection = self._ejection
        if ejection is None or not self.alive(now):
            return
        if not failed:
            self._in_a_row, self._pause = 0, ejection.pause
            return
        self._in_a_row += 1
        if self._in_a_row >= ejection.after:
            self._until = now + self._pause
            self._pause = min(2 * self._pause, ejection.longest)


class World:
    """All of it but the judge."""

    def __init__(self, scenario: Scenario, chance: Chance, *, sticky: bool = False) -> None:
        self.scenario = scenario
        self.chance = chance
        self.now = 0.0
        """Seconds since the beginning."""
        self.weight = scenario.weight
        """The canary's share, 0..1."""
        self.thresholds: dict[str, Thresholds] = {}
        """Those in force, by backend."""
        self.urgent = False
        """A failure or an overdue request came after the last report."""
        self.canary = scenario.stable
        """How the canary answers."""
        self.met = 0
        """Requests meant for the canary, as they were sent."""
        self._sticky = sticky
        self._clients = Clients(scenario, chance)
        self._climate = Climate(scenario, chance)
        self._endpoint = CanaryEndpoint(scenario.ejection)
        self._awaited: list[tuple[float, int, SentRequest]] = []
        self._sent = 0
        self._looked = 0.0
        self._counts = self._none()

    def __repr__(self) -> str:
        return f"<World at {self.now:.2f} s: {self.met} requests for the canary, {self.awaited} awaited>"

    @property
    def awaited(self) -> int:
        """The number of requests whose answers have not come."""
        return len(self._awaited)

    def pass_until(self, end: float) -> None:
        """Let happen what happens until then, in the weather of now."""
        weather = self._climate.at(self.now)
        for ask in self._clients.between(self.now, end, self.scenario.rate * weather.traffic):
            self._send(ask, weather, end)
        while self._awaited and self._awaited[0][0] <= end:
            at, _, request = heappop(self._awaited)
            self.end(request, at)
        self.now = end
        if end - self._looked >= LOOK - 1e-9:
            self._look()

    def report(self) -> list[tuple[str, Counts]]:
        """Return what was counted since the last report, by backend."""
        counts, self._counts, self.urgent = self._counts, self._none(), False
        for each in counts.values():
            each.overdue = 0
        for _, _, request in self._awaited:
            counts[request.backend].overdue += request.overdue
        return list(counts.items())

    def _none(self) -> dict[str, Counts]:
        return {STABLE: Counts(), CANARY: Counts()}

    def _send(self, ask: Ask, weather: Weather, end: float) -> None:
        """Choose a backend, send the request there, and know at once what will come of it."""
        pinned = self.scenario.segment > 0 and self.chance.random() < self.scenario.segment
        backend = CANARY if pinned or self._coin(ask) else STABLE
        if backend == CANARY:
            self.met += 1
            if not self._endpoint.alive(ask.at):
                self._divert(ask, pinned)
                return
        side = self.canary if backend == CANARY else self.scenario.stable
        request = self._fate(ask, backend, side, weather, drawn=not pinned)
        due = ask.at + request.seconds
        if due <= end:
            self.end(request, due)
            return
        self._sent += 1
        heappush(self._awaited, (due, self._sent, request))

    def _coin(self, ask: Ask) -> bool:
        """Return whether the coin falls for the canary: tossed for the user, or for the request."""
        return ask.user.below(self.weight) if self._sticky else self.chance.random() < self.weight

    def _divert(self, ask: Ask, pinned: bool) -> None:
        """Count a request for a canary that has no endpoint alive."""
        self.urgent = True
        self._counts[CANARY].divert(self._user(ask), drawn=not pinned)

    def _user(self, ask: Ask) -> int:
        """Return the user whom events are noted of: 0 where the coin is tossed for requests."""
        return ask.user.hash if self._sticky else 0

    def _fate(
        self, ask: Ask, backend: str, side: BackendBehavior, weather: Weather, *, drawn: bool
    ) -> SentRequest:
        chance = self.chance.random
        thresholds = self.thresholds.get(backend, ())
        if side.hang and chance() < side.hang:
            return SentRequest(
                ask, backend, drawn, thresholds, self.scenario.timeout, failed=True, hangs=True
            )
        seconds = side.median * weather.times * times(side.spread)[int(chance() * TIMES)] * ask.user.speed
        failed = chance() < weather.failing(side.errors) or self._clients.stuck(ask)
        return SentRequest(ask, backend, drawn, thresholds, seconds, failed, hangs=False)

    def end(self, request: SentRequest, now: float) -> None:
        """Count a request that is over."""
        counts = self._counts[request.backend]
        results = counts.drawn if request.drawn else counts.pinned
        result = FAILURE if request.failed else SUCCESS
        results[result] = results.get(result, 0) + 1
        if not request.hangs:
            counts.head.add(request.seconds)
        if request.failed:
            self._fail(request, counts, now)
        elif request.drawn and request.thresholds and not request.overdue:
            self._label(request, counts)
        if request.backend == CANARY:
            self._endpoint.answered(request.failed, now)

    def _fail(self, request: SentRequest, counts: Counts, now: float) -> None:
        self.urgent = True
        self._clients.failed(request.ask, now)
        if request.drawn and (user := self._user(request.ask)):
            counts.users.add(user, FAILED)

    def _label(self, request: SentRequest, counts: Counts) -> None:
        """Count it as slow or timely for the quantiles that had a threshold."""
        code = label(request.thresholds, request.seconds)
        counts.labels[code] = counts.labels.get(code, 0) + 1
        if self._sticky and (many := exceeded(code)) and (user := self._user(request.ask)):
            counts.users.add(user, slow(many))

    def _look(self) -> None:
        """Count those as slow whose answer is awaited for longer than the last threshold."""
        self._looked = self.now
        for _, _, request in self._awaited:
            known = request.thresholds
            if request.overdue or not request.drawn or len(known) < len(QUANTILES):
                continue
            if self.now - request.ask.at > known[-1]:
                request.overdue = self.urgent = True
                self._counts[request.backend].fall_overdue(known, self._user(request.ask))
