"""What all orders share: the options for reason, actor, revision and key, and the report of the result."""

import getpass
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import update_wrapper
from typing import Any

import click

from proxy.cli.client import service_path
from proxy.cli.figures import percent
from proxy.cli.params import Revision
from proxy.cli.progress import state
from proxy.cli.session import Session, client_verb

OPTIONS = (
    click.option("--reason", default="", metavar="TEXT", help="The reason, for the history."),
    click.option(
        "--actor", metavar="NAME", help="The person or program that orders it; by default user@host."
    ),
    click.option(
        "--if-match",
        type=Revision(min=0),
        metavar="REVISION",
        help="Only if the service has this revision.",
    ),
    click.option(
        "--idempotency-key", metavar="KEY", help="A repeated order with the same key has no effect."
    ),
)


@dataclass(frozen=True, slots=True)
class OrderOptions:
    """The options that every order has."""

    reason: str
    actor: str
    if_match: int | None
    """The revision that the service must have; None: any."""
    key: str | None
    """The idempotency key."""

    @property
    def fields(self) -> dict[str, str]:
        """The header fields of these options."""
        found = {}
        if self.if_match is not None:
            found["If-Match"] = f'"{self.if_match}"'
        if self.key is not None:
            quoted = self.key.replace("\\", "\\\\").replace('"', '\\"')
            found["Idempotency-Key"] = f'"{quoted}"'
        return found


def order_verb(verb: Callable[..., int | None]) -> Callable[..., None]:
    """Turn a function that takes a Session and OrderOptions into a command with these options."""

    def run(
        session: Session,
        reason: str,
        actor: str | None,
        if_match: int | None,
        idempotency_key: str | None,
        **arguments: Any,
    ) -> int | None:
        return verb(session, OrderOptions(reason, actor or whoami(), if_match, idempotency_key), **arguments)

    found: Callable[..., Any] = update_wrapper(run, verb)
    for option in reversed(OPTIONS):
        found = option(found)
    return client_verb(found)


def as_it_is(session: Session, options: OrderOptions, service: str) -> OrderOptions:
    """Return the options of an order that means the state which the service has now, and no later one.

    Of two people who go on from the same pause at once, one gets a conflict, and not the step after it.
    """
    if options.if_match is not None:
        return options
    return replace(options, if_match=session.client.service(service)["revision"])


def send(session: Session, options: OrderOptions, service: str, order: str, **body: Any) -> dict[str, Any]:
    """Send an order for a service; return the service after it.

    Values of `body` that are None are left out.
    """
    content = {key: value for key, value in body.items() if value is not None}
    content |= {"reason": options.reason, "actor": options.actor}
    return session.client.call("POST", service_path(service, f"/rollout/{order}"), content, options.fields)


def report(session: Session, view: dict[str, Any]) -> None:
    """Print the state after an order, and warn when the ledger does not have it yet."""
    canary = percent(view["weights"].get("canary", 0))
    session.print(view, f"{view['name']}: {state(view)}, canary at {canary}, revision {view['revision']}")
    warn_unless_durable(view)


def warn_unless_durable(view: dict[str, Any]) -> None:
    """Print a warning on stderr when the ledger does not have the state yet."""
    if not view["durable"]:
        click.echo(
            "warning: in force but not durable yet: the ledger doesn't have it; control keeps trying",
            err=True,
        )


def whoami() -> str:
    """Return user@host; an account without a name is "unknown"."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return f"{user}@{socket.gethostname()}"
