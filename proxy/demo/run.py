"""One whole run of the demo: the deployment, the story, what to look at, the exit code."""

import asyncio
import shutil
import signal
import sys
from pathlib import Path
from types import FrameType

from proxy.cli.client import Failure
from proxy.demo.deployment import ADMIN_PORT, Deployment, deploy
from proxy.demo.ports import NoFreePort
from proxy.demo.processes import DeadlineExceeded, ProcessEnded
from proxy.demo.screen import Screen, screen_for
from proxy.demo.story import CUSTOMERS, QUICK, SHOW, Story

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """A signal that ends the demo. No Exception, so that no `except Exception` stops it."""

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.signum = signum


def run(*, quick: bool) -> int:
    """Run the demo; return 0 when v2 was promoted and v3 rolled back, 1 when not, 128 + n after signal n.

    Args:
        quick: plain text, short acts, and an end after the last act. Without a terminal it ends there, too.
    """
    for signum in SIGNALS:
        signal.signal(signum, _interrupt)
    stay = not quick and sys.stdout.isatty()
    demo = DemoRun(quick=quick, stay=stay)
    try:
        with screen_for(plain=quick) as screen, deploy(demo.timing.hold) as deployment:
            asyncio.run(demo.play(deployment, screen))
    except Interrupted as interrupted:
        return demo.code if demo.over else 128 + interrupted.signum
    except (ProcessEnded, DeadlineExceeded, Failure, NoFreePort) as problem:
        print(f"weir demo: {problem}", file=sys.stderr)
        return 1
    return demo.code


class DemoRun:
    """The story with its introduction and its end."""

    def __init__(self, *, quick: bool, stay: bool) -> None:
        self.timing = QUICK if quick else SHOW
        self._stay = stay
        self.over = False
        """Whether all acts were played."""
        self.code = 1
        """The exit code."""

    async def play(self, deployment: Deployment, screen: Screen) -> None:
        """Print the introduction, play the story, print the result; raise Interrupted on a signal."""
        task = asyncio.current_task()
        caught: list[int] = []
        assert task is not None
        for signum in SIGNALS:
            asyncio.get_running_loop().add_signal_handler(signum, _cancel, task, signum, caught)
        try:
            await self._play(deployment, screen)
        except asyncio.CancelledError:
            raise Interrupted(caught[0]) from None

    async def _play(self, deployment: Deployment, screen: Screen) -> None:
        story = Story(deployment, screen, self.timing)
        print_introduction(deployment, screen, self.timing.rate)
        async with story.customers() as customers, customers.sending(self.timing.rate):
            problems = await story.play()
            self.over, self.code = True, 1 if problems else 0
            print_result(problems, screen)
            if self._stay:
                print_addresses(deployment, screen)
                await story.watch()


def print_introduction(deployment: Deployment, screen: Screen, rate: float) -> None:
    """Print the customers and the samples."""
    samples = ", ".join(f"{version} on {url}" for version, url in deployment.samples.items())
    screen.write(
        f"weir demo: {CUSTOMERS} made-up customers ask {rate:g} times a second at {deployment.proxy}"
    )
    screen.write(f"samples: {samples}")


def print_result(problems: list[str], screen: Screen) -> None:
    """Print the problems, or that there are none."""
    if problems:
        screen.title("The demo did not go as expected:")
        for problem in problems:
            screen.write(f"  {problem}")
    else:
        screen.title("v2 was promoted and is stable now, v3 was rolled back.")
        screen.write(
            "To take it back: weir undo shop (v1 for all again), weir retry search (v3 from its first step)"
        )


def print_addresses(deployment: Deployment, screen: Screen) -> None:
    """Print addresses and commands to try while the demo stays up."""
    admin = deployment.admin.address
    prefix = "" if admin.endswith(f":{ADMIN_PORT}") else f"WEIR_ADMIN={admin} "
    weir = f"{prefix}{command()}"
    screen.write(f"  shop      {deployment.proxy}/")
    screen.write(f"  search    {deployment.proxy}/search")
    screen.write(f"  API       {admin}/api/v1/services")
    screen.write(f"  metrics   {admin}/metrics")
    screen.write(f"  config    {deployment.config}")
    screen.write(f"  try       {weir} explain search     (in another terminal)")
    screen.write(f"            {weir} get shop")
    screen.write(f"            {weir} undo shop          (back to v1)")
    screen.write(f"            {weir} retry search       (and watch it being taken out again)")
    screen.write("Ctrl-C ends all of it.")


def command() -> str:
    """Return the command for `weir`: its path where a shell would not find it by name."""
    called = Path(sys.argv[0])
    return "weir" if called.name != "weir" or shutil.which("weir") else str(called.absolute())


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise Interrupted(signum)


def _cancel(task: "asyncio.Task[None]", signum: int, caught: list[int]) -> None:
    caught.append(signum)
    task.cancel()
