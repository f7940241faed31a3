"""Bodies that are one JSON object, and all that isn't."""

import contextlib
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.config.problems import Unfit
from proxy.control.api import requests
from proxy.control.api.problems import HttpProblem
from proxy.control.api.requests import Faults
from tests.control.conftest import FakeControl

WEIGHTS = "/api/v1/services/checkout/weights"
PAUSE = "/api/v1/services/checkout/rollout/pause"


def refused(body: bytes | str) -> HttpProblem:
    """The problem that a body makes."""
    with pytest.raises(HttpProblem) as caught:
        requests.json_object(body if isinstance(body, bytes) else body.encode())
    assert caught.value.status == 400
    return caught.value


@pytest.mark.parametrize(
    "number", ["NaN", "Infinity", "-Infinity", "9" * 5000, "1e99999999999999999999", "05", "+5", ".5"]
)
def test_what_is_no_number(number: str) -> None:
    refused(f'{{"canary": {number}}}')


@pytest.mark.parametrize(
    "body",
    [b"", b"5", b"[]", b"null", b'"x"', b"{", b"{} {}", b'\xef\xbb\xbf{"canary": 5}', b'{"canary": "\xff"}'],
)
def test_what_is_no_object(body: bytes) -> None:
    refused(body)


def test_nesting_beyond_all_use() -> None:
    refused("[" * 60_000)


@pytest.mark.parametrize(
    "body", ['{"canary": 5, "canary": 5}', '{"canary": 5, "reason": "a", "r\\u0065ason": "b"}']
)
def test_a_key_twice(body: str) -> None:
    assert "twice" in refused(body).detail


def test_numbers_with_a_point_are_exact() -> None:
    assert requests.json_object(b'{"a": 0.1, "b": 1, "c": 1e2}') == {"a": Decimal("0.1"), "b": 1, "c": 100}


@given(st.binary(max_size=80))
def test_any_bytes_are_an_object_or_a_problem(body: bytes) -> None:
    with contextlib.suppress(HttpProblem):
        assert isinstance(requests.json_object(body), dict)


def never(_value: int) -> None:
    raise Unfit("it is wrong", "expected better")


def test_all_faults_are_told_at_once_where_they_are() -> None:
    faults = Faults()
    faults.unknown({"a": 1, "b": 2}, ("b",))
    assert faults.get({"b": 2}, "b", never, 0) == 0
    assert faults.get({}, "c", never, 7) == 7
    assert faults.read("#/d", lambda value: value + 1, 1, 0) == 2
    with pytest.raises(HttpProblem) as refusal:
        faults.refuse()
    assert refusal.value.status == 422
    assert refusal.value.faults == (
        ("#/a", "it is not a key here; expected b"),
        ("#/b", "it is wrong; expected better"),
    )
    assert refusal.value.detail == (
        "a: it is not a key here; expected b; b: it is wrong; expected better. Nothing was changed."
    )


def test_without_faults_nothing_is_refused() -> None:
    Faults().refuse()


def test_a_hostile_body_is_not_echoed() -> None:
    faults = Faults()
    faults.unknown({f"key{n}" * 9: n for n in range(1_000)}, ("canary",))
    assert len(json.dumps(faults.found)) < 3_000
    assert len(requests.shown("x" * 1000)) == 60


@pytest.mark.parametrize(
    "media", ["", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16"]
)
async def test_another_content_type_is_415(
    serve: Callable[..., Any], fake_control: FakeControl, media: str
) -> None:
    client = await serve()
    headers = {"Content-Type": media} if media else {}
    skip = () if media else ("Content-Type",)
    response = await client.put(WEIGHTS, data=b'{"canary": 5}', headers=headers, skip_auto_headers=skip)
    assert response.status == 415
    assert response.content_type == "application/problem+json"
    assert fake_control.calls == []


async def test_utf_8_may_be_said(serve: Callable[..., Any], fake_control: FakeControl) -> None:
    client = await serve()
    headers = {"Content-Type": "Application/JSON; charset=UTF-8"}
    assert (await client.put(WEIGHTS, data=b'{"canary": 5}', headers=headers)).status == 200


async def test_a_body_is_needed_only_where_something_has_to_be_said(
    serve: Callable[..., Any], fake_control: FakeControl
) -> None:
    client = await serve()
    assert (await client.post(PAUSE, skip_auto_headers=("Content-Type",))).status == 200
    assert len(fake_control.calls) == 1
    assert (await client.put(WEIGHTS, skip_auto_headers=("Content-Type",))).status == 415
    assert len(fake_control.calls) == 1
    paths = (await (await client.get("/openapi.json")).json())["paths"]
    rollout = "/api/v1/services/{service}/rollout"
    assert paths[f"{rollout}/pause"]["post"]["requestBody"]["required"] is False
    assert paths[f"{rollout}/set-weight"]["post"]["requestBody"]["required"] is True
    assert paths["/api/v1/services/{service}/weights"]["put"]["requestBody"]["required"] is True


async def test_what_curl_sends_by_itself_is_answered_with_what_to_send(serve: Callable[..., Any]) -> None:
    client = await serve()
    response = await client.put(WEIGHTS, data={"canary": "5"})
    detail = (await response.json())["detail"]
    assert detail.startswith("Content-Type is application/x-www-form-urlencoded; expected application/json")
    assert detail.endswith("""with curl: -H 'Content-Type: application/json' -d '{"canary": 5}'""")
    response = await client.post(PAUSE, data=b"why", headers={"Content-Type": "text/plain"})
    assert """-d '{"reason": "why"}'""" in (await response.json())["detail"]
