"""The command `weir`: one file a verb, each loaded only when it is needed.

A script that sets a weight must not wait for the import of a YAML parser and a web framework. So this module
imports click only, every verb has a module of its own, and the overview is written from the table below.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import NamedTuple

import click

from proxy import __version__


class Verb(NamedTuple):
    """The place of a verb ("module:function"), and its line in the overview."""

    where: str
    line: str


VERBS: Mapping[str, Verb] = {
    "demo": Verb("proxy.cli.demo:demo", "Watch a good canary being promoted and a bad one rolled back."),
    "init": Verb("proxy.cli.init:init", "Write a commented weir.yaml to start from."),
    "lint": Verb("proxy.cli.lint:lint", "Check a config file and report every problem in it."),
    "run": Verb("proxy.cli.run:run", "Run the proxy: from a config file, or with --stable and --canary."),
    "simulate": Verb("proxy.cli.simulate:simulate", "Test a service's policy on simulated traffic."),
    "status": Verb(
        "proxy.cli.status:status", "Show every service: weights, verdicts, and why a canary was rolled back."
    ),
    "get": Verb("proxy.cli.get:get", "Show one service, or watch it with -w."),
    "start": Verb("proxy.cli.start:start", "Start a rollout; with --wait: wait for its end."),
    "promote": Verb("proxy.cli.rollout:promote", "Go on to the next step now; with --full: to the end."),
    "pause": Verb("proxy.cli.rollout:pause", "Pause a rollout and keep its weight until it is resumed."),
    "resume": Verb("proxy.cli.weight:resume", "Resume a paused rollout, or a canary that was taken out."),
    "abort": Verb("proxy.cli.rollout:abort", "Take a canary out now, for all clients."),
    "retry": Verb("proxy.cli.rollout:retry", "Start a rollout again that was rolled back."),
    "undo": Verb("proxy.cli.rollout:undo", "Go back to the stable before the last promotion."),
    "set-weight": Verb("proxy.cli.weight:set_weight", "Set a canary's share: set-weight checkout canary=10."),
    "reload": Verb("proxy.cli.reload:reload", "Make the running proxy read its config file again."),
    "explain": Verb(
        "proxy.cli.explain:explain", "Explain in a paragraph what happened to a canary, and what to do."
    ),
    "history": Verb("proxy.cli.history:history", "Show every change of a service, with its reason."),
    "healthcheck": Verb(
        "proxy.cli.healthcheck:healthcheck", "Check whether the running proxy is ready: exit code 0."
    ),
    "schema": Verb("proxy.cli.schema:schema", "Print the JSON Schema of the config file, for editors."),
    "version": Verb("proxy.cli.version:version", "Print the version."),
}


class Verbs(click.Group):
    """A click group that imports a verb when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a verb and return its command; None: there is no such verb."""
        verb = VERBS.get(cmd_name)
        if verb is None:
            return None
        module, _, name = verb.where.partition(":")
        command = getattr(import_module(module), name)
        if not isinstance(command, click.Command):
            raise TypeError(f"{verb.where} is no click command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Resolve a verb as click does; for an unknown one the error suggests a similar one."""
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            import difflib  # its import takes a tenth of the whole start, and it is rarely needed

            near = difflib.get_close_matches(args[0], VERBS, n=1)
            hint = f" Did you mean `{near[0]}`?" if near else ""
            ctx.fail(f"there is no verb `{args[0]}`.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the overview from the table: click would import every verb to read its docstring."""
        with formatter.section("Verbs"):
            formatter.write_dl([(name, verb.line) for name, verb in VERBS.items()])


@click.command(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="weir")
def main() -> None:
    """A traffic-splitting reverse proxy that takes a bad canary out by itself.

    Exit codes: 0 success, 1 canary taken out or failure, 2 wrong usage or config, 3 admin API unreachable, 4
    conflict, 124 timed out.
    """
