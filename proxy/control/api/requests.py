"""Reading requests strictly: the JSON object of a body, and the conditions in header fields.

What parsers disagree about is refused. A client that can't know whether its order arrived repeats it under
the same Idempotency-Key (draft-ietf-httpapi-idempotency-key-header), on a revision that the first attempt has
changed. So no order is refused here for its revision: only control knows whether it is such a repeat.
"""

import asyncio
import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from proxy.config.problems import Unfit
from proxy.config.units import duration
from proxy.control.api.problems import HttpProblem

BODY_LIMIT = 64 * 1024  # bytes
PATIENCE = 10.0  # seconds that a body may take to arrive
FAULTS = 10  # unknown keys named at most: enough to mend a body, and no echo of a hostile one

ENTITY_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')  # RFC 9110, 8.8.3
ENTITY_TAGS = re.compile(rf"{ENTITY_TAG.pattern}(?:\s*,\s*{ENTITY_TAG.pattern})*")
LONGEST_KEY = 255
KEY = re.compile(rf"[\x20-\x7e]{{1,{LONGEST_KEY}}}")
QUOTED = re.compile(r'"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"')  # a string of RFC 9651, 3.3.3
MOST_ENTRIES = 10_000
"""As many as the ledger keeps of a service."""
LONGEST_AGO = 10 * 365 * 86_400.0
"""Seconds."""
REASON = '{"reason": "why"}'
"""A body that every order takes."""
NO_REVISION = 0
"""A revision that no service ever has."""


T = TypeVar("T")


class Doubled(ValueError):
    """A key that stands twice in one JSON object: parsers disagree about which of them counts."""


@dataclass(slots=True)
class Faults:
    """What is wrong with a body, as (JSON Pointer, sentence): collected, so that it is reported at once."""

    found: list[tuple[str, str]] = field(default_factory=list)

    def add(self, where: str, what: str) -> None:
        """Add a fault: the JSON Pointer of the value, and a sentence."""
        self.found.append((where, what))

    def unknown(self, document: dict[str, Any], keys: Sequence[str], where: str = "#") -> None:
        """Add every key that is none of `keys`."""
        for key in [key for key in document if key not in keys][:FAULTS]:
            self.add(f"{where}/{key[:60]}", f"it is not a key here; expected {', '.join(keys)}")

    def read(self, where: str, reader: Callable[[Any], T], value: Any, default: T) -> T:
        """Return the value as `reader` makes it; `default` when it is unfit, which is added."""
        try:
            return reader(value)
        except Unfit as unfit:
            self.add(where, "; ".join(part for part in (unfit.message, unfit.advice) if part))
            return default

    def get(
        self, document: dict[str, Any], key: str, reader: Callable[[Any], T], default: T, where: str = "#"
    ) -> T:
        """Return what `document` has under a key, as `reader` makes it; `default` when it has none."""
        return self.read(f"{where}/{key}", reader, document[key], default) if key in document else default

    def refuse(self) -> None:
        """Raise HttpProblem 422 with all faults, if there are any."""
        if self.found:
            detail = "; ".join(f"{where.removeprefix('#/')}: {what}" for where, what in self.found)
            raise HttpProblem(422, f"{detail}. Nothing was changed.", faults=tuple(self.found))


async def read(request: web.Request, *, required: bool, example: str = REASON) -> bytes:
    """Return the body, `{}` for none that isn't required.

    Raises HttpProblem 400, 408 or 415, which has an `example` of what is expected, and aiohttp's 413.
    """
    if not required and not request.body_exists:
        return b"{}"
    if request.content_type != "application/json" or (request.charset or "utf-8").lower() not in (
        "utf-8",
        "utf8",
    ):
        given = request.headers.get("Content-Type", "(none)")
        curl = f"with curl: -H 'Content-Type: application/json' -d '{example}'"
        raise HttpProblem(415, f"Content-Type is {given}; expected application/json in UTF-8, {curl}")
    try:
        async with asyncio.timeout(PATIENCE):  # aiohttp itself waits for ever where a body's chunks break
            return await request.read()
    except TimeoutError as error:
        raise HttpProblem(
            408, f"the body did not arrive whole within {PATIENCE:g} s; send it again"
        ) from error
    except (web.RequestPayloadError, HttpProcessingError) as error:
        raise HttpProblem(
            400, "the body is broken off or not encoded as its fields say; send it again"
        ) from error


