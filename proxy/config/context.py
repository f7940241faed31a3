"""The context of reading a file, beside its text: where the file is, and how a token is read."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from pydantic import ValidationInfo

ReadToken = Callable[[Path], str]
"""Gives the token that the file at a path holds. Raises Unfit when there is none."""


@dataclass(frozen=True, slots=True)
class FileContext:
    """Passed on as pydantic's validation context."""

    beside: Path
    """The directory of the config file, at which relative paths in it start."""
    read_token: ReadToken

    @classmethod
    def of(cls, info: ValidationInfo) -> "FileContext":
        """Return the context of the file that is being read."""
        return cast(FileContext, info.context)

    def place(self, path: str) -> str:
        """Return a path of the file as the other processes need it, wherever they run."""
        return str((self.beside / path).absolute())
