"""The verb `weir history`, which shows the ledger of a service."""

import time
from collections.abc import Callable, Iterator
from typing import Any, NoReturn
from urllib.parse import urlencode

import click

from proxy.cli.client import service_path
from proxy.cli.params import Whole
from proxy.cli.session import Session, client_verb
from proxy.cli.views import entry_line

MOST = 10_000
"""Entries that the ledger keeps of a service."""


@click.command()
@click.argument("service")
@click.option("-n", "--last", type=Whole(1, MOST), metavar="N", help="Only the last N changes.")
@click.option(
    "--since",
    metavar="TIME",
    help="Only changes since: so long ago (90m, 24h), or a time in UTC (2026-12-01T03:00:00Z).",
)
@click.option("--follow", "-f", is_flag=True, help="Go on with each change as it happens, until interrupted.")
@client_verb
def history(session: Session, service: str, last: int | None, since: str | None, follow: bool) -> None:
    """Show every change of SERVICE with its actor and reason, the newest last.

    Exit codes: 0 success, 2 usage, 3 admin unreachable.
    """
    asked = {key: value for key, value in (("limit", last), ("since", since)) if value is not None}
    path = service_path(service, f"/history?{urlencode(asked)}" if asked else "/history")
    if follow:
        print_on(session, service, path)
    document = session.client.call("GET", path)
    lines = [entry_line(entry) for entry in document["entries"]]
    nothing = f"nothing has happened to {service} {'in that time' if since else 'yet'}"
    session.print(document, "\n".join(lines) or nothing)


def print_on(session: Session, service: str, path: str) -> NoReturn:
    """Print the entries at `path`, and each that follows, until interrupted."""
    from proxy.cli.watch import as_line

    for entry in entries(session, service, path):
        click.echo(as_line(session, "entry", entry, entry_line(entry)))
    raise AssertionError("entries never end")


def entries(
    session: Session, service: str, path: str, sleep: Callable[[float], None] = time.sleep
) -> Iterator[dict[str, Any]]:
    """Yield the entries at `path`, then each that follows, once and without end."""
    from proxy.cli.watch import happenings

    def written() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = session.client.call("GET", path)["entries"]
        return found

    shown = 0
    for entry in happenings(session, written, sleep):
        if entry["service"] == service and entry["id"] > shown:
            shown = entry["id"]
            yield entry
