"""The import ladder: which package may import which, read from the source.

The data plane and the control plane share the table going down, the tally coming up, and the messages that
carry them. Nothing else holds that line but this file.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import proxy
from proxy.supervisor.commands import environment

ROOT = Path(proxy.__file__).parent

LADDER: Mapping[str, frozenset[str]] = {
    name: frozenset(allowed.split())
    for name, allowed in {
        "config": "",
        "collector": "",
        "http1": "",
        "lifeline": "",
        "routing": "http1.head",
        "telemetry": "routing",
        "analysis": "telemetry routing.split",
        "simulation": "analysis telemetry routing.split",
        "rollout": "analysis.verdict routing.split routing.endpoint",
        "pem": "",
        "trusts": "pem routing.endpoint",
        "forwarding": "http1 routing telemetry.outcome health.ejection pem trusts",
        "health": "routing.endpoint routing.ejection telemetry.outcome pem trusts",
        "messages": "routing telemetry",
        "frames": "messages",
        "worker": "forwarding routing telemetry messages frames lifeline pem trusts collector",
        "control": "config routing telemetry analysis rollout health.condition health.probe "
        "messages frames lifeline collector",
        "supervisor": "",
        "cli": "config supervisor demo analysis.policy analysis.wording simulation control.policy",
        "demo": "cli.client cli.views supervisor.commands",
    }.items()
}
"""What each package or module may import of ours, beside itself."""

PURE = frozenset({"http1", "routing", "telemetry", "analysis", "simulation", "rollout"})
PURE_FILES = frozenset({"forwarding/exchange.py", "health/ejection.py", "health/condition.py"})
IMPURE = frozenset({"asyncio", "socket", "time", "random", "os", "logging", "aiohttp"})

FORBIDDEN: Mapping[str, frozenset[str]] = {
    "supervisor": frozenset({"pydantic", "yaml", "aiohttp", "uvloop", "click", "rich"}),
    "forwarding": frozenset({"pydantic", "yaml", "aiohttp"}),
    "worker": frozenset({"pydantic", "yaml", "aiohttp"}),
    "control": frozenset({"httptools"}),
}
"""Foreign packages that a package of ours must not import."""

ONE_IMPORTER = {"httptools": frozenset({"http1/reading.py"})}


def imports(source: str) -> Iterator[str]:
    """Dotted names of all that a file imports, wherever in it; `a.b.c` of `from a.b import c`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def breaches(path: str, source: str) -> list[str]:
    """What the file at `path` (relative to proxy/, with slashes) imports and must not."""
    package = path.split("/")[0].removesuffix(".py")
    if package.startswith("__"):
        return []
    return [name for name in imports(source) if _ours(package, name) or _foreign(path, package, name)]


def _ours(package: str, name: str) -> bool:
    if not name.startswith("proxy.") or name == "proxy.__version__":
        return False
    return not any(_within(name, f"proxy.{allowed}") for allowed in (package, *LADDER[package]))


def _foreign(path: str, package: str, name: str) -> bool:
    top = name.partition(".")[0]
    if package == "lifeline" and top not in sys.stdlib_module_names:
        return True
    if (package in PURE or path in PURE_FILES) and top in IMPURE:
        return True
    return top in FORBIDDEN.get(package, ()) or path not in ONE_IMPORTER.get(top, {path})


def _within(name: str, owner: str) -> bool:
    return name == owner or name.startswith(f"{owner}.")


FILES = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py"))


@pytest.mark.parametrize("path", FILES)
def test_no_file_reaches_up_the_ladder(path: str) -> None:
    assert breaches(path, (ROOT / path).read_text()) == []


def test_every_package_has_its_place_on_the_ladder() -> None:
    places = {path.split("/")[0].removesuffix(".py") for path in FILES}
    assert {place for place in places if not place.startswith("__")} <= LADDER.keys()


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("worker/worker.py", "from proxy.control.ledger import Ledger"),
        ("worker/worker.py", "from proxy import control"),
        ("worker/worker.py", "import proxy.rollout.phases"),
        ("control/control.py", "from proxy.forwarding import pool"),
        ("control/api.py", "from proxy.http1.head import RequestHead"),
        ("routing/table.py", "from proxy.http1.fields import hop_by_hop"),
        ("routing/table.py", "from proxy.http1 import headless"),
        ("routing/table.py", "import asyncio"),
        ("telemetry/tally.py", "def now():\n    from time import monotonic"),
        ("rollout/rollout.py", "from proxy.analysis.judge import judge"),
        ("config/reading.py", "from proxy.routing.split import Split"),
        ("supervisor/plan.py", "import yaml"),
        ("supervisor/plan.py", "from proxy.config.schema import Config"),
        ("forwarding/downstream.py", "import httptools"),
        ("forwarding/exchange.py", "from time import monotonic"),
        ("lifeline.py", "import uvloop"),
        ("cli/get.py", "from proxy.control.api import serve"),
    ],
)
def test_a_breach_would_be_found(path: str, source: str) -> None:
    assert len(breaches(path, source)) == 1


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("routing/table.py", "from proxy.http1.head import RequestHead"),
        ("http1/reading.py", "import httptools"),
        ("worker/worker.py", "import proxy.messages"),
        ("control/metrics.py", "from proxy import __version__"),
        ("forwarding/pool.py", "import asyncio"),
    ],
)
def test_what_is_allowed_is_no_breach(path: str, source: str) -> None:
    assert breaches(path, source) == []


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("proxy.supervisor.__main__", FORBIDDEN["supervisor"]),
        ("proxy.messages", IMPURE - {"os", "time", "random", "socket", "logging"} | {"pydantic", "yaml"}),
        ("proxy.worker.worker", FORBIDDEN["worker"]),
    ],
)
def test_at_run_time_too(module: str, absent: frozenset[str]) -> None:
    program = f"import sys, {module}; print(*sys.modules)"
    argv = [sys.executable, "-c", program]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, env=environment({}))
    assert not absent & set(done.stdout.split())
