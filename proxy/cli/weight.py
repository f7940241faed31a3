"""`weir set-weight` and `weir resume`: the two orders that move traffic."""

import getpass
import re
import socket

import click

from proxy.cli.admin import Admin, admin_verb
from proxy.cli.client import Json, service_path
from proxy.cli.views import percent

ORDER = re.compile(r"canary=(?P<number>\d{1,3}(?:\.\d{1,2}0*)?) ?%?", re.ASCII)
WHY = click.option("--reason", default="", metavar="TEXT", help="Why; kept in the history.")
WHO = click.option("--actor", metavar="NAME", help="Who; user@host unless given.")
ON = click.option(
    "--if-match", type=click.IntRange(min=0), metavar="REVISION", help="Only if this revision is in force."
)


def as_parts(_context: click.Context, _parameter: click.Parameter, value: str | None) -> int | None:
    """canary=5, canary=5% or canary=0.25% as parts of 10,000; None for none given."""
    if value is None:
        return None
    found = ORDER.fullmatch(value)
    parts = round(float(found["number"]) * 100) if found else -1
    if not 0 <= parts <= 10_000:
        raise click.BadParameter(
            f"{value!r} is no weight; expected canary= and 0 to 100 percent in steps of 0.01, "
            "such as canary=5 or canary=0.25%"
        )
    return parts


@click.command("set-weight")
@click.argument("service")
@click.argument("weight", callback=as_parts, metavar="canary=PERCENT")
@WHY
@WHO
@ON
@admin_verb
def set_weight(
    admin: Admin, service: str, weight: int, reason: str, actor: str | None, if_match: int | None
) -> None:
    """Send that share of SERVICE's requests to its canary: weir set-weight checkout canary=5

    Exit codes: 0 done, 2 usage, 3 admin unreachable, 4 conflict (tripped, or another revision in force).
    """
    body = {"canary": weight / 100, **terms(reason, actor)}
    tell(admin, admin.client.call("PUT", service_path(service, "/weights"), body, if_match), "")


@click.command()
@click.argument("service")
@click.argument("weight", callback=as_parts, metavar="[canary=PERCENT]", required=False)
@WHY
@WHO
@ON
@admin_verb
def resume(
    admin: Admin, service: str, weight: int | None, reason: str, actor: str | None, if_match: int | None
) -> None:
    """Let SERVICE's tripped canary back in, at the weight before the trip or at the one given.

    Evidence starts anew. Exit codes: 0 done, 2 usage, 3 admin unreachable, 4 conflict.
    """
    body = terms(reason, actor) if weight is None else {"canary": weight / 100, **terms(reason, actor)}
    tell(
        admin,
        admin.client.call("POST", service_path(service, "/resume"), body, if_match),
        "; evidence starts anew",
    )


def terms(reason: str, actor: str | None) -> Json:
    """Why and who, as the API takes them."""
    return {"reason": reason, "actor": actor or whoami()}


def whoami() -> str:
    """user@host; an account without a name is "unknown"."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return f"{user}@{socket.gethostname()}"


def tell(admin: Admin, view: Json, more: str) -> None:
    """Say what is in force now, and warn when the ledger does not have it yet."""
    canary = percent(view["weights"].get("canary", 0))
    admin.tell(view, f"{view['name']}: canary at {canary}, revision {view['revision']}{more}")
    if not view["durable"]:
        click.echo(
            "warning: in force but not durable: the ledger cannot be written; control keeps trying", err=True
        )
