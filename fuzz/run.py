"""Fuzzes the request path and the response path, with coverage as the guide.

    python fuzz/run.py [--minutes 10] [--keep]

The data plane of one worker runs in this process between fake transports (fuzz/play.py). An input says what
clients and endpoints send, cut where, in which order (fuzz/script.py); what the proxy wrote is read by h11
and compared (fuzz/oracle.py). It begins with the inputs in fuzz/corpus; `--keep` adds to them those that
reached code which none of them reaches. Needs the extra `fuzz`. Exit code 1 when something was found: the
input is in a file whose name is printed, and `python fuzz/run.py FILE` plays it again.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
CORPUS = HERE / "corpus"
LONGEST = 4096  # bytes of an input
HANGS = 60
_STATUS = re.compile(r"#(\d+)\s+\w+\s+cov: (\d+) ft: (\d+) corp: (\d+)/(\S+)")
_TOLD_EVERY = 30.0  # seconds


def target(*arguments: str) -> list[str]:
    """The command that runs the target."""
    return [sys.executable, str(HERE / "target.py"), *arguments]


def fuzz(minutes: float, found: Path) -> int:
    """Fuzz for so long; the inputs that were worth keeping go to `found`. Returns the target's exit code."""
    options = (
        f"-dict={HERE / 'http.dict'}",
        f"-max_total_time={int(minutes * 60)}",
        f"-timeout={HANGS}",
        f"-max_len={LONGEST}",
        "-len_control=20",  # longer scripts sooner: the seeds are short, and weaving two takes room
        f"-artifact_prefix={Path.cwd()}/",
    )
    command = target(str(found), str(CORPUS), *options)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout is not None
    told, last = 0.0, ""
    for raw in process.stdout:
        line = raw.decode(errors="replace").rstrip()
        if _STATUS.match(line):
            last = line
            if time.monotonic() - told > _TOLD_EVERY:
                told = time.monotonic()
                print(told_of(line), flush=True)
        elif process_says(line):
            print(line[:2000], flush=True)
    print(told_of(last))
    return process.wait()


def process_says(line: str) -> bool:
    """Whether a line is for people: a fault and where it was, not libFuzzer's own chatter."""
    return not line.startswith(("INFO", "#", '"', "0x", "MS:", "WARNING")) and "\\015\\012" not in line


def told_of(status: str) -> str:
    """A line of libFuzzer's in words."""
    match = _STATUS.match(status)
    if match is None:
        return "nothing ran"
    runs, edges, features, inputs, size = match.groups()
    return f"{runs} executions, {edges} edges and {features} features covered, corpus of {inputs} ({size})"


def keep(found: Path) -> None:
    """Add to the corpus what reaches code that nothing in it reaches."""
    before = len(list(CORPUS.iterdir()))
    # Counting how often an edge is taken would keep hundreds of files that say the same.
    merge = target("-merge=1", "-use_counters=0", str(CORPUS), str(found))
    subprocess.run(merge, check=True, capture_output=True)
    files = list(CORPUS.iterdir())
    print(
        f"corpus: {before} files before, {len(files)} now, {sum(one.stat().st_size for one in files)} bytes"
    )


def main() -> int:
    """Fuzz, or play the files that are named."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--keep", action="store_true", help="add to fuzz/corpus what reaches new code")
    parser.add_argument("files", nargs="*", help="play these and do nothing else")
    options = parser.parse_args()
    if options.files:
        return subprocess.run(target(*options.files), check=False).returncode and 1
    with tempfile.TemporaryDirectory(prefix="fuzz-") as found:
        code = fuzz(options.minutes, Path(found))
        if not code and options.keep:
            keep(Path(found))
    return 1 if code else 0


if __name__ == "__main__":
    sys.exit(main())