def json_object(body: bytes, example: str = REASON) -> dict[str, Any]:
    """Return the JSON object in `body`, numbers with a point as exact decimals.

    Raises HttpProblem 400, which has an `example` of what is expected.
    """
    try:
        document = json.loads(
            body.decode(), parse_float=Decimal, parse_constant=no_constant, object_pairs_hook=without_doubles
        )
    except UnicodeDecodeError as error:
        raise HttpProblem(400, "the body is not UTF-8; expected one JSON object in UTF-8") from error
    except Doubled as error:
        raise HttpProblem(400, f"the body has the key {error} twice; expected each key once") from error
    except (ValueError, InvalidOperation, RecursionError) as error:
        reason = (
            str(error) if isinstance(error, json.JSONDecodeError) else "a number or nesting beyond all use"
        )
        raise HttpProblem(
            400, f"the body is not JSON ({reason}); expected one object, such as {example}"
        ) from error
    if not isinstance(document, dict):
        raise HttpProblem(400, f"the body is {shown(document)}; expected one object, such as {example}")
    return document


def without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object of these pairs. Raises Doubled, where json would keep the last silently."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise Doubled(shown(key))
        found[key] = value
    return found


def no_constant(word: str) -> Any:
    """Refuse NaN and Infinity, which are Python's and not JSON's."""
    raise json.JSONDecodeError(f"{word} is no JSON number", word, 0)


def shown(value: object) -> str:
    """Return a value from outside as JSON, short and on one line."""
    text = str(value) if isinstance(value, Decimal) else json.dumps(value, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."


def revisions(fields: list[str]) -> frozenset[int] | None:
    """Return the revisions in If-Match; None for no If-Match or "*". Weak or foreign tags match nothing.

    Raises HttpProblem 400 for what is no list of entity tags, such as a bare 7: it was meant as a condition.
    """
    text = ", ".join(fields).strip()
    if not fields or text == "*":
        return None
    if not ENTITY_TAGS.fullmatch(text):
        raise HttpProblem(400, f'If-Match is {text}; expected the ETag of the service in quotes, such as "7"')
    strong = [opaque for weak, opaque in ENTITY_TAG.findall(text) if not weak]
    return frozenset(int(opaque) for opaque in strong if re.fullmatch(r"[0-9]{1,18}", opaque))


def expected(allowed: frozenset[int] | None, current: int) -> int | None:
    """Return the one revision that control must insist on: the current one if it is allowed; None for any."""
    if allowed is None or current in allowed:
        return None if allowed is None else current
    return max(allowed, default=NO_REVISION)


def revision_after(text: str | None) -> int:
    """Return the revision in `?after_revision=`; -1 for none. Raises HttpProblem 400."""
    if text is None:
        return -1
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise HttpProblem(
            400, f"after_revision is {text[:60]!r}; expected the whole number of a revision, such as 7"
        )
    return int(text)


def most(text: str | None) -> int:
    """Return how many entries `?limit=` asks for; all that are kept for none. Raises HttpProblem 400."""
    if text is None:
        return MOST_ENTRIES
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= MOST_ENTRIES:
        expected = f"a whole number from 1 to {MOST_ENTRIES}"
        raise HttpProblem(400, f"limit is {text[:60]!r}; expected {expected}, for so many of the newest")
    return int(text)


def since(text: str | None, now: float) -> float:
    """Return the unix seconds of `?since=`: a time, or how long before `now`; 0 for none.

    A time is one of ISO 8601, in UTC unless it has another offset. Raises HttpProblem 400.
    """
    if text is None:
        return 0.0
    try:
        return now - duration(text, most=LONGEST_AGO)
    except Unfit:
        pass
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError) as error:
        raise HttpProblem(
            400,
            f"since is {text[:60]!r}; expected how long ago, such as 90m or 24h, or a time, "
            "such as 2026-12-01T03:00:00Z",
        ) from error


def key(fields: list[str]) -> str:
    """Return the key in Idempotency-Key, quoted or bare; "" for no such field. Raises HttpProblem 400."""
    if not fields:
        return ""
    text = fields[0].strip()
    quoted = QUOTED.fullmatch(text)
    found = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else text
    if len(fields) > 1 or not KEY.fullmatch(found) or (text.startswith('"') and not quoted):
        raise HttpProblem(
            400,
            f"Idempotency-Key is no key; expected one, of 1 to {LONGEST_KEY} printable ASCII characters, "
            'such as "8e03978e-40d5-43dd-bc93-6894a57f9324"',
        )
    return found


def digest(service: str, order: str, body: bytes) -> str:
    """Return what identifies an order: a SHA-256 of the service, the order's name and its body."""
    return hashlib.sha256(b"\0".join((service.encode(), order.encode(), body))).hexdigest()
