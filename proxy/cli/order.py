"""What every order has in common: why, who, on which revision and under which key; and how it is told."""

import getpass
import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import update_wrapper
from typing import Any

import click

from proxy.cli.admin import Admin, admin_verb
from proxy.cli.client import service_path
from proxy.cli.figures import percent
from proxy.cli.progress import state

OPTIONS = (
    click.option("--reason", default="", metavar="TEXT", help="Why; kept in the history."),
    click.option("--actor", metavar="NAME", help="Who; user@host unless given."),
    click.option(
        "--if-match",
        type=click.IntRange(min=0),
        metavar="REVISION",
        help="Only if this revision is in force.",
    ),
    click.option(
        "--idempotency-key", metavar="KEY", help="Sent again under the same key, it is not done again."
    ),
)


@dataclass(frozen=True, slots=True)
class Terms:
    """What an order says beside what it wants."""

    reason: str
    actor: str
    if_match: int | None
    key: str | None

    @property
    def fields(self) -> dict[str, str]:
        """As header fields."""
        found = {}
        if self.if_match is not None:
            found["If-Match"] = f'"{self.if_match}"'
        if self.key is not None:
            quoted = self.key.replace("\\", "\\\\").replace('"', '\\"')
            found["Idempotency-Key"] = f'"{quoted}"'
        return found


def order_verb(verb: Callable[..., int | None]) -> Callable[..., None]:
    """A verb that is called with an Admin and Terms, on one SERVICE."""

    def run(
        admin: Admin,
        reason: str,
        actor: str | None,
        if_match: int | None,
        idempotency_key: str | None,
        **arguments: Any,
    ) -> int | None:
        return verb(admin, Terms(reason, actor or whoami(), if_match, idempotency_key), **arguments)

    found: Callable[..., Any] = update_wrapper(run, verb)
    for option in reversed(OPTIONS):
        found = option(found)
    return admin_verb(found)


def send(admin: Admin, terms: Terms, service: str, order: str, **body: Any) -> dict[str, Any]:
    """Give an order to a service; the view after it. What is None in ``body`` isn't said."""
    said = {key: value for key, value in body.items() if value is not None}
    said |= {"reason": terms.reason, "actor": terms.actor}
    return admin.client.call("POST", service_path(service, f"/rollout/{order}"), said, terms.fields)


def tell(admin: Admin, view: dict[str, Any], more: str = "") -> None:
    """Say what is in force now, and warn when the ledger does not have it yet."""
    canary = percent(view["weights"].get("canary", 0))
    admin.tell(view, f"{view['name']}: {state(view)}, canary at {canary}, revision {view['revision']}{more}")
    warn(view)


def warn(view: dict[str, Any]) -> None:
    """Say on stderr that the ledger does not have it yet, if so."""
    if not view["durable"]:
        click.echo(
            "warning: in force but not durable yet: the ledger doesn't have it; control keeps trying",
            err=True,
        )


def whoami() -> str:
    """user@host; an account without a name is "unknown"."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return f"{user}@{socket.gethostname()}"
