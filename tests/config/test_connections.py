"""Deadlines, kept connections and limits: their defaults, their bounds, and what they say of each other."""

from collections.abc import Callable
from typing import Any

import pytest

from proxy.config.connections import Limits, Pool, Timeouts
from proxy.config.reader import read
from proxy.config.schema_json import json_schema

ONE = "services: {a: {stable: http://a}}\n"


def limits(written: str) -> Limits:
    return read(f"{ONE}limits: {{{written}}}", "f", {}).limits


def test_defaults() -> None:
    found = Timeouts()
    assert (found.header, found.connect, found.response) == (10.0, 5.0, 60.0)
    assert (found.body, found.idle, found.tunnel) == (60.0, 75.0, 3600.0)
    assert (Pool().idle, Pool().max_idle) == (4.0, 64)
    assert (Limits().line, Limits().head, Limits().fields) == (16_384, 65_536, 200)
    assert (Limits().body, Limits().connections) == (None, None)


def test_what_is_told_of_the_defaults_is_true() -> None:
    told = {
        name: {key: one["default"] for key, one in json_schema()["definitions"][model]["properties"].items()}
        for name, model in (("limits", "Limits"), ("pool", "Pool"), ("timeouts", "Timeouts"))
    }
    text = "".join(f"{name}: {keys}\n".replace("'", "") for name, keys in told.items())
    assert "max_idle: 64" in text
    assert "tunnel: 1h" in text
    assert read(ONE + text, "f", {}) == read(ONE, "f", {})


@pytest.mark.parametrize(
    ("written", "name", "value"),
    [
        ("line: 256B", "line", 256),
        ("line: 64KiB", "line", 65_536),
        ("line: 1MiB, head: 1MiB", "line", 1 << 20),
        ("line: 1KiB, head: 1KiB", "head", 1024),
        ("head: 1MiB", "head", 1 << 20),
        ("fields: 1", "fields", 1),
        ("fields: 10000", "fields", 10_000),
        ("body: none", "body", None),
        ("body: 1B", "body", 1),
        ("body: 100GiB", "body", 100 << 30),
        ("connections: auto", "connections", None),
        ("connections: 1", "connections", 1),
        ("connections: 1000000", "connections", 1_000_000),
    ],
)
def test_limits(written: str, name: str, value: int | None) -> None:
    assert getattr(limits(written), name) == value


