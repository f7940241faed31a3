"""The verb `weir status`, which shows all that is known of services, and whether the proxy is ready."""

import click

from proxy.cli.get import services_in
from proxy.cli.session import ALARM, Session, client_verb
from proxy.cli.views import alarming, details, failing


@click.command()
@click.argument("service", required=False)
@client_verb
def status(session: Session, service: str | None) -> int:
    """Show all that is known of SERVICE, or of all services: endpoints, verdict, findings, rollbacks, drift.

    Exit codes: 0 success, 1 a canary that is shown is out or a stable fails, 2 usage, 3 admin unreachable.
    """
    document = session.client.service(service) if service else session.client.services()
    code, detail = session.client.probe("/readyz")
    views = list(services_in(document))
    state = "ready" if code == 200 else detail
    if names := [view["name"] for view in views if failing(view)]:
        state += f", but stable is failing: {', '.join(names)}"
    generation = f", generation {document['generation']}" if "generation" in document else ""
    head = f"{session.client.url}  {state}{generation}"
    session.print(
        document | {"ready": code == 200},
        "\n\n".join([head, *(details(view, session.flags) for view in views)]),
    )
    return ALARM if any(map(alarming, views)) else 0
