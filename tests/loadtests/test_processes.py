"""The CPU time of processes."""

import os
import subprocess
import sys
import threading
import time

import pytest
from rig.processes import cpu_seconds

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux only")


def test_it_is_the_time_that_the_process_itself_sees() -> None:
    before = time.process_time()
    seen = cpu_seconds([os.getpid()])
    assert before <= seen <= time.process_time()


def test_ended_threads_count() -> None:
    used = []

    def work() -> None:
        sum(range(200_000))
        used.append(time.thread_time())

    before = cpu_seconds([os.getpid()])
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert cpu_seconds([os.getpid()]) - before >= used[0]


@pytest.mark.process
def test_other_processes_are_summed_up_and_those_gone_are_nothing() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    waits = "import sys; print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", waits], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        both = cpu_seconds([ended.pid, other.pid])
        assert 0 < both <= cpu_seconds([other.pid])
        other.communicate()
