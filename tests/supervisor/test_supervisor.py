"""A supervisor in a process of its own over stub children, from its start to its last signal."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from proxy.supervisor.plan import LaunchPlan

pytestmark = pytest.mark.process

DRIVE = str(Path(__file__).with_name("drive.py"))


class Run:
    """One supervisor: what it says, what its children heard, and where it listens."""

    def __init__(self, place: Path, plan: LaunchPlan, times: tuple[float, float]) -> None:
        self.place = place
        self.plan = plan
        path = place / "plan.json"
        path.write_text(plan.to_json())
        Path(plan.directory).mkdir()
        root = str(Path(__file__).resolve().parents[2])
        self.process = subprocess.Popen(
            [sys.executable, DRIVE, str(path), *map(str, times)],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "WEIR_STUB": str(place), "PYTHONPATH": root},
            start_new_session=True,
        )
        self.said: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr
        self.said.extend(iter(self.process.stderr.readline, ""))

    def advise(self, name: str, word: str) -> None:
        (self.place / name).write_text(word)

    def up(self) -> "Run":
        self.until(lambda: "listening on" in self.text)
        found = re.search(r"http://([\d.]+):(\d+) .*admin http://[\d.]+:(\d+)", self.text)
        assert found
        self.address = (found[1], int(found[2]))
        self.admin = (found[1], int(found[3]))
        return self

    @property
    def text(self) -> str:
        return "".join(self.said)

    @property
    def story(self) -> list[str]:
        """Lines `NAME PID WHAT` in the order in which it happened."""
        path = self.place / "story"
        return path.read_text().splitlines() if path.exists() else []

    def pids(self, name: str) -> list[int]:
        return [int(line.split()[1]) for line in self.story if line.split()[::2] == [name, "begins"]]

    def heard(self, name: str, word: str) -> list[int]:
        return [int(line.split()[1]) for line in self.story if line.split()[::2] == [name, word]]

    def ask(self, address: tuple[str, int]) -> tuple[str, int, str]:
        """Name, pid and boot id of whoever answers."""
        with socket.create_connection(address, timeout=10) as client:
            name, pid, boot = client.recv(1000).decode().split()
        return name, int(pid), boot

    def until(self, true: Callable[[], object]) -> None:
        deadline = time.monotonic() + 20
        while not true():
            assert time.monotonic() < deadline, f"said: {self.text}\nstory: {self.story}"
            time.sleep(0.005)

    def end(self, *signals: signal.Signals) -> int:
        for signum in signals:
            self.process.send_signal(signum)
        code = self.process.wait(20)
        self._reader.join(5)
        if self.process.stderr:
            self.process.stderr.close()
        return code

    def nobody_is_left(self) -> bool:
        return not any(map(alive, {int(line.split()[1]) for line in self.story}))


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except ProcessLookupError:
        return False
    except FileNotFoundError:
        return not Path("/proc/self").exists()  # macOS has no /proc
    return state != "Z"  # an orphan that has ended may wait for whoever adopted it; it runs no more


Start = Callable[..., Run]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a supervisor; `advice` is given to its children beforehand, the rest changes the plan."""
    plan = LaunchPlan(
        listen=(("127.0.0.1", 0),),
        admin=("127.0.0.1", 0),
        workers=2,
        directory=str(tmp_path / "private"),
        config="",
        source="weir.yaml",
        state="",
        delay=0.0,
        grace=5.0,
        log_level="info",
    )
    runs: list[Run] = []

    def begin(
        advice: dict[str, str] | None = None, within: float = 20, stop: float = 5, **changes: object
    ) -> Run:
        for name, word in (advice or {}).items():
            (tmp_path / name).write_text(word)
        runs.append(Run(tmp_path, replace(plan, **changes), (within, stop)))
        return runs[-1]

    yield begin
    for run in runs:
        run.process.kill()
        run.end()
        run.until(run.nobody_is_left)


def test_starts_all_at_once_and_says_one_line_when_all_are_ready(start: Start) -> None:
    run = start().up()
    assert all(run.heard(name, "ready") for name in ("control", "worker-0", "worker-1"))
    address, admin = ("{}:{}".format(*where) for where in (run.address, run.admin))
    where = f"listening on http://{address} (2 workers), admin http://{admin}, ledger {run.plan.state}"
    assert run.text == f"weir: {where}\n"
    assert run.ask(run.address)[0].startswith("worker-")
    assert run.ask(run.admin)[0] == "control"


def test_sigterm_drains_workers_and_stops_control_last(start: Start) -> None:
    run = start().up()
    assert run.end(signal.SIGTERM) == 0
    order = [line.split()[::2] for line in run.story if line.split()[2] not in ("begins", "ready")]
    assert sorted(order[:3]) == [["control", "drain"], ["worker-0", "drain"], ["worker-1", "drain"]]
    assert order[3:] == [["control", "stop"]]
    assert run.nobody_is_left()
    assert not Path(run.plan.directory).exists()


