"""Numbers from words by the type of their key, never by YAML 1.1: `on`, `12:30:45`, `010` hold no surprise.

Every function takes the text as written and returns the value, or raises Unfit with what was written, what is
expected and how to write it.
"""

import re
from collections.abc import Sequence

from proxy.config.problems import Unfit, listed, nearest, quoted

WHOLE = 10_000
"""Parts that make 100 %: weights have steps of 0.01 %."""
LONGEST = 30 * 86_400
"""Seconds of a step or a rollout, at most, in the file and in an order."""

DURATION_PATTERN = r"[0-9]+(?:\.[0-9]+)?\s*(?:ms|s|m|h)"
SIZE_PATTERN = r"[0-9]+\s*(?:B|KiB|MiB|GiB)"
SHARE_PATTERN = r"[0-9]+(?:\.[0-9]{1,2}0*)?\s*%"
"""A percent that may be more than 100 %."""
PERCENT_PATTERN = r"(?:0*100(?:\.0+)?|0*[0-9]{1,2}(?:\.[0-9]{1,2}0*)?)\s*%"
STATUSES_PATTERN = r"[2-5](?:[0-9]{2}(?:-[2-5][0-9]{2})?|xx)"

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_UNIT_ALIASES = {
    **dict.fromkeys(("msec", "msecs", "millis", "millisecond", "milliseconds"), (1.0, "ms")),
    **dict.fromkeys(("sec", "secs", "second", "seconds"), (1.0, "s")),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), (1.0, "m")),
    **dict.fromkeys(("hr", "hrs", "hour", "hours"), (1.0, "h")),
    **dict.fromkeys(("d", "day", "days"), (24.0, "h")),
    **dict.fromkeys(("us", "µs"), (0.001, "ms")),
}
_BYTES = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_SIZE_ALIASES = {
    **dict.fromkeys(("b", "byte", "bytes"), "B"),
    **dict.fromkeys(("k", "kb", "kib"), "KiB"),
    **dict.fromkeys(("m", "mb", "mib"), "MiB"),
    **dict.fromkeys(("g", "gb", "gib"), "GiB"),
}
_SWITCHES = {
    "on": True,
    "yes": True,
    "y": True,
    "true": True,
    "off": False,
    "no": False,
    "n": False,
    "false": False,
}

_NUMBER = re.compile(r"([0-9]{1,40})(?:\.([0-9]{1,40}))?")
_WEIGHT = re.compile(r"[1-9][0-9]{0,39}(?:\.[0-9]{1,40})?")
_PERCENT = re.compile(r"([0-9]{1,40})(?:\.([0-9]{1,40}))?\s*%")
_MEASURE = re.compile(r"([0-9]{1,40}(?:\.[0-9]{1,40})?)\s*([A-Za-zµ]+)")
_CLOCK = re.compile(r"([0-9]{1,6}):([0-9]{1,2})(?::([0-9]{1,2}))?")


def percent(text: str, least: int = 0, most: int = WHOLE) -> int:
    """Return the parts of 10,000 in `5%`, `0.25 %` or a bare `0`, within inclusive bounds (parts)."""
    value = _parts(text)
    if not least <= value <= most:
        beyond, bound = ("less", least) if value < least else ("more", most)
        raise Unfit(
            f"{quoted(text)} is {beyond} than {bound / 100:g} %",
            f"write a percent from `{least / 100:g}%` to `{most / 100:g}%`",
        )
    return value


def weight(text: str, least: int = 0, most: int = WHOLE) -> int:
    """Return the parts of 10,000 of a weight: a percent, or its number alone, as the API shows weights.

    A number between 0 and 1 needs its unit: `0.5` may be meant as 0.5 % or as a half.
    """
    return percent(f"{text}%" if _WEIGHT.fullmatch(text) else text, least, most)


def _parts(text: str) -> int:
    match = _PERCENT.fullmatch(text)
    if match is None:
        if _NUMBER.fullmatch(text) and not text.strip("0."):
            return 0
        raise _no_percent(text)
    parts, rest = match[1].lstrip("0"), (match[2] or "").rstrip("0")
    if len(rest) > 2:
        raise Unfit(
            f"{quoted(text)} is finer than 0.01 %", f"the smallest step is 0.01 %: write {_rounded(text)}"
        )
    return int((parts + rest.ljust(2, "0")) or "0")


def _rounded(text: str) -> str:
    return f"`{max(0.01, round(float(text.rstrip('% ')), 2)):g}%`"


