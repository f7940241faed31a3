"""Reading the config file, with the same messages and exit code 2 in every verb."""

import os
import sys
from pathlib import Path
from typing import NoReturn

import click

from proxy.config.problems import Problems
from proxy.config.reader import decode, read
from proxy.config.schema import Config

DEFAULT = "weir.yaml"
WRONG = 2
"""The exit code for a wrong config or usage."""


def load(source: str) -> tuple[str, Config]:
    """Return the text of a config file and its values; raise Problems, or OSError if it can't be read."""
    text = decode(Path(source).read_bytes(), source)
    return text, read(text, source, os.environ)


def load_or_exit(source: str) -> tuple[str, Config]:
    """Load a config file as `load` does; on an error print it and exit with 2."""
    try:
        return load(source)
    except (Problems, OSError) as error:
        refuse(error_text(source, error))


def refuse(why: str) -> NoReturn:
    """Print the reason on stderr and exit with 2."""
    click.echo(why, err=True)
    sys.exit(WRONG)


def error_text(source: str, error: Problems | OSError) -> str:
    """Return the message for what `load` raised."""
    if isinstance(error, Problems):
        return error.render()
    reason = (error.strerror or str(error)).lower()
    advice = ""
    if isinstance(error, FileNotFoundError):
        advice = "; `weir init` writes one, and `weir run --stable URL --canary URL --weight 5%` needs none"
    return f"{source}: error: {reason}{advice}"
