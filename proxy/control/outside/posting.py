"""One POST to a hook or a receiver: signed, bounded in time and size, and classified by its answer.

A receiver's path is often its password, so nothing that is logged or shown has more of its URL than the host.
"""

import asyncio
import hashlib
import hmac
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import unquote, urlsplit

import aiohttp

import proxy

K = TypeVar("K", bound=Hashable)

PAUSES = (1.0, 2.0, 4.0, 8.0)
"""Seconds before each further attempt; the last of them before all that follow."""
MOST = 4096
"""Bytes of an answer that are read: enough for a reason."""
QUOTED = 120
"""Characters of a reason that are shown."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What is sent, and to which URL. `id` stays the same over retries, so that repeats can be dropped."""

    url: str = field(repr=False)
    body: bytes = field(repr=False)
    id: str
    secret: str = field(default="", repr=False)
    """The secret that signs it; "" for no signature."""

    def fields(self, at: float) -> dict[str, str]:
        """Return the header fields of an attempt at this time, in unix seconds."""
        found = {
            "Content-Type": "application/json",
            "User-Agent": f"weir/{proxy.__version__}",
            "X-Weir-Delivery": self.id,
        }
        if self.secret:
            found["X-Weir-Signature"] = signature(self.secret, int(at), self.body)
        return found


@dataclass(frozen=True, slots=True)
class PostAnswer:
    """The answer to a letter, or what went wrong."""

    status: int
    """0 when there was no answer."""
    reason: str
    """In words: status and first line of the answer, or why there was none."""

    @property
    def agrees(self) -> bool:
        """Whether the answer is a yes."""
        return 200 <= self.status < 300

    @property
    def temporary(self) -> bool:
        """Whether another attempt may succeed: no answer, too early, too often, or a fault of the server."""
        return self.status in (0, 408, 425, 429) or self.status >= 500


class Poster:
    """Posts letters over one session.

    Args:
        session: what they are sent over.
        sleep: waits for so many seconds.
        wall: returns unix seconds, which letters are signed with.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._session = session
        self._sleep = sleep
        self._wall = wall

    def __repr__(self) -> str:
        return "<Poster>"

    async def post(self, letter: Letter, seconds: float) -> PostAnswer:
        """Make one attempt, which takes at most so many seconds in all."""
        return await post(self._session, letter, seconds, self._wall())

    async def pause(self, attempt: int) -> None:
        """Pause after an attempt; the first is number 0."""
        await self._sleep(PAUSES[min(attempt, len(PAUSES) - 1)])


def count_from_zero(counts: Counter[K], keys: Iterable[K]) -> None:
    """Count these keys from 0: Prometheus can't see that a series rose when it begins at 1."""
    for key in keys:
        counts[key] += 0


def signature(secret: str, at: int, body: bytes) -> str:
    """Return the proof that the body is ours: the HMAC-SHA256 (RFC 2104) of time, point and body."""
    signed = hmac.new(secret.encode(), b"%d." % at + body, hashlib.sha256)
    return f"t={at},v1={signed.hexdigest()}"


def session() -> aiohttp.ClientSession:
    """Open the session of all letters: no cookies, no proxies of the environment, nothing decoded."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(force_close=True, limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),
        skip_auto_headers=("Accept-Encoding",),
        auto_decompress=False,
    )


async def post(session: aiohttp.ClientSession, letter: Letter, seconds: float, at: float) -> PostAnswer:
    """Make one attempt, which takes at most so many seconds in all. Redirects are answers, and not followed.

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
            return PostAnswer(status, _reason(status, body, letter))
    except TimeoutError:
        return PostAnswer(
            status, _reason(status, b"", letter) if status else f"no answer within {seconds:g} s"
        )
    except aiohttp.ClientConnectorDNSError:
        return PostAnswer(0, "its host has no address")
    except aiohttp.ClientSSLError:
        return PostAnswer(0, "its certificate is not to be trusted")
    except aiohttp.ClientConnectorError as error:
        return PostAnswer(0, f"no connection: {error.os_error.strerror or type(error.os_error).__name__}")
    except (aiohttp.ClientError, OSError, ValueError, RuntimeError) as error:
        # Its text may hold the URL, and that a password.
        reason = _reason(status, b"", letter) if status else f"no answer ({type(error).__name__})"
        return PostAnswer(status, reason)


def _reason(status: int, body: bytes, letter: Letter) -> str:
    """Return the status, and the first line of the answer unless that repeats a password."""
    first = next(iter(body.decode(errors="replace").strip().splitlines()), "")
    if any(word in unquote(first) for word in _private(letter)):
        first = ""
    shown = "".join(char if char.isprintable() else "?" for char in first)[:QUOTED]
    return f"answered {status}{f': {shown}' if shown else ''}"


def _private(letter: Letter) -> list[str]:
    """Return what may be a password: the secret, and path and query of the URL, which answers may repeat."""
    url = urlsplit(letter.url)
    return [unquote(word) for word in (url.path.strip("/"), url.query, letter.secret) if word]
