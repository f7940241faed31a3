"""`weir explain`: what happened to a canary, or what is known of it, in a paragraph."""

import click

from proxy.cli.admin import TRIPPED, Admin, admin_verb
from proxy.cli.client import service_path
from proxy.cli.views import tripped


@click.command()
@click.argument("service")
@admin_verb
def explain(admin: Admin, service: str) -> int:
    """Tell what happened to the canary of SERVICE and what to do, in a paragraph to paste into a chat.

    Exit codes: 0 fine, 1 the canary is out, 2 usage, 3 admin unreachable.
    """
    document = admin.client.call("GET", service_path(service, "/explain"))
    admin.tell(document, document["text"])
    return TRIPPED if tripped(document) else 0
