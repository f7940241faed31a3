"""`weir status`."""

import json

import pytest
from click.testing import CliRunner

from proxy.cli.status import status
from tests.cli.fake_admin import FakeAdmin, Make


def test_every_service_is_explained(fake_admin: FakeAdmin, view: Make) -> None:
    fake_admin.show(view(), view("search"))
    fake_admin.answers["GET /readyz"] = (200, "ok")
    result = CliRunner().invoke(status, ["--admin", fake_admin.url])
    assert result.exit_code == 0
    assert result.output.startswith(f"{fake_admin.url}  ready, generation 12\n\ncheckout  idle, revision 7\n")
    assert "\n\nsearch  idle" in result.output


def test_a_proxy_that_is_not_ready_says_so(fake_admin: FakeAdmin, view: Make) -> None:
    fake_admin.show(view())
    fake_admin.answers["GET /readyz"] = (503, {"detail": "not ready: draining"})
    result = CliRunner().invoke(status, ["checkout", "--admin", fake_admin.url])
    assert result.output.startswith(f"{fake_admin.url}  not ready: draining\n\ncheckout")
    assert result.exit_code == 0


def test_a_tripped_service_is_1(fake_admin: FakeAdmin, tripped_view: Make) -> None:
    fake_admin.show(tripped_view())
    fake_admin.answers["GET /readyz"] = (200, "ok")
    result = CliRunner().invoke(status, ["--admin", fake_admin.url, "--json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {"generation": 12, "services": [tripped_view()], "ready": True}


OUTAGE = {
    "since": "2026-01-01T00:00:00.123Z",
    "sentence": "40 of its 40 latest requests failed (connect 40x)",
}
STABLE_FAILS = f"STABLE IS FAILING since 2026-01-01 00:00:00Z: {OUTAGE['sentence']}"


def test_a_stable_that_fails_is_1_and_red_and_nothing_says_only_ready(
    fake_admin: FakeAdmin, view: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_admin.show(view(outage=OUTAGE), view("search"))
    fake_admin.answers["GET /readyz"] = (200, "ok, but stable is failing in 1 service")
    result = CliRunner().invoke(status, ["--admin", fake_admin.url])
    assert result.exit_code == 1
    head = f"{fake_admin.url}  ready, but stable is failing: checkout, generation 12\n"
    assert result.output.startswith(head)
    assert f"  {STABLE_FAILS}\n" in result.output
    assert "\x1b" not in result.output
    red = CliRunner().invoke(status, ["--admin", fake_admin.url], color=True)
    assert f"\x1b[31m\x1b[1m  {STABLE_FAILS}\x1b[0m" in red.output
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in CliRunner().invoke(status, ["--admin", fake_admin.url], color=True).output


def test_a_service_without_a_canary_has_no_verdict(fake_admin: FakeAdmin, view: Make) -> None:
    alone = view()
    del alone["backends"]["canary"]
    fake_admin.show(alone)
    fake_admin.answers["GET /readyz"] = (200, "ok")
    result = CliRunner().invoke(status, ["--admin", fake_admin.url])
    assert "  verdict  none, there is no canary to judge\n" in result.output
    assert "healthy" not in result.output


def test_endpoints_are_shown_with_their_conditions_and_hung_requests_are_told(
    fake_admin: FakeAdmin, view: Make
) -> None:
    hung = view(overdue={"stable": 0, "canary": 3})
    hung["backends"]["stable"] = {
        "endpoints": ["http://a", "http://b", "http://c"],
        "version": "",
        "conditions": {"http://a": "alive", "http://b": "dead: answered 503"},
    }
    hung["window"]["stable"] |= {"gave_up": 2}
    fake_admin.show(hung)
    fake_admin.answers["GET /readyz"] = (200, "ok")
    output = CliRunner().invoke(status, ["--admin", fake_admin.url]).output
    assert "http://a (alive), http://b (dead), http://c\n" in output
    assert "http://b of stable is dead: answered 503\n" in output
    assert "errors 0.2 % (2 gave up waiting), p99" in output
    assert "last 30 s: no requests, 3 overdue now\n" in output
