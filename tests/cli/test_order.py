"""What every order has in common."""

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from proxy.cli import order
from proxy.cli.rollout import pause
from tests.cli.fake_admin import FakeAdmin, Make

POST = "POST /api/v1/services/checkout/rollout/pause"


def give(fake: Any, *arguments: str) -> Result:
    return CliRunner().invoke(pause, ["checkout", *arguments, "--admin", fake.url])


def test_why_who_on_what_and_under_which_key(fake_admin: FakeAdmin, paused_view: Make) -> None:
    fake_admin.answers[POST] = (200, paused_view(revision=9))
    given = ("--reason", "lunch", "--actor", "ann", "--if-match", "8", "--idempotency-key", 'a "b" \\')
    result = give(fake_admin, *given)
    assert result.exit_code == 0
    assert result.output == "checkout: paused, step 2 of 3, canary at 5 %, revision 9\n"
    [(_, headers, body)] = fake_admin.asked
    assert body == {"reason": "lunch", "actor": "ann"}
    assert headers["If-Match"] == '"8"'
    assert headers["Idempotency-Key"] == r'"a \"b\" \\"'


def test_neither_revision_nor_key_unless_given(fake_admin: FakeAdmin, paused_view: Make) -> None:
    fake_admin.answers[POST] = (200, paused_view())
    give(fake_admin)
    [(_, headers, _)] = fake_admin.asked
    assert not {"If-Match", "Idempotency-Key"} & headers.keys()


def test_the_actor_is_who_runs_it_where_unless_given(
    fake_admin: FakeAdmin, paused_view: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "ann")
    monkeypatch.setattr("socket.gethostname", lambda: "laptop")
    fake_admin.answers[POST] = (200, paused_view())
    give(fake_admin)
    give(fake_admin, "--actor", "ci")
    assert [body["actor"] for _, _, body in fake_admin.asked] == ["ann@laptop", "ci"]


def test_an_account_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("uid not found: 4711")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert order.whoami().startswith("unknown@")


@pytest.mark.parametrize(("status", "code"), [(409, 4), (412, 4), (422, 2), (503, 3)])
def test_a_refusal_has_its_exit_code_and_the_apis_words(
    fake_admin: FakeAdmin, status: int, code: int
) -> None:
    fake_admin.answers[POST] = (status, {"detail": "pause is not possible while the rollout is idle"})
    result = give(fake_admin)
    assert result.exit_code == code
    assert "pause is not possible while the rollout is idle" in result.output


def test_a_change_that_is_not_durable_is_told(fake_admin: FakeAdmin, paused_view: Make) -> None:
    fake_admin.answers[POST] = (200, paused_view(durable=False))
    result = give(fake_admin)
    assert result.exit_code == 0
    assert "not durable" in result.stderr
    assert "not durable" not in result.stdout


def test_json_is_the_service(fake_admin: FakeAdmin, paused_view: Make) -> None:
    fake_admin.answers[POST] = (200, paused_view())
    assert json.loads(give(fake_admin, "--json").stdout) == paused_view()
