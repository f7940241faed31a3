"""The diagram of a rollout's phases, from the table of legal moves.

python tests/rollout/diagram.py        writes it into ARCHITECTURE.md
"""

from pathlib import Path

from proxy.rollout.phases import MOVES, Phase, Trigger

ARCHITECTURE = Path(__file__).resolve().parents[2] / "ARCHITECTURE.md"
BEGIN = "<!-- phases: written by tests/rollout/diagram.py -->"
END = "<!-- end of phases -->"
EVERYWHERE: tuple[Trigger, ...] = ("release", "reload", "adopt")
"""What can happen in every phase is told beside the picture, and would hide it within."""


def diagram() -> str:
    """All moves between two phases, those with the same ends on one arrow."""
    arrows: dict[tuple[Phase, Phase], list[Trigger]] = {}
    for (before, event), phases in MOVES.items():
        for after in phases:
            if event not in EVERYWHERE and before != after:
                arrows.setdefault((before, after), []).append(event)
    lines = ["stateDiagram-v2", "    [*] --> idle"]
    lines += [
        f"    {name(one)} --> {name(other)}: {', '.join(events)}" for (one, other), events in arrows.items()
    ]
    return "\n".join(lines)


def name(phase: Phase) -> str:
    """A phase as Mermaid takes it, which reads a hyphen as an operator."""
    return phase.replace("-", "_")


def within(text: str) -> str:
    """The text with the diagram of now between the marks."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n```mermaid\n{diagram()}\n```\n{END}{after}"


if __name__ == "__main__":
    ARCHITECTURE.write_text(within(ARCHITECTURE.read_text()))
