"""The admin listener: never open to others without a token, and tokens that are never shown."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from proxy.config.addresses import address
from proxy.config.admin import Admin, exposure
from proxy.config.problems import Problems
from proxy.config.reader import read

SERVICES = "services: {a: {stable: http://a}}\n"


def admin(keys: str, source: str = "f", **environ: str) -> Admin:
    return read(f"{SERVICES}admin: {keys}", source, environ).admin


def test_the_default_is_loopback_without_a_token() -> None:
    found = read(SERVICES, "f", {}).admin
    assert (str(found.listen), found.token, found.open_metrics) == ("127.0.0.1:9900", None, False)


def test_a_token_opens_the_listener() -> None:
    found = admin("{listen: ':9900', token: '${T}', open_metrics: true}", T="s3cret")
    assert (found.listen.host, found.token, found.open_metrics) == ("", "s3cret", True)
    assert "s3cret" not in repr(found)


@pytest.mark.parametrize(
    ("listen", "token", "refused"),
    [
        ("127.0.0.1:1", None, False), ("localhost:1", None, False), ("[::1]:1", None, False),
        (":1", None, True), ("10.0.0.1:1", None, True), ("[::]:1", None, True), (":1", "t", False),
    ],
)  # fmt: skip
def test_exposure(listen: str, token: str | None, refused: bool) -> None:
    why = exposure(address(listen), token)
    assert (why is not None) is refused
    assert why is None or ("without a token" in why and listen in why)


def test_an_exposed_listener_is_refused_with_the_reason(wrong: Callable[..., Any]) -> None:
    (problem,) = wrong(f"{SERVICES}admin: {{listen: ':9900'}}")
    assert "anybody there could move traffic" in problem.message
    assert (problem.span.line, problem.span.column, problem.span.width) == (2, 17, 7)
    assert "`127.0.0.1:9900`" in problem.advice[0]


def test_a_token_file_lies_beside_the_config_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret\n")
    assert admin("{listen: ':9900', token_file: token}", str(tmp_path / "weir.yaml")).token == "s3cret"
    assert admin(f"{{token_file: {tmp_path}/token}}", "elsewhere/weir.yaml").token == "s3cret"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot be read: no such file or directory"), (b"", "the token is empty"), (b"a b", "a space"),
        (b"\xff\xfe", "is not text"), (b"x" * 10_000, "the token has"),
    ],
)  # fmt: skip
def test_unreadable_token_files(tmp_path: Path, content: bytes | None, says: str) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(Problems, match=says) as caught:
        admin(f"{{token_file: {file}}}")
    assert caught.value.found[0].span.column == 21


def test_a_directory_is_no_token_file(tmp_path: Path) -> None:
    with pytest.raises(Problems, match="cannot be read: is a directory"):
        admin(f"{{token_file: {tmp_path}}}")


def test_token_and_token_file_exclude_each_other(wrong: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "token").write_text("b")
    (problem,) = wrong(f"{SERVICES}admin: {{token: a, token_file: {tmp_path}/token}}")
    assert problem.message == "`token` and `token_file` cannot be written together"
    assert problem.span.column == 19


def test_a_bad_token_is_told_without_showing_it() -> None:
    with pytest.raises(Problems) as caught:
        admin("{token: 'hunter 2', listen: nope}")
    assert len(caught.value) == 2
    assert "hunter" not in caught.value.render()
