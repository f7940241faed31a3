"""What the file's word changes.

The file is compared with what it said when the state in force was made, and not with that state: a promotion
or a canary named at runtime stays until somebody writes something new.
"""

from dataclasses import replace

from proxy.rollout.inputs import Release
from proxy.rollout.rollout import Advance, Refused, Rollout, begun, move
from proxy.rollout.side import VACANT, another


def release(rollout: Rollout, release: Release, at: float) -> Advance | Refused:
    """A new release, another stable, any other change, or nothing."""
    if rollout.revision == 0:
        return _new(rollout, rollout, release, at)
    after, changed = _stable(rollout, release)
    said = release.canary.definition
    if said not in (rollout.definition, rollout.canary.definition):
        return _new(rollout, after, release, at)
    if said != rollout.definition:
        # The file has caught up with what is in force, after a promotion or a start at runtime.
        after, changed = replace(after, definition=said), (*changed, "canary")
    if not changed:
        return Advance(rollout)
    return move(rollout, "reload", after, "reload", f"the file changed {', '.join(dict.fromkeys(changed))}")


def _stable(rollout: Rollout, release: Release) -> tuple[Rollout, tuple[str, ...]]:
    """With the file's stable, if it says another than before, and all keys that changed.

    Against another program there is no evidence yet.
    """
    said = release.stable.definition
    if said == rollout.stable_definition:
        return rollout, release.changed
    after = replace(rollout, stable=release.stable, stable_definition=said)
    if another(rollout.stable.definition, said):
        after = replace(after, since=rollout.revision + 1)
    return after, (*release.changed, "stable")


def _new(before: Rollout, rollout: Rollout, release: Release, at: float) -> Advance | Refused:
    """Another canary, or the first that is seen."""
    why = "the file's canary is another one" if before.revision else "first seen in the file"
    fresh = _fresh(rollout, release)
    if release.plan is None or release.canary == VACANT:
        return move(before, "release", fresh, "release", why)
    begins = begun(replace(fresh, revision=before.revision), release.canary, release.plan, release.salt, at)
    return move(before, "release", begins, "start", why)


def _fresh(rollout: Rollout, release: Release) -> Rollout:
    revision = rollout.revision + 1
    first = rollout.revision == 0
    return Rollout(
        since=revision,
        weight=release.weight if release.canary != VACANT else 0,
        salt=release.salt,
        stable=release.stable if first else rollout.stable,
        stable_definition=release.stable.definition,
        canary=release.canary,
        definition=release.canary.definition,
    )
