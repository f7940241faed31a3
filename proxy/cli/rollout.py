"""The verbs `weir promote`, `pause`, `abort`, `retry` and `undo`, a person's orders to a rollout."""

from typing import Any

import click

from proxy.cli.order import OrderOptions, as_it_is, order_verb, report, send
from proxy.cli.session import Session
from proxy.cli.wait import Patience, await_end, wait_options


@click.command()
@click.argument("service")
@click.option("--full", is_flag=True, help="Skip all steps: the canary becomes stable.")
@wait_options
@order_verb
def promote(
    session: Session, options: OrderOptions, service: str, full: bool, patience: Patience | None
) -> int:
    """Go on to the next step of SERVICE's rollout now, also at a pause that waits for a person.

    It means the step that is in force now: of two at once, one is a conflict.

    Exit codes: 0 done (with --wait: promoted), 1 rolled back, 2 usage, 3 admin unreachable, 4 conflict, 124
    timed out, 130 or 143 ended by SIGINT or SIGTERM.
    """
    options = as_it_is(session, options, service)
    view = send(session, options, service, "promote", full=full or None)
    return report_or_wait(session, view, options, patience)


@click.command()
@click.argument("service")
@order_verb
def pause(session: Session, options: OrderOptions, service: str) -> None:
    """Pause SERVICE's rollout at its weight until `weir resume`; a failing canary is still taken out.

    Exit codes: 0 done, 2 usage, 3 admin unreachable, 4 conflict.
    """
    report(session, send(session, options, service, "pause"))


@click.command()
@click.argument("service")
@order_verb
def abort(session: Session, options: OrderOptions, service: str) -> None:
    """Take SERVICE's canary out now, for all clients.

    Exit codes: 0 done, 2 usage, 3 admin unreachable, 4 conflict.
    """
    report(session, send(session, options, service, "abort"))


@click.command()
@click.argument("service")
@wait_options
@order_verb
def retry(session: Session, options: OrderOptions, service: str, patience: Patience | None) -> int:
    """Start the rollout of SERVICE's canary again from its first step, after it was taken out.

    Exit codes: 0 done (with --wait: promoted), 1 rolled back, 2 usage, 3 admin unreachable, 4 conflict, 124
    timed out, 130 or 143 ended by SIGINT or SIGTERM.
    """
    return report_or_wait(session, send(session, options, service, "retry"), options, patience)


@click.command()
@click.argument("service")
@click.option("--steps", is_flag=True, help="By the steps of the plan in the file, not at once.")
@wait_options
@order_verb
def undo(
    session: Session, options: OrderOptions, service: str, steps: bool, patience: Patience | None
) -> int:
    """Go back to the stable that SERVICE had before its last promotion, at once unless --steps is given.

    Exit codes: 0 done (with --steps and --wait: promoted), 1 rolled back, 2 usage, 3 admin unreachable, 4
    conflict, 124 timed out, 130 or 143 ended by SIGINT or SIGTERM.
    """
    view = send(session, options, service, "undo", steps=steps or None)
    return report_or_wait(session, view, options, patience if steps else None)


def report_or_wait(
    session: Session, view: dict[str, Any], options: OrderOptions, patience: Patience | None
) -> int:
    """Print the state after an order, or with `patience` wait for the end; return the exit code."""
    if patience is None:
        report(session, view)
        return 0
    return await_end(session, view, patience, options.actor)
