"""`weir history`: what happened to a service, who did it and why."""

import click

from proxy.cli.admin import Admin, admin_verb
from proxy.cli.client import service_path
from proxy.cli.views import entry_line


@click.command()
@click.argument("service")
@admin_verb
def history(admin: Admin, service: str) -> None:
    """Show every transition of SERVICE, the newest last.

    Exit codes: 0 fine, 2 usage, 3 admin unreachable.
    """
    document = admin.client.call("GET", service_path(service, "/history"))
    lines = [entry_line(entry) for entry in document["entries"]]
    admin.tell(document, "\n".join(lines) or f"nothing has happened to {service} yet")
