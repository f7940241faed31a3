"""What all tests share: which of them are marked `process`, and the certificates of a run."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.kits", "tests.rollout.telling", "tests.wire")

from tests.kits import properties
from tests.kits.authority import Authority, Issued

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
