"""What is said comes back as it was said, and what nobody says is an error."""

import json
from dataclasses import replace
from typing import Any

import pytest

from proxy.link.messages import (
    PART,
    DeadAddresses,
    Hello,
    Message,
    Report,
    ReportStored,
    ResolvedNames,
    Settings,
    Table,
    ThresholdUpdate,
)
from tests.kits.messages import EXAMPLES, HELLO, SERVICE, SETTINGS


def name(message: Message) -> str:
    return type(message).__name__


@pytest.mark.parametrize("message", EXAMPLES, ids=name)
def test_comes_back_as_it_was(message: Message) -> None:
    assert type(message).from_json(json.loads(json.dumps(message.to_json()))) == message


GREETING, TOLD = HELLO.to_json(), SETTINGS.to_json()
TABLE = Table(1, (), (), complete=True).to_json()
REPORT = Report("b", 1, {}, 1).to_json()


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (Hello, GREETING | {"held": []}),
        (Hello, GREETING | {"halted": {"checkout": [1]}}),
        (Settings, TOLD | {"header": None}),
        (Settings, TOLD | {"access": None}),
        (Settings, TOLD | {"line": "16384"}),
        (Settings, TOLD | {"head": 65_536.0}),
        (Settings, TOLD | {"fields": None}),
        (Settings, TOLD | {"connections": "auto"}),
        (Settings, TOLD | {"max_idle": True}),
        (Settings, TOLD | {"trusted": [1]}),
        (Settings, TOLD | {"via": "on"}),
        (Settings, TOLD | {"forwarded": 0}),
        (Settings, {key: value for key, value in TOLD.items() if key != "connections"}),
        (ReportStored, {"number": "1"}),
        (Table, TABLE | {"services": [{}]}),
        (Table, TABLE | {"complete": 1}),
        (Table, TABLE | {"more": 0}),
        (Report, REPORT | {"entries": [["a", 1, "b", {}]]}),
        (Report, REPORT | {"entries": [[]]}),
        (ThresholdUpdate, {}),
        (ThresholdUpdate, {"services": {"checkout": []}}),
        (ThresholdUpdate, {"services": {"checkout": {"stable": 0.1}}}),
        (ThresholdUpdate, {"services": {"checkout": {"stable": [None]}}}),
        (ThresholdUpdate, {"services": {"checkout": {"stable": [0.2, 0.1]}}}),
        (ThresholdUpdate, {"services": {"checkout": {"stable": [0.1, 0.2, 0.3, 0.4]}}}),
        (ResolvedNames, {"names": ["app.test"]}),
        (ResolvedNames, {"names": {"app.test": [1]}}),
        (DeadAddresses, {"services": {"checkout": None}}),
        (DeadAddresses, {"services": {"checkout": ["http://a"]}}),
        (DeadAddresses, {"services": {"checkout": [["http://a", 1]]}}),
    ],
)
def test_what_nobody_says_is_an_error(kind: Any, data: dict[str, Any]) -> None:
    with pytest.raises((AttributeError, LookupError, TypeError, ValueError)):
        kind.from_json(data)


@pytest.mark.parametrize(
    ("services", "parts"),
    [(0, [0]), (1, [1]), (PART, [PART]), (PART + 1, [PART, 1]), (2 * PART, [PART, PART])],
)
def test_a_long_table_is_told_in_parts(services: int, parts: list[int]) -> None:
    table = Table(
        9, tuple(replace(SERVICE, name=f"s{number}") for number in range(services)), ("old",), False
    )
    told = list(table.parts())
    assert [len(part.services) for part in told] == parts
    assert [part.more for part in told] == [True] * (len(parts) - 1) + [False]
    assert sum((part.services for part in told), ()) == table.services
    assert {(part.generation, part.removed, part.complete) for part in told} == {(9, ("old",), False)}
