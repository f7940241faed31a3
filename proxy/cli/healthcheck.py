"""`weir healthcheck`: one question for container engines and load balancers."""

import click

from proxy.cli.admin import ADMIN, quietly
from proxy.cli.client import Client, Unreachable

UNHEALTHY = 1
TIMEOUT = 3.0  # seconds; container engines give a check 30 and call it every 30


@click.command()
@click.option("--url", metavar="URL", help="What to ask; the admin API's /readyz unless given.")
@ADMIN
def healthcheck(url: str | None, admin: str) -> None:
    """Exit 0 when the running proxy is ready for traffic, and 1 when it is not or does not answer.

    Not answering is 1 here as well, not 3: to a container engine 1 means unhealthy, 3 nothing.
    """
    quietly(lambda: check(Client(url or f"{admin.rstrip('/')}/readyz")))


def check(client: Client) -> int:
    """Ask, say what was answered, and return the exit code."""
    try:
        status, said = client.probe(timeout=TIMEOUT)
    except Unreachable as error:
        click.echo(f"unhealthy: {error.message}", err=True)
        return UNHEALTHY
    click.echo(f"{'healthy' if status == 200 else 'unhealthy'}: {said or status}", err=status != 200)
    return 0 if status == 200 else UNHEALTHY
