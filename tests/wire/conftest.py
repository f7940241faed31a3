"""The programs that the cases run against: each is started once, and each case finds it clean."""

import contextlib
import socket
from collections.abc import Iterator

import pytest

from proxy.demo.ports import LOOPBACK
from tests.kits.authority import Authority
from tests.wire.front import Front
from tests.wire.front import front as started_front
from tests.wire.program import Wire, running

PLAIN = """
via: on
pool: {idle: 60s}  # or one that is kept by mistake would be gone soon all the same
services:
  shop: {stable: "http://127.0.0.1:{port}"}
  nobody: {match: {path: /nobody}, stable: "http://127.0.0.1:1"}
"""
HASTY = """
timeouts: {header: 400ms, connect: 300ms, response: 600ms, body: 800ms, idle: 600ms, tunnel: 800ms}
pool: {idle: 500ms, max_idle: 2}
services:
  shop: {stable: "http://127.0.0.1:{port}"}
  deaf: {match: {path: /deaf}, stable: "http://127.0.0.1:{deaf}"}
"""
TIGHT = """
limits: {line: 1KiB, head: 4KiB, fields: 20, body: 1KiB, connections: 8}
defaults: {upgrades: []}
services:
  shop: {match: {host: "*.example"}, stable: "http://127.0.0.1:{port}"}
"""
TRUSTING = """
trusted_proxies: [127.0.0.0/8]
via: off
forwarded: on
services:
  shop: {stable: "http://127.0.0.1:{port}"}
"""


@pytest.fixture(scope="session")
def plain_program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    with running(tmp_path_factory.mktemp("plain"), PLAIN) as wire:
        yield wire


@pytest.fixture
def wire(plain_program: Wire) -> Iterator[Wire]:
    """The proxy with its defaults."""
    yield plain_program
    plain_program.fresh()


@pytest.fixture(scope="session")
def deaf() -> Iterator[socket.socket]:
    """Listens, and has no room for another connection: SYNs to it get no answer."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server((LOOPBACK, 0), backlog=0))
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener


@pytest.fixture(scope="session")
def hasty_program(tmp_path_factory: pytest.TempPathFactory, deaf: socket.socket) -> Iterator[Wire]:
    settings = HASTY.replace("{deaf}", str(deaf.getsockname()[1]))
    with running(tmp_path_factory.mktemp("hasty"), settings) as wire:
        yield wire


@pytest.fixture
def hasty(hasty_program: Wire) -> Iterator[Wire]:
    """The proxy with deadlines of less than a second."""
    yield hasty_program
    hasty_program.fresh()


@pytest.fixture(scope="session")
def tight_program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    with running(tmp_path_factory.mktemp("tight"), TIGHT) as wire:
        yield wire


@pytest.fixture
def tight(tight_program: Wire) -> Iterator[Wire]:
    """The proxy with low limits."""
    yield tight_program
    tight_program.fresh()


@pytest.fixture(scope="session")
def trusting_program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    with running(tmp_path_factory.mktemp("trusting"), TRUSTING) as wire:
        yield wire


@pytest.fixture
def trusting(trusting_program: Wire) -> Iterator[Wire]:
    """The proxy behind another one."""
    yield trusting_program
    trusting_program.fresh()


@pytest.fixture(scope="session")
def front_program(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Front]:
    with started_front(tmp_path_factory.mktemp("front"), authority) as front:
        yield front


@pytest.fixture
def front(front_program: Front) -> Iterator[Front]:
    """The proxy with TLS and unix sockets on both sides."""
    yield front_program
    front_program.fresh()
