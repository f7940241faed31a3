"""What every client verb has in common: how it finds the admin API, and how it ends.

The options are declared here once. ``@admin_verb`` gives a verb an ``Admin`` as its first argument, and lets
Ctrl-C and a reader that closes the pipe end it without a trace or a word.
"""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import update_wrapper
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from proxy import defaults
from proxy.cli.client import Client, Misused

DEFAULT_ADMIN = f"http://{defaults.ADMIN_ADDRESS}"
TRIPPED = 1  # exit code
INTERRUPTED = 130  # as a shell tells it: 128 + SIGINT
PIPE_CLOSED = 141  # 128 + SIGPIPE
ADMIN = click.option(
    "--admin",
    envvar="WEIR_ADMIN",
    default=DEFAULT_ADMIN,
    metavar="URL",
    show_default=True,
    help="The admin API; also from WEIR_ADMIN.",
)


@dataclass(frozen=True, slots=True)
class Admin:
    """The API that a verb talks to, whether a program reads the output, and ``flags`` that lead there."""

    client: Client
    as_json: bool
    flags: str = ""

    def tell(self, document: dict[str, Any], text: str) -> None:
        """Print the document or the text."""
        if self.as_json:
            text = json.dumps(document, indent=2, ensure_ascii=False)
        click.echo(text)


def admin_verb(verb: Callable[..., int | None]) -> Callable[..., None]:
    """A verb that is called with an Admin and returns its exit code (None: 0)."""

    def run(admin: str, token_file: str | None, as_json: bool, **arguments: Any) -> None:
        client = Client(admin, token(token_file))
        quietly(lambda: verb(Admin(client, as_json, flags(admin, token_file)), **arguments))

    found: Callable[..., None] = update_wrapper(run, verb)
    options = (
        ADMIN,
        click.option(
            "--token-file",
            envvar="WEIR_TOKEN_FILE",
            metavar="FILE",
            help="File with the API's token; also from WEIR_TOKEN_FILE, or the token from WEIR_TOKEN.",
        ),
        click.option("--json", "as_json", is_flag=True, help="Answer as JSON, for programs."),
    )
    for option in reversed(options):
        found = option(found)
    return found


def quietly(work: Callable[[], int | None]) -> None:
    """Do the work and exit with its code; an interrupt or a closed pipe is no error to talk about."""
    try:
        code = work() or 0
        sys.stdout.flush()  # here, where a closed pipe can still be caught
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:
        # The interpreter flushes once more when it ends; that must not meet the closed pipe again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = PIPE_CLOSED
    if code:
        sys.exit(code)


def token(path: str | None) -> str:
    """The token in the file, else in WEIR_TOKEN, else ""."""
    if path is None:
        return os.environ.get("WEIR_TOKEN", "").strip()
    try:
        found = Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise Misused(f"the token file {path} cannot be read: {reason}") from error
    if not found:
        raise Misused(f"the token file {path} is empty; expected the token of `admin.token`")
    return found


def flags(admin: str, token_file: str | None) -> str:
    """The options of this call that the next one needs too, each after a space; the environment stays."""
    context = click.get_current_context()
    given = {"admin": f" --admin {admin}", "token_file": f" --token-file {token_file}"}
    return "".join(
        words
        for name, words in given.items()
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    )
