"""One address of an endpoint: what requests are balanced over, and what is probed, ejected and pooled."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import ip_address
from typing import Protocol

from proxy.routing.endpoint import Endpoint

Located = Mapping[str, tuple[str, ...]]
"""The IP addresses of names, as far as they are known."""


@dataclass(frozen=True, slots=True)
class Address:
    """One address of an endpoint. An endpoint whose host is a name has as many as the name has."""

    endpoint: Endpoint
    ip: str
    """IPv4 or IPv6, without brackets; empty for a unix socket."""
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.endpoint.url, self.ip)))

    def __hash__(self) -> int:
        """Return a hash made once: addresses are looked up several times per request."""
        return self._hash

    def __str__(self) -> str:
        endpoint = self.endpoint
        return f"{endpoint} ({self.ip})" if host_name(endpoint) else str(endpoint)

    @property
    def socket(self) -> str:
        """`10.0.0.3:8080`, `[::1]:8080`, or `unix:/path`."""
        if self.endpoint.scheme == "unix":
            return self.endpoint.url
        ip = f"[{self.ip}]" if ":" in self.ip else self.ip
        return f"{ip}:{self.endpoint.port}"


def addresses(endpoint: Endpoint, located: Located) -> tuple[Address, ...]:
    """Return the addresses of an endpoint; none while its host is a name that isn't `located`."""
    name = host_name(endpoint)
    if not name:
        return (Address(endpoint, endpoint.host),)
    return tuple(Address(endpoint, ip) for ip in located.get(name, ()))


def all_addresses(endpoints: Iterable[Endpoint], located: Located) -> tuple[Address, ...]:
    """Return the addresses of several endpoints, in their order, as far as they are known."""
    return tuple(one for endpoint in endpoints for one in addresses(endpoint, located))


def relocate(located: dict[str, tuple[str, ...]], names: Located) -> None:
    """Take over the addresses of names; one that has none any more is no longer located."""
    for name, found in names.items():
        if found:
            located[name] = found
        else:
            located.pop(name, None)


def host_name(endpoint: Endpoint) -> str:
    """Return the name that has to be resolved for an endpoint; empty for an IP address or a unix socket."""
    return "" if not endpoint.host or _numeric(endpoint.host) else endpoint.host


@lru_cache(4096)
def _numeric(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


class Live(Protocol):
    """What is known of addresses at this moment, as the process that talks to them sees it."""

    def alive(self, address: Address) -> bool:
        """Return whether requests may be sent there."""

    def worth_trying(self, address: Address) -> bool:
        """Return whether requests may be sent there when no other address is alive."""

    def pending(self, address: Address) -> int:
        """Return how many requests it has been sent and has not answered yet."""
