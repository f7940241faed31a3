"""Names that are followed, with servers that the test plays."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proxy.resolution import names as module
from proxy.resolution.channel import Resolved, Unanswered
from proxy.resolution.names import Names

NOTHING = Resolved((), 0)
V4, V6 = socket.AF_INET, socket.AF_INET6


class Servers:
    """Every question waits until the test answers it, or is answered at once by `zone`."""

    def __init__(self) -> None:
        self.zone: dict[str, Resolved | str] = {}
        self.asked: list[tuple[str, int]] = []
        self.waiting: dict[tuple[str, int], asyncio.Future[Resolved]] = {}

    async def ask(self, name: str, family: socket.AddressFamily) -> Resolved:
        self.asked.append((name, family))
        known = self.zone.get(name, "wait")
        if isinstance(known, Resolved):
            return known if family == V4 else NOTHING
        if known != "wait":
            raise Unanswered(known)
        assert (name, family) not in self.waiting, "one look-up at a time"
        waits = self.waiting[name, family] = asyncio.get_running_loop().create_future()
        try:
            return await waits
        finally:
            del self.waiting[name, family]


class Stage:
    def __init__(self) -> None:
        self.servers = Servers()
        self.news: list[Mapping[str, tuple[str, ...]]] = []
        self.names = Names(self.servers, self.news.append, lambda ip: True)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SHORTEST", 0.01)
    monkeypatch.setattr(module, "LONGEST", 0.02)


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    made = Stage()
    running = asyncio.ensure_future(made.names.run())
    await asyncio.sleep(0)
    yield made
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110  # nothing is set when another task has gone on
            await asyncio.sleep(0.001)


async def _turns(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def test_a_name_that_is_used_is_resolved_and_followed(stage: Stage) -> None:
    stage.servers.zone["a.test"] = Resolved(("192.0.2.1",), 5)
    stage.names.use("shop", ["a.test"])
    await until(lambda: stage.news == [{"a.test": ("192.0.2.1",)}])
    stage.servers.zone["a.test"] = Resolved(("192.0.2.2",), 5)
    await until(lambda: stage.news[1:] == [{"a.test": ("192.0.2.2",)}])
    assert stage.names.located == {"a.test": ("192.0.2.2",)}


async def test_the_addresses_are_not_collected_anew_for_each_who_asks(stage: Stage) -> None:
    stage.servers.zone["a.test"] = Resolved(("192.0.2.1",), 5)
    stage.names.use("shop", ["a.test"])
    await stage.names.known(["a.test"], 5)
    before = stage.names.located
    assert before == {"a.test": ("192.0.2.1",)}
    assert stage.names.located is before


async def test_what_changes_together_is_reported_together(stage: Stage) -> None:
    names = {f"{n}.test": Resolved((f"192.0.2.{n}",), 5) for n in range(1, 9)}
    stage.servers.zone |= names
    stage.names.use("shop", list(names))
    await stage.names.known(names, 5)
    assert stage.news == [{name: each.addresses for name, each in names.items()}]


async def test_one_that_is_mute_holds_up_nothing(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    stage.servers.zone["good.test"] = Resolved(("192.0.2.1",), 5)
    stage.names.use("shop", ["mute.test", "good.test"])
    await stage.names.known(["good.test"], 60)
    assert stage.names.located == {"good.test": ("192.0.2.1",)}
    await stage.names.known(["mute.test"], 0.01)
    assert "mute.test isn't resolved yet: its endpoints get no requests until it is" in caplog.text
    assert stage.servers.asked.count(("mute.test", V4)) == 1


async def test_the_last_good_addresses_stay_and_the_log_says_so_once(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.servers.zone["a.test"] = Resolved(("192.0.2.1",), 5)
    stage.names.use("shop", ["a.test"])
    await until(lambda: bool(stage.news))
    stage.servers.zone["a.test"] = "no name server answers"
    await until(lambda: stage.names.failure("a.test") != "")
    asked = len(stage.servers.asked)
    await until(lambda: len(stage.servers.asked) > asked + 6)
    assert stage.names.located == {"a.test": ("192.0.2.1",)}
    said = "a.test can't be resolved: no name server answers; its last addresses stay in use"
    assert caplog.text.count(said) == 1
    stage.servers.zone["a.test"] = Resolved(("192.0.2.1",), 5)
    await until(lambda: stage.names.failure("a.test") == "")
    assert len(stage.news) == 1


async def test_a_name_that_fails_at_once_is_known_to_be_none(stage: Stage) -> None:
    stage.servers.zone["a.test"] = NOTHING
    stage.names.use("shop", ["a.test"])
    await stage.names.known(["a.test"], 60)
    assert (stage.names.located, stage.news) == ({}, [])
    assert stage.names.failure("a.test") == "there is no address of that name"


async def test_all_are_asked_anew_where_that_is_wanted(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SHORTEST", 3600.0)
    monkeypatch.setattr(module, "LONGEST", 3600.0)
    stage.servers.zone |= dict.fromkeys(("a.test", "b.test"), Resolved(("192.0.2.1",), 5))
    stage.names.use("shop", ["a.test", "b.test"])
    await stage.names.known(["a.test", "b.test"], 60)
    await until(lambda: len(stage.servers.asked) == 4)
    await asyncio.sleep(0)
    stage.servers.zone |= dict.fromkeys(("a.test", "b.test"), Resolved(("192.0.2.2",), 5))
    await stage.names.known(["a.test"], 60, anew=True)
    await until(lambda: stage.names.located == dict.fromkeys(("a.test", "b.test"), ("192.0.2.2",)))


class Waits:
    """Notes for how long a name is left alone; it is asked again at once."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def uniform(self, _low: float, _high: float) -> "Waits":
        return self

    def __rmul__(self, seconds: float) -> float:
        self.seconds.append(seconds)
        return 0.001


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Waits:
    made = Waits()
    monkeypatch.setattr(module, "SHORTEST", 1.0)
    monkeypatch.setattr(module, "LONGEST", 10.0)
    monkeypatch.setattr(module, "random", made)
    monkeypatch.setattr(module, "FAMILIES", (V4,))
    return made


