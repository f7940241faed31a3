"""State has one owner: no attribute of an object, and no item of one, is assigned from outside its class."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import proxy
from proxy.telemetry.outcome import Outcome

ROOT = Path(proxy.__file__).parent
FOLDERS = (
    "child", "cli", "control", "demo", "forwarding", "ledger", "link", "settings", "supervisor", "worker",
)  # fmt: skip

OTHERS: Mapping[str, frozenset[str]] = {
    # The settings of a data plane are attributes, swapped by assignment: a call would cost the fast path.
    "worker/worker.py": frozenset({"plane.header_seconds", "plane.idle_seconds", "plane.provenance"})
    | {"plane.pool.idle_seconds"},
    "worker/tables.py": frozenset({"self._plane.table"}),
    "worker/capacity.py": frozenset({"plane.connections", "plane.pool.max_idle"}),
    "worker/accesslog.py": frozenset({"plane.accounts.access"}),
    # So are the counts of a shelf, and whether a connection goes on: each request passes there.
    "forwarding/accounts.py": frozenset({"shelf.pending"}),
    "forwarding/pool.py": frozenset({"shelf.pending", "shelf.record", "upstream.idle_since"}),
    "forwarding/answer_head.py": frozenset({"side.persistent"}),
    "forwarding/crossing.py": frozenset({"side.persistent"}),
    "forwarding/own_answers.py": frozenset({"side.persistent"}),
    "forwarding/listener.py": frozenset({"self._plane.draining"}),
    # The outcome that has just been made, field by field.
    "forwarding/exchange.py": frozenset(f"outcome.{field}" for field in Outcome.__slots__),
    # A judge that begins anew within one release takes over the blast radius of the one before.
    "control/assessment.py": frozenset({"judge.blast_radius"}),
    # The gauges of a copy that has just been made.
    "ledger/totals.py": frozenset({"now.in_flight", "now.tunnels", "now.overdue"}),
    # The header fields of an answer that has just been made.
    "control/api/routes.py": frozenset({"response.headers['ETag']"}),
    # The class of one service's endpoints is private to the file.
    "control/outside/probes.py": frozenset({"watched.conditions[endpoint]", "watched.tasks[endpoint]"}),
    # aiohttp itself takes an interim answer out of the size of the response like this.
    "control/api/problems.py": frozenset({"request.writer.output_size"}),
    "worker/__main__.py": frozenset({"sys.unraisablehook"}),
}
"""What is assigned from outside all the same: objects of other packages. The list only shrinks."""

FILES = sorted(
    path.relative_to(ROOT).as_posix() for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")
)


def assigned(source: str) -> Iterator[str]:
    """Yield each attribute, and each item of one, that is assigned or deleted, but for those of `self`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
            attribute = node.value if isinstance(node, ast.Subscript) else node
            if isinstance(attribute, ast.Attribute) and ast.unparse(attribute.value) != "self":
                yield ast.unparse(node)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("setattr", "object.__setattr__"):
            yield ast.unparse(node)


@pytest.mark.parametrize("path", FILES)
def test_no_attribute_is_assigned_from_outside_its_class(path: str) -> None:
    found = set(assigned((ROOT / path).read_text()))
    assert found == OTHERS.get(path, frozenset()), "add a method to its class, or shorten the list"


def test_every_exception_is_a_file() -> None:
    assert OTHERS.keys() <= set(FILES)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("managed.gone = True", ["managed.gone"]),
        ("link.boot, link.worker = hello", ["link.boot", "link.worker"]),
        ("rollback.acknowledged_ms += 1", ["rollback.acknowledged_ms"]),
        ("self.managed.asked: int = 1", ["self.managed.asked"]),
        ("del queue.sending", ["queue.sending"]),
        ("for each.number in range(3): pass", ["each.number"]),
        ("setattr(managed, 'gone', True)", ["setattr(managed, 'gone', True)"]),
        ("managed.states['a'] = 1", ["managed.states['a']"]),
        ("self.gone = True; self.states['a'] = 1; states['a'] = 1; managed.leave()", []),
    ],
)
def test_a_breach_would_be_found(source: str, found: list[str]) -> None:
    assert list(assigned(source)) == found
