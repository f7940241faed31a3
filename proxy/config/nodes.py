"""YAML nodes as dicts, lists and texts, of which each place can still be found in the file.

Here are checked what no type of a value can check: keys written twice, values left empty, variables not set.
"""

import re
from collections.abc import Iterator, Mapping
from typing import cast

from yaml.error import Mark
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from proxy.config.problems import Problem, Problems, Span, Unfit, listed, quoted
from proxy.config.syntax import compose, split_lines
from proxy.config.variables import expand, mentions

Loc = tuple[int | str, ...]
"""The way from the root to a value: keys, and indexes into lists."""

MOST_VALUES = 200_000
"""A file with more values, aliases followed, is not meant: a few lines of aliases can stand for billions."""

_TAGS = {
    ScalarNode: "tag:yaml.org,2002:str",
    SequenceNode: "tag:yaml.org,2002:seq",
    MappingNode: "tag:yaml.org,2002:map",
}
_REFERENCE = re.compile(r"\$\{[A-Za-z0-9_]+\}")
_MINIMAL = (
    'write at least `listen: ":8080"` and, under `services:`, a name with its `stable: http://127.0.0.1:9001`'
)


class Document:
    """One file that is YAML. `plain` is its content: dicts, lists and texts, with variables expanded.

    Raises Problems when it is not YAML or not a mapping.
    """

    def __init__(self, text: str, source: str, environ: Mapping[str, str]) -> None:
        text = text.removeprefix("\ufeff")
        self.source = source
        self.lines = split_lines(text)
        self.problems: list[Problem] = []
        self._environ = environ
        self._unread: set[int] = set()
        self._open: set[int] = set()
        self._values = 0
        root = compose(text)
        if not isinstance(root, MappingNode):
            raise Problems(source, self.lines, [root if isinstance(root, Problem) else _no_mapping(root)])
        self.root = root
        self.plain = cast("dict[str, object]", self._plain(root, ()))

    def problem(self, loc: Loc, fault: Unfit, owner: str = "") -> Problem:
        """Return the fault as a problem at its place in the file."""
        key, value = self.find(loc)
        node = key if key is not None and (fault.on == "key" or not isinstance(value, ScalarNode)) else value
        advice = [fault.advice] if fault.advice else []
        if node is value and isinstance(value, ScalarNode) and mentions(value.value) and not _private(loc):
            advice += self._expansion(value.value)
        return Problem(_span(node), fault.message + owner, tuple(advice))

    def find(self, loc: Loc) -> tuple[Node | None, Node]:
        """Return the key, if any, and the value of the last part of the way that is written in the file."""
        key: Node | None = None
        value: Node = self.root
        for part in loc:
            step = _step(value, part)
            key, value = step or (key, value)
        return key, value

    def has(self, loc: Loc) -> bool:
        """Return whether that very place is written in the file."""
        value: Node = self.root
        for part in loc:
            step = _step(value, part)
            if step is None:
                return False
            value = step[1]
        return True

    def unread(self, loc: Loc) -> bool:
        """Return whether the value there could not be read, and was reported as wrong already."""
        return id(self.find(loc)[1]) in self._unread

    def _expansion(self, written: str) -> Iterator[str]:
        try:
            value = expand(written, self._environ)
        except Unfit:
            return
        if value != written and "@" not in value:  # which may be a URL with a password
            yield f"{quoted(written)} stands for {quoted(value)}"

    def _say(self, node: Node, unread: Node, message: str, advice: str) -> None:
        self.problems.append(Problem(_span(node), message, (advice,)))
        self._unread.add(id(unread))

    def _plain(self, node: Node, loc: Loc) -> object:
        self._values += 1
        if self._values > MOST_VALUES:
            message = f"with its aliases followed, this file has more than {MOST_VALUES:,} values"
            problem = Problem(_span(node), message, ("use fewer aliases",))
            raise Problems(self.source, self.lines, [*self.problems, problem])
        if node.tag != _TAGS[type(node)]:
            self._say(
                node,
                node,
                f"the tag {quoted(_shown_tag(node.tag))} has no meaning here",
                "write the value alone, without `!`",
            )
        if isinstance(node, ScalarNode):
            return self._text(node)
        if id(node) in self._open:
            self._say(node, node, "this alias stands inside of what it names", "write out what is meant")
            return {}
        self._open.add(id(node))
        plain = self._mapping(node, loc) if isinstance(node, MappingNode) else self._items(node, loc)
        self._open.discard(id(node))
        return plain

    def _text(self, node: ScalarNode) -> str:
        try:
            text = expand(node.value, self._environ)
            text.encode()
        except Unfit as fault:
            self._say(node, node, fault.message, fault.advice)
            return ""
        except UnicodeEncodeError:
            self._say(node, node, "half of a surrogate pair is no character", "write the character itself")
            return ""
        return text

    def _items(self, node: Node, loc: Loc) -> list[object]:
        items = []
        for index, item in enumerate(node.value):
            if _empty(item):
                self._say(
                    item, item, "this item of the list has no value", "write one after the `-`, or remove it"
                )
            items.append(self._plain(item, (*loc, index)))
        return items

    def _mapping(self, node: MappingNode, loc: Loc) -> dict[str, object]:
        plain: dict[str, object] = {}
        lines: dict[str, int] = {}
        for key, value in node.value:
            if not self._good_key(key, loc):
                continue
            if key.value in plain:
                message = f"{quoted(key.value)} is written twice in {named(loc)}"
                self._say(
                    key, key, message, f"it stands on line {lines[key.value]} already: keep one of the two"
                )
                continue
            lines[key.value] = key.start_mark.line + 1
            if _secret((*loc, key.value)):
                self._hide(value)
            plain[key.value] = self._value(key, value, (*loc, key.value))
        return plain

    def _good_key(self, key: Node, loc: Loc) -> bool:
        if not isinstance(key, ScalarNode):
            self._say(key, key, "a list or mapping cannot be a key", "a key is one word: write `word: value`")
            return False
        if key.value == "<<" and not key.style:
            advice = f"keys for all services go to {listed(['defaults'])}; a whole value can be an alias"
            self._say(key, key, "merge keys, `<<`, are not supported", advice)
            return False
        try:
            key.value.encode()
        except UnicodeEncodeError:
            self._say(key, key, "half of a surrogate pair is no character", "write the character itself")
            return False
        return True

    def _value(self, key: ScalarNode, value: Node, loc: Loc) -> object:
        if not _empty(value):
            return self._plain(value, loc)
        if loc == ("services",):
            return {}
        self._say(
            key, value, f"{quoted(key.value)} has no value", "write one after the colon, or remove the key"
        )
        return ""

    def _hide(self, node: Node) -> None:
        """Blank a secret in the lines, for terminals and logs show these; a bare `${NAME}` is no secret."""
        if _empty(node) or _REFERENCE.fullmatch(str(node.value)):
            return
        first, last = node.start_mark, node.end_mark
        for number in range(first.line, min(last.line + 1, len(self.lines))):
            line = self.lines[number]
            begin = first.column if number == first.line else 0
            end = last.column if number == last.line else len(line)
            self.lines[number] = line[:begin] + "*" * (end - begin) + line[end:]


