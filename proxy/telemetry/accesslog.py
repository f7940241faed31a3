"""One line for one request: as JSON, as nginx's `combined`, or as the older `common`.

What clients sent stays bytes until here, and a line stays a line whatever they sent. JSON is plain ASCII:
what isn't UTF-8 shows as a backslash, x and two hex digits, the rest as JSON escapes. The other two escape
as nginx does: quotes, backslashes, and bytes below 32 or above 126 become \\xXX. A request that was sent no
status shows as 499, as in nginx.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from proxy.telemetry.outcome import Ending, shown_status

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
"""Written out: strftime's depend on the locale."""

_ESCAPES = {byte: f"\\x{byte:02X}" for byte in range(256) if byte < 32 or byte > 126 or chr(byte) in '"\\'}
_BARE_ESCAPES = _ESCAPES | {ord(" "): "\\x20"}


@dataclass(slots=True)
class Access:
    """The values of one line. Absent fields are empty."""

    when: float
    """End of the exchange, unix seconds."""
    client: str
    """The client's address."""
    method: bytes
    target: bytes
    version: str
    """HTTP/1.1; empty when no request could be read."""
    status: int
    """The status sent; 0 when none was."""
    bytes_out: int
    """Bytes of body sent to the client."""
    referer: bytes
    user_agent: bytes
    host: bytes
    request_id: bytes
    service: str
    backend: str
    endpoint: str
    """The URL of the endpoint that answered or failed last, as it was written; empty when none was asked."""
    address: str
    """Its address: IP and port, or the path of a socket."""
    why: str
    """Why this backend was chosen."""
    ending: Ending
    reason: str
    """Why the request was refused, in one word."""
    rescued: str
    """Which backend failed it before this one answered, and how: `canary 503`."""
    overdue: bool
    """Whether the client has waited longer than the threshold allows, here or where it was sent first."""
    seconds: float
    """Request head read until the exchange ended."""
    upstream_seconds: float | None
    """First request byte sent upstream until the response head; None without a head."""


def format_json(access: Access) -> str:
    """Return one JSON object."""
    line = {
        "time": _iso(access.when),
        "client": access.client,
        "method": _text(access.method),
        "target": _text(access.target),
        "version": access.version,
        "host": _text(access.host),
        "status": shown_status(access.status),
        "bytes": access.bytes_out,
        "seconds": round(access.seconds, 6),
        "upstream_seconds": None if access.upstream_seconds is None else round(access.upstream_seconds, 6),
        "service": access.service,
        "backend": access.backend,
        "endpoint": access.endpoint,
        "address": access.address,
        "why": access.why,
        "ending": access.ending,
        "reason": access.reason,
        "rescued": access.rescued,
        "overdue": access.overdue,
        "request_id": _text(access.request_id),
        "referer": _text(access.referer),
        "user_agent": _text(access.user_agent),
    }
    return json.dumps(line, separators=(",", ":"))


def format_common(access: Access) -> str:
    """Return the Common Log Format: client - - [time] "request" status bytes."""
    request = f"{_quoted(access.method)} {_quoted(access.target)} {access.version}" if access.version else "-"
    client = access.client.encode("utf-8", "backslashreplace").decode("latin-1").translate(_BARE_ESCAPES)
    status = shown_status(access.status)
    return f'{client or "-"} - - [{_clf(access.when)}] "{request}" {status} {access.bytes_out}'


def format_combined(access: Access) -> str:
    """Return nginx's `combined`: common, then the referer and the user agent."""
    referer, agent = _quoted(access.referer) or "-", _quoted(access.user_agent) or "-"
    return f'{format_common(access)} "{referer}" "{agent}"'


FORMATS: dict[str, Callable[[Access], str]] = {
    "json": format_json,
    "combined": format_combined,
    "common": format_common,
}
"""By the name in the config file."""


def _quoted(value: bytes) -> str:
    """Return bytes as they may stand between quotes."""
    return value.decode("latin-1").translate(_ESCAPES)


def _text(value: bytes) -> str:
    """Return bytes as text: nearly always UTF-8."""
    return value.decode("utf-8", "backslashreplace")


def _clf(when: float) -> str:
    """Return a moment such as 10/Oct/2000:13:55:36 +0000."""
    at = datetime.fromtimestamp(when, UTC)
    return f"{at.day:02}/{_MONTHS[at.month - 1]}/{at.year:04}:{at:%H:%M:%S} +0000"


def _iso(when: float) -> str:
    """Return a moment such as 2000-10-10T13:55:36.123Z."""
    return datetime.fromtimestamp(when, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