@pytest.mark.parametrize(
    ("ttl", "wait"), [(0, 1.0), (0.5, 1.0), (1, 1.0), (7, 7), (10, 10.0), (86_400, 10.0)]
)
async def test_an_answer_is_used_for_as_long_as_it_is_good_within_bounds(
    stage: Stage, waits: Waits, ttl: float, wait: float
) -> None:
    stage.servers.zone["a.test"] = Resolved(("192.0.2.1",), ttl)
    stage.names.use("shop", ["a.test"])
    await until(lambda: len(waits.seconds) > 2)
    assert set(waits.seconds) == {wait}


async def test_servers_that_fail_are_asked_less_and_less_often(stage: Stage, waits: Waits) -> None:
    stage.servers.zone["a.test"] = Resolved(("192.0.2.1",), 1)
    stage.names.use("shop", ["a.test"])
    await until(lambda: bool(waits.seconds))
    stage.servers.zone["a.test"] = "no name server answers"
    await until(lambda: waits.seconds[-1] == 10)
    failed = waits.seconds[waits.seconds.index(2) :]
    assert failed[:4] == [2, 4, 8, 10]
    assert set(failed[4:]) <= {10}
    stage.servers.zone["a.test"] = Resolved(("192.0.2.1",), 1)
    await until(lambda: waits.seconds[-1] == 1)


async def test_a_server_that_is_mute_about_one_family_holds_up_nothing(stage: Stage) -> None:
    stage.names.use("shop", ["a.test"])
    await until(lambda: len(stage.servers.waiting) == 2)
    stage.servers.waiting["a.test", V4].set_result(Resolved(("192.0.2.1",), 5))
    await stage.names.known(["a.test"], 3600)
    assert stage.news == [{"a.test": ("192.0.2.1",)}]
    assert ("a.test", V6) in stage.servers.waiting, "it is still awaited"
    stage.servers.waiting["a.test", V6].set_result(Resolved(("2001:db8::1",), 5))
    await until(lambda: len(stage.news) == 2)
    assert stage.names.located == {"a.test": ("192.0.2.1", "2001:db8::1")}


async def test_a_name_of_several_services_is_looked_up_once(stage: Stage) -> None:
    for service in ("shop", "cart", "pay"):
        stage.names.use(service, ["a.test"])
    await asyncio.gather(*(stage.names.known(["a.test"], 0.02) for _ in range(3)))
    assert sorted(stage.servers.asked) == [("a.test", V4), ("a.test", V6)]


async def test_where_no_name_is_there_is_nothing_to_wait_for(stage: Stage) -> None:
    await stage.names.known([], 3600)
    await stage.names.known([], 3600, anew=True)
    assert (stage.servers.asked, stage.news) == ([], [])


async def test_what_leaves_and_comes_back_at_once_is_reported_as_it_is_then(stage: Stage) -> None:
    stage.servers.zone["a.test"] = Resolved(("192.0.2.1",), 5)
    stage.names.use("shop", ["a.test"])
    await until(lambda: len(stage.news) == 1)
    stage.names.use("shop", [])
    stage.servers.zone["a.test"] = Resolved(("192.0.2.2",), 5)
    stage.names.use("shop", ["a.test"])
    await until(lambda: stage.news[-1] == {"a.test": ("192.0.2.2",)})
    assert stage.names.located == stage.news[-1]


async def test_a_name_that_no_service_uses_any_more_is_dropped(stage: Stage) -> None:
    stage.servers.zone |= dict.fromkeys(("a.test", "b.test"), Resolved(("192.0.2.1",), 5))
    stage.names.use("shop", ["a.test", "b.test"])
    stage.names.use("other", ["b.test"])
    await stage.names.known(["b.test"], 60)
    await until(lambda: len(stage.news) > 0 and len(stage.names.located) == 2)
    stage.names.use("shop", [])
    await until(lambda: stage.news[-1:] == [{"a.test": ()}])
    assert stage.names.located == {"b.test": ("192.0.2.1",)}


