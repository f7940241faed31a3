"""Following a rollout to its end: a line a change, over breaks, and an exit code."""

import json
import math
import signal
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner

from proxy.cli.client import Client, Failure
from proxy.cli.session import Session
from proxy.cli.signals import Signals
from proxy.cli.start import start
from proxy.cli.wait import ABORTS, PAUSE, Patience, RolloutSuperseded, TimedOut, await_end
from tests.cli.fake_admin import FakeAdmin, Make

SERVICE = "GET /api/v1/services/checkout"


class Story:
    """What the API answers from one look to the next; each look takes the time that it slept for."""

    def __init__(self, fake: Any, *scenes: Callable[[], None], as_json: bool = False) -> None:
        self.fake, self.scenes = fake, list(scenes)
        self.session = Session(Client(fake.url), as_json, " -x")
        self.time = 0.0
        self.signals = Signals()

    def sleep(self, seconds: float) -> None:
        self.time += seconds
        if self.scenes:
            self.scenes.pop(0)()

    def play(self, view: Any, seconds: float = math.inf, **more: Any) -> int:
        patience = Patience(seconds, signals=self.signals, **more)
        return await_end(self.session, view, patience, "ci", lambda: self.time, self.sleep)


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


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_the_rollout_alone_and_says_so(
    fake_admin: FakeAdmin, rolling_view: Make, number: signal.Signals, code: int
) -> None:
    story = Story(fake_admin, lambda: story.signals.note(number, None))
    with pytest.raises(Failure) as ended:
        story.play(rolling_view())
    assert ended.value.exit_code == code
    said = f"this command was ended by {number.name}; the rollout goes on."
    assert ended.value.message.startswith(said)
    assert "weir abort checkout -x" in ended.value.message
    assert fake_admin.asked == []


ABORT = "POST /api/v1/services/checkout/rollout/abort"


def test_a_timeout_takes_the_canary_out_where_that_is_wanted(
    fake_admin: FakeAdmin,
    shows: Callable[..., Any],
    rolling_view: Make,
    tripped_view: Make,
    capsys: pytest.CaptureFixture[str],
) -> None:
    start = rolling_view(revision=8)
    fake_admin.answers[ABORT] = (200, tripped_view("checkout", revision=10))
    story = Story(fake_admin, shows(rolling_view(revision=9), after=8))
    with pytest.raises(TimedOut, match="not ended within 1 s: its canary was taken out"):
        story.play(start, 0.7, abort=True)
    name, fields, body = fake_admin.asked[-1]
    assert (name, fields["If-Match"]) == (ABORT, '"9"')
    assert body == {"reason": "it has not ended within 1 s", "actor": "ci"}
    assert "revision 10" in capsys.readouterr().out.splitlines()[-1]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_takes_the_canary_out_where_that_is_wanted(
    fake_admin: FakeAdmin, rolling_view: Make, tripped_view: Make, number: signal.Signals, code: int
) -> None:
    fake_admin.answers[ABORT] = (200, tripped_view("checkout"))
    story = Story(fake_admin, lambda: story.signals.note(number, None))
    with pytest.raises(Failure) as ended:
        story.play(rolling_view(revision=8), abort=True)
    assert ended.value.exit_code == code
    assert ended.value.message == f"this command was ended by {number.name}: its canary was taken out"
    assert [name for name, _, _ in fake_admin.asked] == [ABORT]


def conflict(fake: FakeAdmin) -> Callable[[], None]:
    def scene() -> None:
        fake.answers[ABORT] = (412, {"detail": "the revision is another one"})

    return scene


def test_a_rollout_that_went_on_meanwhile_is_looked_at_again(
    fake_admin: FakeAdmin, shows: Callable[..., Any], rolling_view: Make, entry: Make
) -> None:
    shows(rolling_view(revision=9), entry(9, event="step"), after=8)()
    conflict(fake_admin)()
    with pytest.raises(TimedOut, match="could not be taken out: the revision is another one"):
        Story(fake_admin).play(rolling_view(revision=8), 0.0, abort=True)
    tried = [fields["If-Match"] for name, fields, _ in fake_admin.asked if name == ABORT]
    assert tried == ['"8"', *['"9"'] * (ABORTS - 1)]


