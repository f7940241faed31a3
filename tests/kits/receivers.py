"""Receivers on real sockets that answer what a test says."""

import asyncio
from typing import Self

from aiohttp import web
from multidict import CIMultiDict

Answer = int | str | tuple[int, str]


class Receiver:
    """Answers with each of `answers` in turn, the last for ever: a status, a (status, text), or "hang"."""

    def __init__(self, *answers: Answer) -> None:
        self.answers: list[Answer] = list(answers) or [200]
        self.got: list[tuple[CIMultiDict[str], bytes]] = []
        self.heard = asyncio.Semaphore(0)
        self.let_go = asyncio.Event()

    async def _answer(self, request: web.Request) -> web.Response:
        self.got.append((request.headers.copy(), await request.read()))
        self.heard.release()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer == "hang":
            await self.let_go.wait()
            answer = 200
        status, text = answer if isinstance(answer, tuple) else (answer, "")
        return web.Response(status=status, text=text, headers={"Location": "/elsewhere"})

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{any:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/secret-path"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.let_go.set()
        await self._runner.cleanup()
