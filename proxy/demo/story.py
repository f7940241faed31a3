"""The acts: all customers on v1; v2 becomes stable step by step; v3 turns bad halfway and is rolled back.

v2 is the canary of one service and v3 of another, behind the same proxy. So nothing has to be restarted
between the two, and the end shows that the rollback of one does not touch the other.
"""

import asyncio
from dataclasses import dataclass

from proxy.cli.views import entry_line
from proxy.counted import counted
from proxy.demo.admin_api import View
from proxy.demo.customer_counts import CustomerCounts
from proxy.demo.customers import Customers, customer_names
from proxy.demo.deployment import Deployment
from proxy.demo.screen import Row, Screen
from proxy.demo.verification import bad_canary_problems, good_canary_problems, ledger_problems, weight

GOOD, BAD = ("shop", "v2"), ("search", "v3")
PATHS = {"shop": "/", "search": "/search"}
CUSTOMERS = 400
HALFWAY = 3
"""The step in which v3 turns bad."""
ENDS = {"shop": ("promotion", ("on-call",)), "search": ("trip", ())}
"""The last entry in the ledger, and the actors that open the gates of the rollout."""
ADVICE = {"shop": "weir undo shop", "search": "weir retry search"}
"""The command that `weir explain` has to advise at the end."""


@dataclass(frozen=True, slots=True)
class Timing:
    """The times of the story in seconds, and its rate."""

    act: float
    """An act without a rollout."""
    rate: float
    """Requests a second of all customers."""
    rollout: float
    """A rollout, at most."""
    hold: float
    """Each step of a rollout, at least."""
    settle: float = 0.5
    """The wait after a change, for the answers of requests that were sent before it."""
    interval: float = 0.25
    """The time between two looks at the services."""


SHOW = Timing(act=7.0, rate=120.0, rollout=120.0, hold=6.0)
QUICK = Timing(act=1.0, rate=300.0, rollout=30.0, hold=0.5, settle=0.3)


