"""What `weir run` found in the config file and the command line, as far as the supervisor needs it."""

import json
from dataclasses import asdict, dataclass
from typing import Any

Address = tuple[str, int] | str
"""As `socket` has it: host and port, with the host "" for every interface; or the path of a unix socket."""
Pair = tuple[str, str]
"""Absolute paths of a certificate and its private key."""


@dataclass(frozen=True, slots=True)
class LaunchPlan:
    """Everything that is fixed for the life of the supervisor. It travels to it as a small JSON file."""

    listen: tuple[Address, ...]
    admin: tuple[str, int]
    workers: int
    directory: str
    """A private directory (mode 0700) for the link socket and the config text; removed at the end."""
    config: str
    """Path of the validated config text."""
    source: str
    """The config file as the person named it, for messages."""
    state: str
    """Absolute path of the ledger."""
    delay: float
    """Seconds between `/readyz` turning 503 and closing the listeners."""
    grace: float
    """Seconds that requests in flight have to finish after that."""
    log_level: str
    """debug, info, warning or error."""
    file: str = ""
    """Absolute path of the config file, to be read again; "" where there is none."""
    tls: tuple[tuple[Pair, ...], ...] = ()
    """For each address of `listen` what clients are shown there, empty where TLS isn't spoken; or empty as a
    whole, when it is spoken nowhere."""

    def to_json(self) -> str:
        """The plan as JSON text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "LaunchPlan":
        """The inverse of `to_json`. Nobody but `weir run` writes a plan, so a wrong one is not explained."""
        data: dict[str, Any] = json.loads(text)
        listen = tuple(each if isinstance(each, str) else tuple(each) for each in data.pop("listen"))
        tls = tuple(tuple((cert, key) for cert, key in pairs) for pairs in data.pop("tls"))
        host, port = data.pop("admin")
        return cls(listen=listen, tls=tls, admin=(host, port), **data)
