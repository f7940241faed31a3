"""Bodies that are an order, and all the near misses."""

import contextlib
import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.control import orders
from proxy.control.orders import Order
from proxy.control.problems import Problem


def refused(body: bytes | str, status: int) -> Problem:
    """The problem that a body makes."""
    with pytest.raises(Problem) as caught:
        orders.parse(body if isinstance(body, bytes) else body.encode(), needs_canary=True)
    assert caught.value.status == status
    return caught.value


@pytest.mark.parametrize(
    ("canary", "parts"),
    [
        ("0", 0),
        ("100", 10_000),
        ("0.01", 1),
        ("0.29", 29),
        ("5.50", 550),
        ("1e1", 1000),
        ("99.990", 9_999),
        ("-0.0", 0),
    ],
)
def test_weights_in_steps_of_a_hundredth_percent(canary, parts):
    assert orders.parse(f'{{"canary": {canary}}}'.encode(), needs_canary=True) == Order(parts, "", "api")


@pytest.mark.parametrize(
    "canary",
    [
        *("-0.01", "100.01", "-1", "101", "1e400", "1e-400", "0.001", "5.005", "1e999999"),
        *("5.00000000000000000000000000000000000001", "1e-999999999", "9" * 4000),
        *('"5"', '"5%"', "true", "false", "null", "[5]", "{}"),
    ],
)
def test_what_is_no_weight(canary):
    problem = refused(f'{{"canary": {canary}}}', 422)
    assert problem.faults[0][0] == "#/canary"
    assert "from 0 to 100 (percent) in steps of 0.01" in problem.detail
    assert "Nothing was changed" in problem.detail


@pytest.mark.parametrize(
    "number", ["NaN", "Infinity", "-Infinity", "9" * 5000, "1e99999999999999999999", "05", "+5", ".5"]
)
def test_what_is_no_number(number):
    refused(f'{{"canary": {number}}}', 400)


@pytest.mark.parametrize(
    "body",
    [b"", b"5", b"[]", b"null", b'"x"', b"{", b"{} {}", b'\xef\xbb\xbf{"canary": 5}', b'{"canary": "\xff"}'],
)
def test_what_is_no_object(body):
    refused(body, 400)


def test_nesting_beyond_all_use():
    refused("[" * 60_000, 400)


@pytest.mark.parametrize(
    "body", ['{"canary": 5, "canary": 5}', '{"canary": 5, "reason": "a", "r\\u0065ason": "b"}']
)
def test_a_key_twice(body):
    assert "twice" in refused(body, 400).detail


def test_all_faults_are_named_at_once():
    problem = refused('{"canary": 101, "weight": 3, "reason": 7, "actor": "a\\u0000"}', 422)
    assert [where for where, _ in problem.faults] == ["#/weight", "#/canary", "#/reason", "#/actor"]
    assert "U+0000" in problem.detail
    assert json.loads(problem.response().text or "")["errors"][1]["pointer"] == "#/canary"


def test_a_hostile_body_is_not_echoed():
    assert len(refused(json.dumps({f"key{n}" * 9: n for n in range(1_000)}), 422).detail) < 3_000


def test_the_canary_may_be_left_out_only_where_there_is_a_weight_to_go_back_to():
    assert orders.parse(b"{}", needs_canary=False) == Order(None, "", "api")
    assert "missing" in refused("{}", 422).detail
    with pytest.raises(Problem):
        orders.parse(b'{"canary": null}', needs_canary=False)


@pytest.mark.parametrize("key", ["reason", "actor"])
@pytest.mark.parametrize("text", ["\n", "\x1b[2J", "\x7f", "\x85", "\u2028", "\u202e", "\ud800", "x" * 501])
def test_texts_that_could_forge_a_line_or_fill_the_ledger(key, text):
    assert refused(json.dumps({"canary": 5, key: text}), 422).faults[0][0] == f"#/{key}"


@pytest.mark.parametrize("text", ["x" * 500, "größer, 50 % 🚀 👩‍🚀", "a\u00a0b"])
def test_texts_that_people_write(text):
    body = json.dumps({"canary": 5, "reason": text, "actor": text}).encode()
    assert orders.parse(body, needs_canary=True) == Order(500, text, text)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-200, max_value=200))
def test_parts_are_exact_or_nothing(percent):
    parts = orders.parts_of(percent)
    if parts is None:
        assert not 0 <= percent <= 100 or percent != percent.quantize(Decimal("0.01"))
    else:
        assert 0 <= parts <= 10_000
        assert Decimal(parts) / 100 == percent


@given(st.integers(0, 10_000))
def test_every_step_survives_the_way_through_json(parts):
    body = json.dumps({"canary": parts / 100}).encode()
    assert orders.parse(body, needs_canary=True).parts == parts


@given(st.binary(max_size=80))
def test_any_bytes_are_an_order_or_a_problem(body):
    with contextlib.suppress(Problem):
        assert isinstance(orders.parse(body, needs_canary=False), Order)


@pytest.mark.parametrize(
    "media", ["", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16"]
)
async def test_another_content_type_is_415(serve, fake_control, media):
    client = await serve()
    headers = {"Content-Type": media} if media else {}
    skip = () if media else ("Content-Type",)
    path = "/api/v1/services/checkout/weights"
    response = await client.put(path, data=b'{"canary": 5}', headers=headers, skip_auto_headers=skip)
    assert response.status == 415
    assert response.content_type == "application/problem+json"
    assert fake_control.calls == []


async def test_utf_8_may_be_said(serve, fake_control):
    client = await serve()
    headers = {"Content-Type": "Application/JSON; charset=UTF-8"}
    response = await client.put("/api/v1/services/checkout/weights", data=b'{"canary": 5}', headers=headers)
    assert response.status == 200


async def test_a_resume_needs_no_body(serve, fake_control):
    client = await serve()
    response = await client.post("/api/v1/services/checkout/resume", skip_auto_headers=("Content-Type",))
    assert response.status == 200
    assert len(fake_control.calls) == 1
    response = await client.put("/api/v1/services/checkout/weights", skip_auto_headers=("Content-Type",))
    assert response.status == 415
    assert len(fake_control.calls) == 1
    document = await (await client.get("/openapi.json")).json()
    paths = document["paths"]
    assert paths["/api/v1/services/{service}/resume"]["post"]["requestBody"]["required"] is False
    assert paths["/api/v1/services/{service}/weights"]["put"]["requestBody"]["required"] is True
