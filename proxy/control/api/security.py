"""Access to the admin API.

With a token only requests with it are admitted (RFC 6750). Without one the listener is on loopback, where
every local program may send requests, and so may every web page in a browser on this machine, in two ways
that are shut here:

- DNS rebinding: a page's own name is made to resolve to 127.0.0.1, and the page reads from "itself". The
  browser still sends that name as Host, so Host must be a loopback name or address, or the listen host.
- Cross-site posts: a page sends a request without reading the answer. The browser then sends Origin and
  Sec-Fetch-Site, so for methods that change something both must be of this origin.
"""

import hmac
import ipaddress
import re
from dataclasses import dataclass

from aiohttp import web
from multidict import CIMultiDictProxy

from proxy.control.api.problems import HttpProblem, Responder

PROBES = frozenset({"/livez", "/readyz"})
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
AUTHORITY = re.compile(r"(?P<host>\[[0-9a-f:.]+\]|[^\s:/@\[\]]+)(?::(?P<port>\d{0,5}))?", re.ASCII)
PORTS = {"http": "80", "https": "443"}

Headers = CIMultiDictProxy[str]


@dataclass(frozen=True, slots=True)
class AccessGuard:
    """The rule for one listener. Without a token (None or "") Host, Origin and Sec-Fetch-Site are checked."""

    token: str | None
    listen_host: str
    open_metrics: bool = False

    def __repr__(self) -> str:
        return f"<AccessGuard {'token' if self.token else 'loopback'} {self.listen_host}>"

    @web.middleware
    async def middleware(self, request: web.Request, handler: Responder) -> web.StreamResponse:
        """Refuse a request before a byte of its body is read."""
        self.admit(request.method, request.path, request.scheme, request.headers)
        return await handler(request)

    def admit(self, method: str, path: str, scheme: str, headers: Headers) -> None:
        """Admit a request. Raises HttpProblem 401 or 403 when it may not go on."""
        if not self.token:
            self._check_host(path, headers)
            if method not in SAFE:
                check_origin(scheme, headers)
        elif path not in PROBES and not (self.open_metrics and path == "/metrics"):
            self._check_token(headers)

    def _check_token(self, headers: Headers) -> None:
        given = headers.getall("Authorization", [])
        if not given:
            raise unauthorized("this API wants a token: send Authorization: Bearer TOKEN", "")
        scheme, _, token = given[0].partition(" ")
        good = hmac.compare_digest(as_bytes(token.strip()), as_bytes(self.token or ""))
        if len(given) > 1 or scheme.lower() != "bearer" or not good:
            raise unauthorized(
                "the token sent is not the one in admin.token or admin.token_file; "
                "expected one line Authorization: Bearer TOKEN",
                ', error="invalid_token"',
            )

    def _check_host(self, path: str, headers: Headers) -> None:
        hosts = headers.getall("Host", [])
        if not hosts and path in PROBES:
            return  # an HTTP/1.0 health check; a browser, the danger here, always sends a Host
        name = split_authority(hosts[0])[0] if len(hosts) == 1 else ""
        if not (is_loopback(name) or (name and name == self.listen_host.lower().strip("[]"))):
            raise HttpProblem(
                403,
                f"Host {', '.join(hosts) or '(none)'} is not this listener; expected localhost, a loopback "
                f"address or {self.listen_host or 'the listen host'}; for other names set admin.token",
            )


def check_origin(scheme: str, headers: Headers) -> None:
    """Refuse what a page of another origin makes a browser send. Other programs send neither field."""
    here = (scheme, *split_authority(headers.get("Host", ""), PORTS.get(scheme, "")))
    for origin in headers.getall("Origin", []):
        if origin_parts(origin) != here:
            raise HttpProblem(
                403, f"Origin {origin} is not this API's own; a page elsewhere may not change anything here"
            )
    for site in headers.getall("Sec-Fetch-Site", []):
        if site.lower() not in ("same-origin", "none"):
            raise HttpProblem(403, f"Sec-Fetch-Site {site}: a page elsewhere may not change anything here")


def origin_parts(origin: str) -> tuple[str, str, str] | None:
    """Return scheme, host and port of an Origin field; None for "null" and for what is no origin."""
    scheme, found, authority = origin.partition("://")
    if not found:
        return None
    return (scheme.lower(), *split_authority(authority, PORTS.get(scheme.lower(), "")))


def split_authority(authority: str, port: str = "") -> tuple[str, str]:
    """Return host (lower case, bare) and port (`port` when none is written) of "host:port"; or two ""."""
    found = AUTHORITY.fullmatch(authority.lower())
    if not found:
        return "", ""
    return found["host"].strip("[]").removesuffix("."), found["port"] or port


def is_loopback(name: str) -> bool:
    """Return whether this is localhost, 127.0.0.0/8 or ::1.

    Names below localhost aren't: not every resolver keeps them on this machine.
    """
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def unauthorized(detail: str, more: str) -> HttpProblem:
    """Return a 401 with the challenge that RFC 9110 requires."""
    return HttpProblem(401, detail, headers={"WWW-Authenticate": f'Bearer realm="weir"{more}'})


def as_bytes(text: str) -> bytes:
    """Return header bytes as they came: compare_digest takes text only where it is ASCII."""
    return text.encode("utf-8", "surrogateescape")
