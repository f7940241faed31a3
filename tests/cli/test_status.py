"""`weir status`."""

import json

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
