"""The acts: everybody on v1; v2 walks up and becomes stable; v3 turns bad halfway up and is rolled back.

v2 is the canary of one service and v3 that of another, behind the same proxy: nothing has to be restarted
between the two, and the story can show at its end that the bad canary's fall did not touch the good one.
"""

import asyncio
from dataclasses import dataclass

from proxy.cli.views import entry_line
from proxy.demo.admin import View
from proxy.demo.ledger import doubts
from proxy.demo.load import Crowd, customers
from proxy.demo.screen import Row, Screen
from proxy.demo.seen import Seen
from proxy.demo.stage import Stage

GOOD, BAD = ("shop", "v2"), ("search", "v3")
PLACES = {"shop": "/", "search": "/search"}
CUSTOMERS = 400
HALFWAY = 3
"""The step in which v3 turns bad."""
ENDS = {"shop": ("promotion", ("on-call",)), "search": ("trip", ())}
"""The last entry in the ledger, and who had let the rollout past its gates."""
ADVICE = {"shop": "weir undo shop", "search": "weir retry search"}
"""What `weir explain` has to say at the end."""


@dataclass(frozen=True, slots=True)
class Pace:
    """The story's times in seconds, and how many times a second customers ask.

    An act without a rollout takes `act`; a rollout may take `rollout`, and each of its steps takes `hold` at
    least; `settle` lets the answers come in that were on the way when something changed; `look` lies between
    two looks at how things stand.
    """

    act: float
    rate: float
    rollout: float
    hold: float
    settle: float = 0.5
    look: float = 0.25


