"""The way in: a text becomes a Config, or Problems that hold everything that is wrong with it."""

import json
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from proxy.config.admin import token_in
from proxy.config.context import FileContext, ReadToken
from proxy.config.nodes import Document, Loc, named
from proxy.config.problems import Problem, Problems, Span, Unfit
from proxy.config.schema import Config
from proxy.config.syntax import split_lines


def read(text: str, source: str, environ: Mapping[str, str], read_token: ReadToken = token_in) -> Config:
    """Read and validate a config file.

    Args:
        text: Its content.
        source: Its path as the person wrote it: it begins every message, and relative paths of a token or
            certificates start at its directory.
        environ: The variables for `${VAR}`.
        read_token: Returns the token in the file at a path, that of `token_file`.

    Raises:
        Problems: It has any; all of them are in it.
    """
    document = Document(text, source, environ)
    found = list(document.problems)
    try:
        around = FileContext(Path(source).parent, read_token)
        config = Config.model_validate(document.plain, context=around)
    except ValidationError as failure:
        for error in failure.errors(include_url=False, include_input=False):
            found += _located(document, error["loc"], error.get("ctx", {}).get("error"), str(error["msg"]))
    if found:
        raise Problems(source, document.lines, found)
    return config


def decode(data: bytes, source: str) -> str:
    """Return the text of a file, which is UTF-8.

    Raises:
        Problems: It isn't.
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        lines = split_lines(data[: error.start].decode("utf-8"))
        span = Span(len(lines), len(lines[-1]) + 1)
        problem = Problem(
            span,
            f"the byte 0x{data[error.start]:02x} is not UTF-8",
            ("save the file in the encoding UTF-8",),
        )
        shown = split_lines(data.decode("utf-8", errors="replace"))
        raise Problems(source, shown, [problem]) from None


def single(stable: str, canary: str | None = None, weight: str = "0%", listen: str | None = None) -> str:
    """Return the text of a config file with one service, for a start without a file; `read` validates it."""
    lines = [f"listen: {_quote(listen)}"] if listen is not None else []
    lines += ["services:", "  default:", f"    stable: {_quote(stable)}"]
    if canary is not None:
        lines += [f"    canary: {_quote(canary)}"]
    if canary is not None or weight != "0%":
        lines += [f"    weight: {_quote(weight)}"]
    return "\n".join(lines) + "\n"


def _quote(text: str) -> str:
    """Return a YAML double-quoted scalar; JSON's escapes are among YAML's."""
    return json.dumps(text, ensure_ascii=False)


def _located(document: Document, loc: Loc, fault: object, message: str) -> list[Problem]:
    """Return a finding of the model at its place in the file, unless that place was reported already."""
    if not isinstance(fault, Unfit):
        fault = Unfit(message)
    key_itself = loc[-1:] == ("[key]",) and not document.has(loc)
    if key_itself:
        loc, fault.on = loc[:-1], "key"
    written = _written(document, loc)
    if fault.on == "value" and document.unread(written):
        return []
    owner = f" {named(_written(document, loc[: len(loc) - fault.of]))}" if fault.of else ""
    return [document.problem(written, fault, owner)]


def _written(document: Document, loc: Loc) -> Loc:
    """Return where a value of a service stands in the file: under the service, or under `defaults`."""
    inherited = ("defaults", *loc[2:])
    if len(loc) > 2 and loc[0] == "services" and not document.has(loc[:3]) and document.has(inherited[:2]):
        return inherited
    return loc
