"""Moves that time, verdicts and workers lead to: steps, promotions, deadlines and rollbacks.

The order of the questions is what keeps a bad canary short: does it fail? comes before all others, whatever
the rollout waits for.
"""

from dataclasses import replace

from proxy.rollout.entry import EntryKind
from proxy.rollout.inputs import Held, Look
from proxy.rollout.phases import PAUSED, PROGRESSING, PROMOTED, PROMOTING, UNDER_WAY, Trigger
from proxy.rollout.plan import Gate, Step
from proxy.rollout.rollout import Advance, Refused, Rollout, Trip, move, taken_out
from proxy.rollout.side import VACANT
from proxy.rollout.waiting import waiting


def on_look(rollout: Rollout, look: Look, at: float) -> Advance | Refused:
    """Go back if the canary fails, on if nothing is missing, else nowhere."""
    failing = look.verdict.failing
    if failing and look.enforce and rollout.has_canary:
        if rollout.halted:
            return Advance(rollout)
        sentence = failing[0].sentence
        return move(rollout, "trip", taken_out(rollout, Trip(at, sentence, failing[0])), "trip", sentence)
    missing = waiting(rollout, look, at)
    if missing is None:
        return Advance(rollout)
    if _late(rollout, at):
        why = "its deadline is over"
        return move(rollout, "deadline", replace(rollout, phase=PAUSED, pause=why), "deadline", why)
    if missing.due and look.open.issuperset(missing.asks):
        return switch(rollout) if rollout.phase == PROMOTING else onward(rollout, at)
    return Advance(rollout)


def _late(rollout: Rollout, at: float) -> bool:
    deadline = rollout.plan.deadline if rollout.plan else None
    return deadline is not None and at - rollout.began >= deadline


def onward(rollout: Rollout, at: float, *, ordered: bool = False) -> Advance | Refused:
    """Go to the next step of the plan, or to its end. `ordered`: because a person ordered it."""
    assert rollout.plan is not None  # a rollout under way has one
    word: EntryKind
    number, of = rollout.step + 1, len(rollout.plan.steps)
    # The plan's weight at its end and at a gate, too: a weight set by hand is not the plan's.
    here = replace(rollout, weight=rollout.plan.weight(number), entered=at, pause="")
    after = replace(here, step=number, step_revision=rollout.revision + 1, phase=PROGRESSING)
    event: Trigger
    match rollout.plan.after(rollout.step):
        case Step():
            event, word, why = "step", "step", f"step {number} of {of}"
        case Gate(text):
            event, word, after, why = "gate", "gate", replace(after, phase=PAUSED, pause=text), text
        case None:
            after = replace(here, phase=PROMOTING)
            event, word, why = "finish", "promoting", "all steps are done"
    return move(rollout, "promote" if ordered else event, after, word, why)


def switch(rollout: Rollout, *, ordered: bool = False) -> Advance | Refused:
    """Make the canary stable. The former stable is kept for an undo."""
    after = replace(
        rollout,
        phase=PROMOTED,
        weight=0,
        stable=rollout.canary,
        canary=VACANT,
        previous=rollout.stable,
    )
    who = rollout.canary.version or "the canary"
    return move(rollout, "promote" if ordered else "switch", after, "promotion", f"{who} is stable now")


def on_held(rollout: Rollout, held: Held, at: float) -> Advance | Refused:
    """Take over what a worker holds and the ledger doesn't know, or pass its number."""
    if not _unknown(rollout, held):
        return Advance(rollout)
    numbered = replace(rollout, revision=held.revision)
    known = f"a worker holds revision {held.revision}"
    if rollout.has_canary and (held.halted or rollout.halted):
        why = f"{known} with the canary taken out; why never reached the ledger"
        out = numbered if rollout.halted else taken_out(numbered, Trip(at, why, None))
        return move(numbered, "adopt", out, "trip", why)
    why = f"{known}, which never reached the ledger; now at zero"
    paused = rollout.phase in UNDER_WAY
    low = replace(numbered, weight=0, phase=PAUSED, pause=why) if paused else replace(numbered, weight=0)
    return move(numbered, "adopt", low, "weight", why)


def _unknown(rollout: Rollout, held: Held) -> bool:
    """Return whether a worker holds what the ledger doesn't know.

    The same number with the canary out is as unknown as a higher one: a trip that was sent and not written
    leaves its number free for the next entry.
    """
    out = held.halted and not rollout.halted
    return held.revision > rollout.revision or (held.revision == rollout.revision and out)
