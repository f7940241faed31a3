"""`weir healthcheck`: 0 or 1, as container engines read it."""

from click.testing import CliRunner

from proxy.cli.healthcheck import healthcheck
from tests.cli.fake_admin import FakeAdmin


def test_ready_is_0(fake_admin: FakeAdmin) -> None:
    fake_admin.answers["GET /readyz"] = (200, "ok")
    result = CliRunner().invoke(healthcheck, ["--admin", f"{fake_admin.url}/"])
    assert (result.exit_code, result.stdout) == (0, "ready: ok\n")
    assert CliRunner().invoke(healthcheck, [], env={"WEIR_ADMIN": fake_admin.url}).exit_code == 0
    assert CliRunner().invoke(healthcheck, ["--url", f"{fake_admin.url}/readyz"]).exit_code == 0


def test_not_ready_is_1_with_the_reason(fake_admin: FakeAdmin) -> None:
    fake_admin.answers["GET /readyz"] = (503, {"detail": "not ready: draining"})
    result = CliRunner().invoke(healthcheck, ["--admin", fake_admin.url])
    assert (result.exit_code, result.output) == (1, "unhealthy: not ready: draining\n")


def test_another_address_is_asked_as_it_is_given(fake_admin: FakeAdmin) -> None:
    fake_admin.answers["GET /livez"] = (200, "ok")
    assert CliRunner().invoke(healthcheck, ["--url", f"{fake_admin.url}/livez"]).exit_code == 0
    assert CliRunner().invoke(healthcheck, ["--url", f"{fake_admin.url}/nowhere"]).exit_code == 1


def test_no_answer_is_1(dead_url: str) -> None:
    result = CliRunner().invoke(healthcheck, ["--admin", dead_url])
    assert result.exit_code == 1
    assert "Connection refused" in result.output


def test_no_address_is_2() -> None:
    assert CliRunner().invoke(healthcheck, ["--url", "nonsense"]).exit_code == 2
