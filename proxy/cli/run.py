"""`weir run`: reads and checks the config, then becomes the supervisor.

The supervisor must outlive everything and so holds nothing that it does not need. This process has imported a
YAML parser and the models of the config; it writes down what they said, and replaces itself.
"""

import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import NoReturn

import click

from proxy.cli.configfile import DEFAULT, load_or_exit, refuse
from proxy.config.addresses import Address, SocketPath, address, listening
from proxy.config.admin import KEPT_TOKEN
from proxy.config.problems import Problems, Unfit
from proxy.config.reader import read, single
from proxy.config.schema import MOST_WORKERS, Config, exposure
from proxy.config.units import whole
from proxy.supervisor.commands import environment, python
from proxy.supervisor.plan import CertificateFiles, LaunchPlan

COMMAND_LINE = "command line"
"""What messages call the config of a run without a file."""

_LONGEST_DIRECTORY = 90
"""Bytes; the link's socket lies in the directory, and its whole path may have 103 on macOS."""


Place = Address | SocketPath


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the command line says in place of the file; empty or None where it says nothing."""

    listen: tuple[Place, ...]
    admin: Address | None
    workers: int | None
    state: str | None


def _address(ctx: click.Context, param: click.Parameter, value: str | None) -> Address | None:
    try:
        return None if value is None else address(value)
    except Unfit as unfit:
        raise click.BadParameter(f"{unfit.message}: {unfit.advice}") from unfit


def _places(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> tuple[Place, ...]:
    try:
        return tuple(map(listening, value))
    except Unfit as unfit:
        raise click.BadParameter(f"{unfit.message}: {unfit.advice}") from unfit


def _workers(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    try:
        if value is None:
            return None
        return processors() if value == "auto" else whole(value, 1, MOST_WORKERS)
    except Unfit as unfit:
        raise click.BadParameter(f"{unfit.message}: {unfit.advice or 'or write `auto`'}") from unfit


@click.command()
@click.argument("file", metavar="[CONFIG]", required=False)
@click.option(
    "--config", "-c", "option", metavar="PATH", help=f"The config file; ./{DEFAULT} when none is named."
)
@click.option("--stable", metavar="URL", help="Run without a file: the endpoint that gets most requests.")
@click.option("--canary", metavar="URL", help="With --stable: the endpoint that gets a few.")
@click.option("--weight", metavar="PERCENT", help="With --canary: its share, such as 5%.")
@click.option(
    "--listen",
    metavar="[HOST]:PORT|unix:PATH",
    multiple=True,
    callback=_places,
    help="Where clients connect, without TLS; may be repeated.",
)
@click.option(
    "--admin",
    metavar="[HOST]:PORT",
    callback=_address,
    help="Where control API and metrics listen.",
)
@click.option("--workers", metavar="N|auto", callback=_workers, help="Processes that carry traffic.")
@click.option("--state", metavar="PATH", help="The file of the ledger.")
def run(
    file: str | None,
    option: str | None,
    stable: str | None,
    canary: str | None,
    weight: str | None,
    listen: tuple[Place, ...],
    admin: Address | None,
    workers: int | None,
    state: str | None,
) -> None:
    """Run the proxy until SIGTERM or Ctrl-C: from a config file, or for one service without any.

    What is said here wins over the file. Exits 2 when config or usage is wrong, 1 when it can't start.
    """
    if file and option:
        raise click.UsageError("the config file is named twice, as an argument and by --config")
    source = file or option
    if stable is None:
        if canary or weight:
            raise click.UsageError("--canary and --weight go with --stable, or into the config file")
        source = source or DEFAULT
        text, config = load_or_exit(source)
    else:
        if source:
            raise click.UsageError(f"--stable runs without a file, so {source} can't be named as well")
        source = COMMAND_LINE
        text, config = _without_file(stable, canary, weight)
    launch(text, config, source, Overrides(listen, admin, workers, state))


def _without_file(stable: str, canary: str | None, weight: str | None) -> tuple[str, Config]:
    text = single(stable, canary, weight or ("5%" if canary else "0%"))
    try:
        return text, read(text, COMMAND_LINE, os.environ)
    except Problems as problems:
        refuse(problems.render())


def launch(text: str, config: Config, source: str, overrides: Overrides) -> NoReturn:
    """Write the plan into a private directory and become the supervisor."""
    check(config, overrides)
    plan = planned(config, source, overrides, private_directory())
    Path(plan.config).write_text(text, encoding="utf-8")
    if config.admin.filed:
        keep_token(Path(plan.directory) / KEPT_TOKEN, config.admin.filed)
    path = Path(plan.directory) / "plan.json"
    path.write_text(plan.to_json())
    argv = [*python("proxy.supervisor"), str(path)]
    os.execve(argv[0], argv, environment(os.environ))


def keep_token(path: Path, token: str) -> None:
    """A copy for every control to come: the file it is from may be gone when one is restarted."""
    path.touch(mode=0o600, exist_ok=False)
    path.write_text(token, encoding="utf-8")


def check(config: Config, overrides: Overrides) -> None:
    """What reading has checked of the file, for what the command line puts in its place. Exits with 2."""
    listen = overrides.listen or tuple(each.address for each in config.listen)
    admin = overrides.admin or config.admin.listen
    if why := exposure(admin, config.admin.token):
        refuse(
            f"{COMMAND_LINE}: error: {why}; set `admin: {{token: ...}}` in the file, or listen on loopback"
        )
    for one, other in combinations((*listen, admin), 2):
        if one.clashes(other):
            where = "path" if isinstance(one, SocketPath) else "port"
            refuse(f"{COMMAND_LINE}: error: `{one}` takes the same {where} as `{other}`: change one of them")


def planned(config: Config, source: str, overrides: Overrides, directory: str) -> LaunchPlan:
    """The file's word, and above it the command line's."""
    admin = overrides.admin or config.admin.listen
    places = _without_tls(overrides.listen) or [
        (each.address, tuple((pair.cert, pair.key) for pair in each.tls)) for each in config.listen
    ]
    return LaunchPlan(
        listen=tuple(_bindable(place) for place, _ in places),
        admin=(admin.host, admin.port),
        workers=overrides.workers or config.workers or processors(),
        directory=directory,
        config=str(Path(directory) / "config.yaml"),
        source=source,
        state=state_path(config.state, source, overrides.state),
        delay=config.shutdown.delay,
        grace=config.shutdown.grace,
        log_level=config.log.level,
        file="" if source == COMMAND_LINE else str(Path(source).absolute()),
        tls=tuple(pairs for _, pairs in places),
    )


def _without_tls(listen: Sequence[Place]) -> list[tuple[Place, tuple[CertificateFiles, ...]]]:
    return [(each, ()) for each in listen]


def _bindable(place: Place) -> tuple[str, int] | str:
    return place.path if isinstance(place, SocketPath) else (place.host, place.port)


def state_path(written: str | None, source: str, override: str | None) -> str:
    """Absolute path of the ledger: as the command line says, else beside the config file."""
    if override:
        return str(Path(override).absolute())
    beside = Path() if source == COMMAND_LINE else Path(source).parent
    return str((beside / (written or "weir.db")).absolute())


def processors() -> int:
    """How many processors this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def private_directory() -> str:
    """A new directory that nobody else can look into, with a path short enough for a unix socket in it."""
    directory = tempfile.mkdtemp(prefix="weir-")
    if len(os.fsencode(directory)) <= _LONGEST_DIRECTORY:
        return directory
    Path(directory).rmdir()
    return tempfile.mkdtemp(prefix="weir-", dir="/tmp")
