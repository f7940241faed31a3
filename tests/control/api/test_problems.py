"""Every error leaves as a problem document, with what happened and what to do."""

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from proxy.config.problems import Problems
from proxy.config.reader import read
from proxy.control import errors
from proxy.control.errors import Conflict, ControlError, KeyReused, StaleRevision, Unreadable
from proxy.ledger.errors import NotDurable
from tests.control.conftest import FakeControl
from tests.kits.problems import problem

WEIGHTS = "/api/v1/services/checkout/weights"


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (StaleRevision(8, 7), 412),
        (Conflict("no canary"), 409),
        (KeyReused("this key ordered a start"), 422),
    ],
)
async def test_refusals_of_control_have_their_status(
    serve: Callable[..., Any],
    fake_control: FakeControl,
    failure: Conflict | KeyReused | StaleRevision,
    status: int,
) -> None:
    client = await serve()
    fake_control.failure = failure
    response = await client.put(WEIGHTS, json={"canary": 5})
    assert (await problem(response, status))["detail"] == failure.detail
    assert response.headers.get("ETag") == ('"8"' if status == 412 else None)


async def test_an_order_that_is_illegal_now_names_the_phase_and_the_legal_ones(
    serve: Callable[..., Any], fake_control: FakeControl
) -> None:
    client = await serve()
    fake_control.failure = Conflict("nothing to promote", "rolled-back", ("resume", "retry"))
    document = await problem(await client.put(WEIGHTS, json={"canary": 5}), 409)
    assert (document["phase"], document["legal"]) == ("rolled-back", ["resume", "retry"])
    fake_control.failure = Conflict("overtaken")
    document = await problem(await client.put(WEIGHTS, json={"canary": 5}), 409)
    assert not {"phase", "legal"} & document.keys()


@pytest.mark.parametrize(
    "failure", [KeyError("checkout"), ValueError("secret at line 7"), errors.ControlError("?")]
)
async def test_a_fault_is_a_500_without_its_trace_which_is_logged(
    serve: Callable[..., Any],
    fake_control: FakeControl,
    caplog: pytest.LogCaptureFixture,
    failure: ControlError | KeyError | ValueError,
) -> None:
    client = await serve()
    fake_control.failure = failure
    with caplog.at_level(logging.ERROR):
        document = await problem(await client.put(WEIGHTS, json={"canary": 5}), 500)
    assert "secret" not in json.dumps(document)
    assert [record.getMessage() for record in caplog.records] == [f"PUT {WEIGHTS} failed"]
    assert caplog.records[0].exc_info is not None


async def test_unknown_paths_and_methods(serve: Callable[..., Any]) -> None:
    client = await serve()
    assert "/nowhere" in (await problem(await client.get("/nowhere"), 404))["detail"]
    response = await client.delete("/api/v1/services")
    assert "possible: GET, HEAD" in (await problem(response, 405))["detail"]
    assert response.headers["Allow"] == "GET,HEAD"
    assert (await client.head("/api/v1/events")).status == 405


async def test_an_expectation_that_cannot_be_met(
    serve: Callable[..., Any], fake_control: FakeControl
) -> None:
    client = await serve()
    response = await client.put(WEIGHTS, json={"canary": 5}, headers={"Expect": "202-later"})
    assert "100-continue" in (await problem(response, 417))["detail"]
    assert (await client.put(WEIGHTS, json={"canary": 5}, expect100=True)).status == 200
    assert len(fake_control.calls) == 1


async def test_a_wrong_file_is_answered_as_lint_tells_it(
    serve: Callable[..., Any], fake_control: FakeControl
) -> None:
    with pytest.raises(Problems) as caught:
        read("services: {shop: {stabel: http://a}}", "weir.yaml", {})
    fake_control.failure = caught.value
    client = await serve()
    document = await problem(await client.post("/api/v1/config/reload"), 422)
    assert document["detail"] == "weir.yaml has 2 problems. What is in force stays, nothing was changed"
    assert document["text"] == caught.value.render()
    place = document["errors"][1]
    assert (place["file"], place["line"], place["column"]) == ("weir.yaml", 1, 19)
    assert place["detail"] == "`stabel` is not a key of `services.shop`"
    assert "did you mean `stable`?" in place["advice"][0]


@pytest.mark.parametrize(
    ("failure", "status", "said"),
    [
        (Unreadable("it has no file"), 409, "it has no file"),
        (NotDurable("the disk is full"), 503, "the disk is full; nothing was changed"),
    ],
)
async def test_a_reload_that_cannot_be(
    serve: Callable[..., Any],
    fake_control: FakeControl,
    failure: NotDurable | Unreadable,
    status: int,
    said: str,
) -> None:
    fake_control.failure = failure
    client = await serve()
    document = await problem(await client.post("/api/v1/config/reload"), status)
    assert document["detail"] == said
