"""The admin listener, and its token."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import ValidationInfo, field_validator

from proxy import defaults
from proxy.config import addresses, names
from proxy.config.addresses import HostPort
from proxy.config.context import FileContext
from proxy.config.problems import Unfit, quoted
from proxy.config.section import Quarrel, Section
from proxy.config.values import TEXT, Boolean, File, Listen, Scalar, attempt, key

KEPT_TOKEN = "token"
"""The name of the token's copy in the private directory, beside the config text."""


def exposure(listen: HostPort, token: object) -> str | None:
    """Return why the admin listener must not be opened there without a token; None when it may be."""
    if token is not None or listen.loopback:
        return None
    return (
        f"the admin API on {quoted(str(listen))} can be reached from other machines, and without a token "
        "anybody there could move traffic"
    )


class Admin(Section):
    """The listener of control API and metrics."""

    listen: Listen = key(
        "where to listen; anything but loopback needs a token",
        default=addresses.address(defaults.ADMIN_ADDRESS),
        written=str,
    )
    literal: Annotated[str, Scalar(names.token, "a token", TEXT)] | None = key(
        "the bearer token, best as `${VAR}`", default=None, alias="token", shown=False
    )
    filed: File | None = key(
        "a file with the bearer token, relative to the config file",
        default=None,
        alias="token_file",
        shown=False,
    )
    open_metrics: Boolean = key("true: /metrics needs no token", default=False, written=bool)

    @property
    def token(self) -> str | None:
        """The bearer token, from wherever it came."""
        return self.literal or self.filed

    @field_validator("filed", mode="after")
    @classmethod
    def _read(cls, path: str | None, info: ValidationInfo) -> str | None:
        if path is None:
            return None
        around = FileContext.of(info)
        return around.read_token(around.beside / path)

    @classmethod
    def quarrels(cls, raw: Mapping[str, Any]) -> Iterator[Quarrel]:
        if "token" in raw and "token_file" in raw:
            advice = "remove one of the two"
            yield (
                ("token_file",),
                Unfit("`token` and `token_file` cannot be written together", advice, on="key"),
            )
        listen = attempt(addresses.address, raw.get("listen", defaults.ADMIN_ADDRESS))
        why = listen and exposure(listen, raw.get("token", raw.get("token_file")))
        if why:
            yield (
                ("listen",),
                Unfit(why, f"add `token: ${{WEIR_TOKEN}}`, or listen on `{defaults.ADMIN_ADDRESS}`"),
            )


def token_in(path: Path) -> str:
    """Return the token that a file on disk holds.

    Raises:
        Unfit: There is none.
    """
    try:
        with path.open("rb") as file:
            content = file.read(names.LONGEST_TOKEN + 2)
        return names.token(content.decode().strip())
    except OSError as error:
        why = (error.strerror or "it cannot be read").lower()
        raise Unfit(
            f"the token file {quoted(str(path))} cannot be read: {why}", "make it readable, or use `token`"
        ) from None
    except UnicodeDecodeError:
        raise Unfit(
            f"the token file {quoted(str(path))} is not text", "write the token alone into it"
        ) from None
