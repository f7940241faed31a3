"""Segments: every source with every kind of condition."""

from collections.abc import Callable
from typing import Any

import pytest

from proxy.config.reader import read
from proxy.config.segment import Condition, Segment


def segment(match: str) -> Segment:
    text = (
        "services: {a: {stable: http://a, canary: http://b, "
        f"segments: [{{name: s, to: canary, match: {match}}}]}}}}"
    )
    return read(text, "f", {}).services["a"].segments[0]


@pytest.mark.parametrize(
    ("match", "condition"),
    [
        ('{header: {X-Beta: "1"}}', Condition("header", "X-Beta", "exact", ("1",))),
        ("{header: {X-Beta: 1}}", Condition("header", "X-Beta", "exact", ("1",))),
        ("{header: {X-Beta: on}}", Condition("header", "X-Beta", "exact", ("on",))),
        ("{header: {X-Beta: {exact: ''}}}", Condition("header", "X-Beta", "exact", ("",))),
        ("{header: {X-Team: {present: true}}}", Condition("header", "X-Team", "present")),
        ("{cookie: {plan: {in: [gold, 010]}}}", Condition("cookie", "plan", "in", ("gold", "010"))),
        ("{query: {v: {prefix: 2.}}}", Condition("query", "v", "prefix", ("2.",))),
        ("{query: {a b: {regex: '[a-z]+$'}}}", Condition("query", "a b", "regex", ("[a-z]+$",))),
        ("{path: /admin}", Condition("path", "", "exact", ("/admin",))),
        ("{path: {prefix: /admin}}", Condition("path", "", "prefix", ("/admin",))),
        ("{path: {in: [/a, /b]}}", Condition("path", "", "in", ("/a", "/b"))),
        ("{path: {regex: '/v[0-9]+/.*'}}", Condition("path", "", "regex", ("/v[0-9]+/.*",))),
        ("{method: POST}", Condition("method", "", "exact", ("POST",))),
        ("{method: {in: [GET, HEAD]}}", Condition("method", "", "in", ("GET", "HEAD"))),
    ],
)
def test_conditions(match: str, condition: Condition) -> None:
    assert segment(match).conditions == (condition,)


def test_several_conditions_are_kept_together() -> None:
    found = segment('{header: {X-Beta: {exact: "1"}, X-Team: {present: true}}, path: {prefix: /admin}}')
    assert [(one.source, one.name, one.kind) for one in found.conditions] == [
        ("header", "X-Beta", "exact"),
        ("header", "X-Team", "present"),
        ("path", "", "prefix"),
    ]


@pytest.mark.parametrize(
    ("match", "says", "advises"),
    [
        ("{}", "a segment without conditions would take every request", "`header`, `cookie`"),
        ("{header: {}}", "no header is named", "`header: {NAME: value}`"),
        ("{header: X-Beta}", "the single value `X-Beta` stands where a mapping", '`{X-Beta: "1"}`'),
        (
            "{header: {X-Beta: {}}}",
            "a condition is incomplete",
            "`exact`, `prefix`, `regex`, `in` or `present`",
        ),
        ("{header: {X-Beta: {exact: a, in: [b]}}}", "`in` and `exact` cannot be written together", "one of"),
        ("{header: {X-Beta: {regexp: a}}}", "`regexp` is not a key of", "did you mean `regex`?"),
        ("{header: {X-Beta: [a, b]}}", "a list stands where a mapping is expected", "`in`"),
        ("{header: {X Beta: a}}", "`X Beta` cannot be the name of a header", "`X-Canary`"),
        ("{header: {X: {in: []}}}", "this list is empty", "`[a, b]`"),
        ("{header: {X: {in: a}}}", "the single value `a` stands where a list", "`[a, b]`"),
        ("{header: {X: {prefix: ''}}}", "an empty prefix matches every value", "`present: true`"),
        ("{header: {X: {present: false}}}", "`present` can only be `true`", "`present: true`"),
        ("{query: {q: {regex: '(('}}}", "is not a regular expression: missing )", "`\\`"),
        ("{path: admin}", "`admin` is not a path", "write `/admin`"),
        ("{path: {in: [a]}}", "`a` is not a path", "write `/a`"),
        ("{method: get}", "`get` is not how this method is spelled", "write `GET`"),
        ("{hedaer: {X: a}}", "`hedaer` is not a key of", "did you mean `header`?"),
    ],
)
def test_what_is_no_condition(wrong: Callable[..., Any], match: str, says: str, advises: str) -> None:
    found = wrong(
        "services: {a: {stable: http://a, canary: http://b, "
        f"segments: [{{name: s, to: canary, match: {match}}}]}}}}"
    )
    assert [says in problem.message for problem in found].count(True) == 1, found
    assert any(advises in line for problem in found for line in problem.advice)
