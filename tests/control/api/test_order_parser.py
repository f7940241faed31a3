"""Words and bodies that are an order, and all the near misses."""

import contextlib
import json
import re
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.control.api import order_parser
from proxy.control.api.order_parser import KEYS, READERS, ParsedOrder, parse
from proxy.control.api.problems import HttpProblem
from proxy.rollout.inputs import Abort, Pause, Promote, Resume, Retry, SetWeight, Start, Undo
from proxy.rollout.phases import OrderName
from proxy.rollout.plan import Plan, Step
from proxy.rollout.side import Side
from proxy.routing.endpoint import Endpoint
from proxy.routing.split import TOTAL, percent
from proxy.settings.plan import Planned

BARE = Planned()
FILE = Planned(Plan((Step(10_000, 0.0, 0),)), 60.0, 20, None)


def read(word: OrderName, planned: Planned = BARE, **document: Any) -> Any:
    """The order itself."""
    return parse(word, json.dumps(document).encode(), planned).order


def refused(word: OrderName, planned: Planned = BARE, **document: Any) -> HttpProblem:
    """The problem that a body makes."""
    with pytest.raises(HttpProblem) as caught:
        read(word, planned, **document)
    assert caught.value.status == 422
    assert "Nothing was changed" in caught.value.detail
    return caught.value


def test_every_order_of_the_table_of_moves_can_be_read() -> None:
    assert set(get_args(OrderName)) == set(KEYS) == set(READERS)


@pytest.mark.parametrize(
    ("word", "document", "order"),
    [
        ("start", {}, Start(None, "")),
        ("promote", {}, Promote(full=False)),
        ("promote", {"full": True}, Promote(full=True)),
        ("pause", {}, Pause("api")),
        ("pause", {"actor": "ann", "reason": "lunch"}, Pause("ann: lunch")),
        ("resume", {}, Resume(None)),
        ("resume", {"canary": 10}, Resume(1000)),
        ("abort", {"actor": "ann"}, Abort("ann")),
        ("abort", {"actor": "ann", "reason": "it smells"}, Abort("ann: it smells")),
        ("retry", {}, Retry("")),
        ("undo", {}, Undo("", None)),
        ("undo", {"steps": False}, Undo("", None)),
        ("set-weight", {"canary": 0.29}, SetWeight(29)),
    ],
)
def test_orders(word: str, document: dict[str, float | str], order: Any) -> None:
    assert read(word, **document) == order


def test_who_and_why() -> None:
    assert parse("retry", b"{}", BARE) == ParsedOrder(Retry(""), "", "api")
    assert parse("retry", b'{"actor": "", "reason": "once more"}', BARE) == ParsedOrder(
        Retry(""), "once more", "api"
    )


def test_a_start_names_its_canary_and_steps() -> None:
    found = read("start", FILE, canary=["http://10.0.0.7:8000"], version="2026.11.2", steps=[1, 100], hold=1)
    assert found.canary == Side((Endpoint.parse("http://10.0.0.7:8000"),), "2026.11.2")
    assert found.plan == Plan((Step(100, 1.0, 20), Step(10_000, 1.0, 20)), None)
    assert read("start", FILE) == Start(None, ""), "the file's plan and canary: control knows both"


@pytest.mark.parametrize("key", ["hold", "min_requests", "deadline"])
def test_what_is_about_steps_needs_steps(key: str) -> None:
    assert refused("start", **{key: 60}).faults == (
        (f"#/{key}", "it is about the steps of this order; give `steps`, too"),
    )


def test_a_version_needs_its_canary() -> None:
    [(where, what)] = refused("start", version="v4").faults
    assert where == "#/version"
    assert "give `canary`, its endpoints, too" in what


def test_an_undo_by_steps_takes_the_files() -> None:
    assert read("undo", FILE, steps=True) == Undo("", FILE.plan)
    assert "the file has no `rollout`" in refused("undo", BARE, steps=True).detail
    assert "neither true nor false" in refused("undo", FILE, steps=[1, 100]).detail


