"""What does a proxied request cost? CPU time of weir beside other proxies, in one run.

    python loadtests/peers.py [--cases headers,large] [--peers nginx,weir] [--rounds 5] [--seconds 3]

The CPU of a proxy is that of its whole tree of processes, user and system, divided by the requests that the
load (wrk) got answered. Each proxy has a core for itself, the load and the origin (nginx) have others. Rounds
are interleaved, so that a slow minute of the machine hits all of them; what counts is medians, and ratios
within one run. Connections are made anew for each round, and their cost is part of it. `rig/cases.py` has
the cases, `rig/contenders.py` and `rig/proxies` how each proxy is set up. A peer that isn't installed is
named and left out. Linux only.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import date
from os import sched_getaffinity
from pathlib import Path

from rig.cases import CASES, Case, answer, origin
from rig.contenders import CONTENDERS, DEBIAN, Place, Running, found, missing, start, version
from rig.machine import Cores, command_line, layout, machine, pinned
from rig.processes import cpu_seconds
from rig.report import Run, case_part, facts
from rig.table import Round, Rounds, summary
from rig.wrk import load

WARM_SECONDS = 1


class Unlike(RuntimeError):
    """A proxy answers something else than the origin does."""


def measure_case(case: Case, names: Sequence[str], cores: Cores, rounds: int, seconds: int) -> Rounds:
    """Starts the origin and the proxies anew, and measures each as often as there are rounds."""
    with ExitStack() as stack:
        with pinned(cores.origin):
            behind = stack.enter_context(origin(directory("origin", stack), len(cores.origin)))
        running = {name: begin(name, case, behind, cores, stack) for name in names}
        for each in running.values():
            measure(each, case, cores, WARM_SECONDS)
        measured: dict[str, list[Round]] = {}
        for name, each in list(running.items()) * rounds:
            if got := measure(each, case, cores, seconds):
                measured.setdefault(name, []).append(got)
            else:
                print(f"{name} answered nothing for {seconds} s: that round is left out", flush=True)
        return measured


def begin(name: str, case: Case, behind: str, cores: Cores, stack: ExitStack) -> Running:
    """One proxy, on its cores, that was seen to answer as the origin does."""
    contender = CONTENDERS[name]
    with pinned(cores.proxies[: contender.workers]):
        running = start(contender, Place(directory(name, stack), behind, stack))
    got = answer(running.port, case.shape)
    if got != (200, case.answer):
        raise Unlike(f"{name} answered {got[0]} with {got[1]} bytes; the origin: 200 with {case.answer}")
    return running


def directory(name: str, stack: ExitStack) -> Path:
    """A directory of its own, removed at the end."""
    return Path(
        stack.enter_context(tempfile.TemporaryDirectory(prefix=f"{name}-", ignore_cleanup_errors=True))
    )


def measure(running: Running, case: Case, cores: Cores, seconds: int) -> Round | None:
    """One round; None when nothing was answered, which happens where others have the cores."""
    pids = running.pids()
    before = cpu_seconds(pids)
    with pinned(cores.load):
        got = load(case.shape, running.port, seconds, threads=len(cores.load))
    used = cpu_seconds(pids) - before
    if not got.requests:
        return None
    return Round(used / got.requests * 1e6, got.requests / got.seconds, got.p99, got.failures)


def lacking(names: Sequence[str]) -> Mapping[str, str]:
    """What to say of each peer that isn't installed."""
    said = {name: missing(name, CONTENDERS[name]) for name in names}
    return {name: line for name, line in said.items() if line}


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cases", type=among(CASES), default=list(CASES), help=", ".join(CASES))
    parser.add_argument(
        "--peers", type=among(CONTENDERS), default=list(CONTENDERS), help=", ".join(CONTENDERS)
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of each round")
    parser.add_argument("--json", type=Path, metavar="FILE", help="writes every round")
    parser.add_argument("--results", type=Path, metavar="FILE", help="writes a page of Markdown")
    return parser.parse_args(arguments)


def among(known: Mapping[str, object]) -> Callable[[str], list[str]]:
    """Reads names with commas between them."""

    def read(text: str) -> list[str]:
        if unknown := [name for name in text.split(",") if name not in known]:
            raise argparse.ArgumentTypeError(
                f"no such name: {', '.join(unknown)}; there are {', '.join(known)}"
            )
        return text.split(",")

    return read


def needs() -> str:
    """What this machine lacks for any comparison; "" for nothing."""
    if sys.platform != "linux":
        return f"measures on Linux only, and this is {sys.platform}"
    lacks = [program for program in ("nginx", "wrk") if not found(program)]
    return f"needs {' and '.join(lacks)}: {DEBIAN.format(' '.join(lacks))}" if lacks else ""


def main() -> int:
    """Measures, prints and writes; 1 when a request failed, 2 when it can't be measured here."""
    given = options()
    if lack := needs():
        print(lack)
        return 2
    cores = layout(sorted(sched_getaffinity(0)))
    absent = lacking(given.peers)
    present = [name for name in given.peers if name not in absent]
    versions = {name: version(CONTENDERS[name]) for name in present}
    results: dict[str, Rounds] = {}
    run = Run(command_line(), date.today().isoformat(), machine(), versions, absent, results)
    print(facts(run), end="\n\n", flush=True)
    for name in given.cases:
        if names := [each for each in present if each in CASES[name].peers]:
            results[name] = measure_case(CASES[name], names, cores, given.rounds, given.seconds)
            print(case_part(name, results[name]), flush=True)
            write(run, given.json, given.results)
    print(summary(results))
    rounds = (each for peers in results.values() for peer in peers.values() for each in peer)
    return 1 if any(each.failures for each in rounds) else 0


def write(run: Run, to_json: Path | None, to_markdown: Path | None) -> None:
    """The files that were asked for, with the cases measured so far."""
    if to_json:
        to_json.write_text(json.dumps(run.as_json(), indent=1) + "\n")
    if to_markdown:
        to_markdown.write_text(run.as_markdown())


if __name__ == "__main__":
    sys.exit(main())
