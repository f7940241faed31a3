"""Orders by their Idempotency-Key: a client that doesn't know whether one arrived repeats it under its key.

An order that was carried out is not carried out again, and of two at once under one key, one is.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from proxy.control.command import OrderTerms
from proxy.control.errors import Conflict, KeyReused
from proxy.ledger.ledger import KEYS, OrderKey


class IdempotencyKeys:
    """The newest keys of each service's orders that were carried out; `known` are those in the ledger."""

    def __init__(self, known: Mapping[OrderKey, str]) -> None:
        self._digests: dict[str, dict[str, str]] = {}
        for (service, key), digest in known.items():
            self._digests.setdefault(service, {})[key] = digest
        self._under_way: dict[OrderKey, str] = {}

    def __repr__(self) -> str:
        carried_out = sum(map(len, self._digests.values()))
        return f"<IdempotencyKeys of {carried_out} orders, {len(self._under_way)} under way>"

    def known(self, service: str, terms: OrderTerms) -> bool:
        """Return whether this order was carried out before. KeyReused when its key belongs to another one."""
        return _same(service, terms, self._digests.get(service, {}).get(terms.key), "was carried out")

    @contextmanager
    def under_way(self, service: str, terms: OrderTerms) -> Iterator[None]:
        """Hold the key while its order is carried out; at the end the order is known, unless it failed.

        Conflict when the same is under way already, KeyReused when another one is under its key.
        """
        if not terms.key:
            yield
            return
        ordered = service, terms.key
        if _same(service, terms, self._under_way.get(ordered), "is under way"):
            raise Conflict("an order with this Idempotency-Key is still under way; ask again in a moment")
        self._under_way[ordered] = terms.digest
        try:
            yield
        finally:
            del self._under_way[ordered]
        digests = self._digests.setdefault(service, {})
        digests[terms.key] = terms.digest
        while len(digests) > KEYS:
            del digests[next(iter(digests))]


def _same(service: str, terms: OrderTerms, digest: str | None, what: str) -> bool:
    """Return whether there is an order under the key, which must be this one."""
    if not terms.key or digest is None:
        return False
    if digest != terms.digest:
        raise KeyReused(
            f"the Idempotency-Key {terms.key!r} belongs to another order for {service}, which {what}; "
            "a new order needs a new key. Nothing was changed"
        )
    return True
