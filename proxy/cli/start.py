"""`weir start`: a rollout begins, for a person or for a pipeline that waits for its end."""

import click

from proxy.cli.admin import Admin
from proxy.cli.order import Terms, order_verb, send, tell
from proxy.cli.params import duration, weights
from proxy.cli.progress import expectation, lateness, plan, proof
from proxy.cli.waiting import await_end, waits


@click.command()
@click.argument("service")
@click.option("--canary", multiple=True, metavar="URL", help="An endpoint of it; may be repeated.")
@click.option("--version", metavar="TEXT", help="What the new version is called.")
@click.option("--steps", callback=weights, metavar="1%,10%,100%", help="Its steps; else those of the file.")
@click.option("--hold", callback=duration, metavar="TIME", help="How long each of these lasts at least: 10m.")
@click.option("--min-requests", type=click.IntRange(min=0), metavar="N", help="Answers each takes at least.")
@click.option("--deadline", callback=duration, metavar="TIME", help="Then it is paused; else the file's.")
@waits
@order_verb
def start(
    admin: Admin,
    terms: Terms,
    service: str,
    canary: tuple[str, ...],
    version: str | None,
    steps: list[float] | None,
    hold: float | None,
    min_requests: int | None,
    deadline: float | None,
    patience: float | None,
) -> int:
    """Begin a rollout of SERVICE: of its canary in the file, or of the endpoints named by --canary.

    \b
    weir start checkout --canary http://10.0.0.7:8000 --version 2026.11.2 \\
        --steps 1%,10%,100% --hold 1m --wait --timeout 30m

    Exit codes: 0 started (with --wait: promoted), 1 rolled back, 2 usage, 3 admin unreachable, 4 conflict,
    124 timed out. A rollout goes on whatever becomes of this command.
    """
    view = send(
        admin,
        terms,
        service,
        "start",
        canary=list(canary) or None,
        version=version,
        steps=steps,
        hold=hold,
        min_requests=min_requests,
        deadline=deadline,
    )
    if view["rollout"] and view["rollout"]["waiting"] and not admin.as_json:
        click.echo("\n".join([*plan(view), *filter(None, [proof(view)]), expectation(view)]))
        if late := lateness(view):
            click.echo(f"warning: {late}", err=True)
    if patience is None:
        tell(admin, view)
        return 0
    return await_end(admin, view, patience)
