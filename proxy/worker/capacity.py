"""The number of client connections that a worker takes, so that it never runs out of file descriptors.

A client takes one descriptor and its request another, for the connection to the endpoint. Set aside is what
the process needs itself, each listener twice (the socket and the copy that the loop accepts on), and the
connections that wait in the pool. These get half of the rest at most: many endpoints, or a large `max_idle`,
must not leave clients without any.
"""

import logging
import resource

from proxy.forwarding.data_plane import DataPlane

log = logging.getLogger(__name__)

OWN = 64
"""For the standard streams, the loop, the link, the lifeline, name look-ups, files that are being read."""

_UNLIMITED = 1 << 20


class Capacity:
    """The bounds of one worker's connections, which follow the settings and the number of endpoints.

    Args:
        plane: what is bounded.
        listeners: how many sockets the worker listens on.
    """

    def __init__(self, plane: DataPlane, listeners: int) -> None:
        self._plane = plane
        self._listeners = listeners
        self._max_idle = plane.pool.max_idle
        self._connections: int | None = None

    def __repr__(self) -> str:
        return f"<Capacity for {self._plane.connections} clients>"

    def configure(self, connections: int | None, max_idle: int) -> None:
        """Take the bounds of the config; `bound` puts them in force.

        Args:
            connections: the most connections of clients; None: as many as there are descriptors for.
            max_idle: the most unused connections to each endpoint.
        """
        self._connections, self._max_idle = connections, max_idle

    def bound(self, endpoints: int) -> None:
        """Bound the data plane for so many endpoints, and never above what there are descriptors for."""
        plane, wanted, most = self._plane, self._connections, limit()
        plane.pool.max_idle = kept(most, self._listeners, endpoints, self._max_idle)
        possible = room(most, self._listeners, endpoints * plane.pool.max_idle)
        if wanted is not None and wanted > possible != plane.connections:
            message = (
                "limits.connections is %d, and %d open files are enough for %d: so many are taken; "
                "raise the hard limit, or lower pool.max_idle"
            )
            log.warning(message, wanted, most, possible)
        plane.connections = possible if wanted is None else min(wanted, possible)


def limit() -> int:
    """Return how many file descriptors this process may have."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _UNLIMITED if soft == resource.RLIM_INFINITY else soft


def kept(descriptors: int, listeners: int, endpoints: int, most: int) -> int:
    """Return how many unused connections may be kept for each endpoint, `most` where there is room."""
    return min(most, _left(descriptors, listeners) // 2 // max(1, endpoints))


def room(descriptors: int, listeners: int, waiting: int) -> int:
    """Return how many connections of clients so many descriptors are enough for, one at least.

    `waiting` is how many unused connections to endpoints may be kept.
    """
    left = _left(descriptors, listeners)
    return max(1, (left - min(waiting, left // 2)) // 2)


def _left(descriptors: int, listeners: int) -> int:
    return max(0, descriptors - OWN - 2 * listeners)
