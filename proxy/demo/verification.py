"""What has to be true at the end of the demo: the ledger of each service, the good canary and the bad one.

Pure: each function yields the problems that it finds, a sentence each.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from proxy.counted import counted
from proxy.demo.admin_api import View
from proxy.demo.customer_counts import CustomerCounts

BETWEEN = frozenset({"step", "gate", "promoting"})
"""Events that may happen between the start of a rollout and its end."""


def ledger_problems(entries: Sequence[View], end: str, approvers: Sequence[str]) -> Iterator[str]:
    """Yield what is wrong with the entries of a service whose only rollout has ended, the oldest first.

    Args:
        entries: all entries of the service.
        end: the event that has to be the last.
        approvers: the actors that had to open its gates, in order.
    """
    events = [entry["event"] for entry in entries]
    if events[:2] != ["release", "start"] or events[-1] != end or not set(events[2:-1]) <= BETWEEN:
        yield f"its events are {', '.join(events)}; expected release, start, its steps, {end}"
    revisions = [entry["revision"] for entry in entries]
    if revisions != list(range(1, len(entries) + 1)):
        yield f"its revisions are {revisions}; expected all of them from 1 on"
    for before, entry in pairwise(entries):
        if entry["from"] != before["to"]:
            yield f"revision {entry['revision']} begins at {entry['from']} %; expected {before['to']} %"
    if missing := [entry["revision"] for entry in entries if entry["acknowledged_ms"] is None]:
        yield f"not every worker has acknowledged revisions {missing}"
    actors = [entry["actor"] for gate, entry in pairwise(entries) if gate["event"] == "gate"]
    if actors != list(approvers):
        yield f"its gates were opened by {actors}; expected {list(approvers)}"


def good_canary_problems(service: str, version: str, view: View, counts: CustomerCounts) -> Iterator[str]:
    """Yield what is wrong with a canary that had to become stable without a failed request."""
    share = counts.summary(service, version).share
    _, failed = counts.answered(service, version)
    stable = view["backends"]["stable"]["version"]
    moved_back = sum(name == service for name, _ in counts.moved_back)
    if view["trip"] is not None:
        yield f"{version} was rolled back: {view['trip']}"
    if stable != version:
        yield f"stable of {service} is {stable}; expected {version}"
    if share != 1.0:
        yield f"{version}'s share at the end is {share}; expected 1.0"
    if failed:
        yield f"{version} failed {counted(failed, 'request')}"
    if moved_back:
        yield f"{counted(moved_back, 'customer')} of {service} went back to an older version"


def bad_canary_problems(service: str, version: str, view: View, counts: CustomerCounts) -> Iterator[str]:
    """Yield what is wrong with a canary that had to be rolled back."""
    late = counts.answered_in_act(service, version)
    if weight(view, version) != 0:
        yield f"{version} still has a weight: {view['weights']}"
    if late:
        yield f"{counted(late, 'request')} met {version} after its rollback"


def weight(view: View, version: str) -> float:
    """Return the weight of the backends that run a version, 0 to 100 percent."""
    backends = [name for name, backend in view["backends"].items() if backend["version"] == version]
    return float(sum(view["weights"][name] for name in backends))
