"""`weir status`: every service explained, and whether the proxy is ready."""

import click

from proxy.cli.admin import TRIPPED, Admin, admin_verb
from proxy.cli.get import shown
from proxy.cli.views import details, tripped


@click.command()
@click.argument("service", required=False)
@admin_verb
def status(admin: Admin, service: str | None) -> int:
    """Show what is known of SERVICE, or of all: endpoints, verdict with its findings, trips, drift.

    Exit codes: 0 fine, 1 one that is shown is tripped, 2 usage, 3 admin unreachable.
    """
    document = admin.client.service(service) if service else admin.client.services()
    code, said = admin.client.probe("/readyz")
    views = list(shown(document))
    state = "ready" if code == 200 else said
    generation = f", generation {document['generation']}" if "generation" in document else ""
    head = f"{admin.client.url}  {state}{generation}"
    admin.tell(
        document | {"ready": code == 200},
        "\n\n".join([head, *(details(view, admin.flags) for view in views)]),
    )
    return TRIPPED if any(map(tripped, views)) else 0
