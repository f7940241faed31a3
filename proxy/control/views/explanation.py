"""The explanation of a canary: what happened to it, or its present state, in a paragraph for a chat.

Pure. The sentences come in this order: state, reason, harm, failed requests, next commands.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from proxy.analysis.verdict import Assurance, Finding, Verdict
from proxy.analysis.wording import cold, evidence, odds, of_users, to_go
from proxy.control.views.facts import Blast, Facts, StableOutage
from proxy.counted import are, counted, were
from proxy.rollout.rollout import Trip
from proxy.routing.split import TOTAL, percent

NAMED = 3
"""How many of the most frequent failed requests the text has; the API's answer has all."""


@dataclass(frozen=True, slots=True)
class Situation:
    """The values from which the paragraph is made. Weights are in parts of 10,000."""

    service: str
    version: str
    """The version of the canary; "": it has none."""
    canary: bool
    """Whether the service has a canary."""
    weight: int
    weight_before: int
    """The weight before the trip."""
    halted: bool
    enforce: bool
    guard: bool
    """Whether the guard judges the canary at weights 0 and 100 %."""
    verdict: Verdict
    trip: Trip | None
    acknowledged_ms: float | None
    """Milliseconds until every worker had taken the canary out; None: unknown, or one has not yet."""
    facts: Facts
    pins: str = ""
    """The rules that send requests to the canary at any weight, such as: segment `staff`; "": none."""
    resumed: bool = False
    """Whether a person resumed the canary, so that evidence and caps began anew."""
    rollout: str = ""
    """A sentence with the rollout's step and what it waits for; "": none is under way."""
    next_orders: tuple[str, ...] = ()
    """The orders that are possible in this phase, a sentence each."""
    planned: bool = False
    """Whether the file has a plan for its rollout."""
    promoted: bool = False
    """Whether the canary became stable, and there is no other."""
    dead: tuple[str, ...] = ()
    """The canary's endpoints that get no requests, and why."""
    outage: StableOutage | None = None
    """The outage of stable; None: none is known."""
    durable: bool = True
    """Whether the ledger has everything that is in force."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The paragraph, and its advice once more by itself."""

    text: str
    next: tuple[str, ...]
    """The next commands, a sentence each."""


def explain(now: Situation) -> Explanation:
    """Return the explanation of a situation."""
    outage = tuple(_outage(now))
    if now.promoted:
        promoted = f"{_first(_subject(now))} was promoted and is stable now."
        return Explanation(_paragraph([*outage, promoted, *now.next_orders]), now.next_orders)
    if not now.canary:
        nothing = f"{now.service} has no canary, so there is nothing to judge."
        return Explanation(_paragraph([*outage, nothing]), ())
    state = _out(now) if now.halted else _in(now)
    advice = tuple(_advice(now))
    sentences = [*outage, *state, *_harm(now), *_failed(now), *_warnings(now), *advice]
    return Explanation(_paragraph(sentences), advice)


def _outage(now: Situation) -> Iterator[str]:
    """Yield that stable itself is failing: whatever the canary does, users are harmed."""
    if now.outage:
        yield f"Stable of {now.service} is failing since {moment(now.outage.since)}: {now.outage.sentence}."


def _paragraph(sentences: Iterable[str]) -> str:
    """Join sentences. A command has no full stop after it, so that it can be copied."""
    first, *others = sentences
    text = first
    for each in others:
        text += f" {each}" if text.endswith(".") else f"; {each[:1].lower()}{each[1:]}"
    return text


def _subject(now: Situation) -> str:
    return f"the canary of {now.service}{f' ({now.version})' if now.version else ''}"


def _out(now: Situation) -> Iterator[str]:
    """Yield when and why the canary was taken out, and its weight before."""
    if now.trip is None:
        yield f"{_first(_subject(now))} is out: it gets no requests."
        return
    change = f"from {percent(now.weight_before):g} % to 0 %" if now.weight_before else "at 0 %"
    if now.pins and not now.weight_before:
        change = f"also for the requests that {now.pins} sends to it"
    by_hand = now.trip.sentence.removeprefix("taken out ")
    how = f": {by_hand}" if by_hand == now.trip.sentence else f", {by_hand}"
    yield f"{_first(_subject(now))} was taken out on {moment(now.trip.at)}, {change}{how}."
    if now.acknowledged_ms is not None:
        yield f"Every worker had taken it out after {now.acknowledged_ms:.0f} ms."


