"""The verb `weir get`, which shows services in a table, once or as they change."""

from collections.abc import Iterator
from typing import Any

import click

from proxy.cli.session import ALARM, Session, client_verb
from proxy.cli.views import alarming, table


@click.command()
@click.argument("service", required=False)
@click.option(
    "-w",
    "--watch",
    is_flag=True,
    help="Keep watching: redraw on a terminal, else print a line for each change.",
)
@client_verb
def get(session: Session, service: str | None, watch: bool) -> int:
    """Show weights, shares, errors and latencies of SERVICE, with its endpoints, or of all services.

    Exit codes: 0 success, 1 a canary that is shown is out or a stable fails, 2 usage, 3 admin unreachable.
    """
    if watch:
        from proxy.cli.watch import follow

        follow(session, service)
    document = session.client.service(service) if service else session.client.services()
    views = list(services_in(document))
    session.print(document, table(views, session.flags, whole=service is not None))
    return ALARM if any(map(alarming, views)) else 0


def services_in(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the services in the answer for one service or for all."""
    yield from document.get("services", [document])
