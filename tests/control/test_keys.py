"""Of two orders at once under one key, one is carried out."""

import pytest

from proxy.control.errors import Conflict, KeyReused
from proxy.control.keys import Keys
from proxy.control.terms import Terms

ORDER = Terms(key="k", digest="d")


def test_a_key_is_taken_while_its_order_is_under_way_and_no_longer():
    keys = Keys()
    with keys.under_way("checkout", ORDER):
        assert repr(keys) == "<Keys, 1 under way>"
        with pytest.raises(Conflict, match="still under way"), keys.under_way("checkout", ORDER):
            pass
        with (
            pytest.raises(KeyReused, match="another order"),
            keys.under_way("checkout", Terms(key="k", digest="other")),
        ):
            pass
        with keys.under_way("pay", ORDER):
            pass
    with keys.under_way("checkout", ORDER):
        pass
    assert repr(keys) == "<Keys, 0 under way>"


def test_an_order_that_fails_gives_its_key_back():
    keys = Keys()
    with pytest.raises(ValueError, match="no"), keys.under_way("checkout", ORDER):
        raise ValueError("no")
    with keys.under_way("checkout", ORDER):
        pass


def test_without_a_key_any_number_may_be_under_way():
    keys = Keys()
    with keys.under_way("checkout", Terms()), keys.under_way("checkout", Terms()):
        assert repr(keys) == "<Keys, 0 under way>"
