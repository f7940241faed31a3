"""A weight that the command line of `weir run` names, where the ledger is of an earlier run.

Without a file, `--weight` is what a person wants now, and what the ledger remembers is older. So the weight
is set there by an order, before control begins. Only in the phase `idle`: a canary that was taken out stays
out, and a rollout under way goes on.
"""

from collections.abc import Iterator
from pathlib import Path

from proxy.config import schema
from proxy.ledger.errors import LedgerError
from proxy.ledger.ledger import Ledger
from proxy.ledger.record import Record
from proxy.rollout.advance import advance
from proxy.rollout.inputs import SetWeight
from proxy.rollout.phases import IDLE, ROLLED_BACK
from proxy.rollout.rollout import Advance, Rollout
from proxy.routing.split import percent
from proxy.settings.service import recalled, release


def put_in_force(path: Path, name: str, service: schema.Service, actor: str, at: float) -> Iterator[str]:
    """Set the weight of a service in the ledger at `path`, if that has another one; yield what to print.

    A ledger that can't be used is left to control, which says why and does not start.

    Args:
        path: the file of the ledger; without one there is nothing to do.
        name: the name of the service.
        service: the service as the command line defines it.
        actor: who ordered it.
        at: the time of the order, in unix seconds.
    """
    if not path.exists():
        return
    try:
        ledger = Ledger(path)
    except LedgerError:
        return
    try:
        before = recalled(ledger.states().get(name, Rollout()), service)
        after, said = decide(before, name, service, at)
        if after.entry:
            reason = f"weir run --weight {percent(service.weight):g}%"
            ledger.append(Record(name, at, actor, reason, after.entry, after.rollout))
        if said:
            yield said
    except LedgerError as error:
        yield f"--weight is not put in force: {error.detail}"
    finally:
        ledger.close()


def decide(rollout: Rollout, name: str, service: schema.Service, at: float) -> tuple[Advance, str]:
    """Return what becomes of a recalled state, and what to print; "" where nothing is to be said."""
    begun = advance(rollout, release(service, salt=""), at)
    if isinstance(begun, Advance) and begun.entry and begun.entry.event == "release":
        return Advance(rollout), ""  # another canary, or the first: it begins with the weight that is named
    if rollout.phase != IDLE or not rollout.has_canary:
        return Advance(rollout), f"--weight is not put in force: {_why_not(rollout, name, service.weight)}"
    advanced = advance(rollout, SetWeight(service.weight), at)
    if not (isinstance(advanced, Advance) and advanced.entry):
        return Advance(rollout), ""
    before, wanted = percent(rollout.weight), percent(service.weight)
    return advanced, f"the canary goes from {before:g} % to {wanted:g} %, as --weight has it"


def _why_not(rollout: Rollout, name: str, parts: int) -> str:
    """Return why another weight isn't put in force, and the command that would do it."""
    weight = f"canary={percent(parts):g}"
    if rollout.phase == ROLLED_BACK:
        return f"the canary was taken out and stays out; to let it back in: weir resume {name} {weight}"
    if not rollout.has_canary:
        return "the canary was promoted and is stable now, so there is no canary"
    return (
        f"its rollout is {rollout.phase} at {percent(rollout.weight):g} %; "
        f"to set it by hand: weir set-weight {name} {weight}"
    )
