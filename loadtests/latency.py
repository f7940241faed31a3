"""What does a proxied request wait for? Latency at a fixed rate, direct, through nginx and through weir.

    python loadtests/latency.py [--rounds 9] [--rate 1000] [--seconds 3]

Requests are due at a fixed rate, with a browser's dozen headers, over 64 kept-alive connections; a request's
clock starts when it is due (`rig/fixedrate.py`), so that a stall is seen by every request that falls into it.
All processes of a proxy share one core; the load and the origin (nginx, answers of 1 KiB) have others, or of
two cores the second together. weir runs one worker, with metrics, a canary at 10 % and the check that
protects it. A round measures all three, each time beginning with another. What a proxy adds is its p99 less
that of the direct way in the same round; the figure that counts is the median over the rounds. The bar: weir
adds at most 1.5 times what nginx adds, or at most 0.3 ms more. Exit code 1 when it adds more. Linux only.

On a machine that does other things as well, p99 shows how long a process waits for a core. There, have all
of them go first: chrt -f 1 python loadtests/latency.py
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from os import sched_getaffinity
from statistics import median

from peers import begin, directory, needs
from rig.cases import CASES, origin
from rig.fixedrate import CONNECTIONS, latencies, quantile
from rig.machine import Cores, layout, machine, pinned

from proxy.demo.ports import LOOPBACK

CASE = CASES["headers"]
DIRECT, NGINX, WEIR = "direct", "nginx", "weir"
WARM_SECONDS = 0.5
FACTOR, MARGIN = 1.5, 0.3  # milliseconds


@dataclass(frozen=True, slots=True)
class Spread:
    """The latencies of one way in one round, in milliseconds."""

    p50: float
    p99: float
    most: float


Round = Mapping[str, Spread]


def spread(seconds: list[float]) -> Spread:
    """What counts of the latencies of one way."""
    p50, p99, most = (1e3 * quantile(seconds, level) for level in (0.5, 0.99, 1.0))
    return Spread(p50, p99, most)


def added(rounds: Sequence[Round], name: str) -> float:
    """What a proxy adds to p99: the median over the rounds, in milliseconds."""
    return median(each[name].p99 - each[DIRECT].p99 for each in rounds)


def most_allowed(nginx: float) -> float:
    """How much weir may add where nginx adds so much, in milliseconds."""
    return max(FACTOR * nginx, nginx + MARGIN)


def start(cores: Cores, stack: ExitStack) -> dict[str, int]:
    """The three ways, and the port of each."""
    with pinned(cores.origin):
        behind = stack.enter_context(origin(directory("origin", stack)))
    proxies = {name: begin(name, CASE, behind, cores, stack).port for name in (NGINX, WEIR)}
    return {DIRECT: int(behind.rpartition(":")[2]), **proxies}


def measure(ways: Mapping[str, int], turn: int, rate: float, seconds: float) -> Round:
    """One round; `turn` says who begins."""
    names = [*ways][turn % len(ways) :] + [*ways][: turn % len(ways)]
    fields = "".join(f"{name}: {value}\r\n" for name, value in CASE.shape.headers.items())
    request = f"GET {CASE.shape.path} HTTP/1.1\r\nHost: {LOOPBACK}\r\n{fields}\r\n".encode()
    measured = {}
    for name in names:
        latencies(ways[name], request, rate, int(rate * WARM_SECONDS))
        measured[name] = spread(latencies(ways[name], request, rate, int(rate * seconds)))
    return measured


def line(label: str, cells: Sequence[str]) -> str:
    """One line of the table."""
    return f"{label:<8}" + "".join(f"{cell:>24}" for cell in cells)


def shown(label: str, each: Round) -> str:
    """A round, as a line of the table."""
    ways = (each[name] for name in (DIRECT, NGINX, WEIR))
    return line(label, [f"{way.p50:.3f} {way.p99:.3f} {way.most:.3f}" for way in ways])


def medians(rounds: Sequence[Round]) -> Round:
    """The median of each figure of each way."""
    return {
        name: Spread(*(median(getattr(each[name], key) for each in rounds) for key in ("p50", "p99", "most")))
        for name in (DIRECT, NGINX, WEIR)
    }


def main() -> int:
    """Measures and prints; 1 when weir adds more than it may."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--rate", type=float, default=1000.0)
    parser.add_argument("--seconds", type=float, default=3.0)
    given = parser.parse_args()
    if lack := needs():
        print(lack)
        return 2
    cores = layout(sorted(sched_getaffinity(0)))
    with ExitStack() as stack:
        ways = start(cores, stack)
        print(*(f"{name}: {value}" for name, value in machine().items()), sep="; ")
        print(f"{given.rate:g} requests/s over {CONNECTIONS} connections; {cores}")
        print(line("ms", [f"{name} p50 p99 max" for name in ways]))
        rounds = []
        for turn in range(given.rounds):
            with pinned(cores.load):
                rounds.append(measure(ways, turn, given.rate, given.seconds))
            print(shown(f"{turn + 1}", rounds[-1]), flush=True)
    print(shown("median", medians(rounds)))
    nginx, weir = added(rounds, NGINX), added(rounds, WEIR)
    print(f"added to p99, ms: nginx {nginx:.3f}, weir {weir:.3f}; at most {most_allowed(nginx):.3f}")
    return 1 if weir > most_allowed(nginx) else 0


if __name__ == "__main__":
    sys.exit(main())
