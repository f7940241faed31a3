"""`--wait`: a rollout is followed to its end, and that end is the exit code.

It only looks. An interrupt, a timeout or a control that is away for a while ends or delays the looking, and
the rollout goes on.
"""

import math
import time
from collections.abc import Callable
from functools import update_wrapper
from typing import Any

import click

from proxy.analysis.wording import duration
from proxy.cli import params
from proxy.cli.admin import TRIPPED, Admin
from proxy.cli.client import Failure, Trouble, service_path
from proxy.cli.order import warn
from proxy.cli.progress import obstacle, state
from proxy.cli.views import entry_line, state_line
from proxy.cli.watch import as_line

PAUSE = 0.5  # seconds between two looks
TIMED_OUT = 124  # as timeout(1) has it
UNDER_WAY = frozenset({"progressing", "paused", "promoting"})
ENDS = {"promoted": 0, "rolled-back": TRIPPED}


class Overtaken(Failure):
    """The rollout that was waited for is no more, and has not ended as one does."""

    exit_code = 4


class TimedOut(Failure):
    """The rollout hasn't ended in time. It goes on."""

    exit_code = TIMED_OUT


def waits(verb: Callable[..., Any]) -> Callable[..., Any]:
    """Give a verb --wait and --timeout as ``patience``: seconds to wait for the end; None: not at all."""

    def run(*arguments: Any, wait: bool, timeout: float | None, **options: Any) -> Any:
        if timeout is not None and not wait:
            raise click.UsageError("--timeout says how long to --wait; give both, or neither")
        patience = math.inf if timeout is None else timeout
        return verb(*arguments, patience=patience if wait else None, **options)

    found: Callable[..., Any] = update_wrapper(run, verb)
    for option in (
        click.option("--timeout", callback=params.duration, metavar="TIME", help="How long at most: 30m."),
        click.option("--wait", is_flag=True, help="Wait for the end, a line for each change."),
    ):
        found = option(found)
    return found


def await_end(
    admin: Admin,
    view: dict[str, Any],
    patience: float,
    now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Follow the rollout of ``view`` to its end: 0 promoted, 1 rolled back. Raises TimedOut or Overtaken.

    ``patience`` is in seconds, infinite for ever.
    """
    until, on = now() + patience, goes_on(admin, view["name"])

    def pause() -> bool:
        if (left := until - now()) > 0:
            sleep(min(PAUSE, left))
        return left > 0

    warn(view)
    try:
        last = follow(admin, view, pause)
    except KeyboardInterrupt:
        click.echo(f"weir: no longer waiting; {on}", err=True)
        raise
    if last["phase"] in UNDER_WAY:
        raise TimedOut(f"it hasn't ended within {duration(patience)}; {on}")
    if last["phase"] not in ENDS:
        raise Overtaken("the rollout that was waited for is no more: neither promoted nor rolled back")
    return ENDS[last["phase"]]


def follow(admin: Admin, view: dict[str, Any], pause: Callable[[], bool]) -> dict[str, Any]:
    """The view when its rollout has ended, or ``pause`` says that time is over; a line for each change.

    An API that is away is waited for: it was there a moment ago.
    """
    told, said, away = view["revision"], "", False
    click.echo(as_line(admin, "service", view, f"{view['name']}: {state(view)}, revision {told}"))
    while view["phase"] in UNDER_WAY and pause():
        try:
            view = admin.client.service(view["name"])
            news = since(admin, view["name"], told) if view["revision"] > told else []
        except Trouble as trouble:
            if not away:
                click.echo(f"weir: {trouble.message}; asking again", err=True)
            away = True
            continue
        away = False
        for entry in news:
            told = entry["revision"]
            click.echo(as_line(admin, "entry", entry, entry_line(entry)))
        before, said = said, obstacle(view, admin.flags)
        if said not in ("", before):
            click.echo(as_line(admin, "service", view, f"{view['name']}: {said}"))
    click.echo(as_line(admin, "service", view, state_line(view)))
    return view


def since(admin: Admin, service: str, revision: int) -> list[dict[str, Any]]:
    """The ledger's entries after a revision."""
    path = service_path(service, f"/history?after_revision={revision}")
    found: list[dict[str, Any]] = admin.client.call("GET", path)["entries"]
    return found


def goes_on(admin: Admin, name: str) -> str:
    """That nothing has ended but the waiting, and how to see or stop it."""
    return (
        f"the rollout goes on. To see it: weir get {name} -w{admin.flags}; "
        f"to stop it: weir abort {name}{admin.flags}"
    )
