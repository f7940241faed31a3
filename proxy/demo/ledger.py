"""What the ledger has to say for the story to be true: one entry follows from another, to the right end."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from proxy.demo.admin import View

WALK = frozenset({"step", "gate", "promoting"})
"""What happens between the beginning of a rollout and its end."""


def doubts(entries: Sequence[View], end: str, passed: Sequence[str]) -> Iterator[str]:
    """What is wrong with the entries of a service whose only rollout is over, oldest first.

    `end` has to be the last event, and `passed` those who let it past its gates.
    """
    events = [entry["event"] for entry in entries]
    if events[:2] != ["release", "start"] or events[-1] != end or not set(events[2:-1]) <= WALK:
        yield f"it goes {', '.join(events)}; expected release, start, its steps, {end}"
    revisions = [entry["revision"] for entry in entries]
    if revisions != list(range(1, len(entries) + 1)):
        yield f"its revisions are {revisions}; expected all of them from 1 on"
    for before, entry in pairwise(entries):
        if entry["from"] != before["to"]:
            yield f"revision {entry['revision']} begins at {entry['from']} %; before it were {before['to']} %"
    if late := [entry["revision"] for entry in entries if entry["acknowledged_ms"] is None]:
        yield f"not every worker has acknowledged revisions {late}"
    let_past = [entry["actor"] for gate, entry in pairwise(entries) if gate["event"] == "gate"]
    if let_past != list(passed):
        yield f"its gates were passed by {let_past}; expected {list(passed)}"
