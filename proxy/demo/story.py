"""The acts: everybody on v1; a good v2 grows; v3 fails one answer in four and is taken out.

v2 is the canary of one service and v3 that of another, behind the same proxy: nothing has to be restarted
between the two, and the story can show at its end that the bad canary's fall did not touch the good one.
"""

import asyncio
from dataclasses import dataclass

from proxy.demo.admin import View
from proxy.demo.load import Crowd, customers
from proxy.demo.screen import Row, Screen
from proxy.demo.seen import Seen
from proxy.demo.stage import Stage

GOOD, BAD = ("shop", "v2"), ("search", "v3")
PLACES = {"shop": "/", "search": "/search"}
GROWTH = (5, 25, 50)  # percent
BAD_WEIGHT = 20  # percent
CUSTOMERS = 400
KEPT = (0.3, 0.7)  # where v2's share has to lie at 50 %: 400 customers are few, their coins spread


@dataclass(frozen=True, slots=True)
class Pace:
    """The story's times in seconds, and how many times a second customers ask.

    An act takes `act`; a trip may take `trip`; `settle` lets the answers come in that were on the way when
    the canary was taken out; `look` lies between two looks at how things stand.
    """

    act: float
    rate: float
    trip: float
    settle: float = 0.5
    look: float = 0.25


SHOW = Pace(act=7.0, rate=120.0, trip=30.0)
QUICK = Pace(act=2.5, rate=200.0, trip=10.0)


class Story:
    """One telling of the story, on a stage and before a screen."""

    def __init__(self, stage: Stage, screen: Screen, pace: Pace) -> None:
        self._stage = stage
        self._screen = screen
        self._pace = pace
        self.seen = Seen()
        self.complaints: list[str] = []

    def crowd(self) -> Crowd:
        """The customers of this story."""
        return Crowd(self._stage.proxy, PLACES, customers(CUSTOMERS), self.seen.add)

    async def play(self) -> list[str]:
        """Plays all acts while a crowd asks; what was not as it has to be, nothing when all was well."""
        await self._good_canary()
        await self._bad_canary()
        await self._afterwards()
        return self.complaints

    async def linger(self) -> None:
        """Keeps the screen moving until it is cancelled, and tells what somebody else changes meanwhile."""
        before = await self._look(last=False)
        while True:
            await asyncio.sleep(self._pace.look)
            now = await self._look(last=False)
            for name in PLACES:
                self._tell_change(name, before[name], now[name])
            before = now

    def _tell_change(self, name: str, before: View, now: View) -> None:
        was, is_now = before["weights"]["canary"], now["weights"]["canary"]
        if was != is_now:
            why = f", taken out: {now['trip']['sentence']}" if now["trip"] else ""
            self._begin(f"{name}: from {was:g} % to {is_now:g} %{why}")

    async def _good_canary(self) -> None:
        await self._act("Everybody is on v1", self._pace.act)
        for percent in GROWTH:
            await self._set_weight(GOOD[0], percent)
            await self._act(f"shop: v2 is good and gets {percent} %", self._pace.act)
            line = self.seen.line(*GOOD)
            self._expect(bool(line.share), f"v2 was to get {percent} % and got nothing")

    async def _bad_canary(self) -> None:
        """v3 gets its weight, and is watched until it has lost it."""
        service, version = BAD
        self._begin(f"search: v3 gets {BAD_WEIGHT} % and fails one answer in four")
        await self._set_weight(service, BAD_WEIGHT)
        deadline = asyncio.get_running_loop().time() + self._pace.trip
        views = await self._look(last=False)
        while views[service]["trip"] is None and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(self._pace.look / 5)
            views = await self._look(last=False)
        await asyncio.sleep(self._pace.settle)
        view = (await self._look(last=True))[service]
        trip, blast = view["trip"], view["blast_radius"]
        met, failed = self.seen.met(service, version)
        if trip is None:
            self.complaints.append(
                f"v3 was not taken out within {self._pace.trip:g} s; {failed} of {met} failed"
            )
            return
        self._screen.say(f"  v3 was taken out: {trip['sentence']}")
        self._screen.say(f"  {met} answers of it reached a customer, {failed} of them bad{took(trip)}")
        self._screen.say(f"  {blast['met']} requests had met it, {blast['rescued']} were rescued by v1")

    async def _afterwards(self) -> None:
        await self._act("Afterwards: search is on v1 for everybody, shop keeps its v2", self._pace.act)
        views = await self._look(last=False)
        self._judge_good(views[GOOD[0]])
        self._judge_bad(views[BAD[0]])
        for sighting in self.seen.unexpected[:5]:
            self.complaints.append(f"unexpected answer: {sighting}")

    def _judge_good(self, view: View) -> None:
        line = self.seen.line(*GOOD)
        _, failed = self.seen.met(*GOOD)
        low, high = KEPT
        self._expect(view["trip"] is None, f"v2 was taken out: {view['trip']}")
        self._expect(view["weights"]["canary"] == GROWTH[-1], f"v2's weight is {view['weights']}")
        self._expect(
            line.share is not None and low < line.share < high, f"v2's share at the end: {line.share}"
        )
        self._expect(failed == 0, f"v2 failed {failed} requests")
        back = sum(service == GOOD[0] for service, _ in self.seen.moved_back)
        self._expect(back == 0, f"{back} customers of shop went back from v2 to v1")

    def _judge_bad(self, view: View) -> None:
        service, version = BAD
        met = self.seen.met_in_act(service, version)
        self._expect(view["weights"]["canary"] == 0, f"v3's weight is {view['weights']}")
        self._expect(met == 0, f"{met} requests met v3 after it had been taken out")

    def _expect(self, fulfilled: bool, otherwise: str) -> None:
        if not fulfilled:
            self.complaints.append(otherwise)

    async def _act(self, title: str, seconds: float) -> None:
        """Lets the customers ask for `seconds`, with fresh counts."""
        self._begin(title)
        end = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < end:
            await self._look(last=False)
            await asyncio.sleep(self._pace.look)
        await self._look(last=True)

    def _begin(self, title: str) -> None:
        self._screen.title(title)
        self.seen.begin_act()

    async def _look(self, *, last: bool) -> dict[str, View]:
        """The services as the API shows them, put on the screen beside what the customers have met."""
        self._stage.check()
        views = {name: await asyncio.to_thread(self._stage.admin.service, name) for name in PLACES}
        canaries = (GOOD, BAD)
        rows = [
            Row(views[s]["weights"]["canary"], views[s]["phase"], self.seen.line(s, v)) for s, v in canaries
        ]
        self._screen.show(rows, last=last)
        return views

    async def _set_weight(self, service: str, percent: float) -> None:
        await asyncio.to_thread(self._stage.admin.set_weight, service, percent, "the demo's next act")


def took(trip: View) -> str:
    """How long the workers took to hear of it, where the API knows it."""
    milliseconds = trip.get("acknowledged_ms")
    return "" if milliseconds is None else f"; every worker knew within {milliseconds:.0f} ms"