def test_between_readiness_and_closing_lies_the_delay(start: Start) -> None:
    run = start(delay=0.3).up()
    before = time.monotonic()
    assert run.end(signal.SIGTERM) == 0
    assert time.monotonic() - before >= 0.3


def test_until_the_listeners_close_a_worker_that_dies_is_replaced(start: Start) -> None:
    run = start(delay=60.0).up()
    run.process.send_signal(signal.SIGTERM)
    run.until(lambda: run.heard("control", "drain"))
    os.kill(run.pids("worker-0")[0], signal.SIGKILL)
    run.until(lambda: len(run.heard("worker-0", "ready")) == 2)
    assert run.ask(run.address)
    assert not run.heard("worker-0", "drain") + run.heard("worker-1", "drain")


def test_while_workers_finish_nobody_can_connect(start: Start) -> None:
    run = start({"worker-0": "lingering", "worker-1": "lingering"}, grace=60.0).up()
    run.process.send_signal(signal.SIGTERM)
    run.until(lambda: run.heard("worker-0", "drain") and run.heard("worker-1", "drain"))
    run.until(lambda: refused(run.address))
    assert run.process.poll() is None


def refused(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, timeout=10).close()
    except ConnectionRefusedError:
        return True
    return False


def test_a_control_that_dies_while_draining_is_told_again(start: Start) -> None:
    run = start(delay=60.0).up()
    run.process.send_signal(signal.SIGTERM)
    run.until(lambda: run.heard("control", "drain"))
    os.kill(run.pids("control")[0], signal.SIGKILL)
    run.until(lambda: len(run.heard("control", "drain")) == 2)
    assert run.heard("control", "drain") == run.pids("control")


def test_who_does_not_end_in_time_is_killed(start: Start) -> None:
    run = start({"worker-1": "stubborn", "control": "stubborn"}, stop=0.3, grace=-1.0).up()
    assert run.end(signal.SIGINT) == 0
    assert "weir: worker 1 has not ended within 1 s: killed\n" in run.text
    assert "weir: control has not ended within 0.3 s: killed\n" in run.text
    assert "worker 0" not in run.text
    assert run.nobody_is_left()


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_everything_at_once(start: Start, signum: signal.Signals) -> None:
    run = start({"worker-0": "stubborn"}, grace=60.0).up()
    run.process.send_signal(signum)
    run.until(lambda: run.heard("worker-0", "drain"))
    assert run.end(signum) == 128 + signum  # it waits a third of the grace
    assert run.nobody_is_left()
    assert not Path(run.plan.directory).exists()


@pytest.mark.parametrize("slow", ["control", "worker-1"])
def test_none_waits_for_another_to_be_ready_but_the_line_does(start: Start, slow: str) -> None:
    run = start({slow: "deaf"})
    others = {"control", "worker-0", "worker-1"} - {slow}
    run.until(lambda: all(run.heard(name, "ready") for name in others) and run.pids(slow))
    assert run.text == ""
    assert run.end(signal.SIGTERM) == 0
    assert run.nobody_is_left()


def test_a_signal_before_all_are_up_ends_the_start(start: Start) -> None:
    run = start({"worker-1": "deaf"})
    run.until(lambda: run.pids("worker-1"))
    assert run.end(signal.SIGTERM) == 0
    assert "listening" not in run.text
    assert run.nobody_is_left()


def test_sighup_has_control_and_workers_reload_and_ends_nothing(start: Start) -> None:
    run = start().up()
    run.process.send_signal(signal.SIGHUP)
    run.until(lambda: run.heard("worker-0", "reload") and run.heard("worker-1", "reload"))
    assert run.ask(run.address)
    run.until(lambda: run.heard("control", "reload"))
    assert run.end(signal.SIGTERM) == 0


def test_a_control_that_takes_a_place_later_reads_what_is_in_force_and_no_more(start: Start) -> None:
    run = start(workers=1).up()
    run.process.send_signal(signal.SIGHUP)
    run.until(lambda: run.heard("control", "reload"))
    os.kill(run.pids("control")[0], signal.SIGKILL)
    run.until(lambda: len(run.pids("control")) == 2)
    assert run.end(signal.SIGTERM) == 0
    assert len(run.heard("control", "reload")) == 1


def test_a_worker_that_was_starting_at_sighup_reloads_once_it_is_ready(start: Start) -> None:
    run = start(workers=1).up()
    run.process.send_signal(signal.SIGHUP)
    run.until(lambda: run.heard("worker-0", "reload"))
    os.kill(run.pids("worker-0")[0], signal.SIGKILL)
    run.until(lambda: len(run.heard("worker-0", "reload")) == 2)
    assert run.heard("worker-0", "reload") == run.pids("worker-0")


