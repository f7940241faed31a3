"""`weir explain`."""

import json

from click.testing import CliRunner

from proxy.cli.explain import explain
from tests.cli.fake_admin import FakeAdmin

PATH = "GET /api/v1/services/checkout/explain"
TOLD = {"service": "checkout", "text": "The canary was taken out.", "next": [], "phase": "rolled-back"}
TOLD |= {"outage": None}


def test_the_paragraph_and_nothing_else(fake_admin: FakeAdmin) -> None:
    fake_admin.answers[PATH] = (200, TOLD | {"phase": "idle"})
    result = CliRunner().invoke(explain, ["checkout", "--admin", fake_admin.url])
    assert (result.exit_code, result.output) == (0, "The canary was taken out.\n")


def test_a_canary_that_is_out_is_1(fake_admin: FakeAdmin) -> None:
    fake_admin.answers[PATH] = (200, TOLD)
    assert CliRunner().invoke(explain, ["checkout", "--admin", fake_admin.url]).exit_code == 1


def test_a_stable_that_fails_is_1(fake_admin: FakeAdmin) -> None:
    fake_admin.answers[PATH] = (200, TOLD | {"phase": "idle", "outage": {"since": "", "sentence": ""}})
    assert CliRunner().invoke(explain, ["checkout", "--admin", fake_admin.url]).exit_code == 1


def test_json_is_what_the_api_answered(fake_admin: FakeAdmin) -> None:
    fake_admin.answers[PATH] = (200, TOLD)
    result = CliRunner().invoke(explain, ["checkout", "--json", "--admin", fake_admin.url])
    assert json.loads(result.stdout) == TOLD
