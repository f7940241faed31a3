"""The option `--wait`: a rollout is followed to its end, which becomes the exit code.

Waiting only reads. When it ends sooner, by a signal or a timeout, the rollout goes on, but with
--abort-on-timeout: then its canary is taken out, if it still is the same rollout.
"""

import math
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import update_wrapper
from typing import Any

import click

from proxy.analysis.wording import duration
from proxy.cli import params
from proxy.cli.client import ApiFailure, Failure, OrderConflict, service_path
from proxy.cli.order import OrderOptions, send, warn_unless_durable
from proxy.cli.progress import obstacle, state, unstarted
from proxy.cli.session import ALARM, INTERRUPTED, Session
from proxy.cli.signals import Signals
from proxy.cli.views import entry_line, state_line
from proxy.cli.watch import as_line

PAUSE = 0.5
"""Seconds between two requests for the state."""
UNDER_WAY = frozenset({"progressing", "paused", "promoting"})
ENDS = {"promoted": 0, "rolled-back": ALARM}
BEGINNINGS = frozenset({"release", "start", "retry", "undo"})
"""Entries of the ledger with which another rollout begins."""
ABORTS = 5
"""How often an abort is tried: between a look and the order the rollout may have gone on by itself."""


class RolloutSuperseded(Failure):
    """An error: the rollout ended without being promoted or rolled back, because of another change."""

    exit_code = 4

    def __init__(self) -> None:
        super().__init__(
            "the rollout was superseded by another change: it was neither promoted nor rolled back"
        )


class TimedOut(Failure):
    """An error: the rollout has not ended in time. The exit code is that of timeout(1)."""

    exit_code = 124


class WaitInterrupted(Failure):
    """An error: SIGINT ended the wait. The exit code is that of a shell."""

    exit_code = INTERRUPTED


class WaitTerminated(Failure):
    """An error: SIGTERM ended the wait. The exit code is that of a shell."""

    exit_code = 143


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the end of a rollout is awaited, and what follows when it doesn't come."""

    seconds: float = math.inf
    start: float = math.inf
    """Seconds after which the first step must have begun."""
    abort: bool = False
    """Whether the canary is taken out."""
    signals: Signals = field(default_factory=Signals)

    def over(self, view: dict[str, Any], waited: float) -> str:
        """Return why the wait is over, after so many seconds and with the service as it is; "": it isn't."""
        if self.signals.first:
            return f"this command was ended by {self.signals.first.name}"
        if waited >= self.seconds:
            return f"it has not ended within {duration(self.seconds)}"
        if waited >= self.start and (why := unstarted(view)):
            return f"its first step has not begun within {duration(self.start)}: {why}"
        return ""

    def failure(self, message: str) -> Failure:
        """Return the error of a wait that is over."""
        match self.signals.first:
            case signal.SIGINT:
                return WaitInterrupted(message)
            case signal.SIGTERM:
                return WaitTerminated(message)
            case _:
                return TimedOut(message)


def wait_options(verb: Callable[..., Any]) -> Callable[..., Any]:
    """Add --wait, and what belongs to it, to a verb, as its `patience`; None: no wait."""

    def run(
        *arguments: Any,
        wait: bool,
        timeout: float | None,
        start_within: float | None,
        abort_on_timeout: bool,
        **options: Any,
    ) -> Any:
        given = {
            "--timeout": timeout is not None,
            "--start-within": start_within is not None,
            "--abort-on-timeout": abort_on_timeout,
        }
        if not wait:
            for name in (name for name, is_given in given.items() if is_given):
                raise click.UsageError(f"{name} belongs to --wait: give both, or neither")
            return verb(*arguments, patience=None, **options)
        with Signals().noted() as signals:
            seconds, start = (math.inf if each is None else each for each in (timeout, start_within))
            patience = Patience(seconds, start, abort_on_timeout, signals)
            return verb(*arguments, patience=patience, **options)

    found: Callable[..., Any] = update_wrapper(run, verb)
    for option in (
        click.option(
            "--abort-on-timeout",
            is_flag=True,
            help="Take the canary out when the wait ends before the rollout, also by SIGINT or SIGTERM.",
        ),
        click.option(
            "--start-within",
            callback=params.duration,
            metavar="TIME",
            help="The longest time to wait for the first step, before which the canary has to answer: 1m.",
        ),
        click.option(
            "--timeout", callback=params.duration, metavar="TIME", help="The longest time to wait: 30m."
        ),
        click.option("--wait", is_flag=True, help="Wait for the end, and print a line for each change."),
    ):
        found = option(found)
    return found


