"""The values that an order's body may hold. Every function returns the value, or raises Unfit.

A changed weight moves real users, so nothing is guessed: numbers in quotes, true for 1 and steps finer than
0.01 % are refused.
"""

import unicodedata
from decimal import Decimal
from typing import Any

from proxy.config import addresses
from proxy.config.problems import Unfit
from proxy.config.units import LONGEST
from proxy.control.api.bodies import shown
from proxy.routing.endpoint import Endpoint

TEXT_LIMIT = 500  # characters of a reason or an actor
STEP = Decimal("0.01")  # percent: one of the 10,000 parts
RANGE = "expected a number from 0 to 100 (percent) in steps of 0.01"
MOST_ANSWERS = 10**9
MOST_ENDPOINTS = 100
# Controls, lone surrogates (no UTF-8, so no ledger, can hold them), line and paragraph separators.
FORBIDDEN = frozenset({"Cc", "Cs", "Zl", "Zp"})
BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # they make a history line lie


def weight(value: object) -> int:
    """Percent as parts of 10,000: a number of 0 to 100 in steps of 0.01."""
    percent = number(value)
    rounded = percent.quantize(STEP) if percent is not None and 0 <= percent <= 100 else None
    # Comparing is exact where multiplying by 100 would round 5.000...01 away.
    if rounded is None or rounded != percent:
        raise Unfit(f"{shown(value)} is no weight", RANGE)
    return int(rounded * 100)


def seconds(value: object) -> float:
    """A duration."""
    found = number(value)
    if found is None or not 0 <= found <= LONGEST:
        raise Unfit(f"{shown(value)} is no duration", f"expected seconds, a number from 0 to {LONGEST}")
    return float(found)


def deadline(value: object) -> float | None:
    """Seconds, more than 0; null for none."""
    if value is None:
        return None
    if not (found := seconds(value)):
        raise Unfit("a deadline of 0 s is over before it began", "expected seconds, or null for none")
    return found


def answers(value: object) -> int:
    """How many answers of the canary."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_ANSWERS:
        raise Unfit(f"{shown(value)} is no number of answers", "expected a whole number, such as 200")
    return value


def number(value: object) -> Decimal | None:
    """A number, exactly; None for anything else (a bool is none)."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return Decimal(value)


def flag(value: object) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise Unfit(f"{shown(value)} is neither true nor false", "expected one of them, without quotes")
    return value


def text(value: object) -> str:
    """One line of plain text."""
    if not isinstance(value, str):
        raise Unfit(f"{shown(value)} is no text", "expected a string")
    if len(value) > TEXT_LIMIT:
        raise Unfit(f"it has {len(value)} characters", f"expected at most {TEXT_LIMIT}")
    for char in value:
        if unicodedata.category(char) in FORBIDDEN or char in BIDI:
            raise Unfit(
                f"it holds the control character U+{ord(char):04X}", "expected one line of plain text"
            )
    return value


def said(value: object) -> str:
    """A text that says something."""
    if not (found := text(value).strip()):
        raise Unfit("it says nothing", "expected what the person who is asked must know")
    return found


def endpoints(value: Any) -> tuple[Endpoint, ...]:
    """The endpoints of a backend: a list of URLs, or one URL alone."""
    urls = [value] if isinstance(value, str) else value
    if not isinstance(urls, list) or not 0 < len(urls) <= MOST_ENDPOINTS:
        raise Unfit(
            f"{shown(value)} is no list of endpoints",
            f'expected 1 to {MOST_ENDPOINTS} URLs, such as ["http://10.0.0.7:8000"]',
        )
    found = [addresses.endpoint(text(url)) for url in urls]
    for url in found:
        if found.count(url) > 1:
            raise Unfit(f"{shown(url)} stands there twice", "expected each endpoint once")
    return tuple(map(Endpoint.parse, found))
