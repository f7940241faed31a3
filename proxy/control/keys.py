"""Orders under way, by their Idempotency-Key: of two at once under the same key, one is carried out."""

from collections.abc import Iterator
from contextlib import contextmanager

from proxy.control.errors import Conflict, KeyReused
from proxy.control.terms import Terms


class Keys:
    """The keys of the orders that are being carried out now. What is done already, the ledger knows."""

    def __init__(self) -> None:
        self._digests: dict[tuple[str, str], str] = {}

    def __repr__(self) -> str:
        return f"<Keys, {len(self._digests)} under way>"

    @contextmanager
    def under_way(self, service: str, terms: Terms) -> Iterator[None]:
        """While this lasts, the key is taken; without one nothing is. Raises Conflict or KeyReused."""
        if not terms.key:
            yield
            return
        taken = self._digests.get((service, terms.key))
        if taken == terms.digest:
            raise Conflict("an order with this Idempotency-Key is still under way; ask again in a moment")
        if taken is not None:
            raise KeyReused(
                "this Idempotency-Key is that of another order, which is under way; "
                "expected a new key for each order. Nothing was changed."
            )
        self._digests[service, terms.key] = terms.digest
        try:
            yield
        finally:
            del self._digests[service, terms.key]
