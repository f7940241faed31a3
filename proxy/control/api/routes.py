"""The admin API: one coroutine for each operation.

It decides nothing. It reads requests strictly, calls control, and writes the answer. Every error is answered
as problem+json, and an order that is refused has changed nothing.
"""

import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from aiohttp import web

from proxy.config.diff import Changes
from proxy.control.api import metrics, openapi, order_parser, requests
from proxy.control.api.events import Feed, Streams
from proxy.control.api.openapi import OPERATIONS, Operation
from proxy.control.api.problems import HttpProblem, Responder, as_problems, expect
from proxy.control.api.security import AccessGuard
from proxy.control.command import OrderTerms
from proxy.counted import counted
from proxy.rollout.inputs import Order
from proxy.rollout.phases import OrderName
from proxy.settings.plan import Planned

FIELDS = {
    "Cache-Control": "no-store",  # every answer is a moment
    "X-Content-Type-Options": "nosniff",
    "Server": "weir",
}


class ShowsServices(metrics.SnapshotSource, Protocol):
    """What is shown of all services. An unknown service is a KeyError."""

    @property
    def generation(self) -> int: ...

    @property
    def failing(self) -> int: ...

    def names(self) -> list[str]: ...

    def view(self, name: str) -> dict[str, Any]: ...

    def explain(self, name: str) -> dict[str, Any]: ...


class AppliesOrders(Protocol):
    """What carries out orders. Weights are parts of 10,000."""

    def planned(self, name: str) -> Planned:
        """Return what the file defines for the service's rollouts."""
        ...

    async def apply(self, name: str, order: Order, terms: OrderTerms) -> dict[str, Any]:
        """Carry out an order; return the view after it.

        Salts are empty and a Start may have no plan (the file's is meant): both are filled in here. A key
        that the ledger knows with the same digest is answered and not repeated, before If-Match is looked
        at; with another digest it is KeyReused.
        """
        ...


class ReadsHistory(Feed, Protocol):
    """The entries of the ledger."""

    async def entries(
        self, service: str, /, *, after: int, since: float, newest: int
    ) -> list[dict[str, Any]]: ...


class ServedControl(Protocol):
    """What is served. Refusals are raised as proxy.control.errors and proxy.ledger.errors name them."""

    @property
    def ready(self) -> bool: ...

    @property
    def overview(self) -> ShowsServices: ...

    @property
    def orders(self) -> AppliesOrders: ...

    @property
    def history(self) -> ReadsHistory: ...


class ReloadsConfig(Protocol):
    """What reads the config file again."""

    async def reload(self) -> Changes:
        """Put the file in force as a whole; return what changed.

        Raises Problems, Unreadable or NotDurable, and then nothing was changed.
        """
        ...


class ListenAddress(Protocol):
    """The address of the admin API."""

    @property
    def host(self) -> str: ...


class AdminSection(Protocol):
    """The `admin` section of the config."""

    @property
    def listen(self) -> ListenAddress: ...

    @property
    def token(self) -> str | None: ...

    @property
    def open_metrics(self) -> bool: ...


def build(
    control: ServedControl,
    admin: AdminSection,
    reloads: ReloadsConfig,
    wall: Callable[[], float] = time.time,
) -> web.Application:
    """Return the application that serves `control` by the rules of `admin`; its end ends event streams.

    `wall` returns unix seconds.
    """
    streams = Streams(control.history)
    api = ApiRoutes(control, streams, reloads, wall)
    guard = AccessGuard(admin.token, admin.listen.host, admin.open_metrics)
    app = web.Application(middlewares=[as_problems, guard.middleware], client_max_size=requests.BODY_LIMIT)
    for operation in OPERATIONS:
        responder = api.responder(operation)
        app.router.add_route(operation.method, operation.path, responder, expect_handler=expect)
        if operation.method == "GET" and operation.name != "events":
            app.router.add_route("HEAD", operation.path, responder, expect_handler=expect)
    app.on_response_prepare.append(add_fields)
    app.on_shutdown.append(streams.close)
    return app


