import pytest

from proxy.control.errors import KeyReused
from proxy.control.ledger import KEYS
from proxy.control.repeats import Repeats
from proxy.control.terms import Terms

FIRST = Terms(key="k1", digest="pause")


def test_an_order_is_known_by_its_key_once_it_was_done():
    repeats = Repeats({})
    assert not repeats.knows("checkout", FIRST)
    repeats.done("checkout", FIRST)
    assert repeats.knows("checkout", FIRST)
    assert not repeats.knows("pay", FIRST), "a key is a service's own"
    assert repr(repeats) == "<Repeats of 1 orders>"


def test_what_the_ledger_knows_is_known():
    assert Repeats({("checkout", "k1"): "pause"}).knows("checkout", FIRST)


def test_another_order_under_the_same_key_is_an_error():
    repeats = Repeats({("checkout", "k1"): "abort"})
    with pytest.raises(KeyReused, match="'k1' belongs to another order for checkout"):
        repeats.knows("checkout", FIRST)


def test_an_order_without_a_key_is_never_a_repeat():
    repeats = Repeats({})
    repeats.done("checkout", Terms(digest="pause"))
    assert not repeats.knows("checkout", Terms(digest="pause"))


def test_the_oldest_keys_are_forgotten():
    repeats = Repeats({})
    for number in range(KEYS + 1):
        repeats.done("checkout", Terms(key=f"k{number}", digest="x"))
    assert not repeats.knows("checkout", Terms(key="k0", digest="x"))
    assert repeats.knows("checkout", Terms(key="k1", digest="x"))
