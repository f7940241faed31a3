"""The endpoints and version that answer for a backend, and when two of them are the same."""

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

from proxy.routing.endpoint import Endpoint


@dataclass(frozen=True, slots=True)
class Side:
    """Endpoints and version of one backend. Without endpoints it is vacant."""

    endpoints: tuple[Endpoint, ...]
    version: str = ""

    @property
    def definition(self) -> str:
        """What makes it this one: endpoints, in any order and spelling, and version; "" for a vacant side.

        The same URL is another program for another Host.

        The certificates that are trusted are not part of it: a renewed one makes no new release.
        """
        return _definition(tuple(each.identity for each in self.endpoints), self.version)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"endpoints": [endpoint.to_json() for endpoint in self.endpoints], "version": self.version}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Return the side that `to_json` wrote."""
        return cls(tuple(map(Endpoint.from_json, data["endpoints"])), data["version"])


@lru_cache(4096)  # one reload asks for that of each side some ten times
def _definition(endpoints: tuple[str, ...], version: str) -> str:
    if not endpoints:
        return ""
    return json.dumps({"endpoints": sorted(endpoints), "version": version}, separators=(",", ":"))


VACANT = Side(())
"""No endpoint answers for the backend: there is no canary."""


def another(before: str, after: str) -> bool:
    """Return whether these definitions are of two programs: another version, or no endpoint in common.

    An endpoint more or less is the same program on more machines.
    """
    if not before or not after:
        return before != after
    one, other = json.loads(before), json.loads(after)
    return bool(one["version"] != other["version"]) or not set(one["endpoints"]) & set(other["endpoints"])
