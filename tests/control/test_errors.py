from typing import Any

import pytest

from proxy.control.errors import Conflict, ControlError, KeyReused, StaleRevision, Unreadable


@pytest.mark.parametrize(("expected", "named"), [(5, "5"), (0, "a tag that is of no revision")])
def test_a_stale_revision_names_both(expected: int, named: str) -> None:
    error = StaleRevision(7, expected)
    assert error.detail == f"the service is at revision 7, the order expects {named}; nothing was changed"
    assert error.current == 7


def test_a_conflict_has_the_phase_and_the_orders_that_are_legal_in_it() -> None:
    error = Conflict("shop: no", "paused", ["resume", "abort"])
    assert (str(error), error.phase, error.legal) == ("shop: no", "paused", ("resume", "abort"))
    assert (Conflict("no").phase, Conflict("no").legal) == ("", ())


@pytest.mark.parametrize("kind", [Conflict, KeyReused, Unreadable])
def test_every_error_has_its_detail(kind: type[Any]) -> None:
    error = kind("why")
    assert isinstance(error, ControlError)
    assert error.detail == str(error) == "why"
