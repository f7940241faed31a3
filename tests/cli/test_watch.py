"""`weir get -w`: pictures on a terminal, lines elsewhere, and API restarts in between."""

import contextlib
import itertools
import json
import os
import pty
import signal
import subprocess
import sys
from datetime import datetime
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from proxy.cli.client import Client, Misuse, Unreachable
from proxy.cli.get import get
from proxy.cli.session import Session
from proxy.cli.watch import INTERVAL, changes, picture, pictures
from tests.cli.fake_admin import FakeAdmin, Make

EVENTS = "GET /api/v1/events"
INTERRUPTIBLE = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from proxy.cli import main; main()"
)
"""Jobs in the background of a shell ignore SIGINT, and so does all that they start."""


def lines(
    fake: FakeAdmin, count: int, service: str | None = None, as_json: bool = False
) -> tuple[list[str], list[float]]:
    """The first so many lines of change, and the pauses made for them."""
    pauses: list[float] = []
    found = changes(Session(Client(fake.url), as_json), service, pauses.append)
    return list(itertools.islice(found, count)), pauses


def test_first_where_it_stands_then_each_transition(fake_admin: FakeAdmin, view: Make, entry: Make) -> None:
    fake_admin.show(view(), view("search"))
    fake_admin.answers[EVENTS] = [[entry(8), entry(9, event="trip", to=0.0)]]
    found, _ = lines(fake_admin, 4)
    assert found[0].startswith("checkout  revision 7")
    assert found[1].startswith("search  revision 7")
    assert [line.split()[4:6] for line in found[2:]] == [["8", "weight"], ["9", "trip"]]
    asked = [name for name, _, _ in fake_admin.asked]
    assert asked == [EVENTS, "GET /api/v1/services"]  # in this order nothing falls between them


def test_a_transition_already_in_the_state_is_not_told_again(
    fake_admin: FakeAdmin, view: Make, entry: Make
) -> None:
    fake_admin.show(view())
    fake_admin.answers[EVENTS] = [[entry(6), entry(7), entry(8)]]
    found, _ = lines(fake_admin, 2)
    assert "revision 8" in found[1]


def test_one_service_only(fake_admin: FakeAdmin, view: Make, entry: Make) -> None:
    fake_admin.show(view())
    fake_admin.answers[EVENTS] = [[entry(8, service="search"), entry(9)]]
    found, _ = lines(fake_admin, 2, "checkout")
    assert "revision 9" in found[1]