def _no_percent(text: str) -> Unfit:
    fix = "write a number with its unit, such as `5%` or `0.25%`"
    if _NUMBER.fullmatch(text):
        fix = f"write `{text}%`"
        if 0 < float(text) < 1:
            fix = f"write `{text}%`, or `{float(text) * 100:g}%` if it was meant as a part of 1"
    elif _PERCENT.fullmatch(text.removeprefix("-")):
        return Unfit(f"{quoted(text)} is less than 0 %", f"{fix}, without a sign")
    elif re.fullmatch(r"[0-9]+,[0-9]+\s*%?", text):
        fix = f"write the decimals after a point: `{text.rstrip('% ').replace(',', '.')[:40]}%`"
    return Unfit(f"{quoted(text)} is {describe(text) or 'not'}{_comma(text)}a percent", fix)


def duration(text: str, least: float = 0.0, most: float = 86_400.0) -> float:
    """Return the seconds in `300ms`, `5s`, `2m`, `1.5h` or a bare `0`, within inclusive bounds (seconds)."""
    match = _MEASURE.fullmatch(text)
    if match is not None and match[2] in _SECONDS:
        seconds = float(match[1]) * _SECONDS[match[2]]
    elif _NUMBER.fullmatch(text) and not text.strip("0."):
        seconds = 0.0
    else:
        raise _no_duration(text)
    if not least <= seconds <= most:
        raise Unfit(
            f"{quoted(text)} is too {'short' if seconds < least else 'long'}",
            f"write a duration from `{as_duration(least)}` to `{as_duration(most)}`",
        )
    return seconds


def _no_duration(text: str) -> Unfit:
    fix = "write one number and one unit, `ms`, `s`, `m` or `h`, such as `300ms` or `5s`"
    match, clock = _MEASURE.fullmatch(text), _CLOCK.fullmatch(text)
    if _NUMBER.fullmatch(text):
        fix = f"write `{text}s` for seconds, or `{text}ms` for milliseconds"
    elif match is not None:
        return _no_unit(text, match[1], match[2])
    elif clock is not None:
        fix = f"write one number and one unit: `{_clock_number(text)}s` if that is what was meant"
    return Unfit(f"{quoted(text)} is {describe(text) or 'not'}{_comma(text)}a duration", fix)


def _no_unit(text: str, number: str, unit: str) -> Unfit:
    fix = f"write the number with `ms`, `s`, `m` or `h`, such as `{number}s`"
    if unit.lower() in _SECONDS:
        fix = f"units are lower case: write `{number}{unit.lower()}`"
    elif unit.lower() in _UNIT_ALIASES:
        factor, known = _UNIT_ALIASES[unit.lower()]
        fix = f"the units are `ms`, `s`, `m` and `h`: write `{float(number) * factor:g}{known}`"
    return Unfit(f"{quoted(unit)} in {quoted(text)} is not a unit of durations", fix)


def as_duration(seconds: float) -> str:
    """Return the shortest way to write so many seconds: `1h`, `90s`, `1ms`."""
    for unit in ("h", "m", "s"):
        if seconds and seconds % _SECONDS[unit] == 0:
            return f"{seconds / _SECONDS[unit]:g}{unit}"
    return f"{seconds * 1000:g}ms" if seconds else "0s"


def as_seconds(seconds: float) -> str:
    """Return so many seconds as files mostly have them, minutes from two of them on: `60s`, `2m`, `24h`."""
    return f"{seconds:g}s" if 1 <= seconds < 120 else as_duration(seconds)


def as_percent(ratio: float) -> str:
    """Return a ratio, 1.0 for all, as files have it: `0.1%`, `25%`."""
    return f"{100 * ratio:g}%"


def as_switch(value: bool) -> str:
    """Return `on` or `off`."""
    return "on" if value else "off"


def size(text: str, least: int, most: int) -> int:
    """Return the bytes in `512B`, `16KiB` or `1 MiB`, powers of 1024, within inclusive bounds (bytes)."""
    match = _MEASURE.fullmatch(text)
    if match is not None and match[1].isdigit() and match[2] in _BYTES:
        number = int(match[1]) * _BYTES[match[2]]
    elif _NUMBER.fullmatch(text) and not text.strip("0."):
        number = 0
    else:
        raise _no_size(text)
    if not least <= number <= most:
        raise Unfit(
            f"{quoted(text)} is too {'small' if number < least else 'large'}",
            f"write a size from `{as_size(least)}` to `{as_size(most)}`",
        )
    return number


