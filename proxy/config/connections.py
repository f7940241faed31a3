"""The keys of the wire, for all services: deadlines, kept connections, limits, trusted proxies."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from proxy import defaults
from proxy.config import addresses, units
from proxy.config.problems import Unfit, quoted
from proxy.config.section import Quarrel, Section
from proxy.config.units import as_seconds, as_size
from proxy.config.values import Items, Scalar, attempt, duration, key, or_word, pattern, size, whole

_KIB, _MIB = 1 << 10, 1 << 20
_DAY = 86_400
_LARGEST_BODY = 1 << 50

_Timeout = Annotated[float, duration(0.001, _DAY)]


class Timeouts(Section):
    """How long to wait, in seconds."""

    header: _Timeout = key("for the head of a request", default=defaults.HEADER_TIMEOUT, written=as_seconds)
    connect: _Timeout = key(
        "for a connection to an endpoint", default=defaults.CONNECT_TIMEOUT, written=as_seconds
    )
    response: _Timeout = key(
        "for the head of an answer", default=defaults.RESPONSE_TIMEOUT, written=as_seconds
    )
    body: _Timeout = key(
        "for the next byte of a body, on either side", default=defaults.BODY_TIMEOUT, written=as_seconds
    )
    events: _Timeout = key(
        "for the next byte of an answer that is an event stream (`text/event-stream`)",
        default=defaults.EVENTS_TIMEOUT,
        written=as_seconds,
    )
    idle: _Timeout = key(
        "for the next request of a connection", default=defaults.IDLE_TIMEOUT, written=as_seconds
    )
    tunnel: _Timeout = key(
        "for the next byte of an upgraded connection, such as a WebSocket",
        default=defaults.TUNNEL_TIMEOUT,
        written=as_seconds,
    )


def _own(name: str) -> Any:
    """Return the key of a timeout that is declared above, for one service to have another."""
    return key(Timeouts.model_fields[name].description or "", default=None)


class ServiceTimeouts(Section):
    """How long the endpoints of one service may take, in seconds. What is left out is as for all services."""

    connect: _Timeout | None = _own("connect")
    response: _Timeout | None = _own("response")
    body: _Timeout | None = _own("body")
    events: _Timeout | None = _own("events")
    tunnel: _Timeout | None = _own("tunnel")

    @classmethod
    def unknown(cls, key: str) -> Unfit:
        """Return the fault of an unknown key. Two timeouts are of connections that no service has yet."""
        fault = super().unknown(key)
        if key in ("header", "idle"):
            fault.advice = "it holds before the service is known: write it under `timeouts` at the top"
        return fault


class Pool(Section):
    """Connections to endpoints that are kept for the next request."""

    idle: _Timeout = key(
        "how long an unused one is kept", default=defaults.POOL_IDLE_TIMEOUT, written=as_seconds
    )
    age: _Timeout = key(
        "how long a connection gets requests after it was made, a tenth more or less",
        default=defaults.POOL_AGE,
        written=as_seconds,
    )
    max_idle: Annotated[int, whole(0, 10_000)] = key(
        "how many each worker keeps per address of an endpoint; 0: none",
        default=defaults.POOL_MAX_IDLE,
        written=int,
    )


NameServer = Annotated[
    str,
    Scalar(
        addresses.name_server,
        "an IP address such as `10.0.0.2`, or `10.0.0.2:5353`",
        pattern(addresses.NAME_SERVER_PATTERN),
    ),
]


class Resolver(Section):
    """How the names in the URLs of endpoints are resolved."""

    servers: Annotated[tuple[NameServer, ...], Items("a list of addresses", one=True)] = key(
        "the name servers to ask; left out: those of the system (/etc/resolv.conf)", default=(), written=list
    )


_LINE, _HEAD = (256, _MIB), (_KIB, _MIB)
"""Least and most of each."""


class Limits(Section):
    """How much is taken from a peer, in bytes. Line, head and fields hold in both directions."""

    line: Annotated[int, size(*_LINE)] = key(
        "a first line, a chunk line or a trailer", default=defaults.LINE_BYTES, written=as_size
    )
    head: Annotated[int, size(*_HEAD)] = key(
        "a whole head, or all trailers", default=defaults.HEAD_BYTES, written=as_size
    )
    fields: Annotated[int, whole(1, 10_000)] = key(
        "fields of a head, or trailers", default=defaults.HEAD_FIELDS, written=int
    )
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
        line = raw.get("line", as_size(defaults.LINE_BYTES))
        head = raw.get("head", as_size(defaults.HEAD_BYTES))
        least = attempt(lambda text: units.size(text, *_LINE), line)
        most = attempt(lambda text: units.size(text, *_HEAD), head)
        if least is None or most is None or least <= most:
            return
        message = f"a head of {quoted(head)} has no room for a line of {quoted(line)}"
        advice = f"write at least `head: {as_size(least)}`, or a smaller `line`"
        yield ("head" if "head" in raw else "line",), Unfit(message, advice)
