from typing import Any

import pytest

from proxy.ledger.errors import LedgerError, LedgerUnusable, NotDurable


@pytest.mark.parametrize("kind", [LedgerUnusable, NotDurable])
def test_every_error_has_its_detail(kind: type[Any]) -> None:
    error = kind("the disk is full")
    assert isinstance(error, LedgerError)
    assert error.detail == str(error) == "the disk is full"