def _no_size(text: str) -> Unfit:
    fix = "write one number and one unit, `B`, `KiB`, `MiB` or `GiB`, such as `512B` or `16KiB`"
    match = _MEASURE.fullmatch(text)
    if text.isascii() and text.isdigit():
        fix = f"write `{text[:20]}B` for bytes, or `{text[:20]}KiB` for 1024 times as many"
    elif match is not None and match[2] in _BYTES:
        return Unfit(f"{quoted(text)} is not a whole number of `{match[2]}`", _whole_size(match[1], match[2]))
    elif match is not None and (known := _SIZE_ALIASES.get(match[2].lower())):
        fix = f"the units are `B`, `KiB`, `MiB` and `GiB`, powers of 1024: write `{match[1]}{known}`"
        return Unfit(f"{quoted(match[2])} in {quoted(text)} is not a unit of sizes", fix)
    return Unfit(f"{quoted(text)} is {describe(text) or 'not'}{_comma(text)}a size", fix)


def _whole_size(number: str, unit: str) -> str:
    """Return what to write for `1.5MiB`."""
    return f"write it in a smaller unit: `{as_size(round(float(number) * _BYTES[unit]))}`"


def as_size(number: int) -> str:
    """Return the shortest way to write so many bytes: `1MiB`, `1500B`."""
    if not number:
        return "0B"
    unit = next(unit for unit, bytes_ in reversed(_BYTES.items()) if number % bytes_ == 0)
    return f"{number // _BYTES[unit]}{unit}"


def whole(text: str, least: int, most: int) -> int:
    """Return a whole number within the bounds, inclusive."""
    fix = f"write a whole number from {least} to {most}"
    if not re.fullmatch(r"[0-9]+", text):
        raise Unfit(f"{quoted(text)} is {describe(text) or 'not'}{_comma(text)}a whole number", fix)
    if len(text) > 1 and text.startswith("0"):
        plain = text.lstrip("0")[:20] or "0"
        raise Unfit(f"{quoted(text)} begins with a zero, which YAML 1.1 reads as octal", f"write `{plain}`")
    if len(text) > 18 or not least <= int(text) <= most:
        raise Unfit(f"{quoted(text)} is out of range", fix)
    return int(text)


def boolean(text: str) -> bool:
    """Return whether it is `true`, and not `false`; take no other of YAML 1.1's words for them."""
    if text in ("true", "false"):
        return text == "true"
    meant = _SWITCHES.get(text.lower())
    fix = "write `true` or `false`" if meant is None else f"write `{str(meant).lower()}`"
    raise Unfit(f"{quoted(text)} is neither `true` nor `false`", fix)


def switch(text: str) -> bool:
    """Return whether it is `on`, and not `off`; take no other of the words that YAML 1.1 takes for them."""
    if text in ("on", "off"):
        return text == "on"
    meant = _SWITCHES.get(text.lower())
    fix = "write `on` or `off`" if meant is None else f"write `{'on' if meant else 'off'}`"
    raise Unfit(f"{quoted(text)} is neither `on` nor `off`", fix)


def word(text: str, words: Sequence[str], what: str) -> str:
    """Return one of a few words, as written here."""
    if text in words:
        return text
    raise Unfit(f"{quoted(text)} is not {what}", f"{nearest(text, words)}expected {listed(words)}")


def describe(text: str) -> str:
    """Return what a text looks like to a person: "a percent", "a clock time, ..."; "" for nothing known."""
    match = _MEASURE.fullmatch(text)
    if _PERCENT.fullmatch(text):
        return "a percent"
    if match is not None and (match[2] in _SECONDS or match[2].lower() in _UNIT_ALIASES):
        return "a duration"
    if match is not None and match[2] in _BYTES:
        return "a size"
    if _NUMBER.fullmatch(text):
        return "a number without its unit" if text else ""
    if text.lower() in _SWITCHES:
        return "a word, which YAML 1.1 would read as true or false"
    if _CLOCK.fullmatch(text):
        return f"a clock time, which YAML 1.1 would read as the number {_clock_number(text)}"
    return ""


def _comma(text: str) -> str:
    return ", not " if describe(text) else " "


def _clock_number(text: str) -> int:
    number = 0
    for part in text.split(":"):
        number = number * 60 + int(part)
    return number


def statuses(text: str) -> tuple[int, int]:
    """Return the lowest and the highest of the statuses of final answers in `200`, `2xx` or `200-399`."""
    if re.fullmatch(STATUSES_PATTERN, text):
        least, _, most = text.replace("xx", "00").partition("-")
        found = int(least), int(most or least) + (99 if text.endswith("xx") else 0)
        if found[0] <= found[1]:
            return found
    advice = "write a status from 200 to 599, a class such as `2xx`, or a range such as `200-399`"
    raise Unfit(f"{quoted(text)} is no status of an answer", advice)
