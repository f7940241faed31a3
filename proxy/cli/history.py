"""The verb `weir history`, which shows the ledger of a service."""

import click

from proxy.cli.client import service_path
from proxy.cli.session import Session, client_verb
from proxy.cli.views import entry_line


@click.command()
@click.argument("service")
@client_verb
def history(session: Session, service: str) -> None:
    """Show every change of SERVICE with its actor and reason, the newest last.

    Exit codes: 0 success, 2 usage, 3 admin unreachable.
    """
    document = session.client.call("GET", service_path(service, "/history"))
    lines = [entry_line(entry) for entry in document["entries"]]
    session.print(document, "\n".join(lines) or f"nothing has happened to {service} yet")
