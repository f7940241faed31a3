"""`weir set-weight` and `weir resume`: the two orders that name a weight."""

import re

import click

from proxy.cli.admin import Admin
from proxy.cli.order import Terms, order_verb, send, tell

ORDER = re.compile(r"canary=(?P<number>\d{1,3}(?:\.\d{1,2}0*)?) ?%?", re.ASCII)


def as_percent(_context: click.Context, _parameter: click.Parameter, value: str | None) -> float | None:
    """canary=5, canary=5% or canary=0.25% as a percent; None for none given."""
    if value is None:
        return None
    found = ORDER.fullmatch(value)
    parts = round(float(found["number"]) * 100) if found else -1
    if not 0 <= parts <= 10_000:
        raise click.BadParameter(
            f"{value!r} is no weight; expected canary= and 0 to 100 percent in steps of 0.01, "
            "such as canary=5 or canary=0.25%"
        )
    return parts / 100


@click.command("set-weight")
@click.argument("service")
@click.argument("weight", callback=as_percent, metavar="canary=PERCENT")
@order_verb
def set_weight(admin: Admin, terms: Terms, service: str, weight: float) -> None:
    """Send that share of SERVICE's requests to its canary: weir set-weight checkout canary=5

    A rollout under way is paused by that. Exit codes: 0 done, 2 usage, 3 admin unreachable, 4 conflict (taken
    out, or another revision in force).
    """
    tell(admin, send(admin, terms, service, "set-weight", canary=weight))


@click.command()
@click.argument("service")
@click.argument("weight", callback=as_percent, metavar="[canary=PERCENT]", required=False)
@order_verb
def resume(admin: Admin, terms: Terms, service: str, weight: float | None) -> None:
    """Go on with SERVICE's paused rollout, or let its canary back in that was taken out.

    Back in, it has the weight before or the one given, and evidence starts anew. Exit codes: 0 done, 2 usage,
    3 admin unreachable, 4 conflict.
    """
    tell(admin, send(admin, terms, service, "resume", canary=weight))
