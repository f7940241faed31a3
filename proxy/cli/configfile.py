"""How every verb that takes a config file reads it: the same words for the same problems, and exit code 2."""

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
"""Exit code for a config or a usage that is wrong."""


def load(source: str) -> tuple[str, Config]:
    """The text of a config file and what it says. Raises Problems, or OSError when it can't be read."""
    text = decode(Path(source).read_bytes(), source)
    return text, read(text, source, os.environ)


def load_or_exit(source: str) -> tuple[str, Config]:
    """As `load`, but problems are printed and end the program."""
    try:
        return load(source)
    except (Problems, OSError) as error:
        refuse(told(source, error))


def refuse(why: str) -> NoReturn:
    """Say why on stderr and exit with 2."""
    click.echo(why, err=True)
    sys.exit(WRONG)


def told(source: str, error: Problems | OSError) -> str:
    """What `load` raised, for a person."""
    if isinstance(error, Problems):
        return error.render()
    reason = (error.strerror or str(error)).lower()
    advice = ""
    if isinstance(error, FileNotFoundError):
        advice = "; `weir init` writes one, and `weir run --stable URL --canary URL --weight 5%` takes none"
    return f"{source}: error: {reason}{advice}"
