"""The admin API: what people and scripts see of control and order from it.

It decides nothing. It reads strictly, asks control, and shapes the answer; whatever goes wrong leaves as
problem+json, and an order that is refused has changed nothing.
"""

import json
from typing import Any, Protocol

from aiohttp import web

from proxy.control import metrics, openapi, orders
from proxy.control.events import Feed, Streams
from proxy.control.openapi import OPERATIONS
from proxy.control.orders import Order
from proxy.control.problems import Problem, as_problems, expect
from proxy.control.security import Guard

Json = dict[str, Any]
FIELDS = {
    "Cache-Control": "no-store",  # every answer is a moment
    "X-Content-Type-Options": "nosniff",
    "Server": "weir",
}


class Control(Feed, metrics.Source, Protocol):
    """What is served; weights are parts of 10,000. Refusals are raised as proxy.control.errors names them."""

    @property
    def ready(self) -> bool: ...

    @property
    def generation(self) -> int: ...

    def names(self) -> list[str]: ...

    def view(self, name: str) -> Json: ...

    async def set_weight(
        self, name: str, parts: int, *, reason: str, actor: str, if_match: int | None
    ) -> Json: ...

    async def resume(
        self, name: str, parts: int | None, *, reason: str, actor: str, if_match: int | None
    ) -> Json: ...

    def explain(self, name: str) -> Json: ...

    async def history(self, name: str) -> list[Json]: ...


class Address(Protocol):
    """Where the admin API listens."""

    @property
    def host(self) -> str: ...


class Admin(Protocol):
    """The ``admin`` part of the config."""

    @property
    def listen(self) -> Address: ...

    @property
    def token(self) -> str | None: ...

    @property
    def open_metrics(self) -> bool: ...


def build(control: Control, admin: Admin) -> web.Application:
    """The application that serves ``control`` by the rules of ``admin``; its shutdown ends event streams."""
    streams = Streams(control)
    api = Api(control, streams)
    guard = Guard(admin.token, admin.listen.host, admin.open_metrics)
    app = web.Application(middlewares=[as_problems, guard.middleware], client_max_size=orders.BODY_LIMIT)
    for operation in OPERATIONS:
        handler = getattr(api, operation.name)
        app.router.add_route(operation.method, operation.path, handler, expect_handler=expect)
        if operation.method == "GET" and operation.name != "events":
            app.router.add_route("HEAD", operation.path, handler, expect_handler=expect)
    app.on_response_prepare.append(add_fields)
    app.on_shutdown.append(streams.close)
    return app


class Api:
    """The handlers, one per operation and named as it."""

    def __init__(self, control: Control, streams: Streams) -> None:
        self._control = control
        self._streams = streams
        self._document = openapi.document()

    def __repr__(self) -> str:
        return f"<Api of {self._control!r}>"

    async def index(self, _request: web.Request) -> web.Response:
        return answer({op.name: op.path for op in OPERATIONS if op.method == "GET" and op.name != "index"})

    async def services(self, _request: web.Request) -> web.Response:
        views = [self._control.view(name) for name in self._control.names()]
        return answer({"generation": self._control.generation, "services": views})

    async def service(self, request: web.Request) -> web.Response:
        return service_answer(self._view(request))

    async def set_weight(self, request: web.Request) -> web.Response:
        name = self._view(request)["name"]
        order = await orders.read(request, needs_canary=True)
        assert order.parts is not None  # needs_canary saw to it
        terms = self._terms(request, order)
        return service_answer(await self._control.set_weight(name, order.parts, **terms))

    async def resume(self, request: web.Request) -> web.Response:
        name = self._view(request)["name"]
        order = await orders.read(request, needs_canary=False)
        return service_answer(await self._control.resume(name, order.parts, **self._terms(request, order)))

    async def explain(self, request: web.Request) -> web.Response:
        return answer(self._control.explain(self._view(request)["name"]))

    async def history(self, request: web.Request) -> web.Response:
        name = self._view(request)["name"]
        return answer({"service": name, "entries": await self._control.history(name)})

    async def events(self, request: web.Request) -> web.StreamResponse:
        return await self._streams.serve(request)

    async def metrics(self, _request: web.Request) -> web.Response:
        return await metrics.scrape(self._control)

    async def livez(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def readyz(self, _request: web.Request) -> web.Response:
        if not self._control.ready:
            raise Problem(
                503, "not ready: the proxy is starting or draining; send new traffic elsewhere for now"
            )
        return web.Response(text="ok")

    async def openapi(self, _request: web.Request) -> web.Response:
        return answer(self._document)

    def _view(self, request: web.Request) -> Json:
        """The view of the service that the path names. A KeyError anywhere else is a fault, not a 404."""
        name = request.match_info["service"]
        try:
            return self._control.view(name)
        except KeyError:
            known = ", ".join(self._control.names()) or "none"
            raise Problem(404, f"there is no service {orders.shown(name)}; known: {known}") from None

    def _terms(self, request: web.Request, order: Order) -> dict[str, Any]:
        """Reason, actor and the revision that must be in force (None: any).

        Looked at after the body is read: no await lies between this and control, which compares once more.
        """
        allowed = orders.revisions(request.headers.getall("If-Match", []))
        current: int = self._view(request)["revision"]
        if allowed is not None and current not in allowed:
            detail = (
                f"the service is at revision {current}, the order was made on {request.headers['If-Match']}"
            )
            raise Problem(
                412,
                f"{detail}; look again and repeat it. Nothing was changed.",
                headers={"ETag": f'"{current}"'},
            )
        return {
            "reason": order.reason,
            "actor": order.actor,
            "if_match": None if allowed is None else current,
        }


def answer(document: Json) -> web.Response:
    """A JSON answer; NaN would make it no JSON and is a fault."""
    return web.Response(body=json.dumps(document, allow_nan=False).encode(), content_type="application/json")


def service_answer(view: Json) -> web.Response:
    """A service with its revision as ETag: what If-Match of the next order may name."""
    response = answer(view)
    response.headers["ETag"] = f'"{view["revision"]}"'
    return response


async def add_fields(_request: web.Request, response: web.StreamResponse) -> None:
    """The fields that every answer has."""
    response.headers.update(FIELDS)
