"""One whole run of the demo: the stage, the story, what to look at, the exit code."""

import asyncio
import shutil
import signal
import sys
from pathlib import Path
from types import FrameType

from proxy.cli.client import Failure
from proxy.demo.children import ChildEnded, TookTooLong
from proxy.demo.ports import NoFreePort
from proxy.demo.screen import Screen, screen_for
from proxy.demo.stage import ADMIN_PORT, Stage, set_up
from proxy.demo.story import CUSTOMERS, QUICK, SHOW, Story

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """A signal asks for the end; beside Exception, so that nothing on the way swallows it."""

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.signum = signum


def run(*, quick: bool) -> int:
    """Plays the demo; 0 when v2 was promoted and v3 rolled back, 1 when not, 128 + n after signal n.

    `quick`: plain text, short acts, and no staying at the end. Without a terminal nothing stays either.
    """
    for signum in SIGNALS:
        signal.signal(signum, _interrupt)
    stay = not quick and sys.stdout.isatty()
    told = Telling(quick=quick, stay=stay)
    try:
        with screen_for(plain=quick) as screen, set_up(told.pace.hold) as stage:
            asyncio.run(told.tell(stage, screen))
    except Interrupted as end:
        return told.code if told.over else 128 + end.signum
    except (ChildEnded, TookTooLong, Failure, NoFreePort) as problem:
        print(f"weir demo: {problem}", file=sys.stderr)
        return 1
    return told.code


class Telling:
    """The story with its beginning and end; `over` once all acts were played, `code` the exit code then."""

    def __init__(self, *, quick: bool, stay: bool) -> None:
        self.pace = QUICK if quick else SHOW
        self._stay = stay
        self.over = False
        self.code = 1

    async def tell(self, stage: Stage, screen: Screen) -> None:
        """Introduces, plays, sums up, and stays when it is to; Interrupted when a signal comes."""
        task = asyncio.current_task()
        caught: list[int] = []
        assert task is not None
        for signum in SIGNALS:
            asyncio.get_running_loop().add_signal_handler(signum, _cancel, task, signum, caught)
        try:
            await self._tell(stage, screen)
        except asyncio.CancelledError:
            raise Interrupted(caught[0]) from None

    async def _tell(self, stage: Stage, screen: Screen) -> None:
        story = Story(stage, screen, self.pace)
        introduce(stage, screen, self.pace.rate)
        async with story.crowd() as crowd, crowd.asking(self.pace.rate):
            complaints = await story.play()
            self.over, self.code = True, 1 if complaints else 0
            sum_up(complaints, screen)
            if self._stay:
                point_out(stage, screen)
                await story.linger()


def introduce(stage: Stage, screen: Screen, rate: float) -> None:
    """Who takes part."""
    samples = ", ".join(f"{version} on {url}" for version, url in stage.samples.items())
    screen.say(f"weir demo: {CUSTOMERS} made-up customers ask {rate:g} times a second at {stage.proxy}")
    screen.say(f"samples: {samples}")


def sum_up(complaints: list[str], screen: Screen) -> None:
    """How it ended."""
    if complaints:
        screen.title("That was not as it has to be:")
        for complaint in complaints:
            screen.say(f"  {complaint}")
    else:
        screen.title("v2 was promoted and is stable now, v3 was rolled back.")
        screen.say(
            "To take it back: weir undo shop (v1 for all again), weir retry search (v3 from its first step)"
        )


def point_out(stage: Stage, screen: Screen) -> None:
    """What there is to look at while the demo stays up."""
    admin = stage.admin.address
    prefix = "" if admin.endswith(f":{ADMIN_PORT}") else f"WEIR_ADMIN={admin} "
    weir = f"{prefix}{command()}"
    screen.say(f"  shop      {stage.proxy}/")
    screen.say(f"  search    {stage.proxy}/search")
    screen.say(f"  API       {admin}/api/v1/services")
    screen.say(f"  metrics   {admin}/metrics")
    screen.say(f"  config    {stage.config}")
    screen.say(f"  try       {weir} explain search     (in another terminal)")
    screen.say(f"            {weir} get shop")
    screen.say(f"            {weir} undo shop          (back to v1)")
    screen.say(f"            {weir} retry search       (and watch it being taken out again)")
    screen.say("Ctrl-C ends all of it.")


def command() -> str:
    """How `weir` is called here: by its path where a shell would not find it."""
    called = Path(sys.argv[0])
    return "weir" if called.name != "weir" or shutil.which("weir") else str(called.absolute())


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise Interrupted(signum)


def _cancel(task: "asyncio.Task[None]", signum: int, caught: list[int]) -> None:
    caught.append(signum)
    task.cancel()
