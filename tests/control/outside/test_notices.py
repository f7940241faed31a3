import asyncio
import json
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp.client import ClientSession

from proxy.control.outside import notices
from proxy.control.outside.notices import MOST, Notices
from proxy.control.outside.posting import Poster, session
from tests.kits.receivers import Receiver

pytestmark = pytest.mark.process

NEWS = {"event": "trip", "service": "shop", "from": 5.0, "to": 0.0}


class Stage:
    """Notices whose pauses end at once and are noted."""

    def __init__(self, client: ClientSession) -> None:
        self.pauses = []
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.notices = Notices(Poster(client, sleep=self.sleep, wall=lambda: 5.0))

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await self.go_on.wait()

    def tell(
        self,
        *receivers: Receiver,
        event: str = "trip",
        text: str = "v3 is out",
        service: str = "shop",
        hooks: list[SimpleNamespace] | tuple[Any, ...] = (),
        **more: str,
    ) -> None:
        notify = [
            SimpleNamespace(
                url=each.url,
                host="http://chat.example",
                secret=more.get("secret"),
                events=("trip", "promotion"),
                format=more.get("format", "json"),
            )
            for each in receivers
        ]
        self.notices.notify(
            service, SimpleNamespace(hooks=hooks, notify=notify), NEWS | {"event": event}, text
        )

    async def sent(self) -> None:
        for queue in self.notices.queues:
            await queue.sent()


@pytest.fixture
async def stage() -> AsyncIterator[Any]:
    async with session() as client:
        made = Stage(client)
        yield made
        await made.notices.close()


async def test_who_wants_to_know_is_told(stage: Stage) -> None:
    async with Receiver() as receiver:
        stage.tell(receiver, secret="of sixteen chars")
        stage.tell(receiver, event="step")
        await stage.sent()
    ((fields, body),) = receiver.got
    assert json.loads(body) == {"service": "shop", "event": "trip", "entry": NEWS, "text": "v3 is out"}
    assert fields["X-Weir-Signature"].startswith("t=5,v1=")
    assert stage.notices.counts == {("shop", "sent"): 1}


async def test_a_chat_gets_a_text_that_wakes_up_nobody(stage: Stage) -> None:
    async with Receiver() as receiver:
        stage.tell(receiver, format="slack", text="out: <!channel> & co")
        await stage.sent()
    assert json.loads(receiver.got[0][1]) == {"text": "out: &lt;!channel&gt; &amp; co"}


@pytest.mark.parametrize(
    ("event", "at"),
    [("promotion", ["after"]), ("trip", ["on-rollback"]), ("abort", ["on-rollback"]), ("step", [])],
)
async def test_hooks_that_are_told_and_not_asked(stage: Stage, event: str, at: list[str]) -> None:
    async with Receiver() as receiver:
        hooks = [
            SimpleNamespace(at=place, url=receiver.url, host="h", secret=None)
            for place in ("before-step", "after", "on-rollback")
        ]
        stage.tell(event=event, hooks=hooks)
        await stage.sent()
    assert [json.loads(body)["at"] for _, body in receiver.got] == at


async def test_what_fails_is_tried_again_in_order(stage: Stage) -> None:
    async with Receiver(503, 429, 200) as receiver:
        stage.tell(receiver, text="one")
        stage.tell(receiver, text="two")
        await stage.sent()
    assert [json.loads(body)["text"] for _, body in receiver.got] == ["one", "one", "one", "two"]
    assert stage.pauses == [1.0, 2.0]
    assert len({fields["X-Weir-Delivery"] for fields, _ in receiver.got}) == 2
    assert stage.notices.counts == {("shop", "sent"): 2}


async def test_a_receiver_that_refuses_is_not_asked_again_and_said_once(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    async with Receiver(404, 404, 200) as receiver:
        for _ in range(3):
            stage.tell(receiver)
        await stage.sent()
    assert len(receiver.got) == 3
    assert stage.notices.counts == {("shop", "failed"): 2, ("shop", "sent"): 1}
    assert caplog.text.count("notices don't reach http://chat.example: answered 404") == 1
    assert caplog.text.count("notices reach http://chat.example again") == 1
    assert "secret-path" not in caplog.text


async def test_a_receiver_that_is_down_is_given_up_after_five_attempts(stage: Stage) -> None:
    async with Receiver(500) as receiver:
        stage.tell(receiver)
        await stage.sent()
    assert (len(receiver.got), stage.pauses) == (5, [1.0, 2.0, 4.0, 8.0])
    assert stage.notices.counts == {("shop", "failed"): 1}


async def test_a_receiver_that_hangs_delays_no_other(stage: Stage) -> None:
    async with Receiver("hang") as slow, Receiver() as quick:
        stage.tell(slow, quick)
        await quick.heard.acquire()
        assert len(quick.got) == 1
        slow.let_go.set()
        await stage.sent()


async def test_the_oldest_give_way_in_a_full_queue(stage: Stage) -> None:
    async with Receiver("hang", 200) as receiver:
        stage.tell(receiver, text="first")
        await receiver.heard.acquire()
        for number in range(MOST + 2):
            stage.tell(receiver, text=str(number))
        assert repr(stage.notices) == f"<Notices, {MOST} waiting>"
        receiver.let_go.set()
        await stage.sent()
    told = [json.loads(body)["text"] for _, body in receiver.got]
    assert told == ["first", *[str(number) for number in range(2, MOST + 2)]]
    assert stage.notices.counts == {("shop", "sent"): MOST + 1, ("shop", "dropped"): 2}


async def test_the_end_waits_for_who_is_being_told_and_no_longer(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Receiver() as quick, Receiver("hang") as slow:
        stage.tell(quick, slow)
        monkeypatch.setattr(notices, "LAST_CHANCE", 0.2)
        await stage.notices.close()
        assert len(quick.got) == 1
    assert stage.notices.counts == {("shop", "sent"): 1, ("shop", "dropped"): 1}


async def test_who_waits_for_another_attempt_has_it_at_the_end(stage: Stage) -> None:
    stage.go_on.clear()
    async with Receiver(503, 200) as receiver:
        stage.tell(receiver)
        await receiver.heard.acquire()
        await stage.notices.close()
        assert len(receiver.got) == 2
    assert stage.notices.counts == {("shop", "sent"): 1, ("shop", "dropped"): 0}


async def test_what_comes_after_the_end_is_dropped(stage: Stage) -> None:
    await stage.notices.close()
    async with Receiver() as receiver:
        stage.tell(receiver)
        assert receiver.got == []
    assert stage.notices.counts == {("shop", "dropped"): 1}


async def test_nothing_private_is_shown(stage: Stage) -> None:
    async with Receiver("hang") as receiver:
        stage.tell(receiver, secret="of sixteen chars")
        (queue,) = stage.notices.queues
        await receiver.heard.acquire()
        stage.tell(receiver, secret="of sixteen chars")
        for shown in (repr(queue), repr(queue.letters[0])):
            assert "secret-path" not in shown
            assert "sixteen" not in shown
        receiver.let_go.set()
        await stage.sent()


async def test_one_url_of_two_services_is_two_receivers(stage: Stage) -> None:
    async with Receiver() as receiver:
        stage.tell(receiver, secret="of sixteen chars")
        stage.tell(receiver, service="pay", secret="another secret..")
        await stage.sent()
    signed = {fields["X-Weir-Signature"] for fields, _ in receiver.got}
    assert len(signed) == 2
