"""Following a rollout to its end: a line a change, over breaks, and an exit code."""

import json
import math
from collections.abc import Callable
from typing import Any

import pytest

from proxy.cli.client import Client
from proxy.cli.session import Session
from proxy.cli.wait import PAUSE, RolloutSuperseded, TimedOut, await_end
from tests.cli.fake_admin import FakeAdmin, Make

SERVICE = "GET /api/v1/services/checkout"


class Story:
    """What the API answers from one look to the next; each look takes the time that it slept for."""

    def __init__(self, fake: Any, *scenes: Callable[[], None], as_json: bool = False) -> None:
        self.fake, self.scenes = fake, list(scenes)
        self.session = Session(Client(fake.url), as_json, " -x")
        self.time = 0.0

    def sleep(self, seconds: float) -> None:
        self.time += seconds
        if self.scenes:
            self.scenes.pop(0)()

    def play(self, view: Any, patience: float = math.inf) -> int:
        return await_end(self.session, view, patience, lambda: self.time, self.sleep)


@pytest.fixture
def shows(fake_admin: Any) -> Callable[..., Callable[[], None]]:
    """A scene: this is how it stands, with these entries after the last revision that was told."""

    def shows(view: Any, *entries: Any, after: int = 0) -> Callable[[], None]:
        def scene() -> None:
            fake_admin.answers[SERVICE] = (200, view)
            path = f"{SERVICE}/history?after_revision={after}"
            fake_admin.answers[path] = (200, {"service": "checkout", "entries": list(entries)})

        return scene

    return shows


def test_a_line_a_change_until_it_is_promoted(
    fake_admin: FakeAdmin,
    shows: Callable[..., Any],
    rolling_view: Make,
    paused_view: Make,
    entry: Make,
    capsys: pytest.CaptureFixture[str],
) -> None:
    start = rolling_view(step=0, revision=8)
    story = Story(
        fake_admin,
        shows(start),
        shows(rolling_view(revision=9), entry(9, event="step"), after=8),
        shows(paused_view(revision=10), entry(10, event="gate"), after=9),
        shows(paused_view(revision=10)),
        shows(rolling_view(revision=12, phase="promoted"), entry(11), entry(12, event="promotion"), after=10),
    )
    assert story.play(start) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "checkout: progressing, before step 1 of 3, revision 8"
    assert [line.split()[4:6] for line in lines[1:3]] == [["9", "step"], ["10", "gate"]]
    assert lines[3] == "checkout: paused: ask the on-call; to go on: weir promote checkout -x"
    assert [line.split()[4:6] for line in lines[4:6]] == [["11", "weight"], ["12", "promotion"]]
    assert lines[6].startswith("checkout  revision 12  promoted")
    assert len(lines) == 7
    assert story.time == 5 * PAUSE


def test_a_rollback_is_1_with_its_reason(
    fake_admin: FakeAdmin,
    shows: Callable[..., Any],
    rolling_view: Make,
    tripped_view: Make,
    capsys: pytest.CaptureFixture[str],
) -> None:
    start = rolling_view(revision=8)
    story = Story(fake_admin, shows(tripped_view("checkout", revision=9), after=8))
    assert story.play(start) == 1
    assert capsys.readouterr().out.splitlines()[-1].endswith("canary 0 %: error-rate 27.3 % is too high")


