"""Counts as reports bring them, made from numbers."""

from proxy.telemetry.counts import Counts
from proxy.telemetry.users import Users


def counts(ok=0, bad=0, diverted=0, slow=(), users=(), gap=False, pinned=(0, 0), **more):
    """Drawn requests; `slow`: by how many of three thresholds they exceeded; `pinned`: good, bad."""
    labels = {24 + exceeded: count for exceeded, count in enumerate(slow) if count}
    drawn = {"success": ok, "failure": bad}
    pins = {"success": pinned[0], "failure": pinned[1]}
    log = Users(0, list(users), gap=gap)
    return Counts(drawn=drawn, pinned=pins, labels=labels, diverted=diverted, users=log, **more)


def report(canary=None, stable=None, revision=1):
    """What a worker has of one revision."""
    sides = {"canary": canary, "stable": stable}
    return [(revision, name, each) for name, each in sides.items() if each is not None]
