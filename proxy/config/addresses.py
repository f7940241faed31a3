"""Addresses to listen on (`:8080`, `[::1]:8080`) and of endpoints (`https://shop:81`), or `unix:/run/x`."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from proxy.config.problems import Unfit, quoted

LONGEST_SOCKET_PATH = 103
"""Bytes: what `sun_path` of macOS takes besides its closing NUL; Linux takes four more."""

ADDRESS_PATTERN = r"(?:[A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}"
SOCKET_PATTERN = r"unix:/.+"
ENDPOINT_PATTERN = (
    r"[Hh][Tt][Tt][Pp][Ss]?://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?/?|" + SOCKET_PATTERN
)
URL_PATTERN = (
    r"[Hh][Tt][Tt][Pp][Ss]?://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:[/?][!-\"$-~]*)?"
)
PORTS = {"http": 80, "https": 443}
"""The port of an endpoint that names none."""

NAME_SERVER_PATTERN = r"[0-9.]+(?::[0-9]{1,5})?|[0-9A-Fa-f:.]+|\[[0-9A-Fa-f:.]+\](?::[0-9]{1,5})?"
NAME_SERVER_PORT = 53

_SERVER_FORMS = "write an IP address such as `10.0.0.2`, or with a port `10.0.0.2:5353` or `[fd00::2]:5353`"
_LISTEN_FORMS = "write `:8080` for every address, or `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`"
_ENDPOINT_FORMS = "write `http://host:port`, `https://host:port` or `unix:/path/to/socket`"
_RECEIVER_FORMS = "write it like `https://ci.example/hook`"
_AUTHORITY = re.compile(r"(?:\[([^\[\]]*)\]|([^:\[\]]*))(?::([^:]*))?")
_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9_.])?")


@dataclass(frozen=True, slots=True)
class HostPort:
    """Where to listen. An empty host means every address of the machine; IPv6 stands without brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def loopback(self) -> bool:
        """Whether only this machine can connect."""
        ip = _ip(self.host)
        return self.host == "localhost" or (ip is not None and ip.is_loopback)

    def clashes(self, other: "HostPort | SocketPath") -> bool:
        """Return whether the two cannot be bound side by side, as `:8080` and `127.0.0.1:8080`."""
        if isinstance(other, SocketPath) or self.port != other.port:
            return False
        return self.host == other.host or self._covers(other) or other._covers(self)

    def _covers(self, other: "HostPort") -> bool:
        mine, theirs = _ip(self.host), _ip(other.host)
        if self.host == "localhost":
            return theirs is not None and theirs.is_loopback
        if mine is None or not mine.is_unspecified:
            return self.host == ""
        return theirs is None or theirs.version == mine.version


@dataclass(frozen=True, slots=True)
class SocketPath:
    """Where to listen for programs of this machine alone: a unix socket, by its whole path."""

    path: str

    def __str__(self) -> str:
        return f"unix:{self.path}"

    def clashes(self, other: "HostPort | SocketPath") -> bool:
        """Return whether the two cannot be bound side by side."""
        return self == other


def _ip(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def address(text: str) -> HostPort:
    """Read `:8080`, `127.0.0.1:8080`, `[::1]:8080` or `localhost:8080`. Raises Unfit."""
    if text.isascii() and text.isdigit():
        raise Unfit(
            f"{quoted(text)} is a port without an address", f"write `:{text[:5]}` to listen on every address"
        )
    if "://" in text:
        raise Unfit(f"{quoted(text)} is a URL, not an address to listen on", _LISTEN_FORMS)
    bracketed, name, port = _split(text, "address to listen on", _LISTEN_FORMS)
    if port is None:
        raise Unfit(f"{quoted(text)} has no port", _LISTEN_FORMS)
    if bracketed is None and name == "":
        return HostPort("", _port(text, port))
    return HostPort(_host(text, bracketed, name, _LISTEN_FORMS), _port(text, port))


def listening(text: str) -> HostPort | SocketPath:
    """Read where clients connect: what `address` reads, or `unix:/run/weir.sock`. Raises Unfit."""
    scheme, colon, rest = text.partition(":")
    if colon and scheme.lower() == "unix" and not rest.isdigit():
        return SocketPath(_unix(text, rest).removeprefix("unix:"))
    return address(text)


def name_server(text: str) -> str:
    """Read the address of a name server: `10.0.0.2`, `10.0.0.2:5353`, `fd00::2` or `[fd00::2]:5353`.

    Returns it in one spelling, with its port. Raises Unfit.
    """
    alone = _ip(text)
    if alone is not None:
        return str(HostPort(str(alone), NAME_SERVER_PORT))
    bracketed, name, port = _split(text, "address of a name server", _SERVER_FORMS)
    host = _host(text, bracketed, name, _SERVER_FORMS)
    if _ip(host) is None:
        raise Unfit(f"{quoted(text)} is a name, and no server is known yet that resolves it", _SERVER_FORMS)
    return str(HostPort(host, NAME_SERVER_PORT if port is None else _port(text, port)))


def endpoint(text: str) -> str:
    """Read the URL of an endpoint and return it in one spelling. Raises Unfit."""
    scheme, colon, rest = text.partition(":")
    if colon and scheme.lower() == "unix":
        return _unix(text, rest)
    if colon and rest.startswith("//"):
        return _http(text, scheme.lower(), rest[2:])
    if re.fullmatch(r"[A-Za-z0-9._-]+(:[0-9]+)?|\[[0-9A-Fa-f:.]+\](:[0-9]+)?", text):
        raise Unfit(f"{quoted(text)} has no scheme", f"write `http://{text[:80]}`")
    raise Unfit(f"{quoted(text)} is not the URL of an endpoint", _ENDPOINT_FORMS)


def _unix(text: str, rest: str) -> str:
    path = "/" + rest.lstrip("/")
    if not rest.startswith("/") or path == "/" or not path.isprintable():
        raise Unfit(
            f"{quoted(text)} does not name a socket by its whole path", "write it like `unix:/run/app.sock`"
        )
    if len(path.encode()) > LONGEST_SOCKET_PATH:
        raise Unfit(
            f"{quoted(text)} is too long for the path of a socket",
            f"systems take at most {LONGEST_SOCKET_PATH} bytes: put the socket into a shorter directory",
        )
    return f"unix:{path}"


def _http(text: str, scheme: str, rest: str) -> str:
    if scheme not in PORTS:
        raise Unfit(f"{quoted(scheme + '://')} is not a scheme of endpoints", _ENDPOINT_FORMS)
    authority = rest.removesuffix("/")
    _refuse_extras(scheme, authority)
    bracketed, name, port = _split(authority, "host and port of an endpoint", _ENDPOINT_FORMS)
    host = _host(text, bracketed, name, _ENDPOINT_FORMS)
    number = PORTS[scheme] if port is None else _port(text, port)
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}" if number == PORTS[scheme] else f"{scheme}://{shown}:{number}"


