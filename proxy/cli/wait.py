"""The option `--wait`: a rollout is followed to its end, which becomes the exit code.

Waiting only reads. After an interrupt, a timeout, or while control is unreachable, the rollout goes on.
"""

import math
import time
from collections.abc import Callable
from functools import update_wrapper
from typing import Any

import click

from proxy.analysis.wording import duration
from proxy.cli import params
from proxy.cli.client import ApiFailure, Failure, service_path
from proxy.cli.order import warn_unless_durable
from proxy.cli.progress import obstacle, state
from proxy.cli.session import ALARM, Session
from proxy.cli.views import entry_line, state_line
from proxy.cli.watch import as_line

PAUSE = 0.5
"""Seconds between two requests for the state."""
TIMED_OUT = 124
"""The exit code after a timeout, as in timeout(1)."""
UNDER_WAY = frozenset({"progressing", "paused", "promoting"})
ENDS = {"promoted": 0, "rolled-back": ALARM}


class RolloutSuperseded(Failure):
    """An error: the rollout ended without being promoted or rolled back, because of another change."""

    exit_code = 4


class TimedOut(Failure):
    """An error: the rollout has not ended in time; it goes on."""

    exit_code = TIMED_OUT


def wait_options(verb: Callable[..., Any]) -> Callable[..., Any]:
    """Add --wait and --timeout to a verb, as `patience`: seconds to wait for the end; None: no wait."""

    def run(*arguments: Any, wait: bool, timeout: float | None, **options: Any) -> Any:
        if timeout is not None and not wait:
            raise click.UsageError("--timeout is the time for --wait; give both, or neither")
        patience = math.inf if timeout is None else timeout
        return verb(*arguments, patience=patience if wait else None, **options)

    found: Callable[..., Any] = update_wrapper(run, verb)
    for option in (
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
    patience: float,
    now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Follow the rollout of `view` to its end; return 0 when it is promoted, 1 when it is rolled back.

    Args:
        session: the admin API and the output.
        view: the service, as the API shows it after the order.
        patience: seconds to wait; infinite: without limit.
        now: returns monotonic seconds.
        sleep: waits for so many seconds.

    Raises:
        TimedOut: `patience` is over.
        RolloutSuperseded: the rollout has ended otherwise.
    """
    until, hint = now() + patience, continuation_hint(session, view["name"])

    def pause() -> bool:
        if (left := until - now()) > 0:
            sleep(min(PAUSE, left))
        return left > 0

    warn_unless_durable(view)
    try:
        last = follow(session, view, pause)
    except KeyboardInterrupt:
        click.echo(f"weir: no longer waiting; {hint}", err=True)
        raise
    if last["phase"] in UNDER_WAY:
        raise TimedOut(f"it has not ended within {duration(patience)}; {hint}")
    if last["phase"] not in ENDS:
        raise RolloutSuperseded(
            "the rollout was superseded by another change: it was neither promoted nor rolled back"
        )
    return ENDS[last["phase"]]


def follow(session: Session, view: dict[str, Any], pause: Callable[[], bool]) -> dict[str, Any]:
    """Print a line for each change until the rollout ends or `pause` is false; return the last view.

    While the API is unreachable the requests are repeated, because it was reachable before.
    """
    printed, shown, unreachable = view["revision"], "", False
    click.echo(as_line(session, "service", view, f"{view['name']}: {state(view)}, revision {printed}"))
    while view["phase"] in UNDER_WAY and pause():
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
