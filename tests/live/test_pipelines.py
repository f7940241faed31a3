"""`weir start` as a pipeline calls it, with the real program: cancelled and repeated jobs, a deaf canary."""

import signal
import subprocess
from collections.abc import Callable

import pytest
from rig.origins import SampleOrigin
from rig.weir import Weir

from proxy.demo.processes import wait_until
from proxy.supervisor.commands import python

SLOW = ("--steps", "10%,100%", "--hold", "1h")
"""A plan that no test sees the end of."""


class Job:
    """One call of `weir start shop`."""

    def __init__(self, running: Weir, canary: str, *options: str) -> None:
        admin = f"http://127.0.0.1:{running.admin_port}"
        command = [*python("proxy.cli"), "start", "shop", "--canary", canary, *options, "--admin", admin]
        self._running = running
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def in_its_first_step(self) -> None:
        wait_until(lambda: view(self._running)["rollout"]["step"] == 1, "the first step", 20)

    def gets(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def end(self) -> tuple[int, str]:
        """Its exit code, and what it said on stderr."""
        _, said = self._process.communicate(timeout=30)
        return self._process.returncode, said


def view(running: Weir) -> dict[str, object]:
    shown = running.admin.service("shop")
    return shown | {"rollout": shown["rollout"] or {"step": 0}}


def events(running: Weir) -> list[str]:
    return [entry["event"] for entry in running.admin.history("shop")]


@pytest.fixture
def running(start_text: Callable[[str], Weir], origins: tuple[SampleOrigin, SampleOrigin]) -> Weir:
    return start_text(f"services: {{shop: {{stable: {origins[0].url}}}}}\n")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_cancelled_job_takes_its_canary_out(
    running: Weir, origins: tuple[SampleOrigin, SampleOrigin], number: signal.Signals, code: int
) -> None:
    job = Job(running, origins[1].url, *SLOW, "--wait", "--abort-on-timeout")
    job.in_its_first_step()
    job.gets(number)
    assert job.end() == (code, f"error: this command was ended by {number.name}: its canary was taken out\n")
    assert (view(running)["phase"], view(running)["weights"]) == (
        "rolled-back",
        {"stable": 100.0, "canary": 0.0},
    )
    assert events(running) == ["release", "start", "step", "abort"]


def test_a_cancelled_job_leaves_its_rollout_where_that_is_not_wanted_and_the_next_one_replaces_it(
    running: Weir, origins: tuple[SampleOrigin, SampleOrigin]
) -> None:
    first = Job(running, origins[1].url, *SLOW, "--wait")
    first.in_its_first_step()
    first.gets(signal.SIGTERM)
    code, said = first.end()
    assert (code, "the rollout goes on" in said) == (143, True)
    assert Job(running, origins[1].url, *SLOW).end()[0] == 4
    assert view(running)["phase"] == "progressing"
    key = ("--idempotency-key", "job 7", "--actor", "ci")
    assert Job(running, origins[1].url, *SLOW, "--replace", *key).end() == (0, "")
    there = ["release", "start", "step", "start", "step"]
    wait_until(lambda: events(running) == there, "the first step of the second one", 20)
    assert Job(running, origins[1].url, *SLOW, "--replace", *key).end() == (0, "")
    assert events(running) == there, "repeated, it does nothing"


def test_a_canary_that_nobody_answers_for_ends_the_job_soon(running: Weir, unused_tcp_port: int) -> None:
    deaf = f"http://127.0.0.1:{unused_tcp_port}"
    job = Job(running, deaf, *SLOW, "--wait", "--timeout", "1h", "--start-within", "1s", "--abort-on-timeout")
    code, said = job.end()
    assert code == 124
    assert "its first step has not begun within 1 s: held at before-start: the canary doesn't answer" in said
    assert "connection refused" in said
    assert "its canary was taken out" in said
    assert view(running)["phase"] == "rolled-back"
