"""Plain values with their places, and what is wrong with a file whatever its keys mean."""

import pytest

from proxy.config.nodes import Document, named
from proxy.config.problems import Problems, Unfit


def document(text: str, **environ: str) -> Document:
    return Document(text, "weir.yaml", environ)


def said(text: str, **environ: str) -> list[tuple[int, int, int, str]]:
    return [
        (problem.span.line, problem.span.column, problem.span.width, problem.message)
        for problem in document(text, **environ).problems
    ]


def test_plain_values_are_texts_lists_and_mappings() -> None:
    plain = document('a: on\nb: [010, "x"]\nc: {d: "${V}", e: ""}\n', V="1: 2").plain
    assert plain == {"a": "on", "b": ["010", "x"], "c": {"d": "1: 2", "e": ""}}


def test_aliases_are_what_they_name() -> None:
    assert document("a: &x {b: [1]}\nc: *x").plain == {"a": {"b": ["1"]}, "c": {"b": ["1"]}}


def test_a_byte_order_mark_does_not_shift_positions() -> None:
    assert said("\ufeffa: 1\na: 2") == [(2, 1, 1, "`a` is written twice in the file")]


@pytest.mark.parametrize(
    ("text", "line", "column", "width", "message"),
    [
        ("a: 1\nbb: 2\na: 3", 3, 1, 1, "`a` is written twice in the file"),
        ("s: {x: [{k: 1, k: 2}]}", 1, 16, 1, "`k` is written twice in `s.x[0]`"),
        ("a:\nb: 1", 1, 1, 1, "`a` has no value"),
        ("a:\n  - 1\n  -\n", 3, 4, 1, "this item of the list has no value"),
        ("a: ${NOPE}", 1, 4, 7, "the environment variable `NOPE` is not set"),
        ("<<: {a: 1}", 1, 1, 2, "merge keys, `<<`, are not supported"),
        ("? [a]\n: b", 1, 3, 3, "a list or mapping cannot be a key"),
        ("a: !!int 5", 1, 4, 7, "the tag `!!int` has no meaning here"),
        ("a: !mine {b: 1}", 1, 4, 12, "the tag `!mine` has no meaning here"),
        ('a: "\\ud800"', 1, 4, 8, "half of a surrogate pair is no character"),
        ('"\\ud800": 1', 1, 1, 8, "half of a surrogate pair is no character"),
        ("a: &x [*x]", 1, 4, 7, "this alias stands inside of what it names"),
        ("&x\n? *x\n: 1", 1, 1, 1, "a list or mapping cannot be a key"),
    ],
)
def test_what_no_key_can_mean(text: str, line: int, column: int, width: int, message: str) -> None:
    found = said(text)
    assert [(one[0], one[3]) for one in found] == [(line, message)]
    if "? *x" not in text:
        assert found[0][1:3] == (column, width)


def test_a_surrogate_from_the_environment_is_told() -> None:
    assert said("a: ${V}", V="\udcff")[0][3] == "half of a surrogate pair is no character"


def test_services_may_be_empty_here_for_their_own_words_come_later() -> None:
    assert document("services:").plain == {"services": {}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("# nothing\n", "the file is empty"),
        ("- a", "the file holds a list, and not a mapping of keys to values"),
        ("a", "the file holds a single word, and not a mapping of keys to values"),
    ],
)
def test_a_file_is_a_mapping(text: str, message: str) -> None:
    with pytest.raises(Problems) as caught:
        document(text)
    assert [problem.message for problem in caught.value] == [message]
    assert "listen" in caught.value.found[0].advice[0]


def test_a_few_lines_of_aliases_cannot_fill_the_memory() -> None:
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    with pytest.raises(Problems, match="more than 200,000 values"):
        document("\n".join(lines))


def test_every_place_is_found_again() -> None:
    doc = document("services:\n  shop:\n    stable: [http://a, http://b]\n")
    problem = doc.problem(("services", "shop", "stable", "endpoints", 1), Unfit("no"))
    assert (problem.span.line, problem.span.column, problem.span.width) == (3, 24, 8)
    problem = doc.problem(("services", "shop", "nope"), Unfit("no"))
    assert (problem.span.line, problem.span.column, problem.span.width) == (2, 3, 4)
    assert doc.has(("services", "shop"))
    assert not doc.has(("services", "shop", "endpoints", 1))


def test_what_a_variable_stands_for_is_shown_unless_it_may_be_secret() -> None:
    doc = document("a: ${V}\nb: ${URL}\nadmin: {token: '${V}'}", V="x", URL="http://me:pw@host")
    assert doc.problem(("a",), Unfit("no")).advice == ("`${V}` stands for `x`",)
    assert doc.problem(("b",), Unfit("no")).advice == ()
    assert doc.problem(("admin", "token"), Unfit("no")).advice == ()


@pytest.mark.parametrize(
    "written", ["hunter2", '"hunter2"', "'${X:-hunter2}'", "'hunter2${X:-}'", "[hunter2]"]
)
def test_a_token_is_blanked_in_every_line_that_is_shown(written: str) -> None:
    doc = document(f"admin: {{token: {written}, a: }}")
    assert "hunter2" not in Problems("f", doc.lines, doc.problems).render()
    assert "*" * 7 in doc.lines[0]


def test_a_token_of_several_lines_is_blanked_in_all_of_them() -> None:
    assert "hunter" not in "\n".join(document("admin:\n  token: |\n    hunter2\n    hunter3\nb: 1").lines)


@pytest.mark.parametrize(
    "text",
    [
        "services: {a: {hooks: [{secret: hunter2}]}}",
        "services: {a: {notify: {secret: [hunter2]}}}",
        "services: {a: {notify: &n [{secret: hunter2}], hooks: *n}}",
        "defaults: {notify: [{url: x, secret: 'hunter2${X:-}'}]}",
        "services: {a: {secret: hunter2}}",
    ],
)
def test_a_secret_is_blanked_wherever_it_was_written(text: str) -> None:
    assert "*" * 7 in document(text).lines[0]
    assert "hunter2" not in document(text).lines[0]


@pytest.mark.parametrize(
    "text",
    [
        "services: {secret: {stable: 'http://a'}}",
        "services: {a: {segments: [{match: {header: {secret: x}}}]}}",
        "services: {a: {hooks: [{secret: '${S}'}]}}",
    ],
)
def test_what_only_has_the_name_of_a_secret_is_shown(text: str) -> None:
    assert document(text, S="x").lines == [text]


@pytest.mark.parametrize(
    "loc", [("notify",), ("notify", 0), ("notify", 0, "url"), ("notify", 0, "secret"), ("hooks", 0, "url")]
)
def test_what_a_variable_stands_for_is_not_shown_of_a_receiver(loc: tuple[int | str, ...]) -> None:
    doc = document("notify: [{url: '${V}', secret: '${V}'}]\nhooks: [{url: '${V}'}]", V="x")
    assert doc.problem(loc, Unfit("no")).advice == ()


def test_the_name_of_a_variable_is_no_secret() -> None:
    assert document("admin: {token: '${TOKEN}'}", TOKEN="x").lines == ["admin: {token: '${TOKEN}'}"]


def test_places_are_named_as_people_write_them() -> None:
    assert named(()) == "the file"
    assert named(("services", "a", "segments", 0, "to")) == "`services.a.segments[0].to`"
