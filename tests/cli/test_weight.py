"""`weir set-weight` and `weir resume`."""

from typing import Any

import pytest
from click.core import Command
from click.testing import CliRunner, Result

from proxy.cli.weight import resume, set_weight
from tests.cli.fake_admin import FakeAdmin, Make

SET = "POST /api/v1/services/checkout/rollout/set-weight"
POST = "POST /api/v1/services/checkout/rollout/resume"


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
def test_a_weight_is_sent_in_percent(fake_admin: FakeAdmin, view: Make, text: str, sent: float) -> None:
    fake_admin.answers[SET] = (200, view(weights={"stable": 100 - sent, "canary": sent}, revision=8))
    result = order(fake_admin, set_weight, f"canary={text}", "--reason", "first users", "--if-match", "7")
    assert result.exit_code == 0
    [(_, headers, body)] = fake_admin.asked
    assert body["canary"] == sent
    assert body["reason"] == "first users"
    assert headers["If-Match"] == '"7"'
    assert result.output == f"checkout: idle, canary at {sent:g} %, revision 8\n"


@pytest.mark.parametrize(
    "text",
    [
        *("5", "canary", "canary=", "canary=-1", "canary=101", "canary=100.01", "canary=0.001", "canary=1e1"),
        *("stable=95", "canary=5%%", "canary=nan", "canary=.5", "canary=5,5", "Canary=5"),
    ],
)
@pytest.mark.parametrize("command", [set_weight, resume])
def test_what_is_no_weight_is_usage_and_nothing_is_asked(
    fake_admin: FakeAdmin, command: Command, text: str
) -> None:
    result = order(fake_admin, command, text)
    assert result.exit_code == 2
    assert repr(text) in result.output
    assert "canary=0.25%" in " ".join(result.output.split())
    assert fake_admin.asked == []


@pytest.mark.parametrize("status", [409, 412])
def test_a_conflict_is_4_with_the_apis_words(fake_admin: FakeAdmin, status: int) -> None:
    fake_admin.answers[SET] = (
        status,
        {"detail": "checkout is tripped; weir resume checkout lets it back in"},
    )
    result = order(fake_admin, set_weight, "canary=5")
    assert result.exit_code == 4
    assert "weir resume checkout" in result.output


def test_resume_goes_back_or_to_a_weight(fake_admin: FakeAdmin, view: Make) -> None:
    fake_admin.answers[POST] = (200, view(revision=9))
    result = order(fake_admin, resume)
    assert result.output == "checkout: idle, canary at 5 %, revision 9\n"
    order(fake_admin, resume, "canary=10%")
    bodies = [body for _, _, body in fake_admin.asked]
    assert "canary" not in bodies[0]
    assert bodies[1]["canary"] == 10