def await_end(
    session: Session,
    view: dict[str, Any],
    patience: Patience,
    actor: str,
    now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Follow the rollout of `view` to its end; return 0 when it is promoted, 1 when it is rolled back.

    Args:
        session: the admin API and the output.
        view: the service, as the API shows it after the order.
        patience: how long to wait, and what follows.
        actor: who aborts, where that follows.
        now: returns monotonic seconds.
        sleep: waits for so many seconds.

    Raises:
        Unfinished: `patience` is over.
        RolloutSuperseded: the rollout has ended otherwise.
    """
    began = now()

    def pause(view: dict[str, Any]) -> bool:
        waited = now() - began
        if not patience.over(view, waited):
            sleep(min(PAUSE, patience.seconds - waited))
            return not patience.signals.first
        return False

    warn_unless_durable(view)
    last = follow(session, view, pause)
    if last["phase"] in UNDER_WAY:
        why, hint = patience.over(last, now() - began), continuation_hint(session, view["name"])
        if not patience.abort:
            raise patience.failure(f"{why}; {hint}")
        try:
            last, out = take_out(session, last, view["revision"], OrderOptions(why, actor, None, None))
        except (ApiFailure, OrderConflict) as failure:
            message = f"{why}, and its canary could not be taken out: {failure.message}; {hint}"
            raise patience.failure(message) from None
        click.echo(as_line(session, "service", last, state_line(last)))
        if out:
            raise patience.failure(f"{why}: its canary was taken out")
    if last["phase"] not in ENDS:
        raise RolloutSuperseded
    return ENDS[last["phase"]]


def take_out(
    session: Session, last: dict[str, Any], revision: int, options: OrderOptions
) -> tuple[dict[str, Any], bool]:
    """Take the canary out, if it is of the rollout that was under way at this revision.

    Args:
        session: the admin API.
        last: the service as it was seen last.
        revision: that of the order which began the rollout, or went on with it.
        options: those of the abort.

    Returns the service then, and whether it was; it wasn't when the rollout had ended by itself.

    Raises:
        RolloutSuperseded: Another rollout has begun.
        ApiFailure: The order could not be sent.
        OrderConflict: There were other changes, again and again.
    """
    name = last["name"]
    left = ABORTS
    while True:
        try:
            return send(session, replace(options, if_match=last["revision"]), name, "abort"), True
        except OrderConflict:
            last, left = session.client.service(name), left - 1
            if _another(entries_after(session, name, revision)):
                raise RolloutSuperseded from None
            if last["phase"] not in UNDER_WAY:
                return last, False
            if not left:
                raise


def _another(entries: Iterable[dict[str, Any]]) -> bool:
    """Return whether another rollout has begun."""
    return any(entry["event"] in BEGINNINGS for entry in entries)


def follow(session: Session, view: dict[str, Any], pause: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Print a line for each change until the rollout ends or `pause` is false; return the last view.

    While the API is unreachable the requests are repeated, because it was reachable before.

    Raises:
        RolloutSuperseded: Another rollout has begun.
    """
    printed, shown, unreachable = view["revision"], "", False
    click.echo(as_line(session, "service", view, f"{view['name']}: {state(view)}, revision {printed}"))
    while view["phase"] in UNDER_WAY and pause(view):
        try:
            view = session.client.service(view["name"])
            entries = entries_after(session, view["name"], printed) if view["revision"] > printed else []
        except ApiFailure as failure:
            if not unreachable:
                click.echo(f"weir: {failure.message}; trying again", err=True)
            unreachable = True
            continue
        unreachable = False
        for entry in entries:
            printed = entry["revision"]
            click.echo(as_line(session, "entry", entry, entry_line(entry)))
        if _another(entries):
            raise RolloutSuperseded
        before, shown = shown, obstacle(view, session.flags)
        if shown not in ("", before):
            click.echo(as_line(session, "service", view, f"{view['name']}: {shown}"))
    click.echo(as_line(session, "service", view, state_line(view)))
    return view


def entries_after(session: Session, service: str, revision: int) -> list[dict[str, Any]]:
    """Return the ledger's entries of a service after a revision."""
    path = service_path(service, f"/history?after_revision={revision}")
    found: list[dict[str, Any]] = session.client.call("GET", path)["entries"]
    return found


def continuation_hint(session: Session, name: str) -> str:
    """Return the message that the rollout goes on, with the commands to watch and to stop it."""
    return (
        f"the rollout goes on. To watch it: weir get {name} -w{session.flags}; "
        f"to stop it: weir abort {name}{session.flags}"
    )
