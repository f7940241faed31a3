"""What the supervisor needs of the config file and the command line of `weir run`."""

import json
from dataclasses import asdict, dataclass
from typing import Any

SocketAddress = tuple[str, int] | str
"""An address as `socket` takes it: host ("": every interface) and port, or the path of a unix socket."""
CertificateFiles = tuple[str, str]
"""The absolute paths of a certificate and its private key."""


@dataclass(frozen=True, slots=True)
class LaunchPlan:
    """Everything that is fixed for the life of the supervisor, which reads it from a small JSON file."""

    listen: tuple[SocketAddress, ...]
    admin: tuple[str, int]
    workers: int
    directory: str
    """A private directory (mode 0700) for the link socket and the config text; removed at the end."""
    config: str
    """The path of the validated config text."""
    source: str
    """The config file as the command line names it, for messages."""
    state: str
    """The absolute path of the ledger."""
    delay: float
    """Seconds between `/readyz` turning 503 and closing the listeners."""
    grace: float
    """Seconds after that in which requests in flight may finish."""
    log_level: str
    """debug, info, warning or error."""
    file: str = ""
    """The absolute path of the config file, for reloads; "": there is none."""
    tls: tuple[tuple[CertificateFiles, ...], ...] = ()
    """The certificates of each address of `listen`, none where it has no TLS; empty when no address has
    TLS."""
    balancers: tuple[tuple[str, ...], ...] = ()
    """Who speaks the PROXY protocol at each address of `listen`, as above: networks, addresses, or `unix`."""

    def to_json(self) -> str:
        """Return the plan as JSON text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "LaunchPlan":
        """Return the plan in JSON text. Only `weir run` writes plans, so errors are not explained."""
        data: dict[str, Any] = json.loads(text)
        listen = tuple(each if isinstance(each, str) else tuple(each) for each in data.pop("listen"))
        tls = tuple(tuple((cert, key) for cert, key in pairs) for pairs in data.pop("tls"))
        balancers = tuple(tuple(each) for each in data.pop("balancers"))
        host, port = data.pop("admin")
        return cls(listen=listen, tls=tls, balancers=balancers, admin=(host, port), **data)
