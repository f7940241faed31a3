"""Who is probed and who is dead, by a prober and pauses that the test plays."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from proxy.control.outside import probes as module
from proxy.control.outside.probes import CHECK_SECONDS, Probes, about
from proxy.health.probe import Question
from proxy.routing.address import Address
from proxy.routing.endpoint import SYSTEM, Endpoint, Trust
from tests.kits.located import IP, address

ONE, TWO, NEW = (address(f"http://{name}") for name in ("one", "two", "new"))


@dataclass(frozen=True)
class ProbeSettings:
    path: str = "/healthz"
    host: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    expect: Sequence[tuple[int, int]] = ((200, 399),)
    interval: float = 5.0
    timeout: float = 2.0
    healthy_after: int = 2
    unhealthy_after: int = 2


class Stage:
    """Every probe is answered by `wrong`, and every pause lasts until the next round."""

    def __init__(self) -> None:
        self.wrong = {}
        self.asked = []
        self.told = []
        self.paused = []
        self.probing = Probes(lambda service, dead: self.told.append((service, dead)), self, self._pause)

    async def probe(self, one: Address, question: Question | None, seconds: float) -> str:
        self.asked.append((one.endpoint.url, question and question.path, seconds))
        await asyncio.sleep(0)
        why = self.wrong.get(one.endpoint.identity, "")
        if isinstance(why, Exception):
            raise why
        return why

    async def _pause(self, seconds: float) -> None:
        over = asyncio.get_running_loop().create_future()
        self.paused.append((seconds, over))
        await over

    def tasks(self) -> int:
        return self.probing.running

    async def settled(self) -> None:
        """All probes that can be made are made."""
        async with asyncio.timeout(10):
            while len([1 for _, over in self.paused if not over.done()]) < self.tasks():  # noqa: ASYNC110
                await asyncio.sleep(0)

    async def round(self, times: int = 1) -> None:
        """The pauses are over, and everybody was asked once more."""
        for _ in range(times):
            for _, over in self.paused:
                if not over.done():
                    over.set_result(None)
            self.paused.clear()
            await self.settled()

    def news(self) -> list[tuple[str, set[str]]]:
        """The services that were reported since, each with the URLs of its dead addresses."""
        told, self.told = self.told, []
        assert all(ip == IP for _, dead in told for _, ip in dead)
        return [(service, {url for url, _ in dead}) for service, dead in told]


@pytest.fixture
async def stage() -> AsyncIterator[Any]:
    stage = Stage()
    running = asyncio.ensure_future(stage.probing.run())
    await asyncio.sleep(0)
    yield stage
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


BOTH = {"stable": (ONE, TWO), "canary": (NEW,)}


async def test_all_endpoints_of_a_service_are_asked_again_and_again(stage: Stage) -> None:
    stage.probing.watch("shop", BOTH, ProbeSettings(path="/up", interval=7, timeout=3))
    await stage.settled()
    assert sorted(stage.asked) == [(f"http://{name}", "/up", 3) for name in ("new", "one", "two")]
    assert {seconds for seconds, _ in stage.paused} == {7}
    await stage.round()
    assert len(stage.asked) == 6


async def test_the_dead_are_told_when_they_die_and_when_they_are_back(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.probing.watch("shop", BOTH, ProbeSettings())
    await stage.settled()
    assert stage.news() == [("shop", set())], "once everybody is known"
    stage.wrong["http://two"] = stage.wrong["http://new"] = "answered 503"
    await stage.round()
    assert stage.news() == []
    await stage.round()
    assert stage.news()[-1] == ("shop", {"http://two", "http://new"})
    assert f"http://two ({IP}) of shop is dead: answered 503" in caplog.text
    await stage.round(2)
    assert stage.news() == [], "that is no news"
    del stage.wrong["http://two"]
    await stage.round(2)
    assert stage.news() == [("shop", {"http://new"})]
    assert f"http://two ({IP}) of shop is alive again" in caplog.text


async def test_nothing_is_told_before_all_are_known(stage: Stage) -> None:
    stage.wrong = dict.fromkeys(("http://one", "http://two"), "connection refused")
    stage.probing.watch("shop", BOTH, ProbeSettings())
    await stage.settled()
    assert (stage.news(), stage.probing.conditions("shop")[NEW]) == ([], "alive")
    await stage.round()
    assert stage.news() == [("shop", {"http://one", "http://two"})]


async def test_who_comes_later_is_held_to_be_alive_and_does_not_hold_up_the_news(stage: Stage) -> None:
    stage.probing.watch("shop", {"stable": (ONE, TWO)}, ProbeSettings())
    await stage.settled()
    stage.wrong = dict.fromkeys(("http://one", "http://new"), "connection refused")
    await stage.round()
    stage.probing.watch("shop", BOTH, ProbeSettings())
    await stage.settled()
    assert stage.news() == [("shop", set())]
    await stage.round()
    assert stage.news()[0] == ("shop", {"http://one"})


async def test_what_is_known_of_an_endpoint_goes_over_with_it(stage: Stage) -> None:
    stage.wrong["http://new"] = "answered 500"
    stage.probing.watch("shop", BOTH, ProbeSettings())
    await stage.settled()
    await stage.round()
    asked = len(stage.asked)
    assert stage.news() == [("shop", {"http://new"})]
    stage.probing.watch("shop", {"stable": (NEW,), "canary": ()}, ProbeSettings())
    assert stage.news() == [], "and it is the same address"
    assert stage.probing.conditions("shop") == {NEW: "dead: answered 500"}
    await stage.round()
    assert len(stage.asked) == asked + 1, "the others are asked no longer, and this one not twice"


async def test_another_way_to_ask_holds_at_once(stage: Stage) -> None:
    stage.probing.watch("shop", {"stable": (ONE,)}, ProbeSettings())
    await stage.settled()
    stage.probing.watch("shop", {"stable": (ONE,)}, ProbeSettings(path="/new", interval=1))
    stage.paused.clear()
    await stage.settled()
    assert stage.asked[1:] == [("http://one", "/new", 2.0)]
    assert stage.paused[0][0] == 1


async def test_the_same_again_changes_nothing(stage: Stage) -> None:
    stage.probing.watch("shop", BOTH, ProbeSettings())
    await stage.settled()
    stage.probing.watch("shop", dict(BOTH), ProbeSettings())
    await stage.settled()
    assert (len(stage.asked), stage.news()) == (3, [("shop", set())])


@pytest.mark.parametrize("way", ["forget", "off"])
async def test_who_is_watched_no_longer_is_dead_no_longer(stage: Stage, way: str) -> None:
    stage.wrong = dict.fromkeys(("http://one", "http://two"), "connection refused")
    stage.probing.watch("shop", {"stable": (ONE,)}, ProbeSettings())
    stage.probing.watch("well", {"stable": (NEW,)}, ProbeSettings())
    await stage.settled()
    await stage.round()
    asked = len(stage.asked)
    assert stage.news() == [("well", set()), ("shop", {"http://one"})]
    for service in ("shop", "well", "unknown"):
        if way == "forget":
            stage.probing.forget(service)
        else:
            stage.probing.watch(service, BOTH, None)
    assert stage.news() == [("shop", set())]
    stage.paused.clear()
    await stage.round()
    assert (len(stage.asked), stage.probing.conditions("shop")) == (asked, {})


@pytest.mark.parametrize("way", ["forget", "off"])
async def test_who_was_dead_for_a_control_before_this_one_is_dead_no_longer_either(
    stage: Stage, way: str
) -> None:
    stage.wrong["http://one"] = "connection refused"
    stage.probing.watch("shop", {"stable": (ONE,)}, ProbeSettings())
    await stage.settled()
    assert stage.news() == [], "it isn't known yet, and workers leave out what they were told before"
    if way == "forget":
        stage.probing.forget("shop")
    else:
        stage.probing.watch("shop", {"stable": (ONE,)}, None)
    assert stage.news() == [("shop", set())]


async def test_one_endpoint_may_be_trusted_in_two_ways(stage: Stage) -> None:
    secure = [address("https://one", trust) for trust in (SYSTEM, Trust(verify=False))]
    stage.probing.watch("shop", {"stable": secure[:1], "canary": secure[1:]}, ProbeSettings())
    await stage.settled()
    assert len(stage.asked) == 2


async def test_of_two_endpoints_of_one_url_the_one_is_dead_that_does_not_answer_for_its_host(
    stage: Stage,
) -> None:
    one, other = (
        Address(Endpoint.parse("http://10.0.0.7", host_sent=f"{name}.example"), "10.0.0.7") for name in "ab"
    )
    stage.wrong = {other.endpoint.identity: "answered 404"}
    stage.probing.watch("shop", {"stable": [one], "canary": [other]}, ProbeSettings(unhealthy_after=1))
    await stage.settled()
    assert stage.told == [("shop", frozenset({("http://10.0.0.7 (Host b.example)", "10.0.0.7")}))]
    assert stage.probing.conditions("shop") == {one: "alive", other: "dead: answered 404"}


async def test_who_is_watched_before_it_runs_is_asked_when_it_does() -> None:
    stage = Stage()
    stage.probing.watch("shop", BOTH, ProbeSettings())
    await asyncio.sleep(0)
    assert stage.asked == []
    running = asyncio.ensure_future(stage.probing.run())
    async with asyncio.timeout(10):
        while len(stage.paused) < 3:  # noqa: ASYNC110
            await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert all(over.cancelled() for _, over in stage.paused), "nothing is left"


async def test_what_is_unforeseen_ends_it() -> None:
    stage = Stage()
    stage.wrong["http://one"] = RuntimeError("a bug")
    stage.probing.watch("shop", BOTH, ProbeSettings())
    with pytest.raises(ExceptionGroup):
        await stage.probing.run()


async def test_only_so_many_are_asked_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 2)
    under_way, most = 0, 0

    class Slow:
        async def probe(self, one: Address, path: None, seconds: float) -> str:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0)
            under_way -= 1
            return ""

    probing = Probes(lambda service, dead: None, Slow())
    addresses = [address(f"http://e{n}") for n in range(10)]
    assert await probing.check(addresses, None) == ""
    assert most == 2


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({}, ""),
        ({"http://one": "answered 503"}, ""),
        (
            {"http://one": "answered 503", "http://two": "connection refused"},
            f"http://one ({IP}): answered 503; http://two ({IP}): connection refused",
        ),
    ],
)
async def test_a_check_is_passed_if_one_answers(wrong: dict[str, str], why: str) -> None:
    stage = Stage()
    stage.wrong = wrong
    assert await stage.probing.check((ONE, TWO), ProbeSettings()) == why
    assert stage.asked == [("http://one", "/healthz", 2.0), ("http://two", "/healthz", 2.0)]
    assert (stage.told, stage.probing.conditions("shop")) == ([], {})


async def test_a_check_without_a_word_on_health_asks_for_any_answer_and_nobody_answers_for_nobody() -> None:
    stage = Stage()
    assert await stage.probing.check((ONE,), None) == ""
    assert stage.asked == [("http://one", None, CHECK_SECONDS)]
    assert await stage.probing.check((), None) == "there is no address"


async def test_how_endpoints_do(stage: Stage) -> None:
    stage.wrong = {"http://one": "answered 503"}
    stage.probing.watch("shop", BOTH, ProbeSettings())
    assert set(stage.probing.conditions("shop").values()) == {"not known yet"}
    await stage.settled()
    assert stage.probing.conditions("shop") == {
        ONE: "not known yet: answered 503",
        TWO: "alive",
        NEW: "alive",
    }
    assert repr(stage.probing) == "<Probes 3 addresses of 1 services, 0 dead>"
    await stage.round()
    assert stage.probing.conditions("shop")[ONE] == "dead: answered 503"
    assert repr(stage.probing) == "<Probes 3 addresses of 1 services, 1 dead>"


async def test_intervals_are_spread_a_little(monkeypatch: pytest.MonkeyPatch) -> None:
    slept = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(module.asyncio, "sleep", sleep)
    for _ in range(100):
        await about(10)
    assert 9 <= min(slept) < 9.5 < 10.5 < max(slept) <= 11
