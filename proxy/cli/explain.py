"""The verb `weir explain`, which explains in a paragraph what happened to a canary."""

import click

from proxy.cli.client import service_path
from proxy.cli.session import ALARM, Session, client_verb
from proxy.cli.views import alarming


@click.command()
@click.argument("service")
@client_verb
def explain(session: Session, service: str) -> int:
    """Explain what happened to the canary of SERVICE and what to do, in a paragraph to paste into a chat.

    Exit codes: 0 success, 1 the canary is out or stable fails, 2 usage, 3 admin unreachable.
    """
    document = session.client.call("GET", service_path(service, "/explain"))
    session.print(document, document["text"])
    return ALARM if alarming(document) else 0
