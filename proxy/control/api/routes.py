"""The admin API: what people and scripts see of control and order from it.

It decides nothing. It reads strictly, asks control, and shapes the answer; whatever goes wrong leaves as
problem+json, and an order that is refused has changed nothing.
"""

import json
from functools import partial
from typing import Any, Protocol

from aiohttp import web

from proxy.config.diff import Changes
from proxy.control.api import bodies, conditions, metrics, openapi, orders
from proxy.control.api.events import Feed, Streams
from proxy.control.api.openapi import OPERATIONS, Operation
from proxy.control.api.problems import Handler, HttpProblem, as_problems, expect
from proxy.control.api.security import AccessGuard
from proxy.control.command import Terms
from proxy.rollout.inputs import Order
from proxy.rollout.phases import OrderName
from proxy.settings.plan import Planned

FIELDS = {
    "Cache-Control": "no-store",  # every answer is a moment
    "X-Content-Type-Options": "nosniff",
    "Server": "weir",
}


class Controls(Feed, metrics.Source, Protocol):
    """What is served; weights are parts of 10,000. Refusals are raised as proxy.control.errors names them."""

    @property
    def ready(self) -> bool: ...

    @property
    def generation(self) -> int: ...

    def names(self) -> list[str]: ...

    def view(self, name: str) -> dict[str, Any]: ...

    def planned(self, name: str) -> Planned:
        """What the file says of the service's rollouts."""
        ...

    async def order(self, name: str, order: Order, terms: Terms) -> dict[str, Any]:
        """Carry out an order and answer the view after it.

        Salts are empty and a Start may have no plan (the file's is meant): both are filled in here. A key
        that the ledger knows with the same digest is answered and not repeated, before If-Match is looked
        at; with another digest it is KeyReused.
        """
        ...

    def explain(self, name: str) -> dict[str, Any]: ...

    async def history(self, name: str) -> list[dict[str, Any]]: ...


class ReloadsConfig(Protocol):
    """Who reads the config file again."""

    async def reload(self) -> Changes:
        """Put it in force as a whole. Raises Problems, or what proxy.control.errors names."""
        ...


class ListenAddress(Protocol):
    """Where the admin API listens."""

    @property
    def host(self) -> str: ...


class AdminSection(Protocol):
    """The ``admin`` part of the config."""

    @property
    def listen(self) -> ListenAddress: ...

    @property
    def token(self) -> str | None: ...

    @property
    def open_metrics(self) -> bool: ...


def build(control: Controls, admin: AdminSection, reloads: ReloadsConfig) -> web.Application:
    """The application that serves ``control`` by the rules of ``admin``; its shutdown ends event streams."""
    streams = Streams(control)
    api = Routes(control, streams, reloads)
    guard = AccessGuard(admin.token, admin.listen.host, admin.open_metrics)
    app = web.Application(middlewares=[as_problems, guard.middleware], client_max_size=bodies.BODY_LIMIT)
    for operation in OPERATIONS:
        handler = api.handler(operation)
        app.router.add_route(operation.method, operation.path, handler, expect_handler=expect)
        if operation.method == "GET" and operation.name != "events":
            app.router.add_route("HEAD", operation.path, handler, expect_handler=expect)
    app.on_response_prepare.append(add_fields)
    app.on_shutdown.append(streams.close)
    return app


class Routes:
    """The handlers, one per operation and named as it; one for all orders."""

    def __init__(self, control: Controls, streams: Streams, reloads: ReloadsConfig) -> None:
        self._control = control
        self._reloads = reloads
        self._streams = streams
        self._document = openapi.document()

    def __repr__(self) -> str:
        return f"<Routes of {self._control!r}>"

    def handler(self, operation: Operation) -> Handler:
        """What answers an operation."""
        if operation.order:
            return partial(self.order, operation.order)
        handler: Handler = getattr(self, operation.name)
        return handler

    async def index(self, _request: web.Request) -> web.Response:
        return answer({op.name: op.path for op in OPERATIONS if op.method == "GET" and op.name != "index"})

    async def services(self, _request: web.Request) -> web.Response:
        views = [self._control.view(name) for name in self._control.names()]
        return answer({"generation": self._control.generation, "services": views})

    async def service(self, request: web.Request) -> web.Response:
        return service_answer(self._view(request))

    async def order(self, word: OrderName, request: web.Request) -> web.Response:
        """Any of the orders. After the body is read no await lies between what is looked at and control."""
        self._view(request)
        body = await bodies.read(request, required=word == "set-weight")
        view = self._view(request)
        name = view["name"]
        ordered = orders.parse(word, body, self._control.planned(name))
        on = Terms(
            ordered.reason,
            ordered.actor,
            conditions.expected(
                conditions.revisions(request.headers.getall("If-Match", [])), view["revision"]
            ),
            conditions.key(request.headers.getall("Idempotency-Key", [])),
            conditions.digest(name, word, body),
        )
        return service_answer(await self._control.order(name, ordered.order, on))

    async def reload(self, _request: web.Request) -> web.Response:
        return answer((await self._reloads.reload()).to_json())

    async def explain(self, request: web.Request) -> web.Response:
        return answer(self._control.explain(self._view(request)["name"]))

    async def history(self, request: web.Request) -> web.Response:
        name = self._view(request)["name"]
        after = conditions.revision_after(request.query.get("after_revision"))
        entries = [entry for entry in await self._control.history(name) if entry["revision"] > after]
        return answer({"service": name, "entries": entries})

    async def events(self, request: web.Request) -> web.StreamResponse:
        return await self._streams.serve(request)

    async def metrics(self, _request: web.Request) -> web.Response:
        return await metrics.scrape(self._control)

    async def livez(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def readyz(self, _request: web.Request) -> web.Response:
        if not self._control.ready:
            raise HttpProblem(
                503, "not ready: the proxy is starting or draining; send new traffic elsewhere for now"
            )
        return web.Response(text="ok")

    async def openapi(self, _request: web.Request) -> web.Response:
        return answer(self._document)

    def _view(self, request: web.Request) -> dict[str, Any]:
        """The view of the service that the path names. A KeyError anywhere else is a fault, not a 404."""
        name = request.match_info["service"]
        try:
            return self._control.view(name)
        except KeyError:
            known = ", ".join(self._control.names()) or "none"
            raise HttpProblem(404, f"there is no service {bodies.shown(name)}; known: {known}") from None


def answer(document: dict[str, Any]) -> web.Response:
    """A JSON answer; NaN would make it no JSON and is a fault."""
    return web.Response(body=json.dumps(document, allow_nan=False).encode(), content_type="application/json")


def service_answer(view: dict[str, Any]) -> web.Response:
    """A service with its revision as ETag: what If-Match of the next order may name."""
    response = answer(view)
    response.headers["ETag"] = f'"{view["revision"]}"'
    return response


async def add_fields(_request: web.Request, response: web.StreamResponse) -> None:
    """The fields that every answer has."""
    response.headers.update(FIELDS)
