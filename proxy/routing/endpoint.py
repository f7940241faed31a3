"""What a person wrote as one place that can answer for a backend."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from ipaddress import IPv6Address
from typing import Any, Literal, Self

Scheme = Literal["http", "https", "unix"]

PORTS: Mapping[str, int] = {"http": 80, "https": 443}
"""The port of a scheme where a URL has none."""
LONGEST_SOCKET_PATH = 107
"""Bytes: what `sun_path` of Linux takes besides its closing NUL."""

_EXPECTED = "expected http://host[:port], https://host[:port] or unix:/path"
_AUTHORITY = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._-]+))(?::(?P<port>[0-9]{1,5}))?")


@dataclass(frozen=True, slots=True)
class Trust:
    """The certificates that an endpoint must have, and the one that it is shown. All files are PEM."""

    ca: str = ""
    """The file with the certificates to trust; empty: those that the system trusts."""
    server_name: str = ""
    """The name to ask for and to find in the certificate; empty: the endpoint's host."""
    verify: bool = True
    """False: every certificate is trusted."""
    cert: str = ""
    """The file with our own certificate and its chain; empty: we show none."""
    key: str = ""
    """The file with its private key."""

    def to_json(self) -> dict[str, Any]:
        """Return what differs from the default."""
        written = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: value for name, value in written.items() if value != getattr(SYSTEM, name)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        return cls(**value)


OWN_HOST = "endpoint"
"""Stands for the endpoint's own name and port, where the Host that it gets is asked for."""
SYSTEM = Trust()
"""The default: the system's store, the endpoint's own name, no certificate of ours."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A place that can answer, identified by its URL, the Host that it gets and its trust.

    It has one `Address` or several. A connection that was made for one endpoint is not for requests to
    another of the same URL: the certificates, or the name that was asked for, differ.
    """

    url: str
    scheme: Scheme = field(compare=False)
    host: str = field(compare=False)
    """Name or address, IPv6 without brackets; empty for a unix socket."""
    port: int = field(compare=False)
    """1 to 65535; 0 for a unix socket."""
    path: str = field(compare=False)
    """Of the unix socket; empty otherwise."""
    trust: Trust = SYSTEM
    """Always `SYSTEM` without TLS."""
    host_sent: str = ""
    """The Host that requests get there; empty: the client's own. Under TLS it is the name to ask for, too."""

    def __hash__(self) -> int:
        """Return the URL's own hash, which a str keeps."""
        return hash(self.url)

    def __str__(self) -> str:
        return self.identity

    @property
    def identity(self) -> str:
        """What people, the ledger and the API tell it from others by: its URL, and the Host that it gets.

        Behind one URL two programs may answer, each for a host of its own. The trust is no part of it.
        """
        return f"{self.url} (Host {self.host_sent})" if self.host_sent else self.url

    @property
    def authority(self) -> str:
        """What stands for the host of a request that names none."""
        return self.url.partition("//")[2] or "localhost"

    def to_json(self) -> str | dict[str, Any]:
        """Return the URL alone where there is nothing more."""
        more: dict[str, Any] = {"trust": self.trust.to_json()} if self.trust != SYSTEM else {}
        if self.host_sent:
            more["host"] = self.host_sent
        return {"url": self.url, **more} if more else self.url

    @classmethod
    def from_json(cls, value: str | Mapping[str, Any]) -> Self:
        if isinstance(value, str):
            return cls.parse(value)
        return cls.parse(value["url"], Trust.from_json(value.get("trust", {})), value.get("host", ""))

    @classmethod
    def parse(cls, url: str, trust: Trust = SYSTEM, host_sent: str = "") -> Self:
        """Read `http[s]://host[:port]` or `unix:/path`, in the one spelling that its identity is made of.

        `trust` has no meaning without TLS; `host_sent` may be `OWN_HOST`.

        Raises:
            ValueError: It is none, in words for the person who wrote the URL.
        """
        scheme, _, rest = url.partition(":")
        match scheme.lower():
            case "unix":
                found = cls._unix(url, rest)
            case "http" if rest.startswith("//"):
                found = cls._http(url, "http", rest[2:], SYSTEM)
            case "https" if rest.startswith("//"):
                found = cls._http(url, "https", rest[2:], trust)
            case _:
                raise ValueError(f"`{url}` is no address of an endpoint: {_EXPECTED}")
        sent = found.authority if host_sent == OWN_HOST else host_sent
        return replace(found, host_sent=sent) if sent else found

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
    def _http(cls, url: str, scheme: Literal["http", "https"], authority: str, trust: Trust) -> Self:
        match = _AUTHORITY.fullmatch(authority)
        if match is None:
            raise ValueError(
                f"`{url}` is no address of an endpoint: expected {scheme}://host[:port] and nothing after it"
            )
        usual = PORTS[scheme]
        port = int(match["port"] or usual)
        if not 1 <= port <= 65535:
            raise ValueError(f"`{url}`: {port} is no port: expected 1 to 65535")
        host = match["name"].lower() if match["name"] else _ipv6(url, match["v6"])
        shown = f"[{host}]" if match["v6"] else host
        spelled = f"{scheme}://{shown}" + (f":{port}" if port != usual else "")
        return cls(spelled, scheme, host, port, "", trust)


def _ipv6(url: str, address: str) -> str:
    try:
        return str(IPv6Address(address))
    except ValueError as error:
        raise ValueError(f"`{url}`: [{address}] is no IPv6 address") from error
