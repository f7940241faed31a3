"""The import ladder holds, and each of its walls is there: see `tests/ladder.py`."""

import subprocess
import sys
from pathlib import Path

import pytest

from proxy.supervisor.commands import environment
from tests.ladder import ARCHITECTURE, BEGIN, END, FORBIDDEN, IMPURE, LADDER, ROOT, breaches, owner, within

FILES = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py"))


@pytest.mark.parametrize("path", FILES)
def test_no_file_reaches_up_the_ladder(path: str) -> None:
    assert breaches(path, (ROOT / path).read_text()) == []


def test_every_package_has_its_place_on_the_ladder() -> None:
    places = {path.split("/")[0].removesuffix(".py") for path in FILES}
    assert {place for place in places if not place.startswith("__")} <= LADDER.keys()


def test_every_word_of_the_ladder_is_a_package_or_a_module() -> None:
    words = {word for allowed in LADDER.values() for word in allowed.split()} | LADDER.keys()
    places = {word: ROOT.joinpath(*word.split(".")) for word in words}
    assert [word for word, place in places.items() if not place.is_dir() and not _is_file(place)] == []


def _is_file(place: Path) -> bool:
    return place.with_suffix(".py").is_file()


def test_the_table_in_the_architecture_is_that_of_the_ladder() -> None:
    text = ARCHITECTURE.read_text()
    assert text.count(BEGIN) == text.count(END) == 1
    assert within(text) == text, "run python -m tests.ladder"


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("worker/worker.py", "from proxy.control.managed_service import ManagedService"),
        ("worker/worker.py", "from proxy import control"),
        ("worker/worker.py", "import proxy.rollout.phases"),
        ("control/control.py", "from proxy.forwarding import pool"),
        ("control/api/routes.py", "from proxy.http1.head import RequestHead"),
        ("routing/table.py", "from proxy.http1.fields import hop_by_hop"),
        ("routing/table.py", "from proxy.http1 import headless"),
        ("routing/table.py", "import asyncio"),
        ("telemetry/tally.py", "def now():\n    from time import monotonic"),
        ("rollout/rollout.py", "from proxy.analysis.judge import judge"),
        ("config/reader.py", "from proxy.routing.split import Split"),
        ("supervisor/plan.py", "import yaml"),
        ("supervisor/plan.py", "from proxy.config.schema import Config"),
        ("forwarding/downstream.py", "import httptools"),
        ("forwarding/exchange.py", "from time import monotonic"),
        ("child/lifeline.py", "import uvloop"),
        ("cli/get.py", "from proxy.control.api.routes import build"),
        ("control/outside/hooks.py", "import httptools"),
    ],
)
def test_a_breach_would_be_found(path: str, source: str) -> None:
    assert len(breaches(path, source)) == 1


@pytest.mark.parametrize(
    ("path", "source"),
    [
        pytest.param(
            "control/api/routes.py", "import proxy.control.control", id="API does not reach the decider"
        ),
        pytest.param(
            "control/api/routes.py", "import proxy.control.views.view", id="API does not reach the views"
        ),
        pytest.param(
            "ledger/journal.py",
            "import proxy.control.managed_service",
            id="ledger does not reach the decider",
        ),
        pytest.param(
            "ledger/record.py", "import proxy.control.api.requests", id="ledger does not reach the API"
        ),
        pytest.param(
            "settings/plan.py", "import proxy.control.managed_service", id="settings do not reach the decider"
        ),
        pytest.param("settings/plan.py", "import proxy.ledger.record", id="settings do not reach the ledger"),
        pytest.param(
            "control/views/view.py", "import proxy.control.api.routes", id="views do not reach the API"
        ),
        pytest.param(
            "control/control.py", "import proxy.control.api.order_parser", id="decider does not reach the API"
        ),
        pytest.param(
            "control/control.py", "import proxy.control.outside.network", id="decider knows no network"
        ),
    ],
)
def test_each_wall_of_control_is_there(path: str, source: str) -> None:
    assert breaches(path, source) == [source.removeprefix("import ")]


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("routing/table.py", "from proxy.http1.head import RequestHead"),
        ("http1/parser.py", "import httptools"),
        ("worker/worker.py", "import proxy.link.messages"),
        ("control/api/metrics.py", "from proxy import __version__"),
        ("control/process.py", "import proxy.control.api.routes"),
        ("control/__main__.py", "import proxy.control.process"),
        ("forwarding/pool.py", "import asyncio"),
    ],
)
def test_what_is_allowed_is_no_breach(path: str, source: str) -> None:
    assert breaches(path, source) == []


@pytest.mark.parametrize(
    ("module", "row"),
    [
        ("control.api.routes", "control.api"),
        ("control.managed_service", "control"),
        ("control.process", "control.process"),
    ],
)
def test_the_longest_name_that_fits_owns_a_module(module: str, row: str) -> None:
    assert owner(module) == row


@pytest.mark.process
@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("proxy.supervisor.__main__", FORBIDDEN["supervisor"]),
        (
            "proxy.link.messages",
            IMPURE - {"os", "time", "random", "socket", "logging"} | {"pydantic", "yaml"},
        ),
        ("proxy.worker.worker", FORBIDDEN["worker"]),
    ],
)
def test_at_run_time_too(module: str, absent: frozenset[str]) -> None:
    program = f"import sys, {module}; print(*sys.modules)"
    argv = [sys.executable, "-c", program]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, env=environment({}))
    assert not absent & set(done.stdout.split())