SHOW = Pace(act=7.0, rate=120.0, rollout=120.0, hold=6.0)
QUICK = Pace(act=1.0, rate=300.0, rollout=30.0, hold=0.5, settle=0.3)


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
        await self._act("Everybody is on v1", self._pace.act)
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
                if changed := change(before[name], now[name]):
                    self._begin(f"{name}: {changed}")
            before = now

    async def _good_canary(self) -> None:
        """v2 walks through its plan, is let past the gate by a person, and becomes stable."""
        service, _ = GOOD
        self._begin("shop: weir start shop; v2 walks up by its plan")
        await self._order(service, "start")
        view = await self._follow(service)
        await asyncio.sleep(self._pace.settle)
        await self._look(last=True)
        self._expect(view["phase"] == "promoted", f"v2 was not promoted: {view['phase']}, {waits(view)}")
        self._expect(bool(self.seen.line(*GOOD).share), "v2 was to get traffic and got none")

    async def _bad_canary(self) -> None:
        """v3 is good on half of its way, turns bad, and is watched until it has lost its weight."""
        service, version = BAD
        self._begin("search: weir start search; v3 is as good as v1 at first")
        await self._order(service, "start")
        view = await self._follow(service, spoil=version)
        await asyncio.sleep(self._pace.settle)
        view = (await self._look(last=True))[service]
        trip, blast = view["trip"], view["blast_radius"]
        met, failed = self.seen.met(service, version)
        step = view["rollout"] and view["rollout"]["step"]
        self._expect((step or 0) >= HALFWAY, f"v3's rollout ended in step {step}, before v3 turned bad")
        if trip is None:
            self.complaints.append(f"v3 was not rolled back, but {view['phase']}; {failed} of {met} failed")
            return
        self._screen.say(f"  v3 was taken out: {trip['sentence']}")
        self._screen.say(f"  customers got {met} answers from v3, {failed} of them bad{took(trip)}")
        self._screen.say(f"  v3 got {blast['met']} requests, and v1 rescued {blast['rescued']} of them")

    async def _follow(self, service: str, spoil: str = "") -> View:
        """Tell where a rollout is, let it past its gate, and come back when it is over or takes too long.

        Halfway `spoil`, a version, turns bad.
        """
        deadline = asyncio.get_running_loop().time() + self._pace.rollout
        view = (await self._look(last=False))[service]
        while view["phase"] not in ("promoted", "rolled-back"):
            if asyncio.get_running_loop().time() > deadline:
                break
            if view["phase"] == "paused":
                await asyncio.sleep(self._pace.settle)
                await self._order(service, "promote", reason="looks good to me", actor="on-call")
            await asyncio.sleep(self._pace.look / 2)
            before, view = view, (await self._look(last=False))[service]
            if changed := change(before, view):
                self._screen.say(f"  {changed}")
            if spoil and view["rollout"] and view["rollout"]["step"] >= HALFWAY:
                self._screen.say(f"  {spoil} turns bad: from now on it fails one answer in four")
                self._stage.spoil(spoil)
                spoil = ""
        return view

    async def _afterwards(self) -> None:
        await self._act("Afterwards: shop is on v2 for everybody, search on v1", self._pace.act)
        views = await self._look(last=False)
        self._judge_good(views[GOOD[0]])
        self._judge_bad(views[BAD[0]])
        for sighting in self.seen.unexpected[:5]:
            self.complaints.append(f"unexpected answer: {sighting}")
        self._screen.title("What the ledger says (weir history, weir explain)")
        for service in PLACES:
            await self._history(service)
        for service in PLACES:
            await self._explain(service)

    async def _history(self, service: str) -> None:
        """The ledger of a service, which has to say what has happened."""
        entries = await asyncio.to_thread(self._stage.admin.history, service)
        for entry in entries:
            self._screen.say(f"  {entry_line(entry)}")
        self.complaints += [f"the ledger of {service}: {doubt}" for doubt in doubts(entries, *ENDS[service])]

    async def _explain(self, service: str) -> None:
        """The same in a paragraph, which has to say how to take it back."""
        said = await asyncio.to_thread(self._stage.admin.explain, service)
        self._screen.say(f"  {said}")
        advice = ADVICE[service]
        self._expect(advice in said, f"`weir explain {service}` has no advice of `{advice}`: {said}")

    def _judge_good(self, view: View) -> None:
        service, version = GOOD
        line = self.seen.line(*GOOD)
        _, failed = self.seen.met(*GOOD)
        stable = view["backends"]["stable"]["version"]
        self._expect(view["trip"] is None, f"v2 was taken out: {view['trip']}")
        self._expect(stable == version, f"stable is {stable}, not {version}")
        self._expect(line.share == 1.0, f"v2's share at the end: {line.share}")
        self._expect(failed == 0, f"v2 failed {failed} requests")
        back = sum(name == service for name, _ in self.seen.moved_back)
        self._expect(back == 0, f"{back} customers of shop went back from v2 to v1")

    def _judge_bad(self, view: View) -> None:
        service, version = BAD
        met = self.seen.met_in_act(service, version)
        self._expect(weight(view, version) == 0, f"v3's weight is {view['weights']}")
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
        rows = [Row(weight(views[s], v), views[s]["phase"], self.seen.line(s, v)) for s, v in (GOOD, BAD)]
        self._screen.show(rows, last=last)
        return views

    async def _order(self, service: str, order: str, reason: str = "", actor: str = "demo") -> None:
        body = {"reason": reason, "actor": actor}
        await asyncio.to_thread(self._stage.admin.order, service, order, **body)


def weight(view: View, version: str) -> float:
    """The percent that a version has set, on whichever side it stands; 0 for one that stands on none."""
    sides = [name for name, side in view["backends"].items() if side["version"] == version]
    return float(sum(view["weights"][name] for name in sides))


def change(before: View, now: View) -> str:
    """What became of a service between two looks; "" for nothing."""
    phase, was, is_now = now["phase"], before["weights"].get("canary"), now["weights"].get("canary")
    step = now["rollout"] and now["rollout"]["step"]
    same_step = step == (before["rollout"] and before["rollout"]["step"])
    if (phase, was) == (before["phase"], is_now) and same_step:
        return ""
    if now["trip"] and not before["trip"]:
        return f"{phase}, from {was:g} % to 0 %: {now['trip']['sentence']}"
    place = f", step {step} of {now['rollout']['of']}" if step and phase == "progressing" else ""
    share = "" if is_now is None else f", the canary has {is_now:g} %"
    waited = f" ({waits(now)})" if phase == "paused" else ""
    return f"{phase}{place}{share}{waited}"


def waits(view: View) -> str:
    """What a rollout waits for; "" where none is under way."""
    waiting = view["rollout"] and view["rollout"]["waiting"]
    return str(waiting["says"]) if waiting else ""


def took(trip: View) -> str:
    """How long the workers took to hear of it, where the API knows it."""
    milliseconds = trip.get("acknowledged_ms")
    return "" if milliseconds is None else f"; every worker knew within {milliseconds:.0f} ms"
