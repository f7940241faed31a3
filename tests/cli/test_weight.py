"""`weir set-weight` and `weir resume`."""

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from proxy.cli import weight
from proxy.cli.weight import resume, set_weight

PUT = "PUT /api/v1/services/checkout/weights"
POST = "POST /api/v1/services/checkout/resume"


def order(fake: Any, command: Any, *arguments: str) -> Result:
    return CliRunner().invoke(command, ["checkout", *arguments, "--admin", fake.url])


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("5", 5),
        ("5%", 5),
        ("5 %", 5),
        ("0.25%", 0.25),
        ("0.29", 0.29),
        ("0", 0),
        ("100", 100),
        ("99.99", 99.99),
        ("5.5000", 5.5),
    ],
)
def test_a_weight_is_sent_in_percent(fake_admin, view, text, sent):
    fake_admin.answers[PUT] = (200, view(weights={"stable": 100 - sent, "canary": sent}, revision=8))
    result = order(fake_admin, set_weight, f"canary={text}", "--reason", "first users", "--if-match", "7")
    assert result.exit_code == 0
    [(_, headers, body)] = fake_admin.asked
    assert body["canary"] == sent
    assert body["reason"] == "first users"
    assert headers["If-Match"] == '"7"'
    assert result.output == f"checkout: canary at {sent:g} %, revision 8\n"


@pytest.mark.parametrize(
    "text",
    [
        *("5", "canary", "canary=", "canary=-1", "canary=101", "canary=100.01", "canary=0.001", "canary=1e1"),
        *("stable=95", "canary=5%%", "canary=nan", "canary=.5", "canary=5,5", "Canary=5"),
    ],
)
@pytest.mark.parametrize("command", [set_weight, resume])
def test_what_is_no_weight_is_usage_and_nothing_is_asked(fake_admin, command, text):
    result = order(fake_admin, command, text)
    assert result.exit_code == 2
    assert repr(text) in result.output
    assert "canary=0.25%" in " ".join(result.output.split())
    assert fake_admin.asked == []


def test_the_actor_is_who_runs_it_where_unless_given(fake_admin, view, monkeypatch):
    monkeypatch.setenv("LOGNAME", "ann")
    monkeypatch.setattr("socket.gethostname", lambda: "laptop")
    fake_admin.answers[PUT] = (200, view())
    order(fake_admin, set_weight, "canary=5")
    order(fake_admin, set_weight, "canary=5", "--actor", "ci")
    assert [body["actor"] for _, _, body in fake_admin.asked] == ["ann@laptop", "ci"]


def test_an_account_without_a_name(monkeypatch):
    def nobody() -> str:
        raise KeyError("uid not found: 4711")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert weight.whoami().startswith("unknown@")


@pytest.mark.parametrize("status", [409, 412])
def test_a_conflict_is_4_with_the_apis_words(fake_admin, status):
    fake_admin.answers[PUT] = (
        status,
        {"detail": "checkout is tripped; weir resume checkout lets it back in"},
    )
    result = order(fake_admin, set_weight, "canary=5")
    assert result.exit_code == 4
    assert "weir resume checkout" in result.output


def test_resume_goes_back_or_to_a_weight(fake_admin, view):
    fake_admin.answers[POST] = (200, view(revision=9))
    result = order(fake_admin, resume)
    assert result.output == "checkout: canary at 5 %, revision 9; evidence starts anew\n"
    order(fake_admin, resume, "canary=10%")
    bodies = [body for _, _, body in fake_admin.asked]
    assert "canary" not in bodies[0]
    assert bodies[1]["canary"] == 10


def test_a_change_that_is_not_durable_is_told(fake_admin, view):
    fake_admin.answers[PUT] = (200, view(durable=False))
    result = order(fake_admin, set_weight, "canary=5")
    assert result.exit_code == 0
    assert "not durable" in result.output
    assert "not durable" not in result.stdout


def test_json_is_the_service(fake_admin, view):
    fake_admin.answers[PUT] = (200, view())
    assert json.loads(order(fake_admin, set_weight, "canary=5", "--json").stdout) == view()
