"""How many canary requests until the rollback? The table of the project's own judge on made traffic.

    python loadtests/judging.py [--runs 200] [--seed 1] [--jobs 2] [--only hang]

100 requests a second; stable fails 1 %, takes 100 ms at the median and 320 ms at p99; requests count from the
canary's first bad one on, those in flight at the rollback included, and a report takes 10 to 20 ms. Each line
has median, p95 and the largest of its runs; where the project promises a p95, it says ok or MISSED, and
the exit code is 1 when one is missed. "5 % at w 5 %" has five times the runs. Runs of one line are
independent of each other; the two lines "good for 3 h, then" share the good hours of each run. While the
canary is good, the judge looks every two seconds. False rollbacks are measured by
loadtests/false_rollbacks.py.
"""

import argparse
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from multiprocessing import Pool

from proxy.analysis.policy import Policy
from proxy.simulation.run import Run, RunResult
from proxy.simulation.scenario import BackendBehavior, Canary, EjectionRule, Population, Scenario
from proxy.simulation.summary import Spread, Summary, summary

HOUR = 3600.0
FULL = Policy()
ERRORS = Policy(slower=None)
STICKY = Policy(sticky=True)
BASE = Scenario(stable=BackendBehavior(errors=0.01, median=0.1, spread=0.5), lasts=HOUR)
DEAD, SICK = Canary(errors=1.0), Canary(errors=0.2)


@dataclass(frozen=True)
class Line:
    """One line: what the canary becomes, and the p95 that is promised, if any."""

    name: str
    canary: Canary
    bar: int | None = None


@dataclass(frozen=True)
class Rows:
    """Lines that share what comes before the canary turns bad."""

    policy: Policy
    scenario: Scenario
    lines: tuple[Line, ...]
    times: int = 1
    """How many times the runs that were asked for."""
    later: float = 0.0
    """Seconds by which the onset is later at most, at random: users' bad events count once in a round, and a
    canary that dies as the rounds begin is found sooner than one that dies within them."""


def at(weight: float, policy: Policy, *lines: Line, times: int = 1, **more: float) -> Rows:
    """Rows at a weight (0..1)."""
    return Rows(policy, replace(BASE, weight=weight, **more), lines, times)


def table() -> list[Rows]:
    """All of them, in the order in which they are printed."""
    rows = []
    for weight, dead, sick in ((0.01, None, None), (0.05, 6, 60), (0.2, 12, 90), (0.5, 25, 150)):
        rows.append(at(weight, ERRORS, Line("fails 100 %, errors only", DEAD)))
        rows.append(at(weight, FULL, Line("fails 100 %", DEAD, dead)))
        rows.append(at(weight, ERRORS, Line("fails 20 %, errors only", SICK)))
        rows.append(at(weight, FULL, Line("fails 20 %", SICK, sick)))
    rows.append(at(0.05, ERRORS, Line("fails 5 %, errors only", Canary(errors=0.05), 500), times=5))
    late = (
        Line("good for 3 h, then fails 100 %", DEAD, 14),
        Line("good for 3 h, then fails 20 %", SICK, 110),
    )
    rows.append(at(0.05, FULL, *late, onset=3 * HOUR))
    for weight, bar in ((0.05, 20), (0.2, None)):
        rows.append(at(weight, FULL, Line("hangs", Canary(hang=1.0), bar), alone=60.0))
    late = (
        Line("hangs, once it is warm", Canary(hang=1.0), 18),
        Line("twice as slow, once it is warm", Canary(times=2.0), 180),
        Line("1.5 times as slow, once it is warm", Canary(times=1.5)),
    )
    rows.append(at(0.05, FULL, *late, alone=60.0, onset=300.0))
    rows.append(at(0.05, FULL, Line("twice as slow", Canary(times=2.0), 480), alone=60.0))
    rows.append(at(0.05, FULL, Line("1.5 times as slow", Canary(times=1.5)), alone=60.0))
    rows += [at(weight, FULL, Line("fails 100 %", DEAD, 30)) for weight in (0.9, 1.0)]
    rows.append(at(0.0, FULL, Line("fails 100 %, on a segment of 10 % alone", DEAD, 30), segment=0.1))
    for weight in (0.2, 0.5):
        ejected = replace(BASE, weight=weight, ejection=EjectionRule())
        rows.append(Rows(FULL, ejected, (Line("fails 100 %, ejected after 5", DEAD, 30),)))
    users = replace(BASE, crowd=Population(200), onset=3 * HOUR)
    rows.append(Rows(STICKY, users, (Line("200 sticky users, good for 3 h, then 100 %", DEAD, 30),)))
    within = (Line("the same, 0 to 5 min later", DEAD, 30),)
    rows.append(Rows(STICKY, users, within, later=300.0))
    good = (Line("good for a minute, then fails 100 %", DEAD),)
    rows += [Rows(FULL, replace(BASE, weight=weight, onset=60.0), good) for weight in (0.9, 1.0)]
    return rows


def play(task: tuple[Rows, str]) -> list[RunResult]:
    """One run of the lines of some rows."""
    rows, seed = task
    chance = random.Random(seed)
    onset = rows.scenario.onset + rows.later * chance.random()
    past = Run(rows.policy, replace(rows.scenario, onset=onset), chance)
    early = past.prelude()
    if early:
        return [early] * len(rows.lines)
    return [past.fork(line.canary, random.Random(f"{seed} {line.name}")).rest() for line in rows.lines]


def told(line: Line, rows: Rows, found: Summary) -> tuple[str, bool]:
    """A line in words, and whether it keeps what is promised."""
    p95 = found.requests.p95
    kept = line.bar is None or (p95 is not None and p95 <= line.bar)
    word = "" if line.bar is None else f"at most {line.bar}: {'ok' if kept else 'MISSED'}"
    early = f"; {found.early} rolled back while good" if found.early else ""
    where = f"w {rows.scenario.weight:.0%}"
    requests, seconds = three(found.requests), found.seconds.p95
    took = f"{seconds:6.1f} s" if seconds is not None else "       -"
    return f"{line.name:<42} {where:>6} {requests:>14} {took} {found.runs:>5} runs  {word}{early}", kept


def three(spread: Spread) -> str:
    """Median, p95 and the largest."""
    return "/".join(
        "-" if each is None else f"{each:.0f}" for each in (spread.median, spread.p95, spread.max)
    )


def main(words: Sequence[str] | None = None) -> int:
    """Prints all lines; 0 when each promise is kept."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1, help="processes that share the work")
    parser.add_argument("--only", default="", help="lines with these words in their names")
    asked = parser.parse_args(words)
    begun, kept = time.monotonic(), True
    print(f"python loadtests/judging.py --runs {asked.runs} --seed {asked.seed}")
    print("canary requests until rollback, median/p95/largest; p95 of the seconds")
    with Pool(asked.jobs) as pool:
        for number, rows in enumerate(table()):
            if not any(asked.only in line.name for line in rows.lines):
                continue
            tasks = [(rows, f"{asked.seed} {number} {run}") for run in range(asked.runs * rows.times)]
            results = pool.map(play, tasks, chunksize=max(1, len(tasks) // (8 * asked.jobs)))
            for line, of_line in zip(rows.lines, zip(*results, strict=True), strict=True):
                text, fine = told(line, rows, summary(of_line))
                kept = kept and fine
                print(text, flush=True)
    print(f"{time.monotonic() - begun:.0f} s; {'all promises kept' if kept else 'NOT all promises kept'}")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
