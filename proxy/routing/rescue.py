"""What a service's owner says of requests that its canary fails, as the data plane takes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Rescue:
    """Which of them are sent again, to ``stable``."""

    on: bool = True
    max_body: int = 64 * 1024
    """Bytes of a request's body that are kept for it, at most."""
    keyed: bool = False
    """Whether any method is, in a request that carries an ``Idempotency-Key``."""

    def to_json(self) -> dict[str, Any]:
        return {"on": self.on, "max_body": self.max_body, "keyed": self.keyed}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        return cls(value["on"], value["max_body"], value["keyed"])
