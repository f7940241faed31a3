"""The judge of one canary: tallies in, a verdict with its reasons out.

It bets against the canary where a coin is tossed (`comparison`, or `rounds` when it is tossed for users), and
for it (`assurance`), keeps watch where there is no coin (`guard`), and minds plain rules and caps. Each tally
is applied whole, under the weight with which its requests were routed.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from proxy.analysis import findings, guard
from proxy.analysis.assurance import P99_MARGIN, Dual
from proxy.analysis.bets import Events, odds
from proxy.analysis.comparison import ERRORS, LEANING, Comparison, events
from proxy.analysis.incident import Incident
from proxy.analysis.policy import Policy
from proxy.analysis.radius import Radius
from proxy.analysis.rounds import KINDS, MOST_USERS, Rounds, Share
from proxy.analysis.rules import measured
from proxy.analysis.seen import Seen
from proxy.analysis.thresholds import StableTimes
from proxy.analysis.verdict import FAILING, HEALTHY, INCONCLUSIVE, Assurance, Finding, State, Verdict
from proxy.analysis.windows import Windows
from proxy.routing.split import CANARY, STABLE, TOTAL
from proxy.telemetry.outcome import QUANTILES, Thresholds
from proxy.telemetry.tally import Counts

Tally = Sequence[tuple[int, str, Counts]]
"""One report's differences of one service: revision, backend, counts."""

SHOWN = 30.0
"""Seconds of the window that is shown to people, whatever is judged."""
REVISIONS = 1_000
"""Revisions whose weight is remembered."""
P99 = QUANTILES[-1]

_NOTHING = Counts()


