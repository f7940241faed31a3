import json
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp.client import ClientSession

from proxy.control.outside.hooks import Hooks
from proxy.control.outside.posting import Poster, session
from tests.kits.receivers import Receiver

pytestmark = pytest.mark.process


class Stage:
    """Hooks whose pauses end at once and are noted."""

    def __init__(self, client: ClientSession) -> None:
        self.pauses = []
        self.hooks = Hooks(Poster(client, sleep=self.sleep, wall=lambda: 5.0))

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)

    async def ask(
        self, receiver: Receiver, retries: int = 2, secret: str | None = None, seconds: float = 5.0
    ) -> str:
        hook = SimpleNamespace(
            at="before-step",
            url=receiver.url,
            host="http://ci.example",
            timeout=seconds,
            retries=retries,
            secret=secret,
        )
        return await self.hooks.ask(hook, {"service": "shop", "at": "before-step"})


@pytest.fixture
async def stage() -> AsyncIterator[Any]:
    async with session() as client:
        yield Stage(client)


async def test_a_yes_is_asked_for_once(stage: Stage) -> None:
    async with Receiver(204) as receiver:
        assert await stage.ask(receiver) == ""
    ((_, body),) = receiver.got
    assert json.loads(body) == {"service": "shop", "at": "before-step"}
    assert stage.pauses == []
    assert stage.hooks.counts == {("shop", "before-step", "open"): 1}


async def test_a_no_is_a_no(stage: Stage) -> None:
    async with Receiver((403, "not on a Friday")) as receiver:
        assert await stage.ask(receiver) == "http://ci.example answered 403: not on a Friday"
    assert len(receiver.got) == 1
    assert stage.hooks.counts == {("shop", "before-step", "closed"): 1}


async def test_a_hook_in_trouble_is_asked_again_under_the_same_id(stage: Stage) -> None:
    async with Receiver(503, 503, 200) as receiver:
        assert await stage.ask(receiver, secret="of sixteen chars") == ""
    assert stage.pauses == [1.0, 2.0]
    assert len({fields["X-Weir-Delivery"] for fields, _ in receiver.got}) == 1
    assert all(fields["X-Weir-Signature"].startswith("t=5,v1=") for fields, _ in receiver.got)
    assert stage.hooks.counts == {("shop", "before-step", "open"): 1}


async def test_it_is_asked_again_so_often_and_no_more(stage: Stage) -> None:
    async with Receiver(503) as receiver:
        assert await stage.ask(receiver, retries=6) == "http://ci.example answered 503"
    assert (len(receiver.got), stage.pauses) == (7, [1.0, 2.0, 4.0, 8.0, 8.0, 8.0])
    assert stage.hooks.counts == {("shop", "before-step", "closed"): 1}


async def test_a_hook_that_hangs_has_failed(stage: Stage) -> None:
    async with Receiver("hang") as receiver:
        said = await stage.ask(receiver, retries=0, seconds=0.05)
    assert said == "http://ci.example no answer within 0.05 s"
    assert stage.hooks.counts == {("shop", "before-step", "failed"): 1}
    assert repr(stage.hooks) == "<Hooks, 1 questions>"