def _in(now: Situation) -> Iterator[str]:
    """Yield the share of the canary, its rollout, and its evidence."""
    pinned = f", and all that {now.pins} sends to it" if now.pins else ""
    yield f"{_first(_subject(now))} has {percent(now.weight):g} % of the requests{pinned}."
    if now.rollout:
        yield now.rollout
    verdict = now.verdict
    for finding in verdict.failing:
        yield f"It {'is failing' if now.enforce else 'would be out'}: {finding.sentence}."
    if verdict.odds is not None and verdict.bar is not None:
        yield _bets(now, verdict.odds, verdict.bar)
    if verdict.cold_for:
        yield f"{_first(cold(verdict.cold_for))}."
    if not verdict.failing and (worst := _worst(now)):
        yield f"{_first(worst.sentence)}."
    if not verdict.findings and verdict.odds is None:
        yield "Nothing judges it: neither `analysis` nor `guard` nor `checks`."
    if verdict.assurance and not verdict.failing:
        yield missing(verdict.assurance)


def _bets(now: Situation, found: float, bar: float) -> str:
    """Return the evidence; at weights 0 and 100 % there is none, because no coin is tossed."""
    if _tossed(now):
        end = "out" if now.enforce else "would be out"
        return f"{_first(evidence('it is worse than stable', found, bar, end))}."
    guarded = "the guard judges it" if now.guard else "with `guard: off` only checks and caps judge it"
    return f"At {percent(now.weight):g} % no coin is tossed, so nothing is compared; {guarded}."


def _worst(now: Situation) -> Finding | None:
    """Return the finding with the most evidence against the canary; without bets the first finding."""
    findings = now.verdict.findings
    if not _tossed(now):
        findings = tuple(finding for finding in findings if finding.odds is None)
    return max(findings, key=lambda finding: finding.odds or 0.0, default=None)


def _tossed(now: Situation) -> bool:
    """Return whether a coin decides between canary and stable."""
    return 0 < now.weight < TOTAL


def missing(assurance: Assurance) -> str:
    """Return what a larger weight waits for, and about how long that takes."""
    shown = f"{odds(assurance.odds)}, asked for is {odds(assurance.bar)}"
    if assurance.requests == 0:
        return f"It is shown to be good enough for a larger weight ({shown})."
    left = to_go(assurance.requests, assurance.seconds)
    return f"It isn't shown yet to be good enough for a larger weight ({shown}): {left}."


def _harm(now: Situation) -> Iterator[str]:
    """Yield how many requests and users the release has met and harmed since it began."""
    blast = now.facts.blast
    if not blast.met:
        return
    since = "" if blast.since is None else f" on {moment(blast.since)}"
    met = f"{counted(blast.met, 'request')}{of_users(blast.exposed_users)} met it"
    yield f"{met} since its release began{since}: {_reached(blast)}."
    if now.resumed:
        yield "Evidence, caps and failures count only what came since it was resumed."
    if overdue := now.facts.overdue.get("canary"):
        yield f"{counted(overdue, 'request')} on it {are(overdue)} overdue right now."


def _reached(blast: Blast) -> str:
    bad = blast.harmed - blast.gave_up
    harm = [f"{counted(bad, 'bad answer')} reached a client"] if bad else []
    if blast.gave_up:
        harm.append(f"{counted(blast.gave_up, 'client')} gave up waiting")
    reached = " and ".join(harm) or "no bad answer reached a client"
    return f"{reached}, {blast.rescued:,} {were(blast.rescued)} rescued by stable"


def _failed(now: Situation) -> Iterator[str]:
    if listed := [f"{method} {path} {status} ({count:,}x)" for (method, path, status), count in _most(now)]:
        yield f"Most frequent failures: {', '.join(listed)}."


def _warnings(now: Situation) -> Iterator[str]:
    """Yield warnings: dead endpoints, and a state that is not durable."""
    for each in now.dead:
        yield f"Its endpoint {each}."
    if not now.durable:
        yield "This is in force but not durable yet: the ledger doesn't have it, and control keeps trying."


def _most(now: Situation) -> tuple[tuple[tuple[str, str, int], int], ...]:
    return now.facts.failed[:NAMED]


def _advice(now: Situation) -> Iterator[str]:
    """Yield the next commands, a sentence each."""
    name = now.service
    if now.halted:
        yield "It stays out until the file or `weir start` names another canary."
        yield f"To let this one back in{_where(now)}: weir resume {name}"
        yield from now.next_orders
    elif now.verdict.failing and not now.enforce:
        yield "`enforce: false` only watches, so nothing was done."
        yield f"To take it out by hand, for everybody: weir abort {name}"
    elif now.rollout:
        yield from now.next_orders
    elif now.planned and not now.weight:
        yield f"To begin its rollout by the file's plan: weir start {name}"
    elif not now.weight:
        share = "a share of the others" if now.pins else "requests"
        yield f"To send {share} to it: weir set-weight {name} canary=5"


def _where(now: Situation) -> str:
    """Return the weight or the rules that the canary would have again."""
    if now.trip is None:
        return ""
    if now.pins and not now.weight_before:
        return f" for {now.pins}"
    return f" at {percent(now.weight_before):g} %" if now.weight_before else ""


def moment(at: float) -> str:
    """Format unix seconds as date and time in UTC."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}Z"


def _first(text: str) -> str:
    return text[:1].upper() + text[1:]