class ApiRoutes:
    """The responders: one for each operation, named as it, and one for all orders."""

    def __init__(
        self, control: ServedControl, streams: Streams, reloads: ReloadsConfig, wall: Callable[[], float]
    ) -> None:
        self._control = control
        self._overview = control.overview
        self._reloads = reloads
        self._streams = streams
        self._wall = wall
        self._document = openapi.document()

    def __repr__(self) -> str:
        return f"<ApiRoutes of {self._control!r}>"

    def responder(self, operation: Operation) -> Responder:
        """Return what answers an operation."""
        if operation.order:
            return partial(self.order, operation.order)
        responder: Responder = getattr(self, operation.name)
        return responder

    async def index(self, _request: web.Request) -> web.Response:
        """Return what there is: paths to read by name, and orders with their methods."""
        links = {op.name: op.path for op in OPERATIONS if op.method == "GET" and op.name != "index"}
        asked = (op for op in OPERATIONS if op.method != "GET")
        orders = {op.name.removeprefix("order_").replace("_", "-"): f"{op.method} {op.path}" for op in asked}
        return answer({**links, "orders": orders})

    async def services(self, _request: web.Request) -> web.Response:
        views = [self._overview.view(name) for name in self._overview.names()]
        return answer({"generation": self._overview.generation, "services": views})

    async def service(self, request: web.Request) -> web.Response:
        return service_answer(self._view(request))

    async def order(self, word: OrderName, request: web.Request) -> web.Response:
        """Carry out an order. After the body is read, nothing is awaited before control has the order."""
        self._view(request)  # an unknown service is answered before the body has come
        body = await requests.read(request, required=word == "set-weight", example=order_parser.example(word))
        view = self._view(request)
        name = view["name"]
        parsed = order_parser.parse(word, body, self._control.orders.planned(name))
        allowed = requests.revisions(request.headers.getall("If-Match", []))
        terms = OrderTerms(
            reason=parsed.reason,
            actor=parsed.actor,
            if_match=requests.expected(allowed, view["revision"]),
            key=requests.key(request.headers.getall("Idempotency-Key", [])),
            digest=requests.digest(name, word, body),
        )
        return service_answer(await self._control.orders.apply(name, parsed.order, terms))

    async def reload(self, _request: web.Request) -> web.Response:
        return answer((await self._reloads.reload()).to_json())

    async def explain(self, request: web.Request) -> web.Response:
        return answer(self._overview.explain(self._view(request)["name"]))

    async def history(self, request: web.Request) -> web.Response:
        name = self._view(request)["name"]
        entries = await self._control.history.entries(
            name,
            after=requests.revision_after(request.query.get("after_revision")),
            since=requests.since(request.query.get("since"), self._wall()),
            newest=requests.most(request.query.get("limit")),
        )
        return answer({"service": name, "entries": entries})

    async def events(self, request: web.Request) -> web.StreamResponse:
        return await self._streams.serve(request)

    async def metrics(self, _request: web.Request) -> web.Response:
        return await metrics.scrape(self._overview)

    async def livez(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def readyz(self, _request: web.Request) -> web.Response:
        if not self._control.ready:
            raise HttpProblem(
                503, "not ready: the proxy is starting or draining; send new traffic elsewhere for now"
            )
        failing = self._overview.failing
        services = counted(failing, "service")
        return web.Response(text=f"ok, but stable is failing in {services}" if failing else "ok")

    async def openapi(self, _request: web.Request) -> web.Response:
        return answer(self._document)

    def _view(self, request: web.Request) -> dict[str, Any]:
        """Return the view of the service in the path. A KeyError anywhere else is a fault, not a 404."""
        name = request.match_info["service"]
        try:
            return self._overview.view(name)
        except KeyError:
            known = ", ".join(self._overview.names()) or "none"
            raise HttpProblem(404, f"there is no service {requests.shown(name)}; known: {known}") from None


def answer(document: dict[str, Any]) -> web.Response:
    """Return a JSON answer. NaN would make it no JSON and is a fault."""
    return web.Response(body=json.dumps(document, allow_nan=False).encode(), content_type="application/json")


def service_answer(view: dict[str, Any]) -> web.Response:
    """Return a service with its revision as ETag, which If-Match of the next order may name."""
    response = answer(view)
    response.headers["ETag"] = f'"{view["revision"]}"'
    return response


async def add_fields(_request: web.Request, response: web.StreamResponse) -> None:
    """Add the fields that every answer has."""
    response.headers.update(FIELDS)
