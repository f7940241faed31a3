"""The verb `weir status`, which shows all that is known of services, and whether the proxy is ready."""

import click

from proxy.cli.get import services_in
from proxy.cli.session import TRIPPED, Session, client_verb
from proxy.cli.views import details, tripped


@click.command()
@click.argument("service", required=False)
@client_verb
def status(session: Session, service: str | None) -> int:
    """Show all that is known of SERVICE, or of all services: endpoints, verdict, findings, rollbacks, drift.

    Exit codes: 0 success, 1 a canary that is shown is out, 2 usage, 3 admin unreachable.
    """
    document = session.client.service(service) if service else session.client.services()
    code, detail = session.client.probe("/readyz")
    views = list(services_in(document))
    state = "ready" if code == 200 else detail
    generation = f", generation {document['generation']}" if "generation" in document else ""
    head = f"{session.client.url}  {state}{generation}"
    session.print(
        document | {"ready": code == 200},
        "\n\n".join([head, *(details(view, session.flags) for view in views)]),
    )
    return TRIPPED if any(map(tripped, views)) else 0
