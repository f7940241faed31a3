"""Pieces of Markdown, and the error for what nobody has described."""

import html
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
    """Return a table."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def code(text: object) -> str:
    """Return a text as code; nothing for an empty one. A bar would end the cell of a table."""
    if "|" in str(text):
        return f"<code>{html.escape(str(text), quote=False).replace('|', '&#124;')}</code>"
    return f"`{text}`" if str(text) else ""


def sentence(text: str) -> str:
    """Return a text with a capital letter, double backticks made single, and a full stop."""
    text = re.sub(r"``(.+?)``", r"`\1`", " ".join(text.split()))
    if not text.startswith("`"):
        text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "?", "!", ":")) else f"{text}."
