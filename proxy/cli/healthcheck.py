"""The verb `weir healthcheck`, for container engines and load balancers."""

import click

from proxy.cli.client import Client, Unreachable
from proxy.cli.session import ADMIN, quietly

UNHEALTHY = 1
"""The exit code of a proxy that is not ready."""
TIMEOUT = 3.0
"""Seconds for the answer; container engines allow a check 30, and repeat it every 30."""


@click.command()
@click.option("--url", metavar="URL", help="The URL to check; by default /readyz of the admin API.")
@ADMIN
def healthcheck(url: str | None, admin: str) -> None:
    """Check whether the running proxy is ready for traffic. It is ready, too, when the stable of a service
    fails: no other proxy could do better, and the output has it.

    Exit codes: 0 ready, 1 not ready or unreachable, 2 usage. Unreachable is not 3 here, because container
    engines do not know 3.
    """
    quietly(lambda: check(Client(url or f"{admin.rstrip('/')}/readyz")))


def check(client: Client) -> int:
    """Send the request, print the result, and return the exit code."""
    try:
        status, detail = client.probe(timeout=TIMEOUT)
    except Unreachable as error:
        click.echo(f"unhealthy: {error.message}", err=True)
        return UNHEALTHY
    click.echo(f"{'ready' if status == 200 else 'unhealthy'}: {detail or status}", err=status != 200)
    return 0 if status == 200 else UNHEALTHY
