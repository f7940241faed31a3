"""What each address answers, and that refusals change nothing."""

import asyncio
from collections.abc import Callable
from typing import Any, get_args

import pytest

from proxy.control.api import requests
from proxy.control.command import OrderTerms
from proxy.ledger.errors import NotDurable
from proxy.rollout.advance import ORDERS
from proxy.rollout.inputs import SetWeight, Undo
from proxy.rollout.phases import OrderName
from proxy.rollout.plan import Plan, Step
from proxy.settings.plan import Planned
from tests.control.conftest import NOW, FakeControl
from tests.kits.problems import problem

WEIGHTS = "/api/v1/services/checkout/weights"


async def test_services_are_listed_with_the_generation(
    serve: Callable[..., Any], fake_control: FakeControl
) -> None:
    client = await serve()
    response = await client.get("/api/v1/services")
    assert response.status == 200
    assert await response.json() == {"generation": 12, "services": list(fake_control.services.values())}
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Server"] == "weir"


async def test_a_service_has_its_revision_as_etag(
    serve: Callable[..., Any], fake_control: FakeControl
) -> None:
    client = await serve()
    response = await client.get("/api/v1/services/checkout")
    assert response.headers["ETag"] == '"7"'
    assert await response.json() == fake_control.services["checkout"]


async def test_a_service_is_explained(serve: Callable[..., Any], fake_control: FakeControl) -> None:
    client = await serve()
    response = await client.get("/api/v1/services/checkout/explain")
    assert response.status == 200
    assert await response.json() == fake_control.explain("checkout")


@pytest.mark.parametrize("path", ["", "/explain", "/history", "/weights", "/rollout/start", "/rollout/abort"])
async def test_an_unknown_service_is_named_with_the_known_ones(
    serve: Callable[..., Any], fake_control: FakeControl, path: str
) -> None:
    client = await serve()
    method = client.put if path == "/weights" else client.post if "rollout" in path else client.get
    document = await problem(await method(f"/api/v1/services/chekout{path}"), 404)
    assert document["detail"] == 'there is no service "chekout"; known: checkout, pay'
    assert fake_control.calls == []


async def test_a_weight_is_set_in_parts(serve: Callable[..., Any], fake_control: FakeControl) -> None:
    client = await serve()
    body = {"canary": 0.29, "reason": "first users", "actor": "ann"}
    response = await client.put(WEIGHTS, json=body)
    assert response.status == 200
    assert response.headers["ETag"] == '"8"'
    assert (await response.json())["weights"]["canary"] == 0.29
    [(name, order, on)] = fake_control.calls
    assert (name, order) == ("checkout", SetWeight(29))
    assert (on.reason, on.actor, on.if_match, on.key) == ("first users", "ann", None, "")
    await client.post("/api/v1/services/checkout/rollout/set-weight", json=body)
    assert fake_control.calls[1] == fake_control.calls[0], "two ways to say the same"


BODIES = {"set-weight": {"canary": 5}}


@pytest.mark.parametrize("word", get_args(OrderName))
async def test_every_order_has_its_path(
    serve: Callable[..., Any], fake_control: FakeControl, word: str
) -> None:
    client = await serve()
    body = BODIES.get(word, {}) | {"actor": "ann"}
    response = await client.post(f"/api/v1/services/pay/rollout/{word}", json=body)
    assert response.status == 200
    assert response.headers["ETag"] == '"10"'
    [(name, order, on)] = fake_control.calls
    assert (name, ORDERS[type(order)][0], on.actor) == ("pay", word, "ann")


async def test_what_is_no_order_is_404(serve: Callable[..., Any], fake_control: FakeControl) -> None:
    client = await serve()
    document = await problem(await client.post("/api/v1/services/pay/rollout/advance", json={}), 404)
    assert "/rollout/advance" in document["detail"]
    await problem(await client.get("/api/v1/services/pay/rollout/start"), 405)


async def test_orders_know_the_files_plan(serve: Callable[..., Any], fake_control: FakeControl) -> None:
    fake_control.plans = Planned(Plan((Step(10_000, 1.0, 2),)))
    client = await serve()
    assert (await client.post("/api/v1/services/pay/rollout/undo", json={"steps": True})).status == 200
    assert fake_control.calls[0][1] == Undo("", fake_control.plans.plan)


