"""What is left of a run: JSON with every round, and a page of Markdown."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rig.cases import CASES
from rig.table import Rounds, bar_lines, case_table, summary

HEAD = """# What a proxied request costs

CPU time per request of each proxy's whole tree of processes, user and system; medians of interleaved rounds.
Each proxy has one core for itself; nginx as the origin and wrk have others. weir is supervisor, control and
one worker, with metrics, a canary at 10 % and the check that protects it; weir-2 has two workers. nginx as it
comes puts what is sent to it into temporary files, from 8 KiB on; nginx-ram is told to keep it in memory.
Throughput and p99 are those of a closed loop, in which load and origin take part. Written by
`loadtests/peers.py`, which tells more.
"""


@dataclass(frozen=True, slots=True)
class Run:
    """One run: what was typed, when and where, each proxy's version, who was missing, and all rounds."""

    command: str
    day: str
    machine: Mapping[str, str]
    versions: Mapping[str, str]
    missing: Mapping[str, str]
    results: Mapping[str, Rounds]

    def as_json(self) -> dict[str, Any]:
        """What `--json` writes."""
        return asdict(self)

    def as_markdown(self) -> str:
        """What `--results` writes."""
        cases = [case_part(name, rounds) for name, rounds in self.results.items()]
        return "\n".join([HEAD, facts(self), "", summary(self.results), "", *cases])


def facts(run: Run) -> str:
    """Command, machine, versions, and what is missing, as a list."""
    versions = ", ".join(f"{name} {version}" for name, version in run.versions.items())
    return "\n".join(
        [
            f"- command: `{run.command}`, {run.day}",
            *(f"- {name}: {value}" for name, value in run.machine.items()),
            f"- versions: {versions}",
            *(f"- {line}" for line in run.missing.values()),
        ]
    )


def case_part(name: str, rounds: Rounds) -> str:
    """One case: title, table, bars."""
    lines = bar_lines(CASES[name].bars, rounds)
    return "\n".join(
        [f"## {name}: {CASES[name].title}", "", case_table(rounds), *([""] if lines else []), *lines, ""]
    )
