"""The bodies that the document says are the bodies that are taken."""

import pytest

from proxy.control.api.openapi import OPERATIONS
from proxy.control.api.order_parser import ALWAYS, KEYS
from tests.kits.json_schema import DOCUMENT, faults


@pytest.mark.parametrize(
    ("schema", "body", "good"),
    [
        *(("SetWeight", {"canary": 5}, True), ("SetWeight", {"canary": 5, "reason": "x"}, True)),
        *(("SetWeight", {}, False), ("SetWeight", {"canary": 5, "x": 1}, False)),
        *(("SetWeight", {"canary": 101}, False), ("Resume", {}, True), ("Resume", {"canary": 5}, True)),
        *(("Terms", {"actor": "ann"}, True), ("Terms", {"canary": 5}, False)),
        *(("Promote", {"full": True}, True), ("Promote", {"full": "yes"}, False)),
        *(("Undo", {"steps": True}, True), ("Undo", {"steps": [100]}, False)),
        ("Start", {"canary": ["http://x"], "version": "v4", "steps": [1, 100], "deadline": None}, True),
        ("Start", {"steps": [{"weight": 1, "hold": 60}, {"pause": "ask"}, {"weight": 100}]}, True),
        *(("Start", {"steps": [{"hold": 60}]}, False), ("Start", {"hold": "1m"}, False)),
    ],
)
def test_the_orders_told_are_the_ones_taken(
    schema: str, body: dict[str, int | list[dict[str, int | str] | int | str] | str | None], good: bool
) -> None:
    assert (faults(body, DOCUMENT["components"]["schemas"][schema]) == []) is good


def test_each_order_has_the_body_that_is_told() -> None:
    orders = [one for one in OPERATIONS if one.order]
    assert {one.order for one in orders} == KEYS.keys()
    for one in orders:
        assert {"If-Match", "Idempotency-Key"} <= set(one.parameters)
        told = DOCUMENT["components"]["schemas"][one.body]["properties"].keys()
        assert told == {*KEYS[one.order], *ALWAYS}
