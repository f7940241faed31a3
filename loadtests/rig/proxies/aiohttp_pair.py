"""The proxy that one writes in an afternoon: aiohttp's server, and aiohttp's client behind it, on uvloop.

    python loadtests/rig/proxies/aiohttp_pair.py PORT ORIGIN

Bodies are streamed both ways, connections are kept, nothing is logged.
"""

import sys
from collections.abc import AsyncIterator, Mapping

import uvloop
from aiohttp import ClientSession, DummyCookieJar, TCPConnector, web
from multidict import CIMultiDict

HOP_BY_HOP = {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
OWN = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
"""Fields that the client would add by itself."""
SESSION = web.AppKey("session", ClientSession)


def app(origin: str) -> web.Application:
    """Forwards everything to `origin`."""
    made = web.Application()

    async def connected(_: web.Application) -> AsyncIterator[None]:
        connector = TCPConnector(limit=0)
        async with ClientSession(
            connector=connector, cookie_jar=DummyCookieJar(), auto_decompress=False, skip_auto_headers=OWN
        ) as session:
            made[SESSION] = session
            yield

    async def forward(request: web.Request) -> web.StreamResponse:
        data = request.content if request.can_read_body else None
        asked = made[SESSION].request(
            request.method,
            f"{origin}{request.raw_path}",
            headers=forwarded(request),
            data=data,
            allow_redirects=False,
        )
        async with asked as answer:
            passed = web.StreamResponse(status=answer.status, headers=end_to_end(answer.headers))
            await passed.prepare(request)
            async for piece in answer.content.iter_any():
                await passed.write(piece)
            await passed.write_eof()
            return passed

    made.cleanup_ctx.append(connected)
    made.router.add_route("*", "/{path:.*}", forward)
    return made


def end_to_end(headers: Mapping[str, str]) -> CIMultiDict[str]:
    """Without what belongs to one connection."""
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in HOP_BY_HOP)


def forwarded(request: web.Request) -> CIMultiDict[str]:
    """The request's fields, and where it came from."""
    headers = end_to_end(request.headers)
    headers["X-Forwarded-For"] = request.remote or ""
    headers["X-Forwarded-Proto"] = request.scheme
    headers["X-Forwarded-Host"] = request.host
    headers["Via"] = "1.1 aiohttp"
    return headers


if __name__ == "__main__":
    address = {"host": "127.0.0.1", "port": int(sys.argv[1])}
    web.run_app(app(sys.argv[2]), **address, access_log=None, print=None, loop=uvloop.new_event_loop())
