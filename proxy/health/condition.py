"""The condition of an endpoint as probes have shown it: one failure or answer is no proof yet."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from proxy.counted import counted

Liveness = Literal["unknown", "alive", "dead"]


class Proof(Protocol):
    """How many probes in a row it takes."""

    @property
    def healthy_after(self) -> int:
        """Answers from which on a dead endpoint is alive; 1 or more."""

    @property
    def unhealthy_after(self) -> int:
        """Failures from which on it is dead; 1 or more."""


@dataclass(frozen=True, slots=True)
class EndpointCondition:
    """How an endpoint does, as far as it is known."""

    state: Liveness = "unknown"
    row: int = 0
    """Probes in a row that speak against its state."""
    why: str = ""
    """What was wrong with the last probe, in words; empty: nothing, or there was none."""

    def __str__(self) -> str:
        match self.state, self.why:
            case "unknown", why:
                return f"not known yet: {why}" if why else "not known yet"
            case "alive", why:
                return f"alive, but the last probe failed: {why}" if why else "alive"
            case _, why:
                return f"dead: {why}" if why else "dead, but the last probe was answered"


UNKNOWN = EndpointCondition()


def probed(condition: EndpointCondition, why: str, proof: Proof) -> EndpointCondition:
    """Return its condition after one more probe, which failed for this reason; empty: it was answered.

    One that is not known yet is alive with its first answer: nothing speaks against it.
    """
    state: Liveness = "dead" if why else "alive"
    if state == condition.state:
        return EndpointCondition(state, 0, why)
    row = condition.row + 1
    enough = proof.unhealthy_after if why else 1 if condition.state == "unknown" else proof.healthy_after
    return EndpointCondition(state, 0, why) if row >= enough else replace(condition, row=row, why=why)


def together(conditions: Mapping[str, str]) -> str:
    """Return the condition of an endpoint, in words, from those of its addresses: `alive...` or `dead...`."""
    if len(set(conditions.values())) == 1:
        return next(iter(conditions.values()))
    dead = {socket: words for socket, words in conditions.items() if words.startswith("dead")}
    why = "; ".join(f"{socket} is {words}" for socket, words in dead.items())
    if len(dead) == len(conditions):
        return f"dead: {why}"
    alive = sum(words.startswith("alive") for words in conditions.values())
    if not alive:
        return "not known yet" + (why and f": {why}")
    of_all = counted(len(conditions), "address", "addresses")
    return f"alive at {alive} of {of_all}" + (why and f": {why}")
