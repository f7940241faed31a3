"""One POST to somebody outside: signed, bounded in time and size, and told apart by what came back.

A receiver's path is often its password, so nothing that is logged or shown has more of its URL than the host.
"""

import asyncio
import hashlib
import hmac
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

import aiohttp

import proxy

MOST = 4096
"""Bytes of an answer that are read: enough for a reason."""
QUOTED = 120
"""Characters of it that are shown."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What is sent, and to whom. `id` stays the same over retries, so that a receiver can drop repeats."""

    url: str = field(repr=False)
    body: bytes = field(repr=False)
    id: str
    secret: str = field(default="", repr=False)
    """What it is signed with; "": not at all."""

    def fields(self, at: float) -> dict[str, str]:
        """The header fields of an attempt at this time, in unix seconds."""
        found = {
            "Content-Type": "application/json",
            "User-Agent": f"weir/{proxy.__version__}",
            "X-Weir-Delivery": self.id,
        }
        if self.secret:
            found["X-Weir-Signature"] = signature(self.secret, int(at), self.body)
        return found


@dataclass(frozen=True, slots=True)
class Answered:
    """A receiver's word. `status` 0: there was none, and `says` tells why."""

    status: int
    says: str

    @property
    def agrees(self) -> bool:
        """Whether that is a yes."""
        return 200 <= self.status < 300

    @property
    def passing(self) -> bool:
        """Whether another attempt may go better: no answer, too early, too often, or their fault."""
        return self.status in (0, 408, 425, 429) or self.status >= 500


def signature(secret: str, at: int, body: bytes) -> str:
    """What proves that the body is ours: the HMAC-SHA256 (RFC 2104) of time, point and body."""
    signed = hmac.new(secret.encode(), b"%d." % at + body, hashlib.sha256)
    return f"t={at},v1={signed.hexdigest()}"


def session() -> aiohttp.ClientSession:
    """For all letters: no cookies, no proxies of the environment, nothing decoded."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(force_close=True, limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),
        skip_auto_headers=("Accept-Encoding",),
        auto_decompress=False,
    )


async def post(session: aiohttp.ClientSession, letter: Letter, seconds: float, at: float) -> Answered:
    """One attempt, which takes at most so many seconds in all. Redirects are answers, and not followed.

    The head decides: a body that breaks off or drips only loses the words that were to be shown.
    """
    status = 0
    try:
        async with (
            asyncio.timeout(seconds),
            session.post(
                letter.url, data=letter.body, headers=letter.fields(at), allow_redirects=False
            ) as answer,
        ):
            status = answer.status
            body = b"" if 200 <= status < 300 else await answer.content.read(MOST)
            return Answered(status, _said(status, body, letter))
    except TimeoutError:
        return Answered(status, _said(status, b"", letter) if status else f"no answer within {seconds:g} s")
    except aiohttp.ClientConnectorDNSError:
        return Answered(0, "its host has no address")
    except aiohttp.ClientSSLError:
        return Answered(0, "its certificate is not to be trusted")
    except aiohttp.ClientConnectorError as error:
        return Answered(0, f"no connection: {error.os_error.strerror or type(error.os_error).__name__}")
    except (aiohttp.ClientError, OSError, ValueError, RuntimeError) as error:
        # Its text may hold the URL, and that a password.
        said = _said(status, b"", letter) if status else f"no answer ({type(error).__name__})"
        return Answered(status, said)


def _said(status: int, body: bytes, letter: Letter) -> str:
    """The status, and the first line that came with it if it explains anything and gives nothing away."""
    first = next(iter(body.decode(errors="replace").strip().splitlines()), "")
    if any(word in unquote(first) for word in _private(letter)):
        first = ""
    shown = "".join(char if char.isprintable() else "?" for char in first)[:QUOTED]
    return f"answered {status}{f': {shown}' if shown else ''}"


def _private(letter: Letter) -> list[str]:
    """What may be a password: path and query of the URL, and the secret. An answer often repeats the path."""
    url = urlsplit(letter.url)
    return [unquote(word) for word in (url.path.strip("/"), url.query, letter.secret) if word]
