"""What is there when a process is ready isn't looked at again; cycles that come later are collected."""

import os
import subprocess
import sys

import pytest

from proxy.supervisor.commands import environment

pytestmark = pytest.mark.process

PROGRAM = """
import gc, os, weakref
from proxy.child.garbage_collector import THRESHOLD, exempt_startup_objects

class Cycle:
    def __init__(self):
        self.itself = self

gc.disable()  # until it is told
gone = weakref.ref(Cycle())
exempt_startup_objects()
assert gc.get_freeze_count() > 1000, gc.get_freeze_count()
gc.collect()
assert gone() is not None, "what was set aside was looked at"
gc.enable()
later = weakref.ref(Cycle())
made = [[] for _ in range(THRESHOLD - 1000)]
assert later() is not None, "the young were looked at early"
made += [[] for _ in range(2000)]
assert later() is None, "the young are never looked at"
"""


def test_only_what_comes_later_is_looked_at() -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-c", PROGRAM], env=environment(os.environ), capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
