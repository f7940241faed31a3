"""`weir get` once; see test_watch for -w."""

import json

from click.testing import CliRunner

from proxy.cli.get import get
from tests.cli.fake_admin import FakeAdmin, Make


def test_all_services(fake_admin: FakeAdmin, view: Make) -> None:
    fake_admin.show(view(), view("search"))
    result = CliRunner().invoke(get, ["--admin", fake_admin.url])
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.output.splitlines()] == [
        "SERVICE",
        "checkout",
        "canary",
        "search",
        "canary",
        "(SEEN,",
    ]


def test_one_service(fake_admin: FakeAdmin, view: Make, tripped_view: Make) -> None:
    fake_admin.show(view(), tripped_view())
    result = CliRunner().invoke(get, ["checkout", "--admin", fake_admin.url])
    assert result.exit_code == 0
    assert "pay" not in result.output


def test_one_service_has_its_endpoints_with_conditions_and_addresses(
    fake_admin: FakeAdmin, view: Make
) -> None:
    located = view()
    located["backends"]["stable"] = {
        "endpoints": ["http://app:9001", "http://b:1", "http://c:1"],
        "version": "",
        "conditions": {
            "http://app:9001": "alive",
            "http://b:1": "ejected by 2 of 2 workers, because it failed",
        },
        "addresses": {"http://app:9001": ["10.0.0.3:9001", "10.0.0.4:9001"], "http://c:1": ["10.0.0.5:1"]},
    }
    fake_admin.show(located)
    line = (
        "  stable: http://app:9001 (alive: 10.0.0.3:9001, 10.0.0.4:9001), "
        "http://b:1 (ejected by 2 of 2 workers), http://c:1 (10.0.0.5:1)\n"
    )
    assert line in CliRunner().invoke(get, ["checkout", "--admin", fake_admin.url]).output
    assert "stable: " not in CliRunner().invoke(get, ["--admin", fake_admin.url]).output


def test_a_stable_that_fails_is_1_and_told_under_its_service(fake_admin: FakeAdmin, view: Make) -> None:
    outage = {"since": "2026-01-01T00:00:00Z", "sentence": "40 of its 40 latest requests failed"}
    fake_admin.show(view(outage=outage))
    result = CliRunner().invoke(get, ["--admin", fake_admin.url])
    assert result.exit_code == 1
    assert "  STABLE IS FAILING since 2026-01-01 00:00:00Z: 40 of its 40 latest requests" in result.output


def test_a_tripped_service_is_1_with_its_reason_and_the_way_back(
    fake_admin: FakeAdmin, view: Make, tripped_view: Make
) -> None:
    fake_admin.show(view(), tripped_view())
    result = CliRunner().invoke(get, ["--admin", fake_admin.url])
    assert result.exit_code == 1
    assert "error-rate 27.3 % is too high" in result.output
    assert "weir resume pay" in result.output


def test_json_is_what_the_api_answered(fake_admin: FakeAdmin, tripped_view: Make) -> None:
    fake_admin.show(tripped_view())
    result = CliRunner().invoke(get, ["--json", "--admin", fake_admin.url])
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {"generation": 12, "services": [tripped_view()]}
    one = CliRunner().invoke(get, ["pay", "--json", "--admin", fake_admin.url])
    assert json.loads(one.stdout) == tripped_view()


def test_an_unknown_service_is_usage(fake_admin: FakeAdmin) -> None:
    fake_admin.answers["GET /api/v1/services/chekout"] = (
        404,
        {"detail": 'there is no service "chekout"; known: pay'},
    )
    result = CliRunner().invoke(get, ["chekout", "--admin", fake_admin.url])
    assert result.exit_code == 2
    assert result.output == 'error: there is no service "chekout"; known: pay (HTTP 404)\n'