async def test_an_order_that_the_ledger_cannot_keep_changes_nothing(
    serve: Callable[..., Any], fake_control: FakeControl
) -> None:
    client = await serve()
    fake_control.failure = NotDurable("the disk is full")
    document = await problem(await client.put(WEIGHTS, json={"canary": 5}), 503)
    assert document["detail"] == "the disk is full; nothing was changed"


async def test_a_number_that_json_does_not_have_is_a_fault_not_an_answer(
    serve: Callable[..., Any], fake_control: FakeControl
) -> None:
    client = await serve()
    fake_control.services["checkout"]["window"]["stable"]["p99"] = float("nan")
    await problem(await client.get("/api/v1/services/checkout"), 500)


@pytest.mark.parametrize(("field", "asked"), [('"7"', 7), ('"3", "7"', 7), ("*", None), ('W/"1" , "7"', 7)])
async def test_if_match_on_the_revision_in_force_goes_to_control(
    serve: Callable[..., Any], fake_control: FakeControl, field: str, asked: int | None
) -> None:
    client = await serve()
    assert (await client.put(WEIGHTS, json={"canary": 5}, headers={"If-Match": field})).status == 200
    assert fake_control.calls[0][-1].if_match == asked


@pytest.mark.parametrize("field", ['"6"', 'W/"7"', '"x"', '"07000000000000000000"', '"6","8"'])
async def test_if_match_on_another_revision_is_412_and_tells_the_one_in_force(
    serve: Callable[..., Any], fake_control: FakeControl, field: str
) -> None:
    client = await serve()
    response = await client.put(WEIGHTS, json={"canary": 5}, headers={"If-Match": field})
    document = await problem(response, 412)
    assert response.headers["ETag"] == '"7"'
    assert "revision 7" in document["detail"]
    assert fake_control.calls == []


@pytest.mark.parametrize("field", ["7", '"7', '"7" "8"', '"7",', "", '*, "7"'])
async def test_if_match_that_is_no_entity_tag_is_400(
    serve: Callable[..., Any], fake_control: FakeControl, field: str
) -> None:
    client = await serve()
    document = await problem(await client.put(WEIGHTS, json={"canary": 5}, headers={"If-Match": field}), 400)
    assert "ETag" in document["detail"]
    assert fake_control.calls == []


async def test_a_key_goes_to_control_with_a_digest_of_what_was_ordered(
    serve: Callable[..., Any], fake_control: FakeControl
) -> None:
    client = await serve()
    for body in ({"canary": 5}, {"canary": 5}, {"canary": 6}):
        headers = {"Idempotency-Key": '"build 4711"', "If-Match": '"6"' if fake_control.calls else "*"}
        await client.put(WEIGHTS, json=body, headers=headers)
        fake_control.services["checkout"]["revision"] = 6
    first, again, other = [terms for _, _, terms in fake_control.calls]
    assert (first.key, again.if_match) == ("build 4711", 6)
    assert first.digest == again.digest != other.digest


