"""The verb `weir start`, which starts a rollout, for a person or for a pipeline that waits for its end."""

import click

from proxy.cli.order import OrderOptions, order_verb, report, send
from proxy.cli.params import Whole, duration, weights
from proxy.cli.progress import expectation, lateness, plan, proof
from proxy.cli.session import Session
from proxy.cli.wait import UNDER_WAY, Patience, RolloutSuperseded, await_end, wait_options


@click.command()
@click.argument("service")
@click.option("--canary", multiple=True, metavar="URL", help="An endpoint of the canary; may be repeated.")
@click.option("--version", metavar="TEXT", help="The name of the new version.")
@click.option(
    "--steps", callback=weights, metavar="1%,10%,100%", help="Its steps; by default those of the file."
)
@click.option(
    "--hold", callback=duration, metavar="TIME", help="How long each of these steps lasts at least: 10m."
)
@click.option("--min-requests", type=Whole(min=0), metavar="N", help="Answers that each step needs at least.")
@click.option(
    "--deadline",
    callback=duration,
    metavar="TIME",
    help="After this time it is paused; by default that of the file.",
)
@click.option("--replace", is_flag=True, help="Take out the canary of a rollout under way, and start this.")
@wait_options
@order_verb
def start(
    session: Session,
    options: OrderOptions,
    service: str,
    canary: tuple[str, ...],
    version: str | None,
    steps: list[float] | None,
    hold: float | None,
    min_requests: int | None,
    deadline: float | None,
    replace: bool,
    patience: Patience | None,
) -> int:
    """Start a rollout of SERVICE: of its canary in the file, or of the endpoints given by --canary.

    \b
    weir start checkout --canary http://10.0.0.7:8000 --version 2026.11.2 \\
        --steps 1%,10%,100% --hold 1m --wait --timeout 30m

    Exit codes: 0 started (with --wait: promoted), 1 rolled back, 2 usage, 3 admin unreachable, 4 conflict,
    124 timed out, 130 or 143 ended by SIGINT or SIGTERM. The rollout goes on when this command ends, for any
    reason, but with --abort-on-timeout.
    """
    view = send(
        session,
        options,
        service,
        "start",
        canary=list(canary) or None,
        version=version,
        steps=steps,
        hold=hold,
        min_requests=min_requests,
        deadline=deadline,
        replace=replace or None,
    )
    # A start that is repeated under its key is answered with what is under way now.
    named = bool(canary) and view["phase"] in UNDER_WAY
    if patience and named and view["backends"]["canary"]["version"] != (version or ""):
        raise RolloutSuperseded
    if view["rollout"] and view["rollout"]["waiting"] and not session.as_json:
        click.echo("\n".join([*plan(view), *filter(None, [proof(view)]), expectation(view)]))
        if late := lateness(view):
            click.echo(f"warning: {late}", err=True)
    if patience is None:
        report(session, view)
        return 0
    return await_end(session, view, patience, options.actor)