async def test_a_name_that_was_waited_for_stays_until_it_is_in_use(stage: Stage) -> None:
    stage.servers.zone |= dict.fromkeys(("a.test", "b.test"), Resolved(("192.0.2.1",), 5))
    await stage.names.known(["a.test"], 60)
    stage.names.use("other", ["b.test"])
    await stage.names.known(["b.test"], 60)
    assert "a.test" in stage.names.located
    stage.names.use("shop", ["a.test"])
    stage.names.use("other", [])
    assert "a.test" in stage.names.located


async def test_what_is_unforeseen_ends_it() -> None:
    stage = Stage()

    async def broken(name: str, family: socket.AddressFamily) -> Resolved:
        raise RuntimeError("a bug")

    stage.servers.ask = broken
    stage.names.use("shop", ["a.test"])
    with pytest.raises(RuntimeError, match="a bug"):
        async with asyncio.timeout(10):
            await stage.names.run()


async def test_a_name_is_asked_for_again_when_its_answer_is_no_longer_good(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LONGEST", 3600.0)
    stage.servers.zone |= {
        "short.test": Resolved(("192.0.2.1",), 0.01),
        "long.test": Resolved(("192.0.2.2",), 999),
    }
    stage.names.use("shop", ["short.test", "long.test"])
    await until(lambda: stage.servers.asked.count(("short.test", V4)) > 3)
    assert stage.servers.asked.count(("long.test", V4)) == 1


async def test_its_end_takes_no_addresses_from_anybody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers go on while control ends and another one begins."""
    monkeypatch.setattr(module, "TOGETHER", 0.0)
    stage = Stage()
    running = asyncio.ensure_future(stage.names.run())
    stage.servers.zone["a.test"] = Resolved(("192.0.2.1",), 5)
    stage.names.use("shop", ["a.test"])
    await until(lambda: bool(stage.news))
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    await _turns(10)
    assert stage.news == [{"a.test": ("192.0.2.1",)}]


async def test_asking_anew_does_not_wait_for_questions_that_were_put_before(stage: Stage) -> None:
    stage.names.use("shop", ["a.test"])
    await until(lambda: len(stage.servers.waiting) == 2)
    stage.servers.zone["a.test"] = Resolved(("192.0.2.2",), 5)  # the servers that the file names now
    async with asyncio.timeout(5):
        await stage.names.known(["a.test"], 3600, anew=True)
    assert stage.names.located == {"a.test": ("192.0.2.2",)}


async def test_asking_anew_is_not_answered_by_questions_that_were_put_before(stage: Stage) -> None:
    stage.names.use("shop", ["a.test"])
    await until(lambda: len(stage.servers.waiting) == 2)
    asking = asyncio.ensure_future(stage.names.known(["a.test"], 60, anew=True))
    await asyncio.sleep(0)
    for waiting in stage.servers.waiting.values():
        if not waiting.done():
            waiting.set_result(Resolved(("192.0.2.1",), 5))
    await until(lambda: len(stage.servers.asked) == 4 and len(stage.servers.waiting) == 2)
    await _turns(10)
    assert not asking.done(), "no question that was put since has been answered"
    for waiting in stage.servers.waiting.values():
        waiting.set_result(Resolved(("192.0.2.2",), 5))
    await asking
    assert set(stage.names.located["a.test"]) == {"192.0.2.2"}


NAMES = ("a.test", "b.test")
FOUND = st.sampled_from(
    [NOTHING, Resolved(("192.0.2.1",), 5), Resolved(("192.0.2.2", "192.0.2.3"), 5), "no answer"]
)
HISTORIES = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["shop", "cart"]), st.sets(st.sampled_from(NAMES))),
        st.tuples(st.sampled_from(NAMES), FOUND),
        st.tuples(st.just("anew"), st.sampled_from(NAMES)),
        st.just(("turns", 5)),
    ),
    max_size=25,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # it sets the same each time
@given(HISTORIES)
def test_in_any_history_what_was_reported_is_what_is_known(history: list[tuple[str, Any]]) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "TOGETHER", 0.0)
        asyncio.run(_followed(history))


async def _followed(history: list[tuple[str, Any]]) -> None:
    stage, told = Stage(), {}
    running = asyncio.ensure_future(stage.names.run())
    await asyncio.sleep(0)
    for what, value in history:
        if what in NAMES:
            stage.servers.zone[what] = value
        elif what == "turns":
            await _turns(value)
        elif what == "anew":
            await stage.names.known([value], 0.001, anew=True)
        else:
            stage.names.use(what, value)
    await stage.names.known([], 1)  # reports what waits
    for news in stage.news:
        told |= news
    assert {name: found for name, found in told.items() if found} == stage.names.located
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
