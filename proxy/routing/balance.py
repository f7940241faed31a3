"""The choice of an address: of two alive ones at random, the one with less to do.

Two choices are nearly as good as asking all of them, cost the same however many there are, and
cannot make every worker run to the same idle address at once (Mitzenmacher, "The Power of Two
Choices in Randomized Load Balancing").
"""

from collections.abc import Callable, Sequence

from proxy.routing.address import Address, Live


def pick(addresses: Sequence[Address], live: Live, draw: int) -> Address | None:
    """Return one address that is alive, or None when there is none. `draw` is 64 random bits."""
    return _pick(addresses, live.alive, live, draw)


def pick_or_try(addresses: Sequence[Address], live: Live, draw: int) -> Address | None:
    """Return one address that is alive, else one that is worth trying; None when there is none."""
    return _pick(addresses, live.alive, live, draw) or _pick(addresses, live.worth_trying, live, draw)


def pick_or_any(addresses: Sequence[Address], live: Live, draw: int) -> Address | None:
    """Return one address that is alive, else one that is worth trying, else any of them."""
    return pick_or_try(addresses, live, draw) or _pick(addresses, _whatever, live, draw)


def _whatever(_address: Address) -> bool:
    return True


def _pick(
    addresses: Sequence[Address], eligible: Callable[[Address], bool], live: Live, draw: int
) -> Address | None:
    if len(addresses) < 2:
        return addresses[0] if addresses and eligible(addresses[0]) else None
    one, other, rest = _two(addresses, draw)
    if eligible(one) and eligible(other):
        return other if live.pending(other) < live.pending(one) else one
    left = [address for address in addresses if eligible(address)]
    if len(left) < 2:
        return left[0] if left else None
    one, other, _ = _two(left, rest)
    return other if live.pending(other) < live.pending(one) else one


def _two(addresses: Sequence[Address], draw: int) -> tuple[Address, Address, int]:
    """Return two different addresses, every ordered pair as likely, and what is left of the draw."""
    draw, first = divmod(draw, len(addresses))
    draw, step = divmod(draw, len(addresses) - 1)
    return addresses[first], addresses[first - 1 - step], draw
