"""`weir history`."""

import itertools
import json

from click.testing import CliRunner

from proxy.cli.client import Client
from proxy.cli.history import MOST, entries, history
from proxy.cli.session import Session
from proxy.control.api.requests import MOST_ENTRIES
from proxy.ledger.ledger import KEEP
from tests.cli.fake_admin import FakeAdmin, Make

EVENTS = "GET /api/v1/events"
PATH = "GET /api/v1/services/checkout/history"


def test_as_many_can_be_asked_for_as_the_ledger_keeps() -> None:
    assert MOST == MOST_ENTRIES == KEEP


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


def test_the_last_changes_and_those_since_a_time(fake_admin: FakeAdmin, entry: Make) -> None:
    fake_admin.answers[f"{PATH}?limit=3&since=90m"] = (200, {"service": "checkout", "entries": [entry(9)]})
    found = CliRunner().invoke(history, ["checkout", "-n", "3", "--since", "90m", "--admin", fake_admin.url])
    assert (found.exit_code, found.output.count("revision 9")) == (0, 1)
    fake_admin.answers[f"{PATH}?since=2026-12-01+03%3A00%3A00Z"] = (
        200,
        {"service": "checkout", "entries": []},
    )
    since = ["--since", "2026-12-01 03:00:00Z"]
    found = CliRunner().invoke(history, ["checkout", *since, "--admin", fake_admin.url])
    assert found.output == "nothing has happened to checkout in that time\n"


def test_a_time_that_the_api_does_not_know(fake_admin: FakeAdmin) -> None:
    fake_admin.answers[f"{PATH}?since=yesterday"] = (
        400,
        {"detail": "since is 'yesterday'; expected how long"},
    )
    found = CliRunner().invoke(history, ["checkout", "--since", "yesterday", "--admin", fake_admin.url])
    assert found.exit_code == 2
    assert "since is 'yesterday'; expected how long" in found.output


def test_no_changes_are_not_a_number_of_them(fake_admin: FakeAdmin) -> None:
    assert CliRunner().invoke(history, ["checkout", "-n", "0", "--admin", fake_admin.url]).exit_code == 2


def followed(fake: FakeAdmin, count: int) -> tuple[list[int], list[float]]:
    """The revisions of the first so many entries that are printed, and the pauses made for them."""
    pauses: list[float] = []
    session = Session(Client(fake.url), as_json=False)
    found = entries(session, "checkout", PATH.removeprefix("GET "), pauses.append)
    return [each["revision"] for each in itertools.islice(found, count)], pauses


def test_what_was_written_then_each_change_once(fake_admin: FakeAdmin, entry: Make) -> None:
    fake_admin.answers[PATH] = (200, {"service": "checkout", "entries": [entry(7), entry(8)]})
    fake_admin.answers[EVENTS] = [[entry(8), entry(9, service="search"), entry(10)]]
    assert followed(fake_admin, 3) == ([7, 8, 10], [])
    assert [name for name, _, _ in fake_admin.asked] == [EVENTS, PATH], "in this order nothing falls between"


def test_after_an_interruption_it_goes_on(fake_admin: FakeAdmin, entry: Make) -> None:
    fake_admin.answers[PATH] = (200, {"service": "checkout", "entries": [entry(7)]})
    fake_admin.answers[EVENTS] = [[], [entry(8)], [entry(9)]]
    assert followed(fake_admin, 3) == ([7, 8, 9], [1.0, 1.0])
