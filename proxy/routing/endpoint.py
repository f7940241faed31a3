"""One address that can answer for a backend."""

import re
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from typing import Literal, Protocol, Self

Scheme = Literal["http", "unix"]

HTTP_PORT = 80
LONGEST_SOCKET_PATH = 107
"""Bytes: what ``sun_path`` of Linux takes besides its closing NUL."""

_AUTHORITY = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._-]+))(?::(?P<port>[0-9]{1,5}))?")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address, known by its URL alone: two endpoints of one URL are the same endpoint."""

    url: str
    scheme: Scheme = field(compare=False)
    host: str = field(compare=False)
    """Name or address, IPv6 without brackets; empty for a unix socket."""
    port: int = field(compare=False)
    """1 to 65535; 0 for a unix socket."""
    path: str = field(compare=False)
    """Of the unix socket; empty otherwise."""

    def __hash__(self) -> int:
        """The URL's own hash, which a str remembers: endpoints are looked up several times per request."""
        return hash(self.url)

    def __str__(self) -> str:
        return self.url

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read ``http://host[:port]`` or ``unix:/path``, in the one spelling that its identity is made of.

        Raises ValueError, in words for the person who wrote the URL.
        """
        scheme, _, rest = url.partition(":")
        if scheme.lower() == "unix":
            return cls._unix(url, rest)
        if scheme.lower() == "http" and rest.startswith("//"):
            return cls._http(url, rest[2:])
        raise ValueError(f"`{url}` is no address of an endpoint: expected http://host[:port] or unix:/path")

    @classmethod
    def _unix(cls, url: str, rest: str) -> Self:
        if not rest.startswith("/") or not rest.strip("/"):
            raise ValueError(f"`{url}` needs the absolute path of a socket, like unix:/run/app.sock")
        path = "/" + rest.lstrip("/")
        if not path.isprintable():
            raise ValueError(f"`{url!r}` has a control character in its socket path")
        if len(path.encode()) > LONGEST_SOCKET_PATH:
            raise ValueError(f"`{url}`: a socket path has at most {LONGEST_SOCKET_PATH} bytes")
        return cls(f"unix:{path}", "unix", "", 0, path)

    @classmethod
    def _http(cls, url: str, authority: str) -> Self:
        match = _AUTHORITY.fullmatch(authority)
        if match is None:
            raise ValueError(
                f"`{url}` is no address of an endpoint: expected http://host[:port] and nothing after it"
            )
        port = int(match["port"] or HTTP_PORT)
        if not 1 <= port <= 65535:
            raise ValueError(f"`{url}`: {port} is no port: expected 1 to 65535")
        host = match["name"].lower() if match["name"] else _ipv6(url, match["v6"])
        shown = f"[{host}]" if match["v6"] else host
        return cls(f"http://{shown}" + (f":{port}" if port != HTTP_PORT else ""), "http", host, port, "")


def _ipv6(url: str, address: str) -> str:
    try:
        return str(IPv6Address(address))
    except ValueError as error:
        raise ValueError(f"`{url}`: [{address}] is no IPv6 address") from error


class Live(Protocol):
    """What is known of the endpoints at this moment, by whoever talks to them."""

    def alive(self, endpoint: Endpoint) -> bool:
        """Whether requests may be sent there."""

    def pending(self, endpoint: Endpoint) -> int:
        """How many requests it has been sent and has not answered yet."""
