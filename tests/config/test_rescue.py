"""Rescue and halt: what may be written, and what is told of mistakes."""

from collections.abc import Callable
from typing import Any

import pytest

from proxy.config.reader import read
from proxy.config.rescue import Halt, Rescue
from proxy.config.service import Service


def service(keys: str) -> Service:
    return read(f"services: {{a: {{stable: http://a, {keys}}}}}", "f", {}).services["a"]


def test_rescue_is_on_and_streams_have_ten_seconds() -> None:
    found = read("services: {a: {stable: http://a}}", "f", {}).services["a"]
    assert (found.rescue, found.halt) == (Rescue(max_body="64KiB", keyed="false"), Halt(drain="10s"))


@pytest.mark.parametrize(
    ("written", "rescue"),
    [
        ("on", Rescue()),
        ("off", None),
        ("{}", Rescue()),
        ("{keyed: true}", Rescue(keyed="true")),
        ("{max_body: 1MiB}", Rescue(max_body="1MiB")),
        ("{max_body: 0}", Rescue(max_body="0")),
    ],
)
def test_rescue(written: str, rescue: Rescue | None) -> None:
    assert service(f"rescue: {written}").rescue == rescue


@pytest.mark.parametrize(
    ("written", "seconds"), [("keep", None), ("0", 0.0), ("90s", 90.0), ("24h", 86_400.0)]
)
def test_drain(written: str, seconds: float | None) -> None:
    assert service(f"halt: {{drain: {written}}}").halt.drain == seconds


@pytest.mark.parametrize(
    ("keys", "says", "advises"),
    [
        ("rescue: true", "the single value `true` stands where a mapping", "`on` or `off` may stand here"),
        ("rescue: {max_body: 1025KiB}", "`1025KiB` is too large", "from `0B` to `1MiB`"),
        ("rescue: {max_body: 64}", "`64` is a number without its unit, not a size", "write `64B`"),
        ("rescue: {keyed: on}", "`on` is neither `true` nor `false`", "write `true`"),
        ("rescue: {max: 1KiB}", "`max` is not a key of `services.checkout.rescue`", "mean `max_body`?"),
        ("halt: 10s", "the single value `10s` stands where a mapping is expected", "the key `drain`"),
        ("halt: keep", "the single value `keep` stands where a mapping", "write `halt: {drain: keep}`"),
        ("halt: off", "the single value `off` stands where a mapping", "`halt: {drain: 0}` to end it"),
        ("halt: {drain: off}", "a word, which YAML 1.1 would read as true or false", "or `keep`"),
        ("halt: {drain: 25h}", "`25h` is too long", "from `0s` to `24h`, or `keep`"),
        ("halt: {drian: 1s}", "`drian` is not a key of `services.checkout.halt`", "did you mean `drain`?"),
    ],
)
def test_what_is_wrong(of_service: Callable[..., Any], keys: str, says: str, advises: str) -> None:
    (problem,) = of_service("stable: http://a\n" + keys)
    assert says in problem.message
    assert any(advises in line for line in problem.advice)