@pytest.mark.parametrize("event", ["start", "retry", "undo", "release"])
def test_the_rollout_of_somebody_else_is_never_taken_out(
    fake_admin: FakeAdmin, shows: Callable[..., Any], rolling_view: Make, entry: Make, event: str
) -> None:
    shows(rolling_view(revision=10), entry(9, event="abort"), entry(10, event=event), after=8)()
    conflict(fake_admin)()
    with pytest.raises(RolloutSuperseded):
        Story(fake_admin).play(rolling_view(revision=8), 0.0, abort=True)
    assert [name for name, _, _ in fake_admin.asked].count(ABORT) == 1


@pytest.mark.parametrize(("phase", "code"), [("promoted", 0), ("rolled-back", 1)])
def test_a_rollout_that_has_ended_meanwhile_has_its_own_end(
    fake_admin: FakeAdmin, shows: Callable[..., Any], view: Make, rolling_view: Make, phase: str, code: int
) -> None:
    shows(view(phase=phase, revision=9), after=8)()
    conflict(fake_admin)()
    assert Story(fake_admin).play(rolling_view(revision=8), 0.0, abort=True) == code


def test_what_cannot_be_taken_out_goes_on_and_that_is_said(fake_admin: FakeAdmin, rolling_view: Make) -> None:
    fake_admin.answers[ABORT] = (503, {"detail": "starting"})
    with pytest.raises(TimedOut) as timed_out:
        Story(fake_admin).play(rolling_view(revision=8), 0.0, abort=True)
    assert (
        "its canary could not be taken out: starting (HTTP 503); the rollout goes on"
        in timed_out.value.message
    )
    assert "weir abort checkout -x" in timed_out.value.message


def test_another_rollout_is_not_followed(
    fake_admin: FakeAdmin, shows: Callable[..., Any], rolling_view: Make, entry: Make
) -> None:
    other = shows(rolling_view(revision=10), entry(9, event="abort"), entry(10, event="start"), after=8)
    with pytest.raises(RolloutSuperseded):
        Story(fake_admin, other).play(rolling_view(revision=8))


def test_a_canary_that_does_not_answer_is_not_awaited_for_the_whole_time(
    fake_admin: FakeAdmin, shows: Callable[..., Any], rolling_view: Make
) -> None:
    asked = rolling_view(step=0, revision=8)
    asked["rollout"]["waiting"]["says"] = "held at before-start: connection refused"
    story = Story(fake_admin, *[shows(asked)] * 9)
    with pytest.raises(TimedOut, match="step has not begun within 1 s: held at before-start: connection ref"):
        story.play(asked, 60.0, start=1.0)
    assert story.time == 1.0


def test_who_has_answered_is_awaited(
    fake_admin: FakeAdmin, shows: Callable[..., Any], rolling_view: Make, paused_view: Make
) -> None:
    start, paused = rolling_view(step=0, revision=8), paused_view(step=0, revision=8)
    end = shows(rolling_view(revision=9, phase="promoted"), after=8)
    story = Story(fake_admin, shows(paused), shows(paused), *[shows(rolling_view(revision=8))] * 3, end)
    assert story.play(start, start=1.0) == 0
    assert story.time == 6 * PAUSE


@pytest.mark.parametrize("option", [("--timeout", "1m"), ("--start-within", "1m"), ("--abort-on-timeout",)])
def test_what_belongs_to_wait_is_refused_without_it(fake_admin: FakeAdmin, option: tuple[str, ...]) -> None:
    result = CliRunner().invoke(start, ["checkout", *option, "--admin", fake_admin.url])
    assert result.exit_code == 2
    assert f"{option[0]} belongs to --wait" in result.stderr
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
