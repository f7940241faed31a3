"""The JSON object that an order comes in, read strictly: what readers disagree about is refused."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from proxy.config.problems import Unfit
from proxy.control.api.problems import HttpProblem

BODY_LIMIT = 64 * 1024  # bytes
PATIENCE = 10.0  # seconds that a body may take to arrive
FAULTS = 10  # unknown keys named at most: enough to mend a body, and no echo of a hostile one

T = TypeVar("T")


class Doubled(ValueError):
    """A key that stands twice in one JSON object: readers disagree about which of them counts."""


@dataclass(slots=True)
class Faults:
    """What is wrong with a body, as (JSON Pointer, sentence): collected, so that it is told at once."""

    found: list[tuple[str, str]] = field(default_factory=list)

    def add(self, where: str, what: str) -> None:
        """One more."""
        self.found.append((where, what))

    def unknown(self, document: dict[str, Any], keys: Sequence[str], where: str = "#") -> None:
        """Every key that is none of ``keys``."""
        for key in [key for key in document if key not in keys][:FAULTS]:
            self.add(f"{where}/{key[:60]}", f"it is not a key here; expected {', '.join(keys)}")

    def read(self, where: str, reader: Callable[[Any], T], value: Any, default: T) -> T:
        """The value as ``reader`` makes it; ``default`` when it is unfit, which is added."""
        try:
            return reader(value)
        except Unfit as unfit:
            self.add(where, "; ".join(part for part in (unfit.message, unfit.advice) if part))
            return default

    def get(
        self, document: dict[str, Any], key: str, reader: Callable[[Any], T], default: T, where: str = "#"
    ) -> T:
        """What ``document`` has under a key, as ``reader`` makes it; ``default`` when it has none."""
        return self.read(f"{where}/{key}", reader, document[key], default) if key in document else default

    def refuse(self) -> None:
        """Raise HttpProblem 422 with all of them, if there are any."""
        if self.found:
            detail = "; ".join(f"{where.removeprefix('#/')}: {what}" for where, what in self.found)
            raise HttpProblem(422, f"{detail}. Nothing was changed.", faults=tuple(self.found))


async def read(request: web.Request, *, required: bool) -> bytes:
    """The body, ``{}`` for none that isn't required. Raises HttpProblem 400, 408, 413 (aiohttp's) or 415."""
    if not required and not request.body_exists:
        return b"{}"
    if request.content_type != "application/json" or (request.charset or "utf-8").lower() not in (
        "utf-8",
        "utf8",
    ):
        given = request.headers.get("Content-Type", "(none)")
        raise HttpProblem(415, f"Content-Type is {given}; expected application/json in UTF-8")
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


def json_object(body: bytes) -> dict[str, Any]:
    """The JSON object in ``body``, numbers with a point as exact decimals; raises HttpProblem 400."""
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
            400, f'the body is not JSON ({reason}); expected one object, such as {{"reason": "why"}}'
        ) from error
    if not isinstance(document, dict):
        raise HttpProblem(
            400, f'the body is {shown(document)}; expected one object, such as {{"reason": "why"}}'
        )
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


def shown(value: object) -> str:
    """A value from outside, short and on one line, as JSON."""
    text = str(value) if isinstance(value, Decimal) else json.dumps(value, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."
