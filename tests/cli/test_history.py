"""`weir history`."""

import json

from click.testing import CliRunner

from proxy.cli.history import history
from tests.cli.fake_admin import FakeAdmin, Make

PATH = "GET /api/v1/services/checkout/history"


def test_a_line_for_each_entry(fake_admin: FakeAdmin, entry: Make) -> None:
    fake_admin.answers[PATH] = (
        200,
        {"service": "checkout", "entries": [entry(1), entry(2, event="trip", to=0.0)]},
    )
    result = CliRunner().invoke(history, ["checkout", "--admin", fake_admin.url])
    assert result.exit_code == 0
    assert ["revision 1" in line for line in result.output.splitlines()] == [True, False]
    assert "trip  canary 5 % -> 0 %, idle" in result.output


def test_json_is_what_the_api_answered(fake_admin: FakeAdmin, entry: Make) -> None:
    document = {"service": "checkout", "entries": [entry(1)]}
    fake_admin.answers[PATH] = (200, document)
    result = CliRunner().invoke(history, ["checkout", "--json", "--admin", fake_admin.url])
    assert json.loads(result.stdout) == document


def test_nothing_yet(fake_admin: FakeAdmin) -> None:
    fake_admin.answers[PATH] = (200, {"service": "checkout", "entries": []})
    result = CliRunner().invoke(history, ["checkout", "--admin", fake_admin.url])
    assert result.output == "nothing has happened to checkout yet\n"
