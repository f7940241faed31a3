"""What is not YAML is told in words for people, at the place where they would look."""

import pytest
from yaml.nodes import MappingNode

from proxy.config.problems import Problem
from proxy.config.syntax import DEEPEST, compose, split_lines


@pytest.mark.parametrize(
    ("text", "line", "column", "says", "advises"),
    [
        ("a:\n\tb: 1", 2, 1, "a tab stands where YAML wants spaces", "spaces"),
        ("a:\tb", 1, 3, "a tab", "spaces"),
        ("host: *.shop.example", 1, 8, "`*` begins a YAML alias", '"*.shop.example"'),
        ("a: *nope", 1, 4, "names no anchor", "quotes"),
        ("a: &", 1, 5, "`&` begins a YAML anchor", "quotes"),
        ("listen: [::1]:80", 1, 10, "brackets", '"[::1]:8080"'),
        ("weight: %5", 1, 9, "cannot begin with this character", "quotes"),
        ("a: 'x", 1, 4, "this quote is never closed", "close it"),
        ('a: "\\q"', 1, 6, "begins an escape", "single quotes"),
        ("a: b: c", 1, 5, "a second `:`", "quotes"),
        ("a: 1\n b: 2", 2, 3, "wrong depth", "indentation"),
        ("a: 1\nb\nc: 1", 3, 1, "a key without its `:`", "`key: value`"),
        ("a: {x: 1", 1, 4, "not closed", "close it"),
        ("a: [1, 2", 1, 4, "not closed", "close it"),
        ("a: }", 1, 4, "a value is missing", "quotes"),
        ("a:\n  - 1\n b: 2", 3, 2, "does not belong", "indentation"),
        ("a: 1\n---\nb: 2", 2, 1, "a second document", "remove `---`"),
        ("a: >x", 1, 5, "block of text", "quotes"),
        ("a: !u!x y", 1, 4, "tags have no meaning", "value alone"),
        ("a: \x00", 1, 4, "`\\x00` is a character that YAML forbids", "remove it"),
        ("a: 1\nb: \x07", 2, 4, "YAML forbids", "remove it"),
        ('a: "\\UFFFFFFFF"', 1, 7, "a number that YAML cannot take", "remove it"),
        ("%YAML 1." + "9" * 5000, 1, 9, "a number that YAML cannot take", "remove it"),
        ("%YAML 2.0\n---\na: 1", 1, 1, "not YAML", None),
        ("[" * 5000, 1, DEEPEST + 1, f"nested deeper than {DEEPEST} levels", "dozen"),
    ],
)
def test_syntax_errors(text: str, line: int, column: int, says: str, advises: str | None) -> None:
    problem = compose(text)
    assert isinstance(problem, Problem)
    assert (problem.span.line, problem.span.column) == (line, column)
    assert says in problem.message
    assert advises is None or advises in problem.advice[0]


def test_no_scalar_becomes_anything_but_text() -> None:
    root = compose("a: [on, 12:30:45, 010, 1e3, 2024-01-01, ~, 0x1F, .inf]")
    assert isinstance(root, MappingNode)
    items = root.value[0][1].value
    assert {item.tag for item in items} == {"tag:yaml.org,2002:str"}
    assert [item.value for item in items][:3] == ["on", "12:30:45", "010"]


def test_nothing_to_read_is_no_node() -> None:
    assert compose("# only a comment\n") is None


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r", "\x85", "\u2028"])
def test_lines_are_counted_as_yaml_counts_them(ending: str) -> None:
    text = f"a: 1{ending}b: 2"
    root = compose(text)
    assert isinstance(root, MappingNode)
    assert root.value[-1][0].start_mark.line == 1
    assert split_lines(text) == ["a: 1", "b: 2"]
