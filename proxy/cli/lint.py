"""`weir lint`."""

import sys
from collections.abc import Iterator

import click

from proxy.cli.configfile import DEFAULT, WRONG, load, told
from proxy.config.problems import Problems
from proxy.config.schema import Config
from proxy.settings.policy import policy

_UNWATCHED = (
    "nothing judges the canary of `{name}`, however bad it is; write `analysis: auto` or `guard: on`, "
    "or add `checks` or `caps`"
)
_SAME = (
    "`{endpoint}` is stable and canary of `{name}`: that tries the split, and nothing else; a new version "
    "has an address of its own"
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
    except (Problems, OSError) as error:
        click.echo(told(source, error), err=True)
        return False
    for warning in (*_unwatched(config), *_same(config)):
        click.echo(f"{source}: warning: {warning}", err=True)
    count = len(config.services)
    click.echo(f"{source} is fine: {count} service{'' if count == 1 else 's'}")
    return True


def _unwatched(config: Config) -> Iterator[str]:
    """The services whose canary may get requests while nothing looks at its answers."""
    for name, service in config.services.items():
        pinned = service.force or any(segment.to == "canary" for segment in service.segments)
        if service.canary and (service.weight or pinned) and not policy(service).names:
            yield _UNWATCHED.format(name=name)


def _same(config: Config) -> Iterator[str]:
    """The endpoints that stand on both sides of a service, as they do when an address was copied."""
    for name, service in config.services.items():
        if service.canary:
            for endpoint in service.canary.endpoints:
                if endpoint in service.stable.endpoints:
                    yield _SAME.format(name=name, endpoint=endpoint)
