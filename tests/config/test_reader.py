"""The way in: all problems at once, in the words and the layout of a compiler, and never anything else."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from proxy.config.problems import Problems
from proxy.config.reader import decode, read, single
from proxy.config.schema import Config, HostPort
from tests.kits.properties import examples

MINIMAL = """\
listen: ":8080"
services:
  checkout:
    stable: http://127.0.0.1:9001
    canary: http://127.0.0.1:9002
    weight: 5%
"""


def test_the_minimal_file() -> None:
    service = read(MINIMAL, "weir.yaml", {}).services["checkout"]
    assert (service.stable.endpoints, service.weight) == (("http://127.0.0.1:9001",), 500)


def test_the_layout_of_a_problem() -> None:
    with pytest.raises(Problems) as caught:
        read(MINIMAL + "\n    wieght: [5, 25]\n", "weir.yaml", {})
    assert caught.value.render() == (
        "weir.yaml:8:5: error: `wieght` is not a key of `services.checkout`\n"
        "    8 |     wieght: [5, 25]\n"
        "      |     ^^^^^^\n"
        "      = did you mean `weight`? valid keys: `match`, `stable`, `canary`, `weight`, `rollout`, "
        "`force`, `sticky`, `segments`, `analysis`, `guard`, `checks`, `caps`, `rescue`, `halt`, `health`, "
        "`ejection`, `fallback`, `hooks`, `notify`, `choice_header`, `endpoint_header`, `timeouts` and "
        "`upgrades`"
    )


def test_all_problems_are_told_at_once_in_their_order() -> None:
    text = """\
listen: 8080
workers: ${NOPE}
timeouts: {idle: 12:30:45}
services:
  checkout:
    stable: ftp://shop
    canary: http://shop
    weight: on
    weight: 5%
    stepz: [5]
  other:
    stable: http://shop
    weight: 5%
    segments: [{name: a, to: blue, match: {header: {X: {regex: "(("}}}}]
