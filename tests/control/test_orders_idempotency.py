import pytest

from proxy.control.command import OrderTerms
from proxy.control.errors import Conflict, KeyReused
from proxy.control.orders import IdempotencyKeys
from proxy.ledger.ledger import KEYS

FIRST = OrderTerms(key="k1", digest="pause")
ANOTHER = OrderTerms(key="k1", digest="abort")


def done(repeats: IdempotencyKeys, terms: OrderTerms, service: str = "checkout") -> None:
    with repeats.under_way(service, terms):
        pass


def test_an_order_is_known_by_its_key_once_it_was_carried_out() -> None:
    repeats = IdempotencyKeys({})
    assert not repeats.known("checkout", FIRST)
    done(repeats, FIRST)
    assert repeats.known("checkout", FIRST)
    assert not repeats.known("pay", FIRST), "a key is a service's own"
    assert repr(repeats) == "<IdempotencyKeys of 1 orders, 0 under way>"


def test_what_the_ledger_knows_is_known() -> None:
    assert IdempotencyKeys({("checkout", "k1"): "pause"}).known("checkout", FIRST)


def test_another_order_under_the_same_key_is_an_error() -> None:
    repeats = IdempotencyKeys({("checkout", "k1"): "pause"})
    with pytest.raises(KeyReused, match="'k1' belongs to another order for checkout, which was carried out"):
        repeats.known("checkout", ANOTHER)


def test_of_two_at_once_one_is_carried_out() -> None:
    repeats = IdempotencyKeys({})
    with repeats.under_way("checkout", FIRST):
        assert not repeats.known("checkout", FIRST), "it may fail yet"
        with pytest.raises(Conflict, match="still under way"), repeats.under_way("checkout", FIRST):
            pass
        with pytest.raises(KeyReused, match="is under way"), repeats.under_way("checkout", ANOTHER):
            pass
        done(repeats, FIRST, "pay")
    assert repeats.known("checkout", FIRST)


def test_an_order_that_fails_gives_its_key_back() -> None:
    repeats = IdempotencyKeys({})
    with pytest.raises(ValueError, match="no"), repeats.under_way("checkout", FIRST):
        raise ValueError("no")
    assert not repeats.known("checkout", FIRST)
    done(repeats, FIRST)


def test_an_order_without_a_key_is_never_a_repeat() -> None:
    repeats, bare = IdempotencyKeys({}), OrderTerms(digest="pause")
    with repeats.under_way("checkout", bare):
        done(repeats, bare)
    assert not repeats.known("checkout", bare)


def test_the_oldest_keys_are_forgotten() -> None:
    repeats = IdempotencyKeys({})
    for number in range(KEYS + 1):
        done(repeats, OrderTerms(key=f"k{number}", digest="x"))
    assert not repeats.known("checkout", OrderTerms(key="k0", digest="x"))
    assert repeats.known("checkout", OrderTerms(key="k1", digest="x"))
