"""The page of the command line: each verb with its arguments, options and exit codes."""

import re
from collections.abc import Iterator, Mapping

import click

from docs.generator.markdown import Undescribed, code, described, sentence, table
from proxy.cli import VERBS, main

INTRODUCTION = """\
# Command line

`weir --help` lists the verbs, `weir VERB --help` describes one. Completion of verbs and options in bash,
zsh and fish:

```sh
eval "$(_WEIR_COMPLETE=bash_source weir)"
```

Write `zsh_source` in zsh; in fish, `_WEIR_COMPLETE=fish_source weir | source`. The line belongs into the
shell's own start file.

The verbs that ask a running proxy find its admin API by `--admin` or `WEIR_ADMIN`, and their token by
`--token-file`, `WEIR_TOKEN_FILE` or `WEIR_TOKEN`. `--json` prints what the [API](api.md) answered.
"""

GENERAL: Mapping[str, str] = {
    "0": "All is well, or the order is carried out.",
    "1": "A canary that is shown is out; a rollout that was waited for was rolled back; the proxy is not "
    "ready or cannot "
    "start.",
    "2": "The usage or the config file is wrong.",
    "3": "The admin API cannot be reached, or the ledger cannot be written.",
    "4": "The order does not fit what is in force: another phase, another revision, or a canary that is out.",
    "124": "The rollout has not ended within `--timeout`; it goes on.",
    "130": "Ctrl-C.",
    "141": "The reader of the output closed the pipe.",
}
"""What the exit codes mean wherever they occur."""

OF_VERBS: Mapping[str, str] = {
    "schema": "0 printed",
    "version": "0 printed",
}
"""Of the verbs whose help does not list them in a sentence of its own."""

_CODES = re.compile(r"Exit codes: (.+?)\.(?=\s|$)", re.DOTALL)


def page() -> str:
    """Return the page."""
    context = click.Context(main, info_name="weir")
    parts = [
        INTRODUCTION,
        "## Exit codes",
        table(("Code", "Meaning"), [(code(k), v) for k, v in GENERAL.items()]),
    ]
    for name in VERBS:
        command = main.get_command(context, name)
        if command is None:
            raise LookupError(f"there is no verb {name!r}")
        parts += _verb(name, command, context)
    return "\n\n".join(part for part in parts if part)


def _verb(name: str, command: click.Command, context: click.Context) -> Iterator[str]:
    if not command.help:
        raise Undescribed(f"verb {name!r} has no help: write a docstring")
    own = click.Context(command, info_name=name, parent=context)
    yield f"## `weir {name}`"
    yield f"```text\n{' '.join(['weir', name, *command.collect_usage_pieces(own)])}\n```"
    yield from _help(_CODES.sub("", command.help))
    if options := [each for each in command.get_params(own) if isinstance(each, click.Option)]:
        yield table(("Option", "Meaning"), [_option(name, each, own) for each in options])
    yield f"Exit codes: {exit_codes(name, command)}."


def _help(text: str) -> Iterator[str]:
    """Yield the paragraphs; one that click must not wrap is an example."""
    for paragraph in text.strip().split("\n\n"):
        if "\b" in paragraph:
            yield f"```text\n{paragraph.replace(chr(8), '').strip()}\n```"
        elif words := " ".join(paragraph.split()):
            yield words


def _option(verb: str, option: click.Option, context: click.Context) -> tuple[str, str]:
    if "--help" in option.opts:  # click keeps the one of the first call, whose names may differ
        return code("-h, --help"), "Print the help and exit."
    record = option.get_help_record(context)
    if record is None or not option.help:
        raise Undescribed(f"option {option.name!r} of verb {verb!r} has no help")
    flags, _ = record
    text = sentence(option.help)
    if option.show_default and option.default is not None:
        text += f" Default: `{option.default}`."
    return code(flags), text


def exit_codes(name: str, command: click.Command) -> str:
    """Return the exit codes of a verb in a sentence. Raises `Undescribed`."""
    found = _CODES.search(command.help or "")
    text = " ".join(found[1].split()) if found else described(OF_VERBS, name, "exit codes of verb")
    return re.sub(r"\b(0|1|2|3|4|124)(?= )", r"`\1`", text)