@pytest.mark.parametrize(
    ("text", "column", "says", "advises"),
    [
        ("limits: {line: 255B}", 16, "`255B` is too small", "from `256B` to `1MiB`"),
        ("limits: {line: 1025KiB, head: 1MiB}", 16, "`1025KiB` is too large", "to `1MiB`"),
        ("limits: {line: 512B, head: 1023B}", 28, "`1023B` is too small", "from `1KiB` to `1MiB`"),
        ("limits: {head: 2MiB}", 16, "`2MiB` is too large", "to `1MiB`"),
        ("limits: {head: 8kB}", 16, "`kB` in `8kB` is not a unit", "write `8KiB`"),
        ("limits: {head: none}", 16, "`none` is not a size", "such as `512B`"),
        ("limits: {head: 8KiB}", 16, "a head of `8KiB` has no room for a line of `16KiB`", "`head: 16KiB`"),
        (
            "limits: {line: 65KiB}",
            16,
            "a head of `64KiB` has no room for a line of `65KiB`",
            "smaller `line`",
        ),
        ("limits: {line: 3KiB, head: 2KiB}", 28, "no room for a line of `3KiB`", "at least `head: 3KiB`"),
        ("limits: {fields: 0}", 18, "`0` is out of range", "from 1 to 10000"),
        ("limits: {fields: 10001}", 18, "`10001` is out of range", "from 1 to 10000"),
        ("limits: {body: 0}", 16, "`0` is too small", "`1B` to `1048576GiB`, or `none`"),
        ("limits: {body: 10MB}", 16, "`MB` in `10MB` is not a unit", "write `10MiB`, or `none`"),
        ("limits: {body: [1B]}", 10, "a list stands where a size such as `16KiB`, or `none` is", "write"),
        ("limits: {connections: 0}", 23, "`0` is out of range", "from 1 to 1000000, or `auto`"),
        ("limits: {connections: 1000001}", 23, "`1000001` is out of range", "or `auto`"),
        ("limits: {connections: none}", 23, "`none` is not a whole number", "or `auto`"),
        ("limits: {conections: 1}", 10, "`conections` is not a key of `limits`", "mean `connections`?"),
        ("pool: {idle: 0}", 14, "`0` is too short", "from `1ms` to `24h`"),
        ("pool: {age: 25h}", 13, "`25h` is too long", "to `24h`"),
        ("resolver: {servers: dns.test}", 21, "`dns.test` is a name, and no server", "such as `10.0.0.2`"),
        ("resolver: {servers: '10.0.0.2:0'}", 21, "`0` in `10.0.0.2:0` is not a port", "from 1 to 65535"),
        ("resolver: {servers: 10.0.0.300}", 21, "`10.0.0.300` is not an IPv4 address", "from 0 to 255"),
        ("resolver: {servers: 'fd00::2:x'}", 21, "is not the address of a name server", "such as"),
        ("resolver: {server: 10.0.0.2}", 12, "`server` is not a key of `resolver`", "mean `servers`?"),
        ("pool: {max_idle: 10001}", 18, "`10001` is out of range", "from 0 to 10000"),
        ("pool: {maxidle: 1}", 8, "`maxidle` is not a key of `pool`", "did you mean `max_idle`?"),
        ("timeouts: {tunnel: none}", 20, "`none` is not a duration", "such as `300ms`"),
        ("timeouts: {tunnel: 25h}", 20, "`25h` is too long", "to `24h`"),
    ],
)
def test_what_is_wrong(wrong: Callable[..., Any], text: str, column: int, says: str, advises: str) -> None:
    (problem,) = wrong(ONE + text)
    assert says in problem.message
    assert (problem.span.line, problem.span.column) == (2, column)
    assert any(advises in line for line in problem.advice)


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("10.0.0.2", "10.0.0.2:53"),
        ("10.0.0.2:5353", "10.0.0.2:5353"),
        ("'fd00::2'", "[fd00::2]:53"),
        ("'[fd00:0::2]:5353'", "[fd00::2]:5353"),
    ],
)
def test_name_servers_in_one_spelling(written: str, found: str) -> None:
    for text in (written, f"[{written}]"):
        config = read(f"{ONE}resolver: {{servers: {text}}}", "weir.yaml", {})
        assert config.resolver.servers == (found,)
    assert read(ONE, "weir.yaml", {}).resolver.servers == ()


def test_a_service_has_timeouts_of_its_own_and_the_rest_of_all() -> None:
    text = "timeouts: {connect: 1s, response: 2s}\n"
    text += "services:\n  a: {stable: http://a, timeouts: {response: 9s}}\n"
    found = read(text, "weir.yaml", {}).services["a"].timeouts
    assert (found.connect, found.response, found.events) == (None, 9.0, None)


@pytest.mark.parametrize(
    ("keys", "says", "advises"),
    [
        (
            "timeouts: {idle: 5s}",
            "`idle` is not a key of `services.a.timeouts`",
            "write it under `timeouts` at the top",
        ),
        ("timeouts: {header: 5s}", "`header` is not a key of", "it holds before the service is known"),
        (
            "timeouts: {respons: 5s}",
            "`respons` is not a key of `services.a.timeouts`",
            "did you mean `response`?",
        ),
        ("timeouts: {body: 0}", "`0` is too short", "from `1ms` to `24h`"),
    ],
)
def test_what_no_timeout_of_a_service_is(
    wrong: Callable[..., Any], keys: str, says: str, advises: str
) -> None:
    (problem,) = wrong(f"services: {{a: {{stable: http://a, {keys}}}}}")
    assert says in problem.message
    assert any(advises in line for line in problem.advice)
