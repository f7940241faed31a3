"""What is held against a backend, and what can't be."""

import json

import pytest

from proxy.routing.failures import SERVER_ERRORS, UNANSWERED, Ejection, Failures


def test_by_default_it_is_every_server_error_and_every_way_of_giving_no_answer() -> None:
    it = Failures()
    assert (it.statuses, it.endings) == (set(range(500, 600)), UNANSWERED)
    assert it.statuses == SERVER_ERRORS


@pytest.mark.parametrize(
    "it", [Failures(), Failures(frozenset(), frozenset()), Failures(frozenset({429}), frozenset({"reset"}))]
)
def test_survives_json(it: Failures) -> None:
    assert Failures.from_json(json.loads(json.dumps(it.to_json()))) == it


@pytest.mark.parametrize(
    ("statuses", "endings", "said"),
    [
        ({399}, set(), "400 to 599, not \\[399\\]"),
        ({600}, set(), "400 to 599, not \\[600\\]"),
        (set(), {"client-left"}, "'client-left'\\] are no endings of a failure"),
        (set(), {"complete"}, "are no endings"),
    ],
)
def test_what_no_backend_is_answerable_for_is_refused(
    statuses: set[int], endings: set[str], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        Failures(frozenset(statuses), frozenset(endings))


@pytest.mark.parametrize("ejection", [Ejection(), Ejection(1, 0.5, 60)])
def test_ejection_survives_json(ejection: Ejection) -> None:
    assert Ejection.from_json(json.loads(json.dumps(ejection.to_json()))) == ejection


def test_unless_told_five_failures_cost_ten_seconds_and_five_minutes_at_most() -> None:
    assert Ejection() == Ejection(failures=5, backoff=10, longest=300)
