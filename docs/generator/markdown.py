"""Pieces of Markdown, and the error for what nobody has described."""

import re
from collections.abc import Iterable, Mapping, Sequence


class Undescribed(LookupError):
    """A key, metric, verb, route, reason or field that has no text, by its name."""


def described(texts: Mapping[str, str], name: str, what: str) -> str:
    """Return the text of a name. Raises `Undescribed`."""
    if not texts.get(name):
        raise Undescribed(
            f"{what} {name!r} has no description: write one into the code or into docs/generator"
        )
    return texts[name]


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; a bar in a cell is escaped."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def code(text: object) -> str:
    """Return a text as code; nothing for an empty one."""
    return f"`{text}`" if str(text) else ""


def sentence(text: str) -> str:
    """Return a text with a capital letter, double backticks made single, and a full stop."""
    text = re.sub(r"``(.+?)``", r"`\1`", " ".join(text.split()))
    if not text.startswith("`"):
        text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "?", "!", ":")) else f"{text}."
