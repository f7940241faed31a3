"""`${VAR}`, `${VAR:-default}` and `$$`, which stands for one `$`. Any other `$` is an ordinary character.

Values are expanded after the YAML was read: what a variable holds never becomes a key, a list or a comment.
"""

import re
from collections.abc import Mapping

from proxy.config.problems import Unfit, nearest, quoted

_REFERENCE = re.compile(r"\$(?:\$|\{([^{}]*)(\}?))")
_NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", re.DOTALL)


def expand(text: str, environ: Mapping[str, str]) -> str:
    """Return the text with its variables replaced; a default serves when a variable is unset or empty.

    Raises:
        Unfit: A variable is not set, or a reference is not spelled as above.
    """
    if "$" not in text:
        return text
    return _REFERENCE.sub(lambda match: _value(match, environ), text)


def _value(match: re.Match[str], environ: Mapping[str, str]) -> str:
    if match[0] == "$$":
        return "$"
    name = _NAME.fullmatch(match[1])
    if name is None or not match[2]:
        raise Unfit(
            f"{quoted(match[0])} is not a reference to a variable",
            "write `${NAME}` or `${NAME:-default}`; a `$` that is meant literally before `{` is written `$$`",
        )
    value = environ.get(name[1], "")
    if name[2] is not None:
        return value or name[2]
    if name[1] not in environ:
        raise Unfit(
            f"the environment variable {quoted(name[1])} is not set",
            f"{nearest(name[1], environ)}set it, or give it a default: `${{{name[1][:60]}:-default}}`",
        )
    return value


def mentions(text: str) -> bool:
    """Return whether expanding changes the text or would fail."""
    return _REFERENCE.search(text) is not None
