"""Keys that keep a user on one side of the split.

A key is hashed under a salt to a place among the 10,000 parts, and the split decides whose part that
is. The place never moves while the salt stays, and canaries lie at the bottom: so raising the
weight only adds users to the canary, and lowering it only removes them. The salt changes with every
release, or the same users would always be first.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from hashlib import blake2b
from typing import Any, Literal, Self

from proxy import defaults
from proxy.http1.head import RequestHead
from proxy.routing.sources import cookie

StickySource = Literal["none", "cookie", "header", "client-ip"]

LONGEST_ISSUED_KEY = 128
"""Bytes. We issue 32; more than this was never ours."""
LONGEST_SALT = 64
"""Bytes: what BLAKE2 takes as its key."""

_COOKIE_VALUE = re.compile(rb"[!#-+\--:<-[\]-~]+")
"""RFC 6265, 4.1.1: visible ASCII without quote, comma, semicolon and backslash."""
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


@dataclass(frozen=True, slots=True)
class CookieAttributes:
    """The attributes of a cookie that is issued (RFC 6265 section 4.1.2)."""

    same_site: str = "lax"
    """`lax`, `strict` or `none`."""
    domain: str = ""
    """Empty: the host that was asked, and none below it."""
    path: str = "/"
    max_age: int = defaults.COOKIE_MAX_AGE
    """Seconds."""
    secure: bool = False
    """Whether the cookie is for TLS alone though its client came without: TLS may end before this proxy."""

    def to_bytes(self) -> bytes:
        """Return them as they stand behind the value."""
        domain = f"; Domain={self.domain}" if self.domain else ""
        secure = "; Secure" if self.secure else ""
        written = f"; Path={self.path}{domain}; Max-Age={self.max_age}; HttpOnly"
        return f"{written}; SameSite={self.same_site.capitalize()}{secure}".encode()

    def to_json(self) -> dict[str, Any]:
        """Return the attributes as JSON values."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


@dataclass(frozen=True, slots=True)
class Sticky:
    """Where a service's users carry their key. Raises ValueError for an impossible name and a long salt."""

    source: StickySource
    name: str = ""
    """Of the cookie or header; empty for the others."""
    issue: bool = False
    """For a cookie: whether users without a key are given one, or the cookie is the application's own."""
    salt: str = ""
    cookie: CookieAttributes = CookieAttributes()
    """Of the cookie that is issued."""
    attributes: bytes = field(init=False, repr=False, compare=False)
    read_cookie: Callable[[RequestHead], bytes | None] = field(init=False, repr=False, compare=False)
    salted: blake2b = field(init=False, repr=False, compare=False)
    """A keyed hash, or a client could compute which keys lie low; ready to be copied for each of them."""

    def __post_init__(self) -> None:
        if self.source in ("cookie", "header") and not _TOKEN.fullmatch(self.name):
            raise ValueError(f"`{self.name}` is no name of a {self.source}")
        if len(self.salt.encode()) > LONGEST_SALT:
            raise ValueError(f"a salt has at most {LONGEST_SALT} bytes: `{self.salt}`")
        object.__setattr__(self, "attributes", self.cookie.to_bytes())
        object.__setattr__(self, "read_cookie", cookie(self.name.encode()))
        object.__setattr__(self, "salted", blake2b(digest_size=8, key=self.salt.encode()))

    @classmethod
    def off(cls) -> Self:
        """Return what keeps no user anywhere: every request is drawn anew."""
        return cls("none")

    @property
    def issues(self) -> bool:
        """Whether a user without a key is given one."""
        return self.issue and self.source == "cookie"

    def key(self, head: RequestHead, client: str) -> bytes | None:
        """Return the key that a request carries, raw, or None. `client` is the client's address."""
        match self.source:
            case "cookie":
                key = self.read_cookie(head) or None
                return None if key and self.issue and not _could_be_issued(key) else key
            case "header":
                lines = head.values(self.name.lower().encode())
                return lines[0] or None if lines else None
            case "client-ip":
                return client.encode() or None
        return None

    def user(self, key: bytes) -> int:
        """Return what identifies a user, of a key: 64 bits, evenly spread. Modulo 10,000 it is the place."""
        hashed = self.salted.copy()
        hashed.update(key)
        return int.from_bytes(hashed.digest(), "big")

    def set_cookie(self, key: bytes, secure: bool) -> bytes:
        """Return the value of a Set-Cookie field that issues a key.

        Args:
            key: The key.
            secure: Whether the client came over TLS.

        Raises:
            ValueError: The key would not be taken back.
        """
        if not _could_be_issued(key):
            raise ValueError(f"{key!r} is no key that can be issued")
        more = b"; Secure" if secure and not self.cookie.secure else b""
        return self.name.encode() + b"=" + key + self.attributes + more

    def to_json(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "name": self.name,
            "issue": self.issue,
            "salt": self.salt,
            "cookie": self.cookie.to_json(),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        attributes = CookieAttributes(**value["cookie"])
        return cls(value["source"], value["name"], value["issue"], value["salt"], attributes)


def _could_be_issued(key: bytes) -> bool:
    return len(key) <= LONGEST_ISSUED_KEY and _COOKIE_VALUE.fullmatch(key) is not None
