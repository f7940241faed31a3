"""The verb `weir run`, which reads and checks the config and then becomes the supervisor.

The supervisor is the parent of all processes and holds nothing that it does not need. This process has
imported a YAML parser and the models of the config. So it writes a launch plan to a file and replaces itself.
"""

import os
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import NoReturn

import click

from proxy.cli.configfile import DEFAULT, load_or_exit, refuse
from proxy.config.addresses import HostPort, SocketPath, address, listening
from proxy.config.admin import KEPT_TOKEN
from proxy.config.problems import Problems, Unfit
from proxy.config.reader import read, single
from proxy.config.schema import MOST_WORKERS, Config, Listener, exposure
from proxy.config.units import whole
from proxy.supervisor.commands import environment, python
from proxy.supervisor.plan import LaunchPlan, SocketAddress

COMMAND_LINE = "command line"
"""The name in messages for the config of a run without a file."""

_LONGEST_DIRECTORY = 90
"""Bytes of the directory's path, at most: the socket in it may have a path of 103 bytes on macOS."""


ClientAddress = HostPort | SocketPath


@dataclass(frozen=True, slots=True)
class Overrides:
    """The options of the command line that replace values of the file; empty or None: not given."""

    listen: tuple[ClientAddress, ...]
    admin: HostPort | None
    workers: int | None
    state: str | None


def _address(ctx: click.Context, param: click.Parameter, value: str | None) -> HostPort | None:
    try:
        return None if value is None else address(value)
    except Unfit as unfit:
        raise click.BadParameter(f"{unfit.message}: {unfit.advice}") from unfit


def _listen_addresses(
    ctx: click.Context, param: click.Parameter, value: tuple[str, ...]
) -> tuple[ClientAddress, ...]:
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
@click.option("--config", "-c", "option", metavar="PATH", help=f"The config file; by default ./{DEFAULT}.")
@click.option("--stable", metavar="URL", help="Run without a file: the endpoint of stable.")
@click.option("--canary", metavar="URL", help="With --stable: the endpoint of the canary.")
@click.option(
    "--weight",
    metavar="PERCENT",
    help="With --canary: its share of the requests, such as 5%. It wins over the weight of an earlier run.",
)
@click.option(
    "--listen",
    metavar="[HOST]:PORT|unix:PATH",
    multiple=True,
    callback=_listen_addresses,
    help="The address for clients, without TLS; may be repeated.",
)
@click.option(
    "--admin",
    metavar="[HOST]:PORT",
    callback=_address,
    help="The address of the admin API and the metrics.",
)
@click.option("--workers", metavar="N|auto", callback=_workers, help="Processes that carry traffic.")
@click.option("--state", metavar="PATH", help="The file of the ledger.")
def run(
    file: str | None,
    option: str | None,
    stable: str | None,
    canary: str | None,
    weight: str | None,
    listen: tuple[ClientAddress, ...],
    admin: HostPort | None,
    workers: int | None,
    state: str | None,
) -> None:
    """Run the proxy until SIGTERM or Ctrl-C: from a config file, or for one service without a file.

    Options take precedence over the file.

    Exit codes: 0 ended by a signal, 130 or 143 by a second one, 1 it can't start, 2 usage or config.
    """
    if file and option:
        raise click.UsageError("the config file is given twice, as an argument and by --config")
    source = file or option
    if stable is None:
        if canary or weight:
            raise click.UsageError(
                "--canary and --weight need --stable; otherwise write them into the config file"
            )
        source = source or DEFAULT
        text, config = load_or_exit(source)
    else:
        if source:
            raise click.UsageError(f"--stable runs without a file; remove either --stable or {source}")
        source = COMMAND_LINE
        text, config = _without_file(stable, canary, weight)
    overrides = Overrides(listen, admin, workers, state)
    check(config, overrides)
    if stable is not None:
        go_on(config, state_path(config.state, source, state), named=weight is not None)
    launch(text, config, source, overrides)


def go_on(config: Config, path: str, *, named: bool) -> None:
    """Tell that the ledger is of an earlier run, and put a weight in force that was `named` now.

    Who runs it without a file named no ledger either, and may not know of one.
    """
    if not Path(path).exists():
        return
    click.echo(f"weir: going on with the ledger of an earlier run, {path}; --state names another", err=True)
    if named:
        from proxy.cli.explicit_weight import put_in_force
        from proxy.cli.order import whoami

        for name, service in config.services.items():
            for line in put_in_force(Path(path), name, service, whoami(), time.time()):
                click.echo(f"weir: {line}", err=True)


def _without_file(stable: str, canary: str | None, weight: str | None) -> tuple[str, Config]:
    text = single(stable, canary, weight or ("5%" if canary else "0%"))
    try:
        return text, read(text, COMMAND_LINE, os.environ)
    except Problems as problems:
        refuse(problems.render())


def launch(text: str, config: Config, source: str, overrides: Overrides) -> NoReturn:
    """Write the plan into a private directory and become the supervisor."""
    plan = launch_plan(config, source, overrides, private_directory())
    Path(plan.config).write_text(text, encoding="utf-8")
    if config.admin.filed:
        keep_token(Path(plan.directory) / KEPT_TOKEN, config.admin.filed)
    path = Path(plan.directory) / "plan.json"
    path.write_text(plan.to_json())
    argv = [*python("proxy.supervisor"), str(path)]
    os.execve(argv[0], argv, environment(os.environ))


def keep_token(path: Path, token: str) -> None:
    """Write a copy of the token for restarts of control, when its file may no longer exist."""
    path.touch(mode=0o600, exist_ok=False)
    path.write_text(token, encoding="utf-8")


def check(config: Config, overrides: Overrides) -> None:
    """Check the options of the command line as the file was checked; on an error exit with 2."""
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


def launch_plan(config: Config, source: str, overrides: Overrides, directory: str) -> LaunchPlan:
    """Return the launch plan: the values of the file, replaced by those of the command line."""
    admin = overrides.admin or config.admin.listen
    listeners = [Listener.model_construct(address=each) for each in overrides.listen] or config.listen
    return LaunchPlan(
        listen=tuple(_bindable(each.address) for each in listeners),
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
        tls=tuple(tuple((pair.cert, pair.key) for pair in each.tls) for each in listeners),
        balancers=tuple(each.proxy_protocol for each in listeners),
    )


def _bindable(listen: ClientAddress) -> SocketAddress:
    return listen.path if isinstance(listen, SocketPath) else (listen.host, listen.port)


def state_path(written: str | None, source: str, override: str | None) -> str:
    """Return the absolute path of the ledger: of the command line, else relative to the config file."""
    if override:
        return str(Path(override).absolute())
    beside = Path() if source == COMMAND_LINE else Path(source).parent
    return str((beside / (written or "weir.db")).absolute())


def processors() -> int:
    """Return how many processors this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def private_directory() -> str:
    """Create a directory for this user only, with a path short enough for a unix socket in it."""
    directory = tempfile.mkdtemp(prefix="weir-")
    if len(os.fsencode(directory)) <= _LONGEST_DIRECTORY:
        return directory
    Path(directory).rmdir()
    return tempfile.mkdtemp(prefix="weir-", dir="/tmp")
