"""`weir promote`, `pause`, `abort`, `retry` and `undo`."""

from typing import Any

import pytest
from click.testing import CliRunner, Result

from proxy.cli.rollout import abort, pause, promote, retry, undo
from tests.cli.fake_admin import FakeAdmin, Make

VERBS = {"promote": promote, "pause": pause, "abort": abort, "retry": retry, "undo": undo}


def give(fake: Any, verb: str, *arguments: str) -> Result:
    return CliRunner().invoke(VERBS[verb], ["checkout", *arguments, "--admin", fake.url, "--actor", "ann"])


@pytest.mark.parametrize(
    ("verb", "arguments", "said"),
    [
        *(("promote", (), {}), ("promote", ("--full",), {"full": True})),
        *(("pause", (), {}), ("abort", (), {}), ("retry", (), {})),
        *(("undo", (), {}), ("undo", ("--steps",), {"steps": True})),
    ],
)
def test_what_is_ordered(
    fake_admin: FakeAdmin,
    rolling_view: Make,
    verb: str,
    arguments: tuple[str, ...],
    said: dict[str, bool],
) -> None:
    fake_admin.answers["GET /api/v1/services/checkout"] = (200, rolling_view(revision=8))
    fake_admin.answers[f"POST /api/v1/services/checkout/rollout/{verb}"] = (200, rolling_view(revision=9))
    result = give(fake_admin, verb, *arguments, "--reason", "why")
    assert result.exit_code == 0
    assert fake_admin.asked[-1][2] == {**said, "reason": "why", "actor": "ann"}
    assert result.output == "checkout: progressing, step 1 of 3, canary at 5 %, revision 9\n"


@pytest.mark.parametrize(
    ("verb", "arguments", "code"),
    [
        *(("promote", ("--wait",), 1), ("retry", ("--wait",), 1), ("undo", ("--steps", "--wait"), 1)),
        *(("promote", (), 0), ("undo", ("--wait",), 0)),
    ],
)
def test_who_waits_learns_of_the_end(
    fake_admin: FakeAdmin, tripped_view: Make, verb: str, arguments: tuple[str, ...], code: int
) -> None:
    fake_admin.answers["GET /api/v1/services/checkout"] = (200, tripped_view("checkout"))
    fake_admin.answers[f"POST /api/v1/services/checkout/rollout/{verb}"] = (200, tripped_view("checkout"))
    assert give(fake_admin, verb, *arguments).exit_code == code


@pytest.mark.parametrize("verb", ["pause", "abort"])
def test_where_there_is_nothing_to_wait_for(fake_admin: FakeAdmin, verb: str) -> None:
    assert give(fake_admin, verb, "--wait").exit_code == 2
    assert fake_admin.asked == []


@pytest.mark.parametrize(
    ("given", "expected"),
    [((), '"8"'), (("--if-match", "7"), '"7"'), (("--if-match", '"7"'), '"7"')],
)
def test_a_promote_names_what_it_goes_on_from(
    fake_admin: FakeAdmin, rolling_view: Make, given: tuple[str, ...], expected: str
) -> None:
    fake_admin.answers["GET /api/v1/services/checkout"] = (200, rolling_view(revision=8))
    fake_admin.answers["POST /api/v1/services/checkout/rollout/promote"] = (200, rolling_view(revision=9))
    assert give(fake_admin, "promote", *given).exit_code == 0
    assert fake_admin.asked[-1][1]["If-Match"] == expected