def test_sighup_while_leaving_changes_nothing(start: Start) -> None:
    run = start({"worker-0": "stubborn"}, workers=1).up()
    run.process.send_signal(signal.SIGTERM)
    run.until(lambda: run.heard("worker-0", "drain"))
    run.process.send_signal(signal.SIGHUP)
    assert run.end(signal.SIGTERM) == 128 + signal.SIGTERM
    assert not run.heard("worker-0", "reload")


def test_where_it_listens_is_told_with_its_scheme(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "weir.sock"
    run = start(listen=(("127.0.0.1", 0), str(path)), tls=((("/a.pem", "/a.key"),), ()))
    run.until(lambda: "listening on" in run.text)
    assert re.search(rf"listening on https://127\.0\.0\.1:\d+, unix:{path} \(2 workers\)", run.text)
    assert run.end(signal.SIGTERM) == 0
    assert not path.exists()


@pytest.mark.parametrize(
    ("name", "word", "reason"),
    [
        ("control", "fail", "weir: control (pid {pid}) failed to start: the ledger is locked\n"),
        (
            "control",
            "die",
            "weir: control (pid {pid}) failed to start: it ended with exit code 7 before it was ready\n",
        ),
        ("worker-1", "fail", "weir: worker 1 (pid {pid}) failed to start: the ledger is locked\n"),
        ("worker-0", "deaf", "weir: worker 0 (pid {pid}) failed to start: it was not ready within 3 s\n"),
    ],
)
def test_a_child_that_fails_to_start_stops_the_program(
    start: Start, name: str, word: str, reason: str
) -> None:
    run = start({name: word}, within=3 if word == "deaf" else 20)
    assert run.end() == 1
    (pid,) = run.pids(name)
    assert run.text == reason.format(pid=pid)
    assert run.nobody_is_left()
    assert not Path(run.plan.directory).exists()


def test_a_port_in_use_is_one_line_and_exit_code_1(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        run = start(listen=(other.getsockname(),))
        assert run.end() == 1
        assert re.fullmatch(
            r"weir: cannot listen on 127.0.0.1:\d+: it is already in use: stop .*\n", run.text
        )
    assert run.story == []


def test_a_worker_that_dies_is_replaced_on_the_same_socket_with_a_new_boot(start: Start) -> None:
    run = start(workers=1).up()
    _, pid, boot = run.ask(run.address)
    os.kill(pid, signal.SIGKILL)
    name, next_pid, next_boot = run.ask(run.address)  # waits in the queue until the next worker takes it
    assert (name, next_pid != pid, next_boot != boot) == ("worker-0", True, True)
    run.until(lambda: "ready again" in run.text)
    assert f"weir: worker 0 (pid {pid}) was killed by SIGKILL; starting another\n" in run.text
    assert f"weir: worker 0 (pid {next_pid}) is ready again\n" in run.text


def test_control_that_dies_is_replaced_and_workers_stay(start: Start) -> None:
    run = start().up()
    _, pid, _ = run.ask(run.admin)
    os.kill(pid, signal.SIGSEGV)
    assert run.ask(run.admin)[1] != pid
    assert f"weir: control (pid {pid}) was killed by SIGSEGV; starting another\n" in run.text
    assert (len(run.pids("worker-0")), len(run.pids("worker-1"))) == (1, 1)


def test_failing_restarts_are_tried_for_ever_while_the_others_live(start: Start) -> None:
    run = start().up()
    run.advise("worker-0", "die")
    os.kill(run.pids("worker-0")[0], signal.SIGKILL)
    run.until(lambda: len(run.pids("worker-0")) == 5)
    assert "before it was ready; starting another in 0.2 s\n" in run.text
    assert run.process.poll() is None
    run.advise("worker-0", "")
    run.until(lambda: "ready again" in run.text)
    assert run.end(signal.SIGTERM) == 0


def test_leaving_does_not_wait_for_the_next_try(start: Start) -> None:
    run = start().up()
    run.advise("worker-0", "die")
    os.kill(run.pids("worker-0")[0], signal.SIGKILL)
    run.until(lambda: "in 0.4 s" in run.text)
    assert run.end(signal.SIGTERM) == 0
    assert run.nobody_is_left()


def test_no_orphans_after_sigkill_of_the_supervisor(start: Start) -> None:
    run = start().up()
    run.end(signal.SIGKILL)
    run.until(run.nobody_is_left)
    assert {line.split()[0] for line in run.story if line.endswith("orphaned")} == {
        "control",
        "worker-0",
        "worker-1",
    }


def test_a_terminals_ctrl_c_reaches_the_supervisor_alone(start: Start) -> None:
    run = start().up()
    os.killpg(run.process.pid, signal.SIGINT)
    assert run.end() == 0
    assert len(run.heard("worker-0", "drain")) == 1
