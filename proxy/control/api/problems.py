"""Every error of the admin API as problem+json (RFC 9457): one shape for people and for programs.

`type` stays "about:blank": the status is the kind of error, `detail` has what happened, the value, what was
expected and what to do. A body with several faults has them all in `errors`.
"""

import http
import json
import logging
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import HttpVersion11, web

from proxy.config.problems import Problems
from proxy.control import errors
from proxy.counted import counted
from proxy.ledger.errors import NotDurable

MEDIA_TYPE = "application/problem+json"
log = logging.getLogger(__name__)

Responder = Callable[[web.Request], Awaitable[web.StreamResponse]]
"""Answers a request."""


class HttpProblem(Exception):
    """An error with its status (400..599) and a sentence for the person who meets it."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        faults: tuple[tuple[str, str], ...] = (),
        more: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        self.faults = faults
        self.more = dict(more or {})

    def __repr__(self) -> str:
        return f"<HttpProblem {self.status}: {self.detail}>"

    def response(self) -> web.Response:
        """Return the answer; `errors` has each fault with a JSON Pointer to where it is."""
        document: dict[str, object] = {
            "type": "about:blank",
            "title": http.HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            **self.more,
        }
        if self.faults:
            document["errors"] = [{"pointer": where, "detail": what} for where, what in self.faults]
        return web.Response(
            status=self.status,
            body=json.dumps(document).encode(),
            content_type=MEDIA_TYPE,
            headers=self.headers,
        )


@web.middleware
async def as_problems(request: web.Request, handler: Responder) -> web.StreamResponse:
    """Answer every error as a problem, and none with a traceback."""
    try:
        return await handler(request)
    except HttpProblem as problem:
        return problem.response()
    except web.HTTPException as error:
        return from_http(request, error).response()
    except Exception as error:  # the border: whatever it is, the client gets a 500 and the log gets the trace
        known = from_control(error)
        if known is None:
            log.exception("%s %s failed", request.method, request.path)
            known = HttpProblem(
                500, "the request failed inside control; its log says why; nothing more is known here"
            )
        return known.response()


def from_file(problems: Problems) -> HttpProblem:
    """Return the problem for a config file that is wrong; `text` is what `weir lint` prints of it."""
    places = [
        {
            "file": problems.source,
            "line": each.span.line,
            "column": each.span.column,
            "detail": each.message,
            "advice": list(each.advice),
        }
        for each in problems
    ]
    found = counted(len(problems), "problem")
    detail = f"{problems.source} has {found}. What is in force stays, nothing was changed"
    return HttpProblem(422, detail, more={"errors": places, "text": problems.render()})


def from_control(error: Exception) -> HttpProblem | None:
    """Return the problem for a refusal of control; None for what is no refusal but a fault."""
    match error:
        case errors.StaleRevision():
            etag = {"ETag": f'"{error.current}"'}
            return HttpProblem(412, error.detail, headers=etag, more={"revision": error.current})
        case errors.Conflict(phase=""):
            return HttpProblem(409, error.detail)
        case errors.Conflict():
            legal = {"phase": error.phase, "legal": list(error.legal)}
            return HttpProblem(409, error.detail, more=legal)
        case errors.Unreadable():
            return HttpProblem(409, error.detail)
        case errors.KeyReused():
            return HttpProblem(422, error.detail)
        case Problems():
            return from_file(error)
        case NotDurable():
            return HttpProblem(503, f"{error.detail}; nothing was changed")
    return None


def from_http(request: web.Request, error: web.HTTPException) -> HttpProblem:
    """Return the problem for what aiohttp refuses: unknown paths, methods, bodies over the limit."""
    allowed = error.headers.get("Allow", "")
    sentences = {
        404: f"nothing is at {request.path}; GET / lists what there is",
        405: f"{request.method} is not possible at {request.path}; possible: {allowed.replace(',', ', ')}",
        413: f"the body is larger than {request.client_max_size} bytes, the most that is read; send less",
    }
    headers = {"Allow": allowed} if allowed else {}
    return HttpProblem(error.status, sentences.get(error.status, error.reason), headers=headers)


async def expect(request: web.Request) -> web.StreamResponse | None:
    """Answer an Expect field: aiohttp looks at it before any middleware, so its refusal is made here."""
    wanted = request.headers.get("Expect", "")
    if request.version < HttpVersion11:
        return None  # RFC 9110, 10.1.1: from an HTTP/1.0 client the field means nothing
    if wanted.lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # as aiohttp does: the interim answer is no part of the response
        return None
    return HttpProblem(
        417, f"Expect: {wanted} cannot be met; expected 100-continue, or leave it out"
    ).response()
