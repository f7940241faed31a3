"""That memory freed is used again, and not given back and taken anew."""

import resource
import subprocess
import sys

import pytest

pytestmark = pytest.mark.process

PIECES = """
import resource
from proxy.worker.allocator import keep_what_is_freed

view = memoryview(bytearray(250_000))
if {kept}:
    keep_what_is_freed()
for _ in range(10):
    pieces = [bytes(view) for _ in range(3)]
    del pieces
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(100):
    pieces = [bytes(view) for _ in range(3)]
    del pieces
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(kept: bool) -> int:
    """Pages that were faulted in for 300 pieces of an answer."""
    done = subprocess.run(
        [sys.executable, "-c", PIECES.format(kept=kept)], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it isn't glibc")
def test_pieces_of_an_answer_take_the_memory_of_those_before_them() -> None:
    page = resource.getpagesize()
    assert faults(kept=False) > 100 * 250_000 / page  # or there is nothing to mend any more
    assert faults(kept=True) < 100
