"""The choice of an endpoint: of two alive ones at random, the one with less to do.

Two choices are nearly as good as asking all of them, cost the same however many there are, and
cannot make every worker run to the same idle endpoint at once (Mitzenmacher, "The Power of Two
Choices in Randomized Load Balancing").
"""

from collections.abc import Sequence

from proxy.routing.endpoint import Endpoint, Live


def pick(endpoints: Sequence[Endpoint], live: Live, draw: int) -> Endpoint | None:
    """Return one endpoint that is alive, or None when there is none. `draw` is 64 random bits."""
    if len(endpoints) < 2:
        return endpoints[0] if endpoints and live.alive(endpoints[0]) else None
    one, other, rest = _two(endpoints, draw)
    if live.alive(one) and live.alive(other):
        return other if live.pending(other) < live.pending(one) else one
    return any_of([endpoint for endpoint in endpoints if live.alive(endpoint)], live, rest)


def any_of(endpoints: Sequence[Endpoint], live: Live, draw: int) -> Endpoint | None:
    """Return one endpoint, alive or not; None when there is none at all."""
    if len(endpoints) < 2:
        return endpoints[0] if endpoints else None
    one, other, _ = _two(endpoints, draw)
    return other if live.pending(other) < live.pending(one) else one


def pick_or_any(endpoints: Sequence[Endpoint], live: Live, draw: int) -> Endpoint | None:
    """Return one endpoint that is alive; any of them while none is."""
    return pick(endpoints, live, draw) or any_of(endpoints, live, draw)


def _two(endpoints: Sequence[Endpoint], draw: int) -> tuple[Endpoint, Endpoint, int]:
    """Return two different endpoints, every ordered pair as likely, and what is left of the draw."""
    draw, first = divmod(draw, len(endpoints))
    draw, step = divmod(draw, len(endpoints) - 1)
    return endpoints[first], endpoints[first - 1 - step], draw
