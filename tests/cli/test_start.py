"""`weir start`."""

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from proxy.cli.start import start
from tests.cli.fake_admin import FakeAdmin, Make

POST = "POST /api/v1/services/checkout/rollout/start"


def begin(fake: Any, *arguments: str) -> Result:
    return CliRunner().invoke(start, ["checkout", *arguments, "--admin", fake.url])


def test_a_release_at_runtime(fake_admin: FakeAdmin, rolling_view: Make) -> None:
    fake_admin.answers[POST] = (200, rolling_view(step=0, revision=8))
    result = begin(
        fake_admin,
        *("--canary", "http://10.0.0.7:8000", "--canary", "http://10.0.0.8:8000", "--version", "2026.11.2"),
        *("--steps", "1%,10%,100%", "--hold", "1m", "--min-requests", "50", "--deadline", "2h"),
        *("--actor", "ci"),
    )
    assert result.exit_code == 0
    [(_, _, body)] = fake_admin.asked
    assert body == {
        "canary": ["http://10.0.0.7:8000", "http://10.0.0.8:8000"],
        "version": "2026.11.2",
        "steps": [1, 10, 100],
        "hold": 60.0,
        "min_requests": 50,
        "deadline": 7200.0,
        "reason": "",
        "actor": "ci",
    }
    assert result.output.splitlines() == [
        "  step 1  5 % for 10 min and 200 answers",
        "  step 2  pause: ask the on-call",
        "  step 3  100 %",
        "each step below 100 % also waits until the canary is shown to be good enough: "
        "about 434 good answers of it",
        "about 42 min at 41 requests a second, and 1 pause",
        "checkout: progressing, before step 1 of 3, canary at 5 %, revision 8",
    ]


def test_what_is_not_given_is_the_files(fake_admin: FakeAdmin, rolling_view: Make) -> None:
    fake_admin.answers[POST] = (200, rolling_view(step=0))
    begin(fake_admin, "--actor", "ci")
    assert fake_admin.asked[0][2] == {"reason": "", "actor": "ci"}


def test_a_plan_that_outlives_its_deadline_is_a_warning(fake_admin: FakeAdmin, rolling_view: Make) -> None:
    view = rolling_view(step=0)
    view["rollout"]["deadline"] = 60.0
    fake_admin.answers[POST] = (200, view)
    result = begin(fake_admin)
    assert result.exit_code == 0
    assert "warning: at this rate the plan takes about 42 min" in result.stderr
    assert "warning" not in result.stdout


def test_of_a_repeated_order_that_has_ended_long_ago_no_plan_is_told(
    fake_admin: FakeAdmin, rolling_view: Make, view: Make
) -> None:
    ended = rolling_view(phase="promoted", step=3)
    ended["rollout"]["waiting"] = None
    for shown in (ended, view(phase="promoted")):
        fake_admin.answers[POST] = (200, shown)
        result = begin(fake_admin, "--idempotency-key", "build 4711")
        assert result.output == "checkout: promoted, canary at 5 %, revision 7\n"


def test_json_is_the_service(fake_admin: FakeAdmin, rolling_view: Make) -> None:
    fake_admin.answers[POST] = (200, rolling_view())
    assert json.loads(begin(fake_admin, "--json").stdout) == rolling_view()


@pytest.mark.parametrize(("phase", "code"), [("promoted", 0), ("rolled-back", 1)])
def test_with_wait_the_end_is_the_exit_code(
    fake_admin: FakeAdmin, rolling_view: Make, phase: str, code: int
) -> None:
    fake_admin.answers[POST] = (200, rolling_view(phase=phase, revision=9))
    assert begin(fake_admin, "--wait", "--timeout", "30m").exit_code == code


@pytest.mark.parametrize(
    "arguments",
    [("--timeout", "1m"), ("--wait", "--timeout", "5"), ("--steps", "x"), ("--min-requests", "-1")],
)
def test_what_is_usage_asks_for_nothing(fake_admin: FakeAdmin, arguments: tuple[str, ...]) -> None:
    assert begin(fake_admin, *arguments).exit_code == 2
    assert fake_admin.asked == []


def test_what_can_not_begin_now_is_a_conflict(fake_admin: FakeAdmin) -> None:
    detail = "start is not possible while the rollout is progressing"
    fake_admin.answers[POST] = (
        409,
        {"detail": detail, "phase": "progressing", "legal": ["promote", "abort"]},
    )
    result = begin(fake_admin, "--wait")
    assert result.exit_code == 4
    assert result.output == f"error: {detail} (HTTP 409)\n"


def test_a_rollout_under_way_is_replaced_where_that_is_wanted(
    fake_admin: FakeAdmin, rolling_view: Make
) -> None:
    fake_admin.answers[POST] = (200, rolling_view(step=0))
    assert begin(fake_admin, "--replace", "--actor", "ci").exit_code == 0
    assert fake_admin.asked[0][2] == {"replace": True, "reason": "", "actor": "ci"}


def test_a_repeated_start_follows_no_rollout_of_another_version(
    fake_admin: FakeAdmin, rolling_view: Make
) -> None:
    fake_admin.answers[POST] = (200, rolling_view(step=1))
    ours = rolling_view()["backends"]["canary"]["version"]
    job = ("--canary", "http://10.0.0.7:8000", "--wait", "--timeout", "0", "--idempotency-key", "7")
    other = begin(fake_admin, *job, "--abort-on-timeout", "--version", "another")
    assert (other.exit_code, "superseded by another change" in other.stderr) == (4, True)
    assert [name for name, _, _ in fake_admin.asked] == [POST], "it is not ours to take out"
    assert begin(fake_admin, *job, "--version", ours).exit_code == 124
