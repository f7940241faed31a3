"""The problems of a config file, reported all at once, in the way compilers do.

weir.yaml:8:7: error: `stepz` is not a key of `services.checkout`
    8 |       stepz: [5, 25]
      |       ^^^^^
      = did you mean `steps`? valid keys: ...
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

_LONGEST_QUOTE = 60
_LONGEST_EXCERPT = 120


class Unfit(ValueError):
    """A value that does not fit its key, in words for the person who wrote it.

    `advice` is what to do, `on` what to underline: the value or its key. With `of` above 0 the message ends
    in a preposition, and the name of what stands that many steps above the value completes it.
    """

    def __init__(
        self, message: str, advice: str = "", *, on: Literal["value", "key"] = "value", of: int = 0
    ) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice
        self.on = on
        self.of = of


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A piece of one line: line and column count from 1, in characters; the width is at least 1."""

    line: int
    column: int
    width: int = 1


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong, where it is, and what to do about it."""

    span: Span
    message: str
    advice: tuple[str, ...] = ()


class Problems(Exception):
    """Everything that is wrong with one file, sorted by position, each of them once."""

    def __init__(self, source: str, lines: Sequence[str], found: Iterable[Problem]) -> None:
        once: dict[tuple[Span, str], Problem] = {}
        for problem in found:
            once.setdefault((problem.span, problem.message), problem)
        self.source = source
        self.lines = tuple(lines)
        self.found = tuple(sorted(once.values()))
        super().__init__(source, len(self.found))

    def __iter__(self) -> Iterator[Problem]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)

    def __str__(self) -> str:
        return self.render()

    def render(self) -> str:
        """Return what a person reads: every problem with its line, without a newline at the end."""
        return "\n".join(line for problem in self.found for line in self._lines_of(problem))

    def _lines_of(self, problem: Problem) -> Iterator[str]:
        span = problem.span
        yield f"{self.source}:{span.line}:{span.column}: error: {problem.message}"
        number = str(span.line).rjust(5)
        gutter = " " * len(number)
        shown, before, carets = _excerpt(self._line(span.line), span)
        yield f"{number} | {shown}".rstrip()
        yield f"{gutter} | {' ' * before}{'^' * carets}"
        for line in problem.advice:
            yield f"{gutter} = {line}"

    def _line(self, number: int) -> str:
        return self.lines[number - 1] if number <= len(self.lines) else ""


def _excerpt(line: str, span: Span) -> tuple[str, int, int]:
    """Return the part of a line to show, and on it the terminal cells before and under the span."""
    at = span.column - 1
    start = max(0, at - _LONGEST_EXCERPT // 3) if len(line) > _LONGEST_EXCERPT else 0
    end = start + _LONGEST_EXCERPT
    lead = "…" if start else ""
    shown = lead + _visible(line[start:end]) + ("…" if len(line) > end else "")
    before = _cells(lead + _visible(line[start:at]))
    under = _cells(_visible(line[at : min(at + span.width, end)]))
    return shown, before, max(1, under)


def _visible(text: str) -> str:
    """Return as many characters, none of which a terminal would obey; tabs show, for they may be at fault."""
    return "".join(c if c.isprintable() else "→" if c == "\t" else "\ufffd" for c in text)


def _cells(text: str) -> int:
    """Return how many columns a terminal takes to show the text."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else not unicodedata.combining(c) for c in text)


def quoted(text: str) -> str:
    """Return what was written, in backticks: on one line, harmless to a terminal, and not endless."""
    if not text:
        return "an empty text"
    short = text if len(text) <= _LONGEST_QUOTE else text[:_LONGEST_QUOTE] + "…"
    return "`" + "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in short) + "`"


def listed(words: Iterable[str], last: str = "or") -> str:
    """Return words in backticks, as a sentence lists them: `a`, `b` or `c`."""
    shown = [f"`{word}`" for word in words]
    return f" {last} ".join([*([", ".join(shown[:-1])] if shown[1:] else []), *shown[-1:]])


def nearest(word: str, words: Iterable[str]) -> str:
    """Return a question that offers the word that was probably meant, with a space after it, or ""."""
    known = {one.lower(): one for one in words}
    meant = word[:_LONGEST_QUOTE].lower()
    close = get_close_matches(meant, known, n=1, cutoff=0.65)
    close += [one for one in known if len(meant) > 2 and meant in one]
    return f"did you mean `{known[close[0]]}`? " if close else ""
