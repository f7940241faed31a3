"""How many connections of clients a worker has room for, so that it never runs out of file descriptors.

A client takes one descriptor and its request another, for the connection to the endpoint. Set aside is what
the process needs itself, each listener twice (the socket and the copy that the loop accepts on), and the
connections that wait in the pool. These get half of the rest at most: many endpoints, or a large `max_idle`,
must not leave clients without any.
"""

import resource

OWN = 64
"""For the standard streams, the loop, the link, the lifeline, name look-ups, files that are being read."""

_UNLIMITED = 1 << 20


def limit() -> int:
    """File descriptors that this process may have."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _UNLIMITED if soft == resource.RLIM_INFINITY else soft


def kept(descriptors: int, listeners: int, endpoints: int, most: int) -> int:
    """Unused connections that may be kept for each of so many endpoints; `most` where there is room."""
    return min(most, _left(descriptors, listeners) // 2 // max(1, endpoints))


def room(descriptors: int, listeners: int, waiting: int) -> int:
    """Connections of clients that so many descriptors are enough for; one at least.

    `waiting` is how many unused connections to endpoints may be kept.
    """
    left = _left(descriptors, listeners)
    return max(1, (left - min(waiting, left // 2)) // 2)


def _left(descriptors: int, listeners: int) -> int:
    return max(0, descriptors - OWN - 2 * listeners)
