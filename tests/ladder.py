"""The import ladder: which package may import which, and the table of it in ARCHITECTURE.md.

python -m tests.ladder        writes the table into ARCHITECTURE.md
"""

import ast
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import proxy

ROOT = Path(proxy.__file__).parent
ARCHITECTURE = Path(__file__).resolve().parents[1] / "ARCHITECTURE.md"
BEGIN = "<!-- ladder: written by tests/ladder.py -->"
END = "<!-- end of ladder -->"

LADDER: Mapping[str, str] = {
    "defaults": "",
    "counted": "",
    "config": "counted defaults",
    "http1": "defaults",
    "routing": "defaults http1.head",
    "telemetry": "routing",
    "analysis": "counted defaults telemetry routing.split",
    "simulation": "analysis telemetry routing.split",
    "rollout": "counted analysis.verdict routing.split routing.endpoint",
    "tls": "routing.endpoint",
    "health": "counted http1 routing.address routing.endpoint routing.failures telemetry.outcome tls",
    "resolution": "",
    "forwarding": "counted defaults http1 routing telemetry.outcome health.ejection tls",
    "link": "routing telemetry",
    "child": "",
    "worker": "counted forwarding http1.forwarded_fields routing telemetry link child tls",
    "settings": "defaults config routing analysis.policy analysis.check rollout link.messages",
    "ledger": "counted rollout telemetry link.messages routing.split",
    "control": "config routing telemetry analysis rollout settings ledger link "
    "control.views control.outside.contract",
    "control.views": "counted control.managed_service control.schedule rollout analysis telemetry routing "
    "settings.service ledger.ledger ledger.record ledger.totals",
    "control.outside": "control.managed_service control.gates control.broadcast control.config_file "
    "control.views config.schema health.condition health.probe http1.limits ledger.record resolution "
    "rollout routing telemetry.control_metrics",
    "control.api": "counted control.command control.errors control.schedule config settings.plan "
    "ledger.errors rollout routing telemetry.exposition telemetry.slices",
    "control.process": "control control.api control.outside ledger child config",
    "supervisor": "counted",
    "demo": "counted cli.client cli.views supervisor.commands",
    "cli": "counted defaults config settings.policy settings.service analysis.policy analysis.wording "
    "simulation rollout routing.split ledger supervisor demo",
}
"""What each package may import of ours, beside itself; the longest name that fits a file is its owner.

Within `control` these are walls, too: who decides knows neither the admin API nor the network outside, the
API knows neither who decides nor the views, and the views know no API.
"""

PURE = frozenset(
    {"counted", "defaults", "http1", "routing", "telemetry", "analysis", "simulation", "rollout"}
)
PURE_FILES = frozenset({"forwarding/exchange.py", "health/ejection.py", "health/condition.py"})
IMPURE = frozenset({"asyncio", "socket", "time", "random", "os", "logging", "aiohttp"})

FORBIDDEN: Mapping[str, frozenset[str]] = {
    "supervisor": frozenset({"pydantic", "yaml", "aiohttp", "uvloop", "click", "rich"}),
    "forwarding": frozenset({"pydantic", "yaml", "aiohttp"}),
    "worker": frozenset({"pydantic", "yaml", "aiohttp"}),
    "control": frozenset({"httptools"}),
}
"""Foreign packages that a package of ours must not import, with all that lies in it."""

STANDARD_LIBRARY_ALONE = frozenset({"child"})
ONE_IMPORTER = {"httptools": frozenset({"http1/parser.py"})}
ENTRIES: Mapping[str, str] = {"control/__main__.py": "control.process"}
"""Entry points that belong to the process that they start."""


def owner(module: str) -> str:
    """The row of the ladder that a module belongs to (`control.api.routes`: `control.api`), "" for none."""
    names = module.split(".")
    prefixes = (".".join(names[:length]) for length in range(len(names), 0, -1))
    return next((prefix for prefix in prefixes if prefix in LADDER), "")


def imports(source: str) -> Iterator[str]:
    """Dotted names of all that a file imports, wherever in it; `a.b.c` of `from a.b import c`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def breaches(path: str, source: str) -> list[str]:
    """What the file at `path` (relative to proxy/, with slashes) imports and must not."""
    if path.startswith("__"):
        return []
    row = ENTRIES.get(path) or owner(path.removesuffix(".py").replace("/", "."))
    return [name for name in imports(source) if _ours(row, name) or _foreign(path, row, name)]


def _ours(row: str, name: str) -> bool:
    if not name.startswith("proxy.") or name == "proxy.__version__":
        return False
    target = name.removeprefix("proxy.")
    return owner(target) != row and not any(_allows(allowed, target) for allowed in LADDER[row].split())


def _allows(allowed: str, target: str) -> bool:
    """Whether a word of the ladder covers a module. A row of its own within a package isn't covered by it."""
    return _within(target, allowed) and owner(target) == owner(allowed)


def _foreign(path: str, row: str, name: str) -> bool:
    top, package = name.partition(".")[0], row.partition(".")[0]
    if package in STANDARD_LIBRARY_ALONE and top not in {*sys.stdlib_module_names, "proxy"}:
        return True
    if (package in PURE or path in PURE_FILES) and top in IMPURE:
        return True
    return top in FORBIDDEN.get(package, ()) or path not in ONE_IMPORTER.get(top, {path})


def _within(name: str, outer: str) -> bool:
    return name == outer or name.startswith(f"{outer}.")


def table() -> str:
    """The ladder as a Markdown table; what a package holds is the first line of its docstring."""
    rows = ["| package | holds | may import |", "|---|---|---|"]
    for row, allowed in LADDER.items():
        words = ", ".join(f"`{word}`" for word in allowed.split()) or "-"
        rows.append(f"| `{row}`{' *' if row in PURE else ''} | {_holds(row)} | {words} |")
    return "\n".join(rows)


def _holds(row: str) -> str:
    place = ROOT.joinpath(*row.split("."))
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    docstring = ast.get_docstring(ast.parse(file.read_text())) or ""
    return docstring.partition("\n")[0].removesuffix(".")


def within(text: str) -> str:
    """The text with the table of now between the marks."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    ARCHITECTURE.write_text(within(ARCHITECTURE.read_text()))
