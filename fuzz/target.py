"""The fuzz target for libFuzzer: one input is one script, played and judged.

    python fuzz/target.py CORPUS [libFuzzer options]

Every fault ends it, with the input in a file `crash-*`. `fuzz/run.py` is the comfortable way in.
"""

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["proxy"]):
    from oracle import judge


def main() -> None:
    """Fuzz until libFuzzer has enough."""
    # libFuzzer starts itself anew, through a shell, where it merges.
    sys.argv[0] = f"{sys.executable} {Path(__file__).resolve()}"
    atheris.Setup(sys.argv, judge)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
