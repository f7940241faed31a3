"""Moves that a change of the file leads to.

The file is compared with what it had when the state in force was made, and not with that state: a promotion
or a canary named at runtime stays until somebody writes something new.
"""

from dataclasses import replace

from proxy.rollout.inputs import Release
from proxy.rollout.rollout import Advance, Refused, Rollout, begun, move
from proxy.rollout.side import VACANT, Side, another


def on_release(rollout: Rollout, release: Release, at: float) -> Advance | Refused:
    """Go on with a new release, another stable, any other change, or nothing."""
    if rollout.revision == 0:
        return _new(rollout, rollout, release, release.canary, at)
    after, changed = _stable(rollout, release)
    wanted = release.canary.definition
    # What was promoted is no canary, wherever the file still names it: put back, or written down late.
    promoted = wanted == after.stable.definition != release.stable.definition
    canary = VACANT if promoted else release.canary
    if wanted != rollout.definition and canary.definition != rollout.canary.definition:
        return _new(rollout, after, release, canary, at)
    if wanted != rollout.definition:
        # The file has caught up with what is in force, after a promotion or a start at runtime.
        after, changed = replace(after, definition=wanted), (*changed, "canary")
    if not changed:
        return Advance(rollout)
    why = f"the file changed {', '.join(dict.fromkeys(changed))}"
    if another(rollout.stable.definition, after.stable.definition):
        why += f"; stable is {_named(after.stable)} now, in place of {_named(rollout.stable)}"
    return move(rollout, "reload", after, "reload", why)


def _named(side: Side) -> str:
    return side.version or ", ".join(map(str, side.endpoints))


def _stable(rollout: Rollout, release: Release) -> tuple[Rollout, tuple[str, ...]]:
    """Return the state with the file's stable, if that is another than before, and all keys that changed.

    Against another program there is no evidence yet.
    """
    wanted = release.stable.definition
    if wanted == rollout.stable_definition:
        return rollout, release.changed
    after = replace(rollout, stable=release.stable, stable_definition=wanted)
    if another(rollout.stable.definition, wanted):
        after = replace(after, since=rollout.revision + 1)
    return after, (*release.changed, "stable")


def _new(before: Rollout, rollout: Rollout, release: Release, canary: Side, at: float) -> Advance | Refused:
    """Begin with another canary, or the first that is seen."""
    why = "first seen in the file"
    if before.revision:
        why = "the file's canary is another one" if canary != VACANT else "the file has no canary any more"
    fresh = _fresh(rollout, release, canary, at)
    if release.plan is None or canary == VACANT:
        return move(before, "release", fresh, "release", why)
    begins = begun(replace(fresh, revision=before.revision), canary, release.plan, release.salt, at)
    return move(before, "release", begins, "start", why)


def _fresh(rollout: Rollout, release: Release, canary: Side, at: float) -> Rollout:
    revision = rollout.revision + 1
    first = rollout.revision == 0
    return Rollout(
        since=revision,
        weight=release.weight if canary != VACANT else 0,
        salt=release.salt,
        stable=release.stable if first else rollout.stable,
        stable_definition=release.stable.definition,
        canary=canary,
        definition=release.canary.definition,
        released=at,
    )
