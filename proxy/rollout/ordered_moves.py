"""Moves that a person's orders lead to. Each keeps to the table, or is refused with its reason."""

from dataclasses import replace

from proxy.counted import counted
from proxy.rollout.automatic_moves import onward, switch
from proxy.rollout.inputs import Abort, Pause, Promote, Resume, Retry, SetWeight, Start, Undo
from proxy.rollout.phases import IDLE, PAUSED, PROGRESSING, PROMOTING, ROLLED_BACK, UNDER_WAY, Phase
from proxy.rollout.plan import AT_ONCE, Gate, Plan
from proxy.rollout.rollout import (
    OUT_BY_HAND,
    Advance,
    Refused,
    Rollout,
    Trip,
    begun,
    move,
    refused,
    taken_out,
)
from proxy.rollout.side import VACANT
from proxy.routing.split import TOTAL

BY_HAND = "the weight was set by hand"


def start(rollout: Rollout, order: Start, at: float) -> Advance | Refused:
    """Begin from weight 0, by a plan, with another canary or the one that is there."""
    canary = order.canary or rollout.canary
    if order.plan is None:
        return refused(rollout, "there is no plan: write `rollout` into the file, or give the steps")
    if not canary.endpoints:
        return refused(
            rollout, "there is no canary to start: name its endpoints (--canary URL, in the API `canary`)"
        )
    if canary.definition == rollout.stable.definition:
        return refused(rollout, "its endpoints and version are those of stable: there is nothing to roll out")
    if rollout.phase in UNDER_WAY and not order.replace:
        return refused(
            rollout, "a rollout is under way: `replace` takes its canary out and begins this one instead"
        )
    if rollout.phase == ROLLED_BACK and canary.definition == rollout.canary.definition:
        by_hand = rollout.trip is not None and rollout.trip.by_hand
        if not (order.replace and by_hand):
            return refused(rollout, "this canary was taken out: `retry` begins it again, from its first step")
    after = begun(rollout, canary, order.plan, order.salt, at)
    why = f"{canary.version or 'the canary'} begins, in {counted(len(order.plan.steps), 'step')}"
    if rollout.phase in UNDER_WAY:
        why += f", in place of {rollout.canary.version or 'the canary before'}"
    return move(rollout, "start", after, "start", why)


def retry(rollout: Rollout, order: Retry, at: float) -> Advance | Refused:
    """Begin with the canary that was taken out, from its first step and with fresh evidence."""
    plan = order.plan or rollout.plan
    if plan is None:
        return refused(
            rollout, "no plan led to it: `resume` lets the canary back in, at 0 % to `start` it by a plan"
        )
    after = begun(rollout, rollout.canary, plan, order.salt, at)
    return move(rollout, "retry", after, "retry", "from the first step, with fresh evidence")


def promote(rollout: Rollout, order: Promote, at: float) -> Advance | Refused:
    """Go to the next step now, whatever is missing; or to the end."""
    if rollout.phase == PROMOTING:
        return switch(rollout, ordered=True)
    if not rollout.has_canary:
        return refused(rollout, "there is no canary to promote")
    if rollout.plan is None and not order.full:
        return refused(rollout, "no plan is under way: `start` begins one, `promote --full` needs none")
    sent = replace(rollout, began=at)  # or a deadline that is over would pause it again at the next look
    return _done(sent, rollout.plan or AT_ONCE, at) if order.full else onward(sent, at, ordered=True)


def _done(rollout: Rollout, plan: Plan, at: float) -> Advance | Refused:
    """Go past all steps of the plan."""
    steps = len(plan.steps)
    after = replace(rollout, phase=PROMOTING, weight=TOTAL, plan=plan, step=steps, entered=at, pause="")
    return move(rollout, "promote", after, "promoting", "at once, past what was left of the plan")


def pause(rollout: Rollout, order: Pause, _at: float) -> Advance | Refused:
    """Keep the weight as it is."""
    return move(rollout, "pause", replace(rollout, phase=PAUSED, pause=order.reason or "by hand"), "pause")


def abort(rollout: Rollout, order: Abort, at: float) -> Advance | Refused:
    """Take the canary out at once. One that is out already stays so."""
    if rollout.halted:
        return Advance(rollout)
    if not rollout.has_canary:
        return refused(rollout, "there is no canary to take out")
    trip = Trip(at, f"{OUT_BY_HAND}{f' ({order.reason})' if order.reason else ''}", None)
    return move(rollout, "abort", taken_out(rollout, trip), "abort", OUT_BY_HAND)


def undo(rollout: Rollout, order: Undo, at: float) -> Advance | Refused:
    """Go back to the stable before the promotion: at once, or as a canary through steps."""
    if order.plan is not None:
        back = begun(rollout, rollout.previous, order.plan, order.salt, at)
        return move(rollout, "undo", back, "undo", "the stable before comes back by steps")
    revision = rollout.revision + 1
    back = replace(
        rollout, phase=IDLE, stable=rollout.previous, previous=VACANT, since=revision, plan=None, step=0
    )
    return move(rollout, "undo", back, "undo", "back to the stable before")


def set_weight(rollout: Rollout, order: SetWeight, _at: float) -> Advance | Refused:
    """Set another weight. A rollout under way is paused, or the next step would undo it."""
    if order.parts == rollout.weight and rollout.phase not in (PROGRESSING, PROMOTING):
        return Advance(rollout)
    if not rollout.has_canary:
        return refused(rollout, "the service has no canary, so there is nothing to give a weight to")
    if rollout.phase == IDLE:
        return move(rollout, "set-weight", replace(rollout, weight=order.parts), "weight")
    paused = replace(rollout, weight=order.parts, phase=PAUSED, pause=BY_HAND)
    return move(rollout, "set-weight", paused, "weight", "" if rollout.phase == PAUSED else "now paused")


def resume(rollout: Rollout, order: Resume, at: float) -> Advance | Refused:
    """Go on from a pause, at the step's weight; or back in after a rollback, with fresh evidence."""
    if rollout.phase == ROLLED_BACK:
        return _back(rollout, order.parts, at)
    assert rollout.plan is not None  # a paused rollout has one
    if order.parts is not None:
        return refused(rollout, "a paused rollout goes on at its step's weight: leave the weight out")
    planned = rollout.plan.weight(rollout.step)
    if isinstance(rollout.plan.at(rollout.step), Gate) and rollout.weight == planned:
        return onward(replace(rollout, began=at), at, ordered=True)
    after = replace(_again(rollout, rollout.plan, at), weight=planned)
    why = f"on with step {rollout.step} of {len(rollout.plan.steps)}"
    return move(rollout, "resume", after, "resume", why)


def _again(rollout: Rollout, plan: Plan, at: float) -> Rollout:
    """Return it in the step that it was in: hold and sample begin anew, and a gate is waited at."""
    step = plan.at(rollout.step)
    gate = step.text if isinstance(step, Gate) else ""
    phase: Phase = PAUSED if isinstance(step, Gate) else PROGRESSING
    revision = rollout.revision + 1
    return replace(rollout, phase=phase, pause=gate, entered=at, began=at, step_revision=revision)


def _back(rollout: Rollout, parts: int | None, at: float) -> Advance | Refused:
    weight = rollout.weight_before if parts is None else parts
    back = replace(rollout, phase=IDLE, weight=weight, since=rollout.revision + 1, trip=None)
    if rollout.plan is not None:
        planned = weight == rollout.plan.weight(rollout.step)
        on = _again(back, rollout.plan, at)
        back = on if planned else replace(on, phase=PAUSED, pause=BY_HAND)
    return move(rollout, "resume", back, "resume", "evidence begins anew")
