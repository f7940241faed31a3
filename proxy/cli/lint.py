"""The verb `weir lint`, which checks config files."""

import sys
from collections.abc import Iterator

import click

from proxy.cli.configfile import DEFAULT, WRONG, error_text, load
from proxy.config.problems import Problems
from proxy.config.schema import Config
from proxy.counted import counted
from proxy.settings.policy import policy

_UNJUDGED = (
    "nothing judges the canary of `{name}`, so it is never rolled back; write `analysis: auto` or "
    "`guard: on`, or add `checks` or `caps`"
)
_SHARED = (
    "`{endpoint}` is stable and canary of `{name}`, so both run the same version; "
    "give the canary an address of its own"
)
_BY_PATH = (
    "the segment `{segment}` of `{name}` keeps requests off the canary by their path as it comes: `//a` and "
    "`/%61`, which an application may take for `/a`, pass it by"
)


@click.command()
@click.argument("files", metavar="[CONFIG]...", nargs=-1)
def lint(files: tuple[str, ...]) -> None:
    """Check config files (by default ./weir.yaml) and report every problem in them, as `weir run` does.

    Exit codes: 0 no problem (warnings included), 2 a problem or usage.
    """
    wrong = [source for source in files or (DEFAULT,) if not _check(source)]
    sys.exit(WRONG if wrong else 0)


def _check(source: str) -> bool:
    try:
        _, config = load(source)
    except (Problems, OSError) as error:
        click.echo(error_text(source, error), err=True)
        return False
    for warning in (*_unjudged(config), *_shared(config), *_by_path(config)):
        click.echo(f"{source}: warning: {warning}", err=True)
    click.echo(f"{source} is fine: {counted(len(config.services), 'service')}")
    return True


def _unjudged(config: Config) -> Iterator[str]:
    """Yield a warning for each service whose canary may get requests and is not judged."""
    for name, service in config.services.items():
        pinned = service.force or any(segment.to == "canary" for segment in service.segments)
        if service.canary and (service.weight or pinned) and not policy(service).names:
            yield _UNJUDGED.format(name=name)


def _shared(config: Config) -> Iterator[str]:
    """Yield a warning for each endpoint of both backends of a service: a copied address, most likely."""
    for name, service in config.services.items():
        if service.canary:
            for endpoint in service.canary.endpoints:
                if endpoint in service.stable.endpoints:
                    yield _SHARED.format(name=name, endpoint=endpoint)


def _by_path(config: Config) -> Iterator[str]:
    """Yield a warning for each segment that keeps a path off the canary: another spelling passes it by."""
    for name, service in config.services.items():
        for segment in service.segments:
            if segment.to == "stable" and any(each.source == "path" for each in segment.conditions):
                yield _BY_PATH.format(segment=segment.name, name=name)