def server_name(text: str) -> str:
    """Read the name that a certificate is for: a host or an IP address. Raises Unfit."""
    if _ip(text) is not None:
        return str(_ip(text))
    if "://" in text or re.fullmatch(r"[^:]+:[0-9]+", text):
        raise Unfit(f"{quoted(text)} is more than a name", "write the host alone, like `shop.internal`")
    return _host(text, None, text, "write it like `shop.internal`, as the certificate has it").rstrip(".")


def receiver(text: str) -> str:
    """Read a URL to POST to. Raises Unfit, which repeats no more of it than host and port.

    Path and query of a webhook's URL are often its password.
    """
    scheme, mark, rest = text.partition("://")
    if not mark or scheme.lower() not in PORTS:
        raise Unfit("this is not a URL with `http://` or `https://`", _RECEIVER_FORMS)
    authority = re.split("[/?#]", rest, maxsplit=1)[0]
    target = rest[len(authority) :]
    if "@" in authority:
        raise Unfit(
            "a URL to POST to carries a user name or password", "leave them out; `secret` signs what is sent"
        )
    if not re.fullmatch(r"[!-\"$-~]*", target):
        raise Unfit(
            "a URL to POST to has a space, a `#` or what is not ASCII", "percent-encode it, or leave it out"
        )
    bracketed, name, port = _split(authority, "host and port of a URL", _RECEIVER_FORMS)
    host = _host(authority, bracketed, name, _RECEIVER_FORMS)
    number = PORTS[scheme.lower()] if port is None else _port(authority, port)
    shown = f"[{host}]" if ":" in host else host
    where = f"{scheme.lower()}://{shown}"
    if number != PORTS[scheme.lower()]:
        where += f":{number}"
    return where + ("" if target.startswith("/") else "/") + target


def _refuse_extras(scheme: str, authority: str) -> None:
    """Refuse what may follow or precede host and port in a URL, without repeating a password."""
    if "@" in authority:
        raise Unfit(
            "the URL of an endpoint carries a user name or password", f"leave them out: {_ENDPOINT_FORMS}"
        )
    for mark, part in (("?", "a query"), ("#", "a fragment"), ("/", "a path")):
        if mark in authority:
            raise Unfit(
                f"the URL of an endpoint has {part}, {quoted(authority[authority.index(mark) :])}",
                "requests keep their own path and query: "
                f"write `{scheme}://{re.split('[/?#]', authority)[0][:80]}`",
            )


def _split(text: str, what: str, forms: str) -> tuple[str | None, str, str | None]:
    match = _AUTHORITY.fullmatch(text)
    if match is None:
        bare = text.count(":") > 1 and not set(text) - set("0123456789abcdefABCDEF:.")
        advice = "an IPv6 address stands in brackets, like `[::1]:8080`" if bare else forms
        raise Unfit(f"{quoted(text)} is not the {what}", advice)
    return match[1], match[2] or "", match[3]


def _host(text: str, bracketed: str | None, name: str, forms: str) -> str:
    if bracketed is not None:
        try:
            return str(IPv6Address(bracketed))
        except ValueError:
            raise Unfit(
                f"`[{quoted(bracketed)[1:-1]}]` in {quoted(text)} is not an IPv6 address", forms
            ) from None
    if not _NAME.fullmatch(name):
        raise Unfit(f"{quoted(text)} has no valid host name or address", forms)
    if re.fullmatch(r"[0-9.]+", name) and _ip(name) is None:
        raise Unfit(
            f"{quoted(name)} is not an IPv4 address", "write four numbers from 0 to 255, like `127.0.0.1`"
        )
    return name.lower()


def _port(text: str, port: str) -> int:
    number = int(port) if re.fullmatch(r"[0-9]{1,6}", port) else 0
    if not 1 <= number <= 65_535:
        raise Unfit(f"{quoted(port)} in {quoted(text)} is not a port", "a port is a number from 1 to 65535")
    return number
