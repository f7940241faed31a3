"""One name that is in use: what its look-ups have found, and the addresses to use."""

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from proxy.resolution.channel import Resolved

FAMILIES = (socket.AF_INET, socket.AF_INET6)


@dataclass(frozen=True, slots=True)
class FamilyState:
    """What is known of one family of addresses of a name."""

    addresses: tuple[str, ...] = ()
    """The last that were found."""
    absent: bool = False
    """Whether the last answer was that there is none."""
    failure: str = ""
    """Why the last question wasn't answered; empty when it was."""
    asked: bool = False
    """Whether a question has come to its end."""

    def answered(self, found: Resolved) -> "FamilyState":
        """Return the state after an answer."""
        addresses = found.addresses or self.addresses
        return FamilyState(addresses, absent=not found.addresses, asked=True)

    def failed(self, reason: str) -> "FamilyState":
        """Return the state after a question that wasn't answered."""
        return replace(self, failure=reason, asked=True)


UNASKED = FamilyState()


class FollowedName:
    """The state of one name. When a look-up fails, the last good addresses go on to be used.

    Args:
        routed: whether there is a route to an address.
    """

    def __init__(self, routed: Callable[[str], bool]) -> None:
        self._routed = routed
        self._families: dict[socket.AddressFamily, FamilyState] = dict.fromkeys(FAMILIES, UNASKED)
        self.addresses: tuple[str, ...] = ()
        """Those to use now."""
        self.lookups = 0
        """How many have come to their end."""

    def __repr__(self) -> str:
        return f"<FollowedName at {', '.join(self.addresses) or self.failure or 'unknown'}>"

    @property
    def known(self) -> bool:
        """Whether there are addresses, or all families were asked for in vain."""
        return bool(self.addresses) or self._all_asked

    @property
    def failure(self) -> str:
        """Why the name can't be resolved now; empty when it can, or isn't known yet."""
        states = self._families.values()
        if not self._all_asked or any(_good(each) for each in states):
            return ""
        return next((each.failure for each in states if each.failure), "there is no address of that name")

    @property
    def families(self) -> Mapping[socket.AddressFamily, FamilyState]:
        """What is known of each family."""
        return self._families

    def answered(self, family: socket.AddressFamily, found: Resolved) -> bool:
        """Take an answer; return whether the addresses are others than before."""
        return self._learn(family, self._families[family].answered(found))

    def failed(self, family: socket.AddressFamily, reason: str) -> bool:
        """Take the end of a question that wasn't answered; return whether the addresses are others."""
        return self._learn(family, self._families[family].failed(reason))

    def _learn(self, family: socket.AddressFamily, state: FamilyState) -> bool:
        self._families[family] = state
        self.lookups += 1
        before, self.addresses = self.addresses, self._usable()
        return self.addresses != before

    def _usable(self) -> tuple[str, ...]:
        """Return the addresses of the last good answers, without those that there is no route to."""
        present = [ip for each in self._families.values() if not each.absent for ip in each.addresses]
        found = present or [ip for each in self._families.values() for ip in each.addresses]
        return tuple([ip for ip in found if self._routed(ip)] or found)

    @property
    def _all_asked(self) -> bool:
        return all(each.asked for each in self._families.values())


def _good(state: FamilyState) -> bool:
    return bool(state.addresses) and not state.absent and not state.failure


def routed(ip: str) -> bool:
    """Return whether this machine has a route to an address: no packet is sent for that."""
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as unsent:
            unsent.connect((ip, 9))
    except OSError:
        return False
    return True
