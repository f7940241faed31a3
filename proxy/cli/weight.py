"""The verbs `weir set-weight` and `weir resume`, the orders that may have a weight."""

import re

import click

from proxy.cli.order import OrderOptions, order_verb, report, send
from proxy.cli.session import Session

ORDER = re.compile(r"canary=(?P<number>\d{1,3}(?:\.\d{1,2}0*)?) ?%?", re.ASCII)


def as_percent(_context: click.Context, _parameter: click.Parameter, value: str | None) -> float | None:
    """Return the percent of canary=5, canary=5% or canary=0.25%; None: not given."""
    if value is None:
        return None
    found = ORDER.fullmatch(value)
    parts = round(float(found["number"]) * 100) if found else -1
    if not 0 <= parts <= 10_000:
        raise click.BadParameter(
            f"{value!r} is not a weight; expected canary= and 0 to 100 percent in steps of 0.01, "
            "such as canary=5 or canary=0.25%"
        )
    return parts / 100


@click.command("set-weight")
@click.argument("service")
@click.argument("weight", callback=as_percent, metavar="canary=PERCENT")
@order_verb
def set_weight(session: Session, options: OrderOptions, service: str, weight: float) -> None:
    """Set the share of SERVICE's requests that its canary gets: weir set-weight checkout canary=5

    A rollout under way is paused. Exit codes: 0 done, 2 usage, 3 admin unreachable, 4 conflict (the canary is
    out, or the service has another revision).
    """
    report(session, send(session, options, service, "set-weight", canary=weight))


@click.command()
@click.argument("service")
@click.argument("weight", callback=as_percent, metavar="[canary=PERCENT]", required=False)
@order_verb
def resume(session: Session, options: OrderOptions, service: str, weight: float | None) -> None:
    """Resume SERVICE's paused rollout, or its canary that was taken out.

    The canary then has its former weight or the given one, and its evidence starts anew. Exit codes: 0 done,
    2 usage, 3 admin unreachable, 4 conflict.
    """
    report(session, send(session, options, service, "resume", canary=weight))
