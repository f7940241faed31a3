"""What all client verbs share: the options for the admin API, the output format, and the exit code.

`@client_verb` declares the options, passes a `Session` as the first argument, and ends the verb without a
message on Ctrl-C and when the reader of its output closes the pipe.
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
from proxy.cli.client import Client, Misuse

DEFAULT_ADMIN = f"http://{defaults.ADMIN_ADDRESS}"
ALARM = 1
"""The exit code when a canary has been taken out, or stable itself fails."""
INTERRUPTED = 130
"""The exit code after Ctrl-C, as in a shell: 128 + SIGINT."""
PIPE_CLOSED = 141
"""The exit code when the reader of the output is gone, as in a shell: 128 + SIGPIPE."""
ADMIN = click.option(
    "--admin",
    envvar="WEIR_ADMIN",
    default=DEFAULT_ADMIN,
    metavar="URL",
    show_default=True,
    help="The admin API; also from WEIR_ADMIN.",
)


@dataclass(frozen=True, slots=True)
class Session:
    """The admin API of one call of a verb, and the format of its output."""

    client: Client
    as_json: bool
    """Whether a program reads the output."""
    flags: str = ""
    """The options of this call that suggested commands need too, each after a space."""

    def print(self, document: dict[str, Any], text: str) -> None:
        """Print the document as JSON, or the text."""
        if self.as_json:
            text = json.dumps(document, indent=2, ensure_ascii=False)
        click.echo(text if self.as_json else colored(text))


def colored(text: str) -> str:
    """Return the text, with each line in red that says that users are harmed now.

    Click drops the color where the output is no terminal.
    """
    if os.environ.get("NO_COLOR"):
        return text
    alarm = "stable is failing"
    return "\n".join(
        click.style(line, fg="red", bold=True) if alarm in line.casefold() else line
        for line in text.split("\n")
    )


def client_verb(verb: Callable[..., int | None]) -> Callable[..., None]:
    """Turn a function that takes a Session and returns an exit code (None: 0) into a command with options."""

    def run(admin: str, token_file: str | None, as_json: bool, **arguments: Any) -> None:
        client = Client(admin, token(token_file))
        quietly(lambda: verb(Session(client, as_json, flags(admin, token_file)), **arguments))

    found: Callable[..., None] = update_wrapper(run, verb)
    options = (
        ADMIN,
        click.option(
            "--token-file",
            envvar="WEIR_TOKEN_FILE",
            metavar="FILE",
            help="File with the API's token; also from WEIR_TOKEN_FILE, or the token from WEIR_TOKEN.",
        ),
        click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs."),
    )
    for option in reversed(options):
        found = option(found)
    return found


def quietly(work: Callable[[], int | None]) -> None:
    """Run `work` and exit with its code; an interrupt or a closed pipe prints no error."""
    try:
        code = work() or 0
        sys.stdout.flush()  # here, where a closed pipe can still be caught
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:
        # The interpreter flushes again at its end, which must not fail on the closed pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = PIPE_CLOSED
    if code:
        sys.exit(code)


def token(path: str | None) -> str:
    """Return the token in the file, else in WEIR_TOKEN, else ""; raise Misuse for an unusable file."""
    if path is None:
        return os.environ.get("WEIR_TOKEN", "").strip()
    try:
        found = Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise Misuse(f"the token file {path} cannot be read: {reason}") from error
    if not found:
        raise Misuse(f"the token file {path} is empty; expected the token of `admin.token`")
    return found


def flags(admin: str, token_file: str | None) -> str:
    """Return the options of this call that later calls need too, each after a space.

    Values from the environment are left out, because they hold for later calls anyway.
    """
    context = click.get_current_context()
    given = {"admin": f" --admin {admin}", "token_file": f" --token-file {token_file}"}
    return "".join(
        words
        for name, words in given.items()
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    )