class Story:
    """One performance of the story, on a deployment and a screen."""

    def __init__(self, deployment: Deployment, screen: Screen, timing: Timing) -> None:
        self._deployment = deployment
        self._screen = screen
        self._timing = timing
        self.counts = CustomerCounts()
        self.problems: list[str] = []

    def customers(self) -> Customers:
        """Return the customers of this story."""
        names = customer_names(CUSTOMERS)
        return Customers(self._deployment.proxy, PATHS, names, self.counts.add)

    async def play(self) -> list[str]:
        """Play all acts while the customers send requests; return the problems, a sentence each."""
        await self._act("Everybody is on v1", self._timing.act)
        await self._good_canary()
        await self._bad_canary()
        await self._afterwards()
        return self.problems

    async def watch(self) -> None:
        """Redraw the screen until cancelled, and print what others change meanwhile."""
        before = await self._refresh(last=False)
        while True:
            await asyncio.sleep(self._timing.interval)
            now = await self._refresh(last=False)
            for name in PATHS:
                if changed := change(before[name], now[name]):
                    self._begin(f"{name}: {changed}")
            before = now

    async def _good_canary(self) -> None:
        """Roll v2 out by its plan, with a person's approval at the gate, until it is stable."""
        service, _ = GOOD
        self._begin("shop: weir start shop; v2 walks up by its plan")
        await self._order(service, "start")
        view = await self._follow(service)
        await asyncio.sleep(self._timing.settle)
        await self._refresh(last=True)
        self._expect(
            view["phase"] == "promoted", f"v2 was not promoted: {view['phase']}, {waiting_text(view)}"
        )
        self._expect(bool(self.counts.summary(*GOOD).share), "v2 got no traffic")

    async def _bad_canary(self) -> None:
        """Roll v3 out, make it fail halfway, and follow it until it is rolled back."""
        service, version = BAD
        self._begin("search: weir start search; v3 is as good as v1 at first")
        await self._order(service, "start")
        view = await self._follow(service, failing=version)
        await asyncio.sleep(self._timing.settle)
        view = (await self._refresh(last=True))[service]
        trip, blast = view["trip"], view["blast_radius"]
        answered, failed = self.counts.answered(service, version)
        step = view["rollout"] and view["rollout"]["step"]
        self._expect((step or 0) >= HALFWAY, f"v3's rollout ended in step {step}, before v3 turned bad")
        if trip is None:
            self.problems.append(
                f"v3 was not rolled back, but {view['phase']}; {failed} of {answered} failed"
            )
            return
        self._screen.write(f"  v3 was taken out: {trip['sentence']}")
        self._screen.write(
            f"  customers got {counted(answered, 'answer')} from v3, {failed} of them bad{delay(trip)}"
        )
        self._screen.write(
            f"  v3 got {counted(blast['met'], 'request')}, and v1 rescued {blast['rescued']} of them"
        )

    async def _follow(self, service: str, failing: str = "") -> View:
        """Print the course of a rollout and pass its gate; return when it has ended or takes too long.

        Halfway the version `failing` starts to fail.
        """
        deadline = asyncio.get_running_loop().time() + self._timing.rollout
        view = (await self._refresh(last=False))[service]
        while view["phase"] not in ("promoted", "rolled-back"):
            if asyncio.get_running_loop().time() > deadline:
                break
            if view["phase"] == "paused":
                await asyncio.sleep(self._timing.settle)
                await self._order(service, "promote", reason="looks good to me", actor="on-call")
            await asyncio.sleep(self._timing.interval / 2)
            before, view = view, (await self._refresh(last=False))[service]
            if changed := change(before, view):
                self._screen.write(f"  {changed}")
            if failing and view["rollout"] and view["rollout"]["step"] >= HALFWAY:
                self._screen.write(f"  {failing} turns bad: from now on it fails one answer in four")
                self._deployment.start_failing(failing)
                failing = ""
        return view

    async def _afterwards(self) -> None:
        await self._act("Afterwards: shop is on v2 for everybody, search on v1", self._timing.act)
        views = await self._refresh(last=False)
        self.problems += good_canary_problems(*GOOD, views[GOOD[0]], self.counts)
        self.problems += bad_canary_problems(*BAD, views[BAD[0]], self.counts)
        for request in self.counts.unexpected[:5]:
            self.problems.append(f"unexpected answer: {request}")
        self._screen.title("The ledger (weir history, weir explain)")
        for service in PATHS:
            await self._history(service)
        for service in PATHS:
            await self._explain(service)

    async def _history(self, service: str) -> None:
        """Print the ledger of a service, and verify it."""
        entries = await asyncio.to_thread(self._deployment.admin.history, service)
        for entry in entries:
            self._screen.write(f"  {entry_line(entry)}")
        found = ledger_problems(entries, *ENDS[service])
        self.problems += [f"the ledger of {service}: {problem}" for problem in found]

    async def _explain(self, service: str) -> None:
        """Print the explanation of a service, and verify that it advises how to go back."""
        text = await asyncio.to_thread(self._deployment.admin.explain, service)
        self._screen.write(f"  {text}")
        advice = ADVICE[service]
        self._expect(advice in text, f"`weir explain {service}` does not advise `{advice}`: {text}")

    def _expect(self, fulfilled: bool, otherwise: str) -> None:
        if not fulfilled:
            self.problems.append(otherwise)

    async def _act(self, title: str, seconds: float) -> None:
        """Let the customers send requests for `seconds`, with fresh counts."""
        self._begin(title)
        end = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < end:
            await self._refresh(last=False)
            await asyncio.sleep(self._timing.interval)
        await self._refresh(last=True)

    def _begin(self, title: str) -> None:
        self._screen.title(title)
        self.counts.begin_act()

    async def _refresh(self, *, last: bool) -> dict[str, View]:
        """Show the services on the screen beside what the customers observed; return them."""
        self._deployment.check()
        views = {name: await asyncio.to_thread(self._deployment.admin.service, name) for name in PATHS}
        rows = [
            Row(weight(views[s], v), views[s]["phase"], self.counts.summary(s, v)) for s, v in (GOOD, BAD)
        ]
        self._screen.show(rows, last=last)
        return views

    async def _order(self, service: str, order: str, reason: str = "", actor: str = "demo") -> None:
        body = {"reason": reason, "actor": actor}
        await asyncio.to_thread(self._deployment.admin.order, service, order, **body)


def change(before: View, now: View) -> str:
    """Return what has changed in a service between two looks; "": nothing."""
    phase, was, is_now = now["phase"], before["weights"].get("canary"), now["weights"].get("canary")
    step = now["rollout"] and now["rollout"]["step"]
    same_step = step == (before["rollout"] and before["rollout"]["step"])
    if (phase, was) == (before["phase"], is_now) and same_step:
        return ""
    if now["trip"] and not before["trip"]:
        return f"{phase}, from {was:g} % to 0 %: {now['trip']['sentence']}"
    place = f", step {step} of {now['rollout']['of']}" if step and phase == "progressing" else ""
    share = "" if is_now is None else f", the canary has {is_now:g} %"
    waited = f" ({waiting_text(now)})" if phase == "paused" else ""
    return f"{phase}{place}{share}{waited}"


def waiting_text(view: View) -> str:
    """Return what a rollout waits for; "": none is under way."""
    waiting = view["rollout"] and view["rollout"]["waiting"]
    return str(waiting["says"]) if waiting else ""


def delay(trip: View) -> str:
    """Return how long the workers took to apply a trip, where the API has that."""
    milliseconds = trip.get("acknowledged_ms")
    return "" if milliseconds is None else f"; every worker had applied it after {milliseconds:.0f} ms"
