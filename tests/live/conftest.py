"""Real processes for the live tests: origins, and the proxy on free ports, always taken down."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from rig.origins import Origin, nginx_path, origin
from rig.weir import Weir, services, weir

Pair = tuple[Origin, Origin]
Start = Callable[..., Weir]


@pytest.fixture(scope="session")
def samples() -> Iterator[Pair]:
    """Two sample services, v1 and v2."""
    with origin("v1", prefer_nginx=False) as stable, origin("v2", prefer_nginx=False) as canary:
        yield stable, canary


@pytest.fixture
def origins(samples: Pair) -> Iterator[Pair]:
    """The sample services; one that was made to fail is well again afterwards."""
    yield samples
    for sample in samples:
        sample.recover()


@pytest.fixture
def nginx_origins() -> Iterator[Pair]:
    """Two nginx, v1 and v2."""
    if nginx_path() is None:
        pytest.skip("nginx is not installed")
    with origin("v1") as stable, origin("v2") as canary:
        yield stable, canary


@pytest.fixture
def start_text(tmp_path: Path) -> Iterator[Callable[[str], Weir]]:
    """Starts the proxy with this config, but for its addresses."""
    with ExitStack() as stack:
        yield lambda text: stack.enter_context(weir(tmp_path, text))


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the proxy before two origins: start(origins, weight=..., more=..., settings=...)."""
    with ExitStack() as stack:

        def started(between: Pair, *, weight: float = 0, more: str = "", settings: str = "") -> Weir:
            stable, canary = between
            text = settings + services(stable.url, canary.url, weight=weight, more=more)
            return stack.enter_context(weir(tmp_path, text))

        yield started
