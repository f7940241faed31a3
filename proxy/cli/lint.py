"""`weir lint`."""

import sys
from collections.abc import Iterator

import click

from proxy.cli.configfile import DEFAULT, WRONG, load
from proxy.config.problems import Problems
from proxy.config.schema import Config
from proxy.control.policy import policy

_UNWATCHED = (
    "nothing judges the canary of `{name}`, however bad it is; write `analysis: auto` or `guard: on`, "
    "or add `checks` or `caps`"
)


@click.command()
@click.argument("files", metavar="[CONFIG]...", nargs=-1)
def lint(files: tuple[str, ...]) -> None:
    """Check config files (./weir.yaml when none is named) and name every problem in them.

    Exits 2 when there is any. `weir run` says the same words. A warning changes no exit code.
    """
    wrong = [source for source in files or (DEFAULT,) if not _fine(source)]
    sys.exit(WRONG if wrong else 0)


def _fine(source: str) -> bool:
    try:
        _, config = load(source)
    except Problems as problems:
        click.echo(problems.render(), err=True)
        return False
    for name in _unwatched(config):
        click.echo(f"{source}: warning: {_UNWATCHED.format(name=name)}", err=True)
    count = len(config.services)
    click.echo(f"{source} is fine: {count} service{'' if count == 1 else 's'}")
    return True


def _unwatched(config: Config) -> Iterator[str]:
    """The services whose canary may get requests while nothing looks at its answers."""
    for name, service in config.services.items():
        pinned = service.force or any(segment.to == "canary" for segment in service.segments)
        if service.canary and (service.weight or pinned) and not policy(service).names:
            yield name
