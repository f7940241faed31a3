"""`weir get`: services at a glance, once or as they change."""

from collections.abc import Iterator
from typing import Any

import click

from proxy.cli.admin import TRIPPED, Admin, admin_verb
from proxy.cli.views import table, tripped


@click.command()
@click.argument("service", required=False)
@click.option(
    "-w", "--watch", is_flag=True, help="Go on: redraw on a terminal, else print a line for each change."
)
@admin_verb
def get(admin: Admin, service: str | None, watch: bool) -> int:
    """Show weights, shares, errors and latencies of SERVICE, or of all.

    Exit codes: 0 fine, 1 one that is shown is tripped, 2 usage, 3 admin unreachable.
    """
    if watch:
        from proxy.cli.watch import follow

        follow(admin, service)
    document = admin.client.service(service) if service else admin.client.services()
    views = list(shown(document))
    admin.tell(document, table(views, admin.flags))
    return TRIPPED if any(map(tripped, views)) else 0


def shown(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The services in an answer for one or for all."""
    yield from document.get("services", [document])