def test_a_closed_gate_is_told_once(
    fake_admin: FakeAdmin, shows: Callable[..., Any], rolling_view: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    start = rolling_view(revision=8)
    closed = rolling_view(revision=8)
    closed["rollout"]["waiting"]["gate"] = {"at": "before-step", "says": "answered 503", "asked": 1}
    end = shows(rolling_view(revision=9, phase="promoted"), after=8)
    story = Story(fake_admin, shows(closed), shows(closed), shows(start), shows(closed), end)
    assert story.play(start) == 0
    assert capsys.readouterr().out.splitlines()[1:-1] == ["checkout: before-step: answered 503"] * 2


def test_time_runs_out_and_the_rollout_goes_on(
    fake_admin: FakeAdmin, shows: Callable[..., Any], rolling_view: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    start = rolling_view(revision=8)
    story = Story(fake_admin, shows(start))
    with pytest.raises(TimedOut) as timed_out:
        story.play(start, 0.7)
    assert timed_out.value.exit_code == 124
    assert "within 1 s; the rollout goes on" in timed_out.value.message
    assert "weir abort checkout -x" in timed_out.value.message
    assert story.time == pytest.approx(0.7)
    assert "progressing" in capsys.readouterr().out.splitlines()[-1]


def test_a_control_that_is_away_is_waited_for(
    fake_admin: FakeAdmin,
    shows: Callable[..., Any],
    rolling_view: Make,
    entry: Make,
    capsys: pytest.CaptureFixture[str],
) -> None:
    start = rolling_view(revision=8)

    def away() -> None:
        fake_admin.answers[SERVICE] = (503, {"detail": "starting"})

    end = shows(rolling_view(revision=9, phase="promoted"), entry(9, event="promotion"), after=8)
    assert Story(fake_admin, away, away, end).play(start) == 0
    told = capsys.readouterr()
    assert told.err == "weir: starting (HTTP 503); trying again\n"
    assert "revision 9  promotion" in told.out


def test_it_is_told_at_once_that_control_is_away(
    fake_admin: FakeAdmin, shows: Callable[..., Any], rolling_view: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    def away() -> None:
        fake_admin.answers[SERVICE] = (503, {"detail": "starting"})

    end = shows(rolling_view(revision=9, phase="promoted"), after=8)
    assert Story(fake_admin, away, end).play(rolling_view(revision=8)) == 0
    assert capsys.readouterr().err == "weir: starting (HTTP 503); trying again\n"


def test_entries_that_the_ledger_gets_later_are_told_later(
    fake_admin: FakeAdmin,
    shows: Callable[..., Any],
    rolling_view: Make,
    entry: Make,
    capsys: pytest.CaptureFixture[str],
) -> None:
    start, on = rolling_view(revision=8), rolling_view(revision=9)
    written = shows(on, entry(9, event="weight"), after=8)
    end = shows(rolling_view(revision=10, phase="promoted"), entry(10), after=9)
    assert Story(fake_admin, shows(on, after=8), written, end).play(start) == 0
    assert [line.split()[4] for line in capsys.readouterr().out.splitlines()[1:-1]] == ["9", "10"]


def test_a_rollout_that_is_no_more_is_a_conflict(
    fake_admin: FakeAdmin, shows: Callable[..., Any], rolling_view: Make, view: Make
) -> None:
    with pytest.raises(RolloutSuperseded) as superseded:
        Story(fake_admin, shows(view(revision=9), after=8)).play(rolling_view(revision=8))
    assert superseded.value.exit_code == 4


def test_an_interrupt_leaves_the_rollout_alone_and_says_so(
    fake_admin: FakeAdmin, rolling_view: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Story(fake_admin, interrupt).play(rolling_view())
    told = capsys.readouterr().err
    assert told.startswith("weir: no longer waiting; the rollout goes on.")
    assert "weir abort checkout -x" in told
    assert fake_admin.asked == []


def test_json_lines_name_their_kind(
    fake_admin: FakeAdmin,
    shows: Callable[..., Any],
    rolling_view: Make,
    entry: Make,
    capsys: pytest.CaptureFixture[str],
) -> None:
    start, end = rolling_view(revision=8), rolling_view(revision=9, phase="promoted")
    assert Story(fake_admin, shows(end, entry(9), after=8), as_json=True).play(start) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines == [{"service": start}, {"entry": entry(9)}, {"service": end}]


def test_what_is_not_durable_is_told(
    fake_admin: FakeAdmin, rolling_view: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    assert Story(fake_admin).play(rolling_view(phase="promoted", durable=False)) == 0
    assert "not durable" in capsys.readouterr().err