class Judge:
    """Judges the canary of one service by `policy`. `now` is monotonic seconds and never falls."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.radius = Radius()
        self._caps_from = (0, 0)
        """Harmed and exposed when a person last took the canary back: what came before is forgiven."""
        self._weights: dict[int, int] = {}
        self._parts: int | None = None
        self._times = StableTimes()
        self._share_last: float | None = None
        """Stable's share of failures when it last had a sample."""
        self._begin_anew()

    def __repr__(self) -> str:
        return f"<Judge at {self._parts} parts, odds {self.evidence():.3g}:1 of {self.policy.bar:g}:1>"

    def _begin_anew(self) -> None:
        """Evidence of which there is none yet."""
        policy = self.policy
        self._comparison = Comparison.begin(policy)
        self._rounds = Rounds(policy)
        self._seen = {check: Seen() for check in self._comparison.bets}
        self._windows = Windows({SHOWN, guard.WINDOW, *(check.window for check in policy.checks)})
        self._incident = Incident()
        self._step()

    def _step(self) -> None:
        """The weight is another one: what was shown for a smaller one doesn't show it for this."""
        step_up = self.policy.step_up
        self._duals = {P99: Dual(P99_MARGIN)}
        if step_up:
            self._duals[ERRORS] = Dual(step_up.extra_errors_below)
        self._stable_users: dict[str, set[int]] = {check: set() for check in self._duals}
        self._shares: dict[int, Share] = {}

    # What happens.

    def weigh(self, revision: int, parts: int) -> None:
        """A state of the service is in force, with so many parts of 10,000 for the canary."""
        before, self._parts = self._parts, parts
        self._weights[revision] = parts
        while len(self._weights) > REVISIONS:
            del self._weights[next(iter(self._weights))]
        if before is None or before == parts:
            return
        if parts > before:
            self._comparison = self._comparison.risen()
        self._rounds.begin_anew()
        self._step()

    def afresh(self) -> None:
        """A person lets the canary back in: nothing that was is held against it. The radius goes on."""
        self._caps_from = (self.radius.harmed, self.radius.exposed.estimate())
        self._begin_anew()

    def apply(self, tally: Tally, now: float) -> None:
        """Take what one worker counted since its last report."""
        by_revision: dict[int, dict[str, Counts]] = {}
        for revision, backend, counts in tally:
            by_revision.setdefault(revision, {})[backend] = counts
            self._windows.add(backend, counts, now)
            if backend == STABLE:
                self._times.add(counts.head, now)
                self._incident.add(counts, now)
            elif backend == CANARY:
                self.radius.take(counts)
        for revision in sorted(by_revision):
            sides = by_revision[revision]
            if parts := self._weights.get(revision):
                self._weigh_up(revision, parts, sides.get(CANARY, _NOTHING), sides.get(STABLE, _NOTHING), now)

    def _weigh_up(self, revision: int, parts: int, canary: Counts, stable: Counts, now: float) -> None:
        """Make the bets on what the coin sent, at the odds with which it was tossed."""
        if not self.policy.comparing:
            return
        found, chance = events(canary, stable), odds(parts)
        answered = stable.drawn.get("success", 0) + stable.drawn.get("failure", 0)
        for check, seen in self._seen.items():
            timely = stable.timely(QUANTILES.index(check)) if check in QUANTILES else None
            bad = found[check].stable_bad
            seen.take(found[check], answered + stable.diverted if timely is None else bad + timely)
        if self.policy.sticky:
            draws = (found[ERRORS].canary_bad + found[ERRORS].canary_ok, answered)
            chance = self._by_share(revision, parts, draws)
            self._rounds.apply(canary, stable, chance, now)
        else:
            self._comparison = self._comparison.after(found, chance)
        for check, dual in self._duals.items():
            self._duals[check] = dual.after(self._assuring(check, found[check], stable), chance)

    def _by_share(self, revision: int, parts: int, draws: tuple[int, int]) -> float:
        """The odds by the weight, or by what was seen of late when that is more."""
        share = self._shares.setdefault(revision, Share())
        seen = round(share.seen * TOTAL)
        share.take(*draws)
        return odds(min(max(parts, seen), TOTAL - 1) if parts < TOTAL else TOTAL)

    def _assuring(self, check: str, found: Events, stable: Counts) -> Events:
        """What counts for the canary: of a user of stable his first bad event only, of the canary's each."""
        if not self.policy.sticky:
            return found
        users, bit = self._stable_users[check], KINDS[check]
        fresh = {user for user, kinds in stable.users.events if kinds & bit} - users
        if len(users) < MOST_USERS:
            users |= fresh
            return Events(found.canary_bad, found.canary_ok, len(fresh))
        return Events(found.canary_bad, found.canary_ok, 0)

    # What it comes to.

    def thresholds(self, now: float) -> dict[str, Thresholds]:
        """From when on requests are slow, by backend, seconds; they change every ten seconds at most."""
        slower = self.policy.slower
        if not (slower and self.policy.comparing):
            return {}
        known = self._times.thresholds(now)
        return {STABLE: known, CANARY: tuple(map(slower.limit, known))} if known else {}

    def shown(self, backend: str, now: float) -> Counts | None:
        """The last `SHOWN` seconds of a backend; None when there was nothing."""
        counts = self._windows.counts(backend, SHOWN, now)
        return counts if counts.requests + counts.excluded else None

    def evidence(self) -> float:
        """The odds of the bets against the canary; 1 where none is made."""
        if not self.policy.comparing:
            return 1.0
        chance = odds(self._parts or 0)
        bets = self._rounds if self.policy.sticky else self._comparison
        return bets.evidence(chance)

    def failing(self, now: float) -> bool:
        """Whether the verdict would be that the canary is failing; cheaper than the reasons."""
        against = self.policy.comparing and self.evidence() >= self.policy.bar
        return against or any(finding.state == FAILING for finding in self._plain(now))

    def verdict(self, now: float) -> Verdict:
        """What the evidence of now comes to, and why."""
        found = sorted(self._findings(now), key=lambda each: each.state != FAILING)
        assurance = self._assurance(now)
        state = self._state(found, assurance, now)
        comparing = self.policy.comparing
        return Verdict(
            state,
            tuple(found),
            odds=self.evidence() if comparing else None,
            bar=self.policy.bar if comparing else None,
            assurance=assurance,
            sentence=findings.summary(state, found, self.evidence(), self.policy, assurance),
        )

    def _findings(self, now: float) -> list[Finding]:
        return (self._bets(now) if self.policy.comparing else []) + self._plain(now)

    def _plain(self, now: float) -> list[Finding]:
        """The findings of all that makes no bets."""
        canary = self._windows.counts(CANARY, guard.WINDOW, now)
        stable = self._windows.counts(STABLE, guard.WINDOW, now)
        found = []
        if self.policy.guard and guard.in_force(canary, self._parts or 0):
            found.append(guard.find(canary, self._stable_share(stable)))
        for check in self.policy.checks:
            sides = (self._windows.counts(side, check.window, now) for side in (CANARY, STABLE))
            found.append(measured(check, *sides))
        return found + self._caps()

    def _bets(self, now: float) -> list[Finding]:
        """The findings of the bets; when they fail, it is the check that has most of the evidence."""
        chance = odds(self._parts or 0)
        bets = self._rounds if self.policy.sticky else self._comparison
        capital = {check: bets.capital(check, chance) for check in self._seen}
        worst = max(capital, key=capital.__getitem__) if self.evidence() >= self.policy.bar else None
        known, canary = self._times.thresholds(now), self._windows.counts(CANARY, SHOWN, now)
        return [
            findings.of_bet(
                check,
                FAILING if check == worst else HEALTHY,
                self._seen[check],
                capital[check],
                self.policy,
                known,
                canary,
            )
            for check in self._seen
        ]

    def _stable_share(self, stable: Counts) -> float | None:
        """Stable's share of failures over the guard's window, or the last that was known."""
        share, sample = guard.share(stable)
        if sample >= guard.SAMPLE:
            self._share_last = share
        return share if sample >= guard.SAMPLE else self._share_last

    def _caps(self) -> list[Finding]:
        caps, (harmed, exposed) = self.policy.caps, self._caps_from
        found = []
        if caps.harmed is not None:
            found.append(findings.of_cap("harmed", self.radius.harmed - harmed, caps.harmed))
        if caps.exposed_users is not None:
            users = self.radius.exposed.estimate() - exposed
            found.append(findings.of_cap("exposed-users", users, caps.exposed_users))
        return found

    def _assurance(self, now: float) -> Assurance | None:
        step_up = self.policy.step_up
        if not (step_up and self.policy.comparing and self._parts and self._parts < TOTAL):
            return None
        asked = [self._duals[ERRORS]]
        if self.policy.slower and len(self._times.thresholds(now)) == len(QUANTILES):
            asked.append(self._duals[P99])
        needs = [dual.needs(step_up.bar, odds(self._parts)) for dual in asked]
        requests = None if None in needs else max(need for need in needs if need is not None)
        lately = self._windows.counts(CANARY, SHOWN, now).requests / SHOWN
        seconds = requests / lately if requests is not None and lately else 0.0 if requests == 0 else None
        return Assurance(min(dual.capital for dual in asked), step_up.bar, requests, seconds)

    def _state(self, found: Sequence[Finding], assurance: Assurance | None, now: float) -> State:
        states = {finding.state for finding in found}
        if FAILING in states:
            return FAILING
        if INCONCLUSIVE in states or not self._good_enough(found, assurance, now):
            return INCONCLUSIVE
        return HEALTHY

    def _good_enough(self, found: Sequence[Finding], assurance: Assurance | None, now: float) -> bool:
        if not self.policy.comparing:
            return True
        if self._parts == TOTAL or not self._parts:  # no coin: the guard must have its sample
            return any(finding.check == guard.NAME for finding in found)
        if self.evidence() >= LEANING:
            return False
        if assurance is None:
            return True
        return assurance.odds >= assurance.bar and not self._incident.now(now)

    # What must survive.

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values. Windows and the rounds of users aren't among them: they begin anew."""
        return {
            "parts": self._parts,
            "weights": [*self._weights.items()],
            "comparison": self._comparison.to_json(),
            "rounds": self._rounds.to_json(),
            "seen": {
                check: [seen.canary_bad, seen.canary, seen.stable_bad, seen.stable]
                for check, seen in self._seen.items()
            },
            "duals": {check: dual.to_json() for check, dual in self._duals.items()},
            "thresholds": self._times.held,
            "stable_share": self._share_last,
            "radius": self.radius.to_json(),
            "caps_from": self._caps_from,
        }

    @classmethod
    def from_json(cls, policy: Policy, data: Mapping[str, Any]) -> "Judge":
        """The judge that goes on where `to_json` was called.

        KeyError, TypeError or ValueError when it wrote no such `data`, or under a policy with other checks.
        """
        judge = cls(policy)
        judge._parts = data["parts"]
        judge._weights = {int(revision): int(parts) for revision, parts in data["weights"]}
        judge._comparison = judge._comparison.resumed(data["comparison"])
        judge._rounds.resume(data["rounds"])
        judge._seen = {check: Seen(*data["seen"][check]) for check in judge._seen}
        if not policy.sticky:  # whose first bad event it was is not known any more
            judge._duals = {check: dual.resumed(data["duals"][check]) for check, dual in judge._duals.items()}
        judge._times = StableTimes(tuple(map(float, data["thresholds"])))
        judge._share_last = data["stable_share"]
        judge.radius = Radius.from_json(data["radius"])
        judge._caps_from = (int(data["caps_from"][0]), int(data["caps_from"][1]))
        return judge