async def test_a_repeat_on_the_revision_before_is_for_control_to_answer(
    serve: Callable[..., Any], fake_control: FakeControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def known(name: str, order: SetWeight, terms: OrderTerms) -> dict[str, Any]:
        return fake_control.view(name)

    monkeypatch.setattr(fake_control, "apply", known)
    client = await serve()
    headers = {"Idempotency-Key": "k", "If-Match": '"6"'}
    assert (await client.put(WEIGHTS, json={"canary": 5}, headers=headers)).status == 200


@pytest.mark.parametrize("key", ['""', '"a', "x" * 256])
async def test_what_is_no_key_is_400(serve: Callable[..., Any], fake_control: FakeControl, key: str) -> None:
    client = await serve()
    response = await client.put(WEIGHTS, json={"canary": 5}, headers={"Idempotency-Key": key})
    assert "printable ASCII" in (await problem(response, 400))["detail"]
    assert fake_control.calls == []


async def test_a_service_that_a_reload_takes_while_the_body_arrives_is_404(
    serve: Callable[..., Any], fake_control: FakeControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def read(request: pytest.FixtureRequest, **_: Any) -> bytes:
        del fake_control.services["checkout"]
        return b"{}"

    monkeypatch.setattr(requests, "read", read)
    client = await serve()
    await problem(await client.post("/api/v1/services/checkout/rollout/pause"), 404)


async def test_history_is_the_ledgers(serve: Callable[..., Any], fake_control: FakeControl) -> None:
    client = await serve()
    fake_control.written = [{"id": 1, "service": "checkout", "revision": 1}]
    fake_control.written += [{"id": number, "service": "pay", "revision": number - 1} for number in (2, 3)]
    response = await client.get("/api/v1/services/pay/history")
    assert await response.json() == {"service": "pay", "entries": fake_control.written[1:]}
    response = await client.get("/api/v1/services/pay/history?after_revision=1")
    assert await response.json() == {"service": "pay", "entries": fake_control.written[2:]}
    await problem(await client.get("/api/v1/services/pay/history?after_revision=x"), 400)


async def test_a_part_of_the_history(serve: Callable[..., Any], fake_control: FakeControl) -> None:
    client = await serve()
    path = "/api/v1/services/pay/history"
    assert (await client.get(path)).status == 200
    assert fake_control.part == (-1, 0.0, 10_000)
    assert (await client.get(f"{path}?limit=5&since=90m&after_revision=3")).status == 200
    assert fake_control.part == (3, NOW - 5400, 5)
    await problem(await client.get(f"{path}?limit=0"), 400)
    await problem(await client.get(f"{path}?since=yesterday"), 400)


async def test_probes(serve: Callable[..., Any], fake_control: FakeControl) -> None:
    client = await serve()
    assert await (await client.get("/livez")).text() == "ok"
    assert await (await client.get("/readyz")).text() == "ok"
    for fake_control.failing, services in ((1, "1 service"), (2, "2 services")):
        failing = await client.get("/readyz")
        assert (failing.status, await failing.text()) == (200, f"ok, but stable is failing in {services}")
    fake_control.ready = False
    assert (await client.get("/livez")).status == 200
    assert "not ready" in (await problem(await client.get("/readyz"), 503))["detail"]


async def test_the_index_leads_to_what_answers(serve: Callable[..., Any], fake_control: FakeControl) -> None:
    client = await serve()
    links = await (await client.get("/")).json()
    assert links["services"] == "/api/v1/services"
    assert links["openapi"] == "/openapi.json"
    assert links["orders"]["weights"] == "PUT /api/v1/services/{service}/weights"
    assert links["orders"]["promote"] == "POST /api/v1/services/{service}/rollout/promote"


async def test_head_answers_as_get_without_a_body(serve: Callable[..., Any]) -> None:
    client = await serve()
    response = await client.head("/api/v1/services/checkout")
    assert response.status == 200
    assert response.headers["ETag"] == '"7"'
    assert await response.read() == b""


async def test_a_body_that_is_not_encoded_as_it_says_is_400(
    serve: Callable[..., Any], fake_control: FakeControl
) -> None:
    client = await serve()
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    await problem(await client.put(WEIGHTS, data=b"nope", headers=headers), 400)
    assert fake_control.calls == []


@pytest.mark.parametrize("body", [b"", b"zz\r\n"])
async def test_a_body_that_never_ends_is_408(
    serve: Callable[..., Any], fake_control: FakeControl, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    monkeypatch.setattr(requests, "PATIENCE", 0.05)
    client = await serve()
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(f"PUT {WEIGHTS} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n".encode())
    writer.write(b"Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n")
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(body)
    assert (await reader.readline()).split()[1] == b"408"
    writer.close()
    assert fake_control.calls == []


async def talk(port: int, sent: bytes) -> bytes:
    """Everything that the listener answers to these bytes before it closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    answer = await reader.read()
    writer.close()
    return answer


async def test_a_reload_answers_what_changed(serve: Callable[..., Any]) -> None:
    client = await serve()
    response = await client.post("/api/v1/config/reload")
    assert response.status == 200
    assert await response.json() == {
        "changed": {"checkout": ["timeouts"]},
        "added": ["new"],
        "removed": [],
        "shared": [],
        "restart": ["listen"],
    }


@pytest.mark.parametrize("length", [b"Content-Length: 70000", b"Transfer-Encoding: chunked"])
async def test_a_body_over_the_limit_is_413(
    serve: Callable[..., Any], fake_control: FakeControl, length: bytes
) -> None:
    client = await serve()
    body = b" " * 70_000 if b"Length" in length else b"%x\r\n%s\r\n0\r\n\r\n" % (70_000, b" " * 70_000)
    head = f"PUT {WEIGHTS} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n".encode()
    answer = await talk(client.port, head + length + b"\r\nConnection: close\r\n\r\n" + body)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"application/problem+json" in answer
    assert b"65536 bytes" in answer
    assert fake_control.calls == []
