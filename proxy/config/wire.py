"""What concerns the wire, whatever the service: deadlines, kept connections, limits, whose word is taken."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from proxy.config import networks, units
from proxy.config.problems import Unfit, quoted
from proxy.config.section import Quarrel, Section
from proxy.config.values import Scalar, attempt, duration, key, or_word, pattern, size, whole

_KIB, _MIB = 1 << 10, 1 << 20
_DAY = 86_400
_LARGEST_BODY = 1 << 50

Trusted = Annotated[
    str,
    Scalar(
        networks.peer,
        f"a network such as `10.0.0.0/8`, an address, or `{networks.UNIX}`",
        pattern(networks.PEER_PATTERN),
    ),
]

_Timeout = Annotated[float, duration(0.001, _DAY)]


class Timeouts(Section):
    """How long to wait, in seconds."""

    header: _Timeout = key("for the head of a request", default=10.0, written="10s")
    connect: _Timeout = key("for a connection to an endpoint", default=5.0, written="5s")
    response: _Timeout = key("for the head of an answer", default=60.0, written="60s")
    body: _Timeout = key("for the next byte of a body, on either side", default=60.0, written="60s")
    idle: _Timeout = key("for the next request of a connection", default=75.0, written="75s")
    tunnel: _Timeout = key(
        "for the next byte of an upgraded connection, such as a WebSocket", default=3600.0, written="1h"
    )


class Pool(Section):
    """Connections to endpoints that are kept for the next request."""

    idle: _Timeout = key("how long an unused one is kept", default=60.0, written="60s")
    max_idle: Annotated[int, whole(0, 10_000)] = key(
        "how many each worker keeps per endpoint; 0: none", default=64, written=64
    )


_LINE, _HEAD = (256, _MIB), (_KIB, _MIB)
"""Least and most of each."""
_DEFAULT_LINE, _DEFAULT_HEAD = "16KiB", "64KiB"


class Limits(Section):
    """How much is taken from a peer, in bytes. Line, head and fields hold in both directions."""

    line: Annotated[int, size(*_LINE)] = key(
        "a first line, a chunk line or a trailer", default=16 * _KIB, written=_DEFAULT_LINE
    )
    head: Annotated[int, size(*_HEAD)] = key(
        "a whole head, or all trailers", default=64 * _KIB, written=_DEFAULT_HEAD
    )
    fields: Annotated[int, whole(1, 10_000)] = key("fields of a head, or trailers", default=200, written=200)
    body: Annotated[int | None, or_word("none", size(1, _LARGEST_BODY))] = key(
        "the body of a request; `none`: no limit", default=None, written="none"
    )
    connections: Annotated[int | None, or_word("auto", whole(1, 1_000_000))] = key(
        "connections of clients, for each worker; `auto`: what the limit on open files has room for",
        default=None,
        written="auto",
    )

    @classmethod
    def quarrels(cls, raw: Mapping[str, Any]) -> Iterator[Quarrel]:
        line, head = raw.get("line", _DEFAULT_LINE), raw.get("head", _DEFAULT_HEAD)
        least = attempt(lambda text: units.size(text, *_LINE), line)
        most = attempt(lambda text: units.size(text, *_HEAD), head)
        if least is None or most is None or least <= most:
            return
        message = f"a head of {quoted(head)} has no room for a line of {quoted(line)}"
        advice = f"write at least `head: {units.as_size(least)}`, or a smaller `line`"
        yield ("head" if "head" in raw else "line",), Unfit(message, advice)
