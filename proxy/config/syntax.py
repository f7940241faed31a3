"""YAML nodes from a text, or one problem in words for the person who wrote the file.

The loader is PyYAML's safe one without its constructor, and with a resolver that knows nothing: no scalar
ever turns into a number, a date or a truth value. It is the pure Python one everywhere, for the same words.
"""

from yaml.composer import Composer, ComposerError
from yaml.error import Mark, MarkedYAMLError
from yaml.nodes import Node
from yaml.parser import Parser
from yaml.reader import Reader, ReaderError
from yaml.resolver import BaseResolver
from yaml.scanner import Scanner

from proxy.config.problems import Problem, Span, quoted

DEEPEST = 40
"""Levels of lists and mappings: far more than any key needs, far less than Python's stack."""

_QUOTE_IT = "put quotes around the value"
_INDENT = "check the indentation: the keys of one mapping begin in the same column"

_MISPLACED = f"{_QUOTE_IT}; or {_INDENT}"

# What PyYAML reports (its context and its problem, in part) -> what is reported here, and what to do.
_WORDS: tuple[tuple[str, str, str], ...] = (
    (r"character '\t'", "a tab stands where YAML wants spaces", "indent and separate with spaces"),
    ("scanning an alias", "`*` begins a YAML alias here", f'{_QUOTE_IT}, like `"*.shop.example"`'),
    ("scanning an anchor", "`&` begins a YAML anchor here", _QUOTE_IT),
    ("scanning a block scalar", "`|` or `>` begins a block of text, and something follows", _QUOTE_IT),
    ("unknown escape", "inside double quotes `\\` begins an escape, and this is none", "use single quotes"),
    ("quoted scalar", "this quote is never closed", "close it, or double a quote that is part of the value"),
    ("cannot start any token", "a value cannot begin with this character", _QUOTE_IT),
    ("mapping values are not", "a second `:` in a value, or a key at the wrong depth", _MISPLACED),
    ("could not find expected ':'", "a key without its `:`", "write `key: value`, with a space between"),
    ("flow node", "brackets `[ ]` and `{ }` make lists and mappings", f'{_QUOTE_IT}, like `"[::1]:8080"`'),
    ("expected the node content", "a value is missing before this character", _QUOTE_IT),
    ("while parsing a flow", "this `[` or `{` is not closed, or lacks a `,`", "close it, or quote the value"),
    ("undefined alias", "this YAML alias names no anchor above it", f"{_QUOTE_IT} if no alias is meant"),
    ("duplicate anchor", "this YAML anchor is defined twice", "give one of them another name"),
    ("another document", "a second document begins here", "a config file is one document: remove `---`"),
    ("expected <block end>", "this line does not belong to the mapping or list above it", _INDENT),
    ("tag", "tags have no meaning here", "write the value alone"),
)  # fmt: skip


class _Loader(Reader, Scanner, Parser, Composer, BaseResolver):
    """Scalars stay as written: a BaseResolver has no rules of YAML 1.1."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        BaseResolver.__init__(self)
        self._depth = 0

    def _next(self) -> Mark | None:
        mark: Mark | None = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # PyYAML's own gap
        return mark

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        if self._depth == DEEPEST:
            raise ComposerError(None, None, "too deep", self._next())
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


def compose(text: str) -> Node | Problem | None:
    """Return the root node of the document, None when there is none, or the problem that ends the reading."""
    try:
        return _composed(text)
    except ReaderError as error:
        line, column = _position(text, error.position)
        character = text[error.position : error.position + 1]
        return Problem(
            Span(line, column),
            f"{quoted(character)} is a character that YAML forbids",
            ("remove it, or write it as an escape inside double quotes",),
        )


def _composed(text: str) -> Node | Problem | None:
    loader = _Loader(text)
    try:
        node: Node | None = loader.get_single_node()
        return node
    except MarkedYAMLError as error:
        return _problem_of(error)
    except (ValueError, OverflowError):
        # An escape beyond Unicode, or a %YAML directive with a number of thousands of digits.
        mark = loader.get_mark()
        return Problem(Span(mark.line + 1, mark.column + 1), "a number that YAML cannot take", ("remove it",))


def _problem_of(error: MarkedYAMLError) -> Problem:
    text = f"{error.context or ''} {error.problem or ''}"
    if error.problem == "too deep":
        return _at(
            error.problem_mark, f"nested deeper than {DEEPEST} levels", "nothing here needs more than a dozen"
        )
    for sign, message, advice in _WORDS:
        if sign in text:
            never_closed = " closed" in message
            return _at(error.context_mark if never_closed else error.problem_mark, message, advice)
    return _at(error.problem_mark, f"not YAML: {text.strip()}", "")


def _at(mark: Mark | None, message: str, advice: str) -> Problem:
    span = Span(1, 1) if mark is None else Span(mark.line + 1, mark.column + 1)
    return Problem(span, message, (advice,) if advice else ())


def _position(text: str, index: int) -> tuple[int, int]:
    before = split_lines(text[:index])
    return len(before), len(before[-1]) + 1


def split_lines(text: str) -> list[str]:
    """Return the lines as YAML 1.1 counts them: it breaks at three more characters than most editors do."""
    for ending in ("\r\n", "\r", "\x85", "\u2028", "\u2029"):
        text = text.replace(ending, "\n")
    return text.split("\n")