def test_a_weight_is_what_set_weight_is_about() -> None:
    assert refused("set-weight").faults[0][0] == "#/canary"
    assert "missing" in refused("set-weight").detail
    assert refused("set-weight", canary=None).faults[0][0] == "#/canary"
    assert refused("resume", canary=None).faults[0][0] == "#/canary"


@pytest.mark.parametrize("word", KEYS)
def test_what_an_order_does_not_say_is_refused(word: str) -> None:
    [(_, what)] = [fault for fault in refused(word, wait=True).faults if fault[0] == "#/wait"]
    assert what.endswith(f"expected {', '.join([*KEYS[word], 'reason', 'actor'])}")


def test_all_faults_are_named_at_once() -> None:
    problem = refused("set-weight", canary=101, weight=3, reason=7, actor="a\0")
    assert [where for where, _ in problem.faults] == ["#/weight", "#/reason", "#/actor", "#/canary"]
    assert "U+0000" in problem.detail
    assert json.loads(problem.response().text or "")["errors"][3]["pointer"] == "#/canary"


def test_what_is_no_object_is_400() -> None:
    with pytest.raises(HttpProblem) as caught:
        parse("pause", b"[]", BARE)
    assert caught.value.status == 400


@given(st.integers(0, 10_000))
def test_every_step_survives_the_way_through_json(parts: int) -> None:
    assert read("set-weight", canary=parts / 100) == SetWeight(parts)


SIMPLE = st.sampled_from([None, True, 0, 5, -1, 100, 1e99, 0.001, "", "1", "http://x", [], {}])
VALUES = SIMPLE | st.lists(
    SIMPLE | st.dictionaries(st.sampled_from(["weight", "pause", "hold"]), SIMPLE, max_size=2), max_size=3
)


@given(
    st.sampled_from(sorted(KEYS)),
    st.dictionaries(st.sampled_from(sorted({key for keys in KEYS.values() for key in keys})), VALUES),
)
def test_any_document_is_an_order_or_a_problem(word: str, document: dict[str, Any]) -> None:
    with contextlib.suppress(HttpProblem):
        assert isinstance(parse(word, json.dumps(document).encode(), FILE), order_parser.ParsedOrder)


@pytest.mark.parametrize(
    ("written", "parts"), [(5, 500), ("5%", 500), ("0.25%", 25), ("100%", 10_000), (12.5, 1250), ("0%", 0)]
)
def test_a_weight_is_a_number_or_as_the_file_has_it(written: object, parts: int) -> None:
    assert read("set-weight", canary=written) == SetWeight(parts)


@pytest.mark.parametrize("written", ["5", "5 %", "%", "101%", "0.001%", "-1%", "1e1%", "\u0665%"])
def test_other_texts_are_no_weight(written: str) -> None:
    assert "is no weight" in refused("set-weight", canary=written).detail


def test_what_weights_are_shown_as_can_be_sent_back() -> None:
    assert read("set-weight", stable=95.0, canary=5) == SetWeight(500)
    assert read("set-weight", stable="95%", canary="5%") == SetWeight(500)
    detail = refused("set-weight", stable=90, canary=5).detail
    assert "stable: with canary at 5 it is 95; leave it out" in detail


@given(st.integers(0, TOTAL))
def test_weights_as_the_api_shows_them_can_be_sent_back(parts: int) -> None:
    shown = json.loads(json.dumps({"stable": percent(TOTAL - parts), "canary": percent(parts)}))
    assert read("set-weight", **shown) == SetWeight(parts)


def test_what_is_no_json_is_answered_with_an_example_of_the_order() -> None:
    with pytest.raises(HttpProblem, match=re.escape('such as {"canary": 5}')):
        parse("set-weight", b"canary=5", BARE)
    with pytest.raises(HttpProblem, match=re.escape('such as {"reason": "why"}')):
        parse("abort", b"[]", BARE)
