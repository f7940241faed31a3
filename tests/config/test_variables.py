"""Variables of the environment in values."""

import pytest

from proxy.config.problems import Unfit
from proxy.config.variables import expand, mentions

ENVIRON = {"HOST": "a.example", "PORT": "80", "EMPTY": "", "NESTED": "${HOST}"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"), ("http://${HOST}:${PORT}", "http://a.example:80"), ("${NOPE:-5%}", "5%"),
        ("${NOPE:-}", ""), ("${EMPTY:-x}", "x"), ("${EMPTY}", ""), ("${PORT:-9}", "80"), ("$$", "$"),
        ("$${HOST}", "${HOST}"), ("^a$", "^a$"), ("$HOST", "$HOST"), ("${NESTED}", "${HOST}"), ("$$$", "$$"),
        ("${NOPE:-a:-b}", "a:-b"),
    ],
)  # fmt: skip
def test_expansion(text: str, value: str) -> None:
    assert expand(text, ENVIRON) == value


@pytest.mark.parametrize(
    ("text", "says", "advises"),
    [
        ("${PROT}", "the environment variable `PROT` is not set", "did you mean `PORT`? set it"),
        ("${PROT}", "is not set", "give it a default: `${PROT:-default}`"),
        ("${", "`${` is not a reference", "`$$`"),
        ("${HOST", "`${HOST` is not a reference", "`${NAME}`"),
        ("${1}", "`${1}` is not a reference", "`${NAME}`"),
        ("${HOST-x}", "`${HOST-x}` is not a reference", "`${NAME:-default}`"),
        ("${a${b}}", "is not a reference", "`${NAME}`"),
    ],
)
def test_what_cannot_be_expanded(text: str, says: str, advises: str) -> None:
    with pytest.raises(Unfit) as caught:
        expand(text, ENVIRON)
    assert says in caught.value.message
    assert advises in caught.value.advice


@pytest.mark.parametrize(
    ("text", "does"), [("${A}", True), ("$$", True), ("${", True), ("$A", False), ("", False)]
)
def test_mentions(text: str, does: bool) -> None:
    assert mentions(text) is does
