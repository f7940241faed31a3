"""What happened to a canary, or what is known of it so far, in a paragraph to paste into a chat.

Pure: what is known of a service becomes sentences, in the order in which a person asks. What is it? Why? Whom
did it hurt? With what? What now?
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from proxy.analysis.verdict import Assurance, Finding, Verdict
from proxy.analysis.wording import evidence, odds, to_go
from proxy.control.views.facts import Blast, Facts
from proxy.ledger.record import percent
from proxy.rollout.rollout import Trip
from proxy.routing.split import TOTAL

NAMED = 3
"""How many of the most frequent failed requests are told; the API's answer has all."""


@dataclass(frozen=True, slots=True)
class Situation:
    """All that the paragraph is made from. Weights are parts of 10,000."""

    service: str
    version: str
    """The canary's; "": it has none."""
    canary: bool
    """Whether there is one."""
    weight: int
    weight_before: int
    """Before the trip."""
    halted: bool
    enforce: bool
    guard: bool
    """Whether it watches the canary where no coin is tossed."""
    verdict: Verdict
    trip: Trip | None
    acknowledged_ms: float | None
    """How long it took until every worker had taken the canary out; None: unknown, or one has not."""
    facts: Facts
    pins: str = ""
    """Who gets the canary whatever its weight: segment `staff`; "" for nobody."""
    resumed: bool = False
    """Whether a person resumed it, so that evidence and caps began anew since."""
    way: str = ""
    """Where its rollout is and what it waits for; "": none is under way."""
    onward: tuple[str, ...] = ()
    """What a person may order next in this phase, a sentence each."""
    planned: bool = False
    """Whether the file has a plan for its rollout."""
    promoted: bool = False
    """Whether it became stable, and no other canary is there."""
    dead: tuple[str, ...] = ()
    """Its endpoints that are dead by their probes, and why."""
    durable: bool = True
    """Whether the ledger has all that is in force."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The paragraph, and again what it advises."""

    text: str
    next: tuple[str, ...]
    """What to do now, a sentence each."""


def explain(now: Situation) -> Explanation:
    """Everything in words."""
    if now.promoted:
        said = f"{_first(_who(now))} was promoted and is stable now."
        return Explanation(_paragraph([said, *now.onward]), now.onward)
    if not now.canary:
        return Explanation(f"{now.service} has no canary, so there is nothing to judge.", ())
    told = _out(now) if now.halted else _in(now)
    advice = tuple(_advice(now))
    return Explanation(_paragraph([*told, *_harm(now), *_failed(now), *_beside(now), *advice]), advice)


def _paragraph(sentences: Iterable[str]) -> str:
    """All of them in a row. After a command there is no full stop, so that it can be copied."""
    first, *others = sentences
    text = first
    for each in others:
        text += f" {each}" if text.endswith(".") else f"; {each[:1].lower()}{each[1:]}"
    return text


def _who(now: Situation) -> str:
    return f"the canary of {now.service}{f' ({now.version})' if now.version else ''}"


def _out(now: Situation) -> Iterator[str]:
    """When, from which weight to which, and by what."""
    if now.trip is None:
        yield f"{_first(_who(now))} is out: it gets no request from anybody."
        return
    change = f"from {percent(now.weight_before):g} % to 0 %"
    if now.pins and not now.weight_before:
        change = f"also for the requests that {now.pins} sends to it"
    by_hand = now.trip.sentence.removeprefix("taken out ")
    how = f": {by_hand}" if by_hand == now.trip.sentence else f", {by_hand}"
    yield f"{_first(_who(now))} was taken out on {moment(now.trip.at)}, {change}{how}."
    if now.acknowledged_ms is not None:
        yield f"Every worker had taken it out after {now.acknowledged_ms:.0f} ms."


def _in(now: Situation) -> Iterator[str]:
    """Its share, and where the evidence stands."""
    pinned = f", and all that {now.pins} sends to it" if now.pins else ""
    yield f"{_first(_who(now))} has {percent(now.weight):g} % of the requests{pinned}."
    if now.way:
        yield now.way
    verdict = now.verdict
    for finding in verdict.failing:
        yield f"It {'is failing' if now.enforce else 'would be out'}: {finding.sentence}."
    if verdict.odds is not None and verdict.bar is not None:
        yield _bets(now, verdict.odds, verdict.bar)
    if not verdict.failing and (worst := _worst(now)):
        yield f"{_first(worst.sentence)}."
    if not verdict.findings and verdict.odds is None:
        yield "Nothing judges it: neither `analysis` nor `guard` nor `checks`."
    if verdict.assurance and not verdict.failing:
        yield missing(verdict.assurance)


