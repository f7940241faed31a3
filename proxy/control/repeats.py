"""Orders that were carried out: whoever can't know whether one arrived sends it again under the same key."""

from collections.abc import Mapping

from proxy.control.errors import KeyReused
from proxy.control.ledger import KEYS, Ordered
from proxy.control.terms import Terms


class Repeats:
    """The keys of orders that were carried out, of each service the newest; `known` are the ledger's."""

    def __init__(self, known: Mapping[Ordered, str]) -> None:
        self._digests: dict[str, dict[str, str]] = {}
        for (service, key), digest in known.items():
            self._digests.setdefault(service, {})[key] = digest

    def __repr__(self) -> str:
        return f"<Repeats of {sum(map(len, self._digests.values()))} orders>"

    def knows(self, service: str, terms: Terms) -> bool:
        """Whether this very order was carried out. KeyReused when the key belongs to another one."""
        digest = self._digests.get(service, {}).get(terms.key) if terms.key else None
        if digest is not None and digest != terms.digest:
            raise KeyReused(
                f"the Idempotency-Key {terms.key!r} belongs to another order for {service} that was carried "
                "out; a new order needs a new key. Nothing was changed"
            )
        return digest is not None

    def done(self, service: str, terms: Terms) -> None:
        """The order was carried out."""
        if not terms.key:
            return
        digests = self._digests.setdefault(service, {})
        digests[terms.key] = terms.digest
        while len(digests) > KEYS:
            del digests[next(iter(digests))]
