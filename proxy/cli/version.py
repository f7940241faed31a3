"""The verb `weir version`."""

import platform

import click

from proxy import __version__


@click.command()
def version() -> None:
    """Print the version of weir and of the Python that runs it."""
    click.echo(f"weir {__version__} (Python {platform.python_version()})")