def _bets(now: Situation, found: float, bar: float) -> str:
    """The evidence; where no coin is tossed there can be none."""
    if _tossed(now):
        end = "out" if now.enforce else "would be out"
        return f"{_first(evidence('it is worse than stable', found, bar, end))}."
    guarded = "the guard judges it" if now.guard else "with `guard: off` only checks and caps judge it"
    return f"At {percent(now.weight):g} % no coin is tossed, so nothing is compared; {guarded}."


def _worst(now: Situation) -> Finding | None:
    """The finding that speaks most against it, by its bets where a coin is tossed; the first without any."""
    findings = now.verdict.findings
    if not _tossed(now):
        findings = tuple(finding for finding in findings if finding.odds is None)
    return max(findings, key=lambda finding: finding.odds or 0.0, default=None)


def _tossed(now: Situation) -> bool:
    """Whether a coin decides between both sides."""
    return 0 < now.weight < TOTAL


def missing(assurance: Assurance) -> str:
    """Return what a larger weight waits for, and about how long that takes."""
    shown = f"{odds(assurance.odds)}, asked for is {odds(assurance.bar)}"
    if assurance.requests == 0:
        return f"It is shown to be good enough for a larger weight ({shown})."
    left = to_go(assurance.requests, assurance.seconds)
    return f"It isn't shown yet to be good enough for a larger weight ({shown}): {left}."


def _harm(now: Situation) -> Iterator[str]:
    """Whom the release has hurt, since it began."""
    blast = now.facts.blast
    if not blast.met:
        return
    since = "" if blast.since is None else f" on {moment(blast.since)}"
    met = f"{counted(blast.met, 'request')}{_users(blast)} met it"
    yield f"{met} since its release began{since}: {_reached(blast)}."
    if now.resumed:
        yield "Evidence and caps count only what came since it was resumed."
    if overdue := now.facts.overdue.get("canary"):
        yield f"{counted(overdue, 'request')} on it {'is' if overdue == 1 else 'are'} overdue right now."


def _users(blast: Blast) -> str:
    return "" if blast.exposed_users is None else f" of about {counted(blast.exposed_users, 'user')}"


def _reached(blast: Blast) -> str:
    harmed = "no bad answer" if not blast.harmed else counted(blast.harmed, "bad answer")
    return f"{harmed} reached a client, {blast.rescued:,} {_was(blast.rescued)} rescued by stable"


def _failed(now: Situation) -> Iterator[str]:
    if listed := [f"{method} {path} {status} ({count:,}x)" for (method, path, status), count in _most(now)]:
        yield f"Most frequent failures: {', '.join(listed)}."


def _beside(now: Situation) -> Iterator[str]:
    """What else a person has to know before acting."""
    for each in now.dead:
        yield f"Its endpoint {each}."
    if not now.durable:
        yield "This is in force but not durable yet: the ledger doesn't have it, and control keeps trying."


def _most(now: Situation) -> tuple[tuple[tuple[str, str, int], int], ...]:
    return now.facts.failed[:NAMED]


def _advice(now: Situation) -> Iterator[str]:
    """What to do next, for a person who knows nothing else."""
    name = now.service
    if now.halted:
        yield "It stays out until the file or `weir start` names another canary."
        yield f"To let this one back in{_where(now)}: weir resume {name}"
        yield from now.onward
    elif now.verdict.failing and not now.enforce:
        yield "`enforce: false` only watches, so nothing was done."
        yield f"To take it out by hand, for everybody: weir abort {name}"
    elif now.way:
        yield from now.onward
    elif now.planned and not now.weight:
        yield f"To begin its rollout by the file's plan: weir start {name}"
    elif not now.weight:
        share = "a share of the others" if now.pins else "requests"
        yield f"To send {share} to it: weir set-weight {name} canary=5"


def _where(now: Situation) -> str:
    """What it would have again."""
    if now.trip is None:
        return ""
    if now.pins and not now.weight_before:
        return f" for {now.pins}"
    return f" at {percent(now.weight_before):g} %"


def moment(at: float) -> str:
    """Unix seconds as a person reads them, in UTC."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}Z"


def counted(number: int, thing: str) -> str:
    """1 request, 2,000 requests."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _was(number: int) -> str:
    return "was" if number == 1 else "were"


def _first(text: str) -> str:
    return text[:1].upper() + text[1:]
