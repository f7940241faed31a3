"""What a person orders through the API: a body and the revision it was made for, read strictly.

A changed weight moves real users, so nothing is guessed: unknown keys, doubled keys, numbers in quotes and
steps finer than 0.01 % are refused, all of them named at once, and nothing has changed when they are.
"""

import asyncio
import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from proxy.control.problems import Problem

BODY_LIMIT = 64 * 1024  # bytes
PATIENCE = 10.0  # seconds that a body may take to arrive
TEXT_LIMIT = 500  # characters of a reason or an actor
STEP = Decimal("0.01")  # percent: one of the 10,000 parts
KEYS = ("canary", "reason", "actor")
RANGE = "expected a number from 0 to 100 (percent) in steps of 0.01"
# Controls, lone surrogates (no UTF-8, so no ledger, can hold them), line and paragraph separators.
FORBIDDEN = frozenset({"Cc", "Cs", "Zl", "Zp"})
BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # they make a history line lie
ENTITY_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')  # RFC 9110, 8.8.3
ENTITY_TAGS = re.compile(rf"{ENTITY_TAG.pattern}(?:\s*,\s*{ENTITY_TAG.pattern})*")
FAULTS = 10  # named at most: enough to mend a body, and no echo of a hostile one


@dataclass(frozen=True, slots=True)
class Order:
    """A weight in parts of 10,000 (None: none given), who asks and why."""

    parts: int | None
    reason: str
    actor: str


class Doubled(ValueError):
    """A key that stands twice in one JSON object: readers disagree about which of them counts."""


async def read(request: web.Request, *, needs_canary: bool) -> Order:
    """The order in the body of ``request``; raises Problem 400, 408, 413 (aiohttp's), 415 or 422."""
    if not needs_canary and not request.body_exists:
        return parse(b"{}", needs_canary=False)
    if request.content_type != "application/json" or (request.charset or "utf-8").lower() not in (
        "utf-8",
        "utf8",
    ):
        given = request.headers.get("Content-Type", "(none)")
        raise Problem(415, f"Content-Type is {given}; expected application/json in UTF-8")
    try:
        async with asyncio.timeout(PATIENCE):  # aiohttp itself waits for ever where a body's chunks break
            body = await request.read()
    except TimeoutError as error:
        raise Problem(408, f"the body did not arrive whole within {PATIENCE:g} s; send it again") from error
    except (web.RequestPayloadError, HttpProcessingError) as error:
        raise Problem(
            400, "the body is broken off or not encoded as its fields say; send it again"
        ) from error
    return parse(body, needs_canary=needs_canary)


def parse(body: bytes, *, needs_canary: bool) -> Order:
    """The order in ``body``; raises Problem 400 when it is no JSON object, 422 when its values are wrong."""
    document = json_object(body)
    faults = tuple(faults_in(document, needs_canary))
    if faults:
        detail = "; ".join(f"{where.removeprefix('#/')}: {what}" for where, what in faults)
        raise Problem(422, f"{detail}. Nothing was changed.", faults=faults)
    parts = parts_of(document["canary"]) if "canary" in document else None
    return Order(parts, document.get("reason", ""), document.get("actor", "") or "api")


def faults_in(document: dict[str, Any], needs_canary: bool) -> Iterator[tuple[str, str]]:
    """What is wrong, as (JSON Pointer, sentence)."""
    unknown = [key for key in document if key not in KEYS]
    for key in unknown[:FAULTS]:
        yield f"#/{key[:60]}", f"it is not a key here; expected {', '.join(KEYS)}"
    if "canary" in document:
        if parts_of(document["canary"]) is None:
            yield "#/canary", f"{shown(document['canary'])} is no weight; {RANGE}"
    elif needs_canary:
        yield "#/canary", f'it is missing; {RANGE}, such as {{"canary": 5}}'
    for key in ("reason", "actor"):
        if key in document and (fault := text_fault(document[key])):
            yield f"#/{key}", fault


def json_object(body: bytes) -> dict[str, Any]:
    """The JSON object in ``body``, numbers with a point as exact decimals; raises Problem 400."""
    try:
        document = json.loads(
            body.decode(), parse_float=Decimal, parse_constant=no_constant, object_pairs_hook=without_doubles
        )
    except UnicodeDecodeError as error:
        raise Problem(400, "the body is not UTF-8; expected one JSON object in UTF-8") from error
    except Doubled as error:
        raise Problem(400, f"the body has the key {error} twice; expected each key once") from error
    except (ValueError, InvalidOperation, RecursionError) as error:
        reason = (
            str(error) if isinstance(error, json.JSONDecodeError) else "a number or nesting beyond all use"
        )
        raise Problem(
            400, f'the body is not JSON ({reason}); expected one object, such as {{"canary": 5}}'
        ) from error
    if not isinstance(document, dict):
        raise Problem(400, f'the body is {shown(document)}; expected one object, such as {{"canary": 5}}')
    return document


def without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of these pairs; raises Doubled, where json would keep the last silently."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise Doubled(shown(key))
        found[key] = value
    return found


def no_constant(word: str) -> Any:
    """NaN and Infinity are Python's, not JSON's."""
    raise json.JSONDecodeError(f"{word} is no JSON number", word, 0)


def parts_of(value: object) -> int | None:
    """Percent to parts of 10,000; None unless a number of 0 to 100 in steps of 0.01 (a bool is none)."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    if not 0 <= value <= 100:
        return None
    percent = Decimal(value)
    rounded = percent.quantize(STEP)
    # Comparing is exact where multiplying by 100 would round 5.000...01 away.
    return int(rounded * 100) if rounded == percent else None


def text_fault(value: object) -> str:
    """What is wrong with a reason or actor; "" when nothing is."""
    if not isinstance(value, str):
        return f"{shown(value)} is no text; expected a string"
    if len(value) > TEXT_LIMIT:
        return f"it has {len(value)} characters; expected at most {TEXT_LIMIT}"
    for char in value:
        if unicodedata.category(char) in FORBIDDEN or char in BIDI:
            return f"it holds the control character U+{ord(char):04X}; expected one line of plain text"
    return ""


def revisions(fields: list[str]) -> frozenset[int] | None:
    """The revisions that If-Match lists; None for no If-Match or "*". Weak or foreign tags match nothing.

    Raises Problem 400 for what is no list of entity tags, such as a bare 7: it was meant as a condition.
    """
    text = ", ".join(fields).strip()
    if not fields or text == "*":
        return None
    if not ENTITY_TAGS.fullmatch(text):
        raise Problem(400, f'If-Match is {text}; expected the ETag of the service in quotes, such as "7"')
    strong = [opaque for weak, opaque in ENTITY_TAG.findall(text) if not weak]
    return frozenset(int(opaque) for opaque in strong if re.fullmatch(r"[0-9]{1,18}", opaque))


def shown(value: object) -> str:
    """A value from outside, short and on one line, as JSON."""
    text = str(value) if isinstance(value, Decimal) else json.dumps(value, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."
