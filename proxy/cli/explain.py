"""The verb `weir explain`, which explains in a paragraph what happened to a canary."""

import click

from proxy.cli.client import service_path
from proxy.cli.session import TRIPPED, Session, client_verb
from proxy.cli.views import tripped


@click.command()
@click.argument("service")
@client_verb
def explain(session: Session, service: str) -> int:
    """Explain what happened to the canary of SERVICE and what to do, in a paragraph to paste into a chat.

    Exit codes: 0 success, 1 the canary is out, 2 usage, 3 admin unreachable.
    """
    document = session.client.call("GET", service_path(service, "/explain"))
    session.print(document, document["text"])
    return TRIPPED if tripped(document) else 0
