"""`weir lint`."""

import sys

import click

from proxy.cli.configfile import DEFAULT, WRONG, load
from proxy.config.problems import Problems


@click.command()
@click.argument("files", metavar="[CONFIG]...", nargs=-1)
def lint(files: tuple[str, ...]) -> None:
    """Check config files (./weir.yaml when none is named) and name every problem in them.

    Exits 2 when there is any. `weir run` says the same words.
    """
    wrong = [source for source in files or (DEFAULT,) if not _fine(source)]
    sys.exit(WRONG if wrong else 0)


def _fine(source: str) -> bool:
    try:
        _, config = load(source)
    except Problems as problems:
        click.echo(problems.render(), err=True)
        return False
    count = len(config.services)
    click.echo(f"{source} is fine: {count} service{'' if count == 1 else 's'}")
    return True
