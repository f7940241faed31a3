"""What all tests share: which of them take processes, and certificates.

Certificates are made once for each run by the openssl command; no private key is committed.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.kits", "tests.rollout.telling", "tests.wire")

from tests.kits import properties

FOLDERS = frozenset({"live", "wire"})
"""All tests of these run the program."""
FIXTURES = frozenset({"aiohttp_client", "authority", "dead_url", "fake_admin", "unused_tcp_port"})
"""Who uses one of these listens on a socket, or runs openssl."""
FOREIGN = frozenset({"socket.bind", "subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn"})
"""Audit events of what only tests marked `process` may do."""

_running: list[pytest.Item] = []


def pytest_configure(config: pytest.Config) -> None:
    """Choose how many examples properties are tried with."""
    properties.load(config)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark by folder and fixture; other tests say it themselves."""
    for item in items:
        folder = item.path.relative_to(Path(__file__).parent).parts[0]
        if folder in FOLDERS or FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("process")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Note which test runs, for `audit`."""
    _running.append(item)
    try:
        return (yield)
    finally:
        _running.pop()


def audit(event: str, _: tuple[object, ...]) -> None:
    """Fail a test that isn't marked and does what needs the mark."""
    if event in FOREIGN and _running and _running[-1].get_closest_marker("process") is None:
        pytest.fail(f"{event}: mark this test with @pytest.mark.process")


sys.addaudithook(audit)


@dataclass(frozen=True)
class Issued:
    """Paths of PEM files."""

    cert: str
    key: str


class Authority:
    """Signs certificates; `cert` is what those who trust it need."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self.cert = str(place / "ca.pem")
        self._key = str(place / "ca.key")
        self._made = 0
        _openssl(
            *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-keyout", self._key, "-out", self.cert, "-days", "30", "-subj", "/CN=authority of the tests"),
        )

    def issue(self, *names: str, days: int = 30, usage: str = "", kind: str = "ec") -> Issued:
        """A new pair for these names: `shop.example`, or `IP:127.0.0.1`."""
        self._made += 1
        stem = self._place / str(self._made)
        cert, key, request, extensions = (f"{stem}.{end}" for end in ("pem", "key", "csr", "ext"))
        sans = [name if ":" in name else f"DNS:{name}" for name in names]
        lines = [f"subjectAltName={','.join(sans)}"] if sans else []
        lines += [f"extendedKeyUsage={usage}"] if usage else []
        Path(extensions).write_text("\n".join([*lines, "basicConstraints=CA:FALSE"]))
        new_key = ["rsa:2048"] if kind == "rsa" else ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
        _openssl(
            *("req", "-new", "-newkey", *new_key, "-nodes", "-keyout", key, "-out", request),
            *("-subj", f"/CN={names[0] if names else 'nobody'}"),
        )
        _openssl(
            *("x509", "-req", "-in", request, "-CA", self.cert, "-CAkey", self._key, "-CAcreateserial"),
            *("-out", cert, "-days", str(days), "-extfile", extensions),
        )
        return Issued(cert, key)


def _openssl(*words: str) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Signs what the tests ask for."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def shop(authority: Authority) -> Issued:
    """A pair for shop.example and this machine."""
    return authority.issue("shop.example", "localhost", "IP:127.0.0.1")


@pytest.fixture(scope="session")
def blog(authority: Authority) -> Issued:
    """A pair for blog.example and what is below it."""
    return authority.issue("blog.example", "*.blog.example")