def _secret(loc: Loc) -> bool:
    """Return whether a secret is written there, be it in the wrong place.

    Services and headers may have the names of secret keys.
    """
    named_so = loc[-1:] == ("secret",) and loc[:-1] != ("services",) and "segments" not in loc
    return named_so or loc == ("admin", "token") or loc[-3:-1] == ("health", "headers")


def _private(loc: Loc) -> bool:
    """Return whether a variable's value is hidden there: a secret, or a URL that may hold one."""
    return _secret(loc) or any(part in ("url", "hooks", "notify") for part in loc[-2:])


def named(loc: Loc) -> str:
    """Return the place as a person would write it: `services.checkout.segments[0]`."""
    if not loc:
        return "the file"
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
    return quoted(text.removeprefix("."))


def _shown_tag(tag: str) -> str:
    return tag.replace("tag:yaml.org,2002:", "!!", 1)


def _step(node: Node, part: int | str) -> tuple[Node | None, Node] | None:
    """Return the key and value one step below; the first of a key written twice counts."""
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if isinstance(key, ScalarNode) and key.value == part:
                return key, value
    elif isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.value):
        return None, node.value[part]
    return None


def _empty(node: Node) -> bool:
    return isinstance(node, ScalarNode) and not node.value and not node.style


def _span(node: Node) -> Span:
    """Return what to underline: a word, the first key of a mapping, or where something longer begins."""
    if isinstance(node, MappingNode) and node.value and not node.flow_style:
        node = node.value[0][0]
    first: Mark = node.start_mark
    last: Mark = node.end_mark
    width = last.column - first.column if last.line == first.line else 1
    return Span(first.line + 1, first.column + 1, max(1, width))


def _no_mapping(root: Node | None) -> Problem:
    if root is None:
        return Problem(Span(1, 1), "the file is empty", (_MINIMAL,))
    kind = "a list" if isinstance(root, SequenceNode) else "a single word"
    return Problem(_span(root), f"the file holds {kind}, and not a mapping of keys to values", (_MINIMAL,))