"""
    with pytest.raises(Problems) as caught:
        read(text, "weir.yaml", {})
    assert [(one.span.line, one.span.column) for one in caught.value] == [
        (1, 9), (2, 10), (3, 18), (6, 13), (8, 13), (9, 5), (10, 5), (11, 3), (13, 5), (14, 30), (14, 64),
    ]  # fmt: skip


def test_a_value_that_could_not_be_read_is_not_judged_as_well() -> None:
    with pytest.raises(Problems) as caught:
        read(MINIMAL.replace("5%", "${NOPE}").replace("http://127.0.0.1:9002", ""), "f", {})
    assert [one.message for one in caught.value] == [
        "`canary` has no value",
        "the environment variable `NOPE` is not set",
    ]


def test_variables_are_expanded_after_reading() -> None:
    text = MINIMAL.replace("5%", "${W}").replace("http://127.0.0.1:9001", "http://${HOST:-localhost}:9001")
    service = read(text, "f", {"W": "7%"}).services["checkout"]
    assert (service.weight, service.stable.endpoints) == (700, ("http://localhost:9001",))
    with pytest.raises(Problems, match=r"is not a percent"):
        read(text, "f", {"W": "5%\nlisten: :1"})


def test_a_file_is_utf_8() -> None:
    assert decode("é: 1".encode(), "f") == "é: 1"
    with pytest.raises(Problems) as caught:
        decode(b"a: 1\nb: \xff", "weir.yaml")
    assert caught.value.render().splitlines() == [
        "weir.yaml:2:4: error: the byte 0xff is not UTF-8",
        "    2 | b: �",
        "      |    ^",
        "      = save the file in the encoding UTF-8",
    ]


def test_one_service_without_a_file() -> None:
    config = read(single("http://a:1", "http://b:1", "5%", "127.0.0.1:80"), "command line", {})
    assert [each.address for each in config.listen] == [HostPort("127.0.0.1", 80)]
    service = config.services["default"]
    assert (service.stable.endpoints, service.weight) == (("http://a:1",), 500)
    assert service.canary is not None
    assert service.canary.endpoints == ("http://b:1",)


def test_one_service_without_a_canary() -> None:
    config = read(single("http://a:1"), "command line", {})
    assert [each.address for each in config.listen] == [HostPort("", 8080)]
    assert config.services["default"].canary is None


def test_the_command_line_goes_through_the_same_checks() -> None:
    with pytest.raises(Problems, match="a weight is the share of the canary"):
        read(single("http://a", weight="5%"), "command line", {})
    with pytest.raises(Problems, match="without its unit"):
        read(single("http://a", "http://b", "0.5"), "command line", {})


@given(st.tuples(st.text(), st.text(), st.text(), st.text()))
def test_nothing_on_the_command_line_gets_out_of_its_quotes(words: tuple[str, str, str, str]) -> None:
    assert_only_problems(single(*words))


def assert_only_problems(text: str) -> None:
    result: Config | Problems
    try:
        result = read(text, "weir.yaml", {"WEIGHT": "5%"})
    except Problems as problems:
        result = problems
    if isinstance(result, Problems):
        assert len(result) > 0
        assert result.render().startswith("weir.yaml:")
        assert all(one.span.line <= len(result.lines) for one in result)


KEYS = [
    "listen", "workers", "admin", "token", "token_file", "state", "log", "level", "access", "timeouts",
    "idle", "shutdown", "address", "tls", "cert", "key", "ca",
    "verify", "server_name", "delay", "defaults", "services", "a", "b", "match", "host", "path", "stable",
    "canary", "endpoints", "version", "weight", "force", "header", "sticky", "cookie", "issue",
    "client_ip", "segments", "name", "to", "exact", "regex", "prefix", "in", "present", "query",
    "method", "checks", "metric", "max", "window", "min_requests", "analysis", "enforce", "nope", "<<",
    "rollout", "steps", "hold", "pause", "deadline", "start", "health", "interval", "timeout", "ejection",
    "backoff", "longest", "failures", "fallback", "hooks", "notify", "at", "url", "secret", "events",
    "[key]", "",
]  # fmt: skip
WORDS = [
    "5%", "0", "5", "on", "off", "12:30:45", "300ms", "http://a", "https://a", "unix:/a", ":80", "auto",
    "canary", "stable", "error-rate", "latency-p99", "true", "((", "${WEIGHT}", "${NOPE}", "$$", "/a",
    "*.b", "", "\ud800", "\u0000",
]  # fmt: skip

WRITTEN = st.recursive(
    st.sampled_from(WORDS) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=25,
)


@examples(300)
@given(st.dictionaries(st.sampled_from(KEYS), WRITTEN, max_size=6))
@example({"services": {"a": {"stable": "http://a", "segments": [{"match": {"header": {"[key]": ""}}}]}}})
@example({"admin": {"token": ["a"], "token_file": {}}, "listen": [[]], "defaults": [], "services": {"a": []}})
def test_any_structure_is_read_or_told(tree: dict[str, Any]) -> None:
    assert_only_problems(json.dumps(tree))
    assert_only_problems(json.dumps({"services": {"a": tree}}))


PIECES = [
    *"\n :-[]{}&*!|>'\"%@`#,?\t\r\x85\ufeff",
    "\n  ",
    "\n    ",
    "a",
    "&x ",
    "*x",
    "<<: ",
    "- ",
    ": ",
    "---",
    "!!int ",
]


@examples(300)
@given(st.lists(st.sampled_from([*PIECES, *KEYS, *WORDS]), max_size=25).map("".join))
@example("&a\n? *a\n: 1")
@example("&a [*a]")
@example("\ufeff")
@example("? \n? \n")
@example("services: &s {a: *s}")
@example("%TAG ! !!\n---\na: ! b")
def test_any_text_is_read_or_told(text: str) -> None:
    assert_only_problems(text)


@examples(100)
@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_read_or_told(data: bytes) -> None:
    try:
        text = decode(data, "weir.yaml")
    except Problems as problems:
        text = problems.render()
    assert_only_problems(text)


@examples(100)
@given(st.data())
def test_any_edit_of_a_good_file_is_read_or_told(data: st.DataObject) -> None:
    lines = MINIMAL.splitlines(keepends=True)
    at = data.draw(st.integers(0, len(MINIMAL)))
    length = data.draw(st.integers(0, 8))
    piece = data.draw(st.sampled_from([*PIECES, *WORDS]))
    assert_only_problems(MINIMAL[:at] + piece + MINIMAL[at + length :])
    assert_only_problems("".join(data.draw(st.permutations(lines))))
