"""The verdict from what was found: what fails, or what is still lacking before the next step."""

from collections.abc import Iterator
from dataclasses import dataclass

from proxy.analysis import wording
from proxy.analysis.comparison import LEANING
from proxy.analysis.guard import LIMIT, SAMPLE
from proxy.analysis.policy import Policy
from proxy.analysis.verdict import FAILING, GUARD, HEALTHY, INCONCLUSIVE, Assurance, Finding, Verdict
from proxy.routing.split import TOTAL


@dataclass(frozen=True, slots=True)
class Basis:
    """All that a verdict rests on."""

    policy: Policy
    parts: int
    """The canary's of 10,000."""
    compared: tuple[Finding, ...]
    """Of checks by bets; none where none is made."""
    watched: tuple[Finding, ...]
    """Of the guard, the caps and the rules."""
    assurance: Assurance | None
    """None where none is asked for."""
    lately: int
    """The canary's requests within the window that is shown."""
    sample: int
    """Those that the coin sent to it since the weight is what it is."""
    bad: int
    """Those of the sample that failed."""
    incident: float | None
    """The share (0..1) of stable's failures, when that is an incident."""
    cold_for: float = 0.0
    """Seconds for which the canary is cold yet; 0: it is warm."""

    @property
    def odds(self) -> float | None:
        """All evidence of the bets against the canary; None where none is made."""
        return sum(finding.odds or 0.0 for finding in self.compared) if self.compared else None


def conclude(basis: Basis) -> Verdict:
    """Return the verdict on all that was found."""
    findings = basis.compared + basis.watched
    lacking = next(_lacking(basis), "")
    failing = next((finding for finding in findings if finding.state == FAILING), None)
    if failing:
        state, sentence = FAILING, failing.sentence
    elif lacking:
        state, sentence = INCONCLUSIVE, lacking
    else:
        state, sentence = HEALTHY, _good(basis)
    bar = basis.policy.bar if basis.compared else None
    return Verdict(state, findings, basis.odds, bar, basis.assurance, sentence, basis.cold_for)


def _lacking(basis: Basis) -> Iterator[str]:
    """Yield why the canary isn't good enough yet, the first reason first; of no use to a failing one."""
    if basis.compared and not basis.lately and not basis.sample:
        yield "no canary requests yet"
    tossed = bool(basis.compared) and 0 < basis.parts < TOTAL
    sampled = tossed or _sampled(basis)
    for finding in basis.watched:
        if finding.state == INCONCLUSIVE and not (sampled and finding.check == GUARD):
            yield finding.sentence  # there is enough beside it, and the guard needs more of a rush
    if tossed:
        yield from _with_coin(basis)
    elif basis.compared:
        yield from _without_coin(basis)


def _with_coin(basis: Basis) -> Iterator[str]:
    """Yield what is lacking where a coin is tossed: too much against the canary, or too little for it.

    Without a step up to be shown, a sample is enough.
    """
    odds, step_up = basis.odds or 0.0, basis.policy.step_up
    if odds >= LEANING:
        yield _against(odds, basis.policy.bar)
    if step_up is None:
        if basis.sample < SAMPLE:
            yield f"{basis.sample} of the {wording.answers(SAMPLE)} needed at this weight"
        return
    if basis.cold_for:
        yield wording.cold(basis.cold_for)
    if basis.assurance and basis.assurance.odds < basis.assurance.bar:
        yield wording.assured(basis.assurance, step_up.extra_errors_below)
    if basis.incident is not None:
        failed = wording.quantity(basis.incident, "ratio")
        yield f"stable itself is in an incident: {failed} of its answers failed"


def _without_coin(basis: Basis) -> Iterator[str]:
    """Yield what is lacking with segments alone, or all traffic: the guard is all there is."""
    guarded = any(finding.check == GUARD for finding in basis.watched)
    if basis.policy.guard and not (guarded or _sampled(basis)):
        yield f"{basis.lately} of the {wording.answers(SAMPLE)} needed over 30 s"


def _sampled(basis: Basis) -> bool:
    """Return whether all traffic went to the canary long and well enough for a quiet guard to suffice.

    With little traffic it may never have its sample within 30 s.
    """
    return basis.parts == TOTAL and basis.sample >= SAMPLE and basis.bad <= LIMIT * basis.sample


def _good(basis: Basis) -> str:
    """Return what makes it good enough, as far as anything was asked for."""
    if basis.assurance and basis.policy.step_up:
        return wording.assured(basis.assurance, basis.policy.step_up.extra_errors_below)
    if basis.odds is not None:
        return _against(basis.odds, basis.policy.bar)
    return "nothing is held against the canary"


def _against(odds: float, bar: float) -> str:
    return wording.evidence("the canary is worse", odds, bar)