def test_after_a_break_it_goes_on_behind_the_last_entry(
    fake_admin: FakeAdmin, view: Make, entry: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_admin.show(view())
    fake_admin.answers[EVENTS] = [[entry(8)], [entry(9)]]
    found, pauses = lines(fake_admin, 3)
    assert "revision 9" in found[2]
    assert [headers.get("Last-Event-ID") for name, headers, _ in fake_admin.asked if name == EVENTS] == [
        None,
        "8",
    ]
    assert pauses == [1.0]
    assert capsys.readouterr().err == "weir: the event stream ended; connecting again\n"


def test_a_break_before_any_entry_shows_what_changed_meanwhile(fake_admin: FakeAdmin, view: Make) -> None:
    fake_admin.show(view(), view("search"))
    fake_admin.answers[EVENTS] = [[], []]
    found = changes(Session(Client(fake_admin.url), False), None, lambda _: None)
    first = [next(found), next(found)]
    fake_admin.show(view(), view("search", revision=8))
    assert "revision 7" in first[1]
    assert next(found).startswith("search  revision 8")


def test_an_api_that_is_away_for_a_while_is_waited_for(
    fake_admin: FakeAdmin, view: Make, entry: Make
) -> None:
    fake_admin.show(view())
    fake_admin.answers[EVENTS] = [[entry(8)]]
    pauses = 0

    def pause(_: float) -> None:
        nonlocal pauses
        pauses += 1
        if pauses == 3:
            fake_admin.answers[EVENTS] = [[entry(9)]]

    found = changes(Session(Client(fake_admin.url), False), None, pause)
    assert "revision 9" in list(itertools.islice(found, 3))[2]


def test_an_api_that_never_was_there_is_an_error(dead_url: str, fake_admin: FakeAdmin) -> None:
    with pytest.raises(Unreachable):
        next(changes(Session(Client(dead_url), False), None))
    with pytest.raises(Unreachable):
        next(pictures(Session(Client(dead_url), False), None))
    fake_admin.answers[EVENTS] = [[]]
    with pytest.raises(Misuse):
        next(changes(Session(Client(fake_admin.url), False), "chekout"))


def test_json_lines_name_their_kind(fake_admin: FakeAdmin, view: Make, entry: Make) -> None:
    fake_admin.show(view())
    fake_admin.answers[EVENTS] = [[entry(8)]]
    found, _ = lines(fake_admin, 2, as_json=True)
    assert [json.loads(line) for line in found] == [{"service": view()}, {"entry": entry(8)}]


def test_pictures_keep_the_last_state_while_the_api_is_away(
    fake_admin: FakeAdmin, view: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = (datetime(2026, 1, 2, 3, 4, second) for second in itertools.count())
    monkeypatch.setattr("proxy.cli.watch.datetime", SimpleNamespace(now=lambda: next(moments)))
    fake_admin.show(view())
    pauses: list[float] = []
    found = pictures(Session(Client(fake_admin.url), False), None, pauses.append)
    first = next(found)
    fake_admin.answers["GET /api/v1/services"] = (503, {"detail": "starting"})
    away = next(found)
    assert away.startswith(f"{first}\nnot updated since 03:04:00: ")
    assert "starting (HTTP 503)" in away
    assert next(found) == away  # the moment it was lost, not now
    fake_admin.show(view(revision=9))
    assert next(found) == first
    assert pauses == [INTERVAL] * 3
    assert INTERVAL >= 0.2, "at most five a second"


def test_where_stdout_is_no_terminal_lines_are_printed(
    fake_admin: FakeAdmin, view: Make, entry: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("proxy.cli.watch.changes.__defaults__", (stop,))
    fake_admin.show(view())
    fake_admin.answers[EVENTS] = [[entry(8)]]
    result = CliRunner().invoke(get, ["-w", "--admin", fake_admin.url])
    assert result.exit_code == 130
    assert len(result.stdout.splitlines()) == 2


@pytest.mark.parametrize("no_color", ["", "1"])
def test_on_a_terminal_the_picture_is_redrawn_until_ctrl_c(
    fake_admin: FakeAdmin, tripped_view: Make, no_color: str
) -> None:
    fake_admin.show(tripped_view())
    parent, child = pty.openpty()
    command = [
        sys.executable,
        "-c",
        INTERRUPTIBLE,
        "get",
        "-w",
        "--admin",
        fake_admin.url,
    ]
    environment = {
        **os.environ,
        "TERM": "xterm-256color",
        "NO_COLOR": no_color,
        "COLUMNS": "120",
        "LINES": "30",
    }
    with (
        subprocess.Popen(command, stdout=child, stderr=child, env=environment) as process,
        contextlib.ExitStack() as ending,
    ):
        ending.callback(process.kill)
        os.close(child)
        shown = b""
        while shown.count(b"weir resume pay") < 2:
            shown += os.read(parent, 4096)
        process.send_signal(signal.SIGINT)
        try:
            while more := os.read(parent, 4096):
                shown += more
        except OSError:
            pass  # how a terminal on Linux says that nobody writes to it any more
        assert process.wait(30) == 130
    os.close(parent)
    assert b"Traceback" not in shown
    assert (b"[1;31m" in shown) is not bool(no_color)


def test_one_service_is_a_tree_and_all_are_a_table(fake_admin: FakeAdmin, rolling_view: Make) -> None:
    fake_admin.show(rolling_view())
    session = Session(Client(fake_admin.url), False)
    assert picture(session, "checkout").startswith("checkout  progressing, step 1 of 3, revision 7\n")
    assert picture(session, None).startswith("SERVICE")
