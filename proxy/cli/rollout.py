"""`weir promote`, `pause`, `abort`, `retry`, `undo`: what a person says to a rollout."""

from typing import Any

import click

from proxy.cli.admin import Admin
from proxy.cli.order import Terms, order_verb, send, tell
from proxy.cli.waiting import await_end, waits


@click.command()
@click.argument("service")
@click.option("--full", is_flag=True, help="Past all steps: the canary becomes stable.")
@waits
@order_verb
def promote(admin: Admin, terms: Terms, service: str, full: bool, patience: float | None) -> int:
    """Go on to the next step of SERVICE's rollout now, also where it waits for a person.

    Exit codes: 0 done (with --wait: promoted), 1 rolled back, 2 usage, 3 admin unreachable, 4 conflict, 124
    timed out.
    """
    return told(admin, send(admin, terms, service, "promote", full=full or None), patience)


@click.command()
@click.argument("service")
@order_verb
def pause(admin: Admin, terms: Terms, service: str) -> None:
    """Keep the weight of SERVICE's rollout until `weir resume`; a failing canary is taken out all the same.

    Exit codes: 0 done, 2 usage, 3 admin unreachable, 4 conflict.
    """
    tell(admin, send(admin, terms, service, "pause"))


@click.command()
@click.argument("service")
@order_verb
def abort(admin: Admin, terms: Terms, service: str) -> None:
    """Take SERVICE's canary out now, for everybody.

    Exit codes: 0 done, 2 usage, 3 admin unreachable, 4 conflict.
    """
    tell(admin, send(admin, terms, service, "abort"))


@click.command()
@click.argument("service")
@waits
@order_verb
def retry(admin: Admin, terms: Terms, service: str, patience: float | None) -> int:
    """Begin the rollout of SERVICE's canary that was taken out again, from its first step.

    Exit codes: 0 done (with --wait: promoted), 1 rolled back, 2 usage, 3 admin unreachable, 4 conflict, 124
    timed out.
    """
    return told(admin, send(admin, terms, service, "retry"), patience)


@click.command()
@click.argument("service")
@click.option("--steps", is_flag=True, help="By the steps of the file's plan, not at once.")
@waits
@order_verb
def undo(admin: Admin, terms: Terms, service: str, steps: bool, patience: float | None) -> int:
    """Go back to the stable that SERVICE had before its last promotion, at once unless --steps is given.

    Exit codes: 0 done (with --steps and --wait: promoted), 1 rolled back, 2 usage, 3 admin unreachable, 4
    conflict, 124 timed out.
    """
    view = send(admin, terms, service, "undo", steps=steps or None)
    return told(admin, view, patience if steps else None)


def told(admin: Admin, view: dict[str, Any], patience: float | None) -> int:
    """Say what is in force; then wait for the end, if that was asked for."""
    if patience is None:
        tell(admin, view)
        return 0
    return await_end(admin, view, patience)
