"""How problems are told: sorted, each once, with carets that stand under what they mean."""

import pytest

from proxy.config.problems import Problem, Problems, Span, listed, nearest, quoted

LINES = ["services:", "  checkout:", "      stepz: [5, 25]"]


def told(line: str, column: int, width: int = 1) -> list[str]:
    return Problems("f", [line], [Problem(Span(1, column, width), "no")]).render().splitlines()


def test_the_layout_is_that_of_a_compiler() -> None:
    problem = Problem(Span(3, 7, 5), "`stepz` is not a key", ("did you mean `steps`?",))
    assert Problems("weir.yaml", LINES, [problem]).render() == (
        "weir.yaml:3:7: error: `stepz` is not a key\n"
        "    3 |       stepz: [5, 25]\n"
        "      |       ^^^^^\n"
        "      = did you mean `steps`?"
    )


def test_problems_are_sorted_and_each_is_said_once() -> None:
    late, early = Problem(Span(2, 1), "b"), Problem(Span(1, 5), "c")
    problems = Problems("f", ["", ""], [late, early, late, Problem(Span(2, 1), "a")])
    assert [problem.message for problem in problems] == ["c", "a", "b"]
    assert len(problems) == 3
    assert str(problems) == problems.render()


def test_long_line_numbers_keep_the_gutter_straight() -> None:
    problems = Problems("f", ["x"] * 123_456, [Problem(Span(123_456, 1), "no")])
    assert problems.render().splitlines()[1:] == ["123456 | x", "       | ^"]


def test_carets_stand_under_wide_characters() -> None:
    assert told("日本: x", 1, 2)[2] == "      | ^^^^"
    assert told("日本: x", 5)[2] == "      |       ^"


def test_a_long_line_is_cut_around_the_problem() -> None:
    line = "a" * 500 + "HERE" + "b" * 500
    _, shown, carets = told(line, 501, 4)
    assert len(shown) < 140
    assert shown.count("…") == 2
    assert shown[carets.index("^") : carets.rindex("^") + 1] == "HERE"


def test_nothing_of_the_file_reaches_the_terminal_as_a_command() -> None:
    assert "\x1b" not in told("\x1b[2J", 1)[1]
    assert told("\tkey: 1", 1)[1:] == ["    1 | →key: 1", "      | ^"]
    assert quoted("a\x1b\n\ud800") == "`a\\x1b\\n\\ud800`"


def test_a_span_beyond_the_file_is_shown_on_an_empty_line() -> None:
    assert Problems("f", [], [Problem(Span(1, 1), "no")]).render() == "f:1:1: error: no\n    1 |\n      | ^"


def test_quotes_are_short() -> None:
    assert quoted("") == "an empty text"
    assert len(quoted("x" * 10_000)) < 70


@pytest.mark.parametrize(
    ("words", "text"),
    [(["a"], "`a`"), (["a", "b"], "`a` or `b`"), (["a", "b", "c"], "`a`, `b` or `c`"), ([], "")],
)
def test_words_are_listed_as_in_a_sentence(words: list[str], text: str) -> None:
    assert listed(words) == text


@pytest.mark.parametrize(
    ("word", "words", "meant"),
    [
        ("wieght", ["weight", "match"], "weight"),
        ("PROT", ["PORT", "HOME"], "PORT"),
        ("p99", ["error-rate", "latency-p99"], "latency-p99"),
        ("blue", ["stable", "canary"], None),
        ("x" * 100_000, ["stable"], None),
    ],
)
def test_the_nearest_word_is_offered(word: str, words: list[str], meant: str | None) -> None:
    assert nearest(word, words) == (f"did you mean `{meant}`? " if meant else "")
