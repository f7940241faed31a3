"""`weir reload` says what changed, or what is wrong with the file."""

from typing import Any

from click.testing import CliRunner, Result

from proxy.cli.reload import lines, reload
from tests.cli.fake_admin import FakeAdmin

NOTHING = {"changed": {}, "added": [], "removed": [], "shared": [], "restart": []}
WRONG = "weir.yaml:1:1: error: `stabel` is not a key\n    1 | stabel\n"


def ask(fake: Any) -> Result:
    return CliRunner().invoke(reload, ["--admin", fake.url])


def test_what_changed_is_told_line_by_line(fake_admin: FakeAdmin) -> None:
    answer = NOTHING | {"changed": {"shop": ["segments", "timeouts"]}, "added": ["pay"], "removed": ["old"]}
    answer |= {"shared": ["limits"], "restart": ["listen"]}
    fake_admin.answers["POST /api/v1/config/reload"] = (200, answer)
    result = ask(fake_admin)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "shop: segments, timeouts changed",
        "pay: new",
        "old: removed",
        "for all services: limits changed",
        "needs a restart, and is unchanged until then: listen",
    ]


def test_nothing_changed() -> None:
    assert lines(NOTHING) == ["the file is the same as before: nothing was changed"]


def test_a_wrong_file_is_told_as_lint_tells_it(fake_admin: FakeAdmin) -> None:
    problem = {"title": "Unprocessable", "status": 422, "detail": "weir.yaml has 1 problem", "text": WRONG}
    fake_admin.answers["POST /api/v1/config/reload"] = (422, problem)
    result = ask(fake_admin)
    assert result.exit_code == 2
    assert "weir.yaml has 1 problem" in result.stderr
    assert WRONG in result.stderr
