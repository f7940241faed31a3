"""State has one owner: no attribute of an object, and no item of one, is assigned from outside its class."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeGuard

import pytest

import proxy
from proxy.telemetry.outcome import Outcome

ROOT = Path(proxy.__file__).parent
OTHERS: Mapping[str, frozenset[str]] = {
    # The settings of a data plane are attributes, swapped by assignment: a call would cost the fast path.
    "worker/worker.py": frozenset({"plane.header_seconds", "plane.idle_seconds", "plane.provenance"})
    | {"plane.pool.age_seconds", "plane.pool.idle_seconds"},
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
    # The judge, the counts and the head that have just been made, by what makes them.
    "analysis/judge.py": frozenset({"judge._evidence", "judge._guard", "judge._sample", "judge._seen"})
    | {"judge._weights", "judge._warm_up", "judge.blast_radius"},
    "telemetry/counts.py": frozenset({"result.exposed", "result.life", "result.users"})
    | {"setattr(result, name, getattr(self, name) + getattr(other, name))"},
    "http1/parser.py": frozenset(
        f"head.{field}" for field in ("bodied", "length", "line", "persistent", "plain")
    ),
    # The counts of a tally's own entries: each request passes there.
    "telemetry/tally.py": frozenset({"self._entries[key].tunnels", "self._entry(key).ejections"})
    | {"self._entry(key).in_flight"},
    # Where a fault is and what helps, added on its way to the person.
    "config/reader.py": frozenset({"fault.on"}),
    "config/connections.py": frozenset({"fault.advice"}),
    "config/service.py": frozenset({"fault.advice"}),
    # What changes in a made world, by its run, and in the requests and counts of that world.
    "simulation/run.py": frozenset({"self.world.canary", "self.world.weight", "world.thresholds"}),
    "simulation/world.py": frozenset({"counts.labels[code]", "counts[request.backend].overdue"})
    | {"each.overdue", "request.overdue"},
    # The standard library's contexts are set up like this.
    "tls/certificates.py": frozenset({"connection.context", "self.context.sni_callback"})
    | {f"context.{field}" for field in ("check_hostname", "minimum_version", "options")}
    | {f"context.{field}" for field in ("verify_flags", "verify_mode")},
    "tls/trusts.py": frozenset({"context.check_hostname", "context.minimum_version"})
    | {"context.verify_flags", "context.verify_mode"},
    # The gauges of a copy that has just been made.
    "ledger/totals.py": frozenset({"now.in_flight", "now.tunnels", "now.overdue"}),
    # The header fields of an answer that has just been made.
    "control/api/routes.py": frozenset({"response.headers['ETag']"}),
    # The class of one service's endpoints is private to the file.
    "control/outside/probes.py": frozenset({"watched.conditions[address]", "watched.tasks[address]"}),
    # aiohttp itself takes an interim answer out of the size of the response like this.
    "control/api/problems.py": frozenset({"request.writer.output_size"}),
    "worker/__main__.py": frozenset({"sys.unraisablehook"}),
}
"""What is assigned from outside all the same, with the reason. The list only shrinks."""

BY_NAME = frozenset({"setattr", "delattr", "__setattr__", "__delattr__"})
"""Calls that assign or delete an attribute which they name."""

FILES = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py"))


def assigned(source: str) -> Iterator[str]:
    """Yield each attribute, and each item of one, that is assigned or deleted, but for those of `self`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
            attribute = node.value if isinstance(node, ast.Subscript) else node
            if isinstance(attribute, ast.Attribute) and not _is_self(attribute.value):
                yield ast.unparse(node)
        elif _is_by_name(node) and not _is_self(node.args[0]):
            yield ast.unparse(node)


def _is_by_name(node: ast.AST) -> TypeGuard[ast.Call]:
    return isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in BY_NAME


def _is_self(node: ast.expr) -> bool:
    return ast.unparse(node) == "self"


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
        ("delattr(exchange, name)", ["delattr(exchange, name)"]),
        ("object.__setattr__(exchange, 'sent', 1)", ["object.__setattr__(exchange, 'sent', 1)"]),
        ("exchange.sends += 1", ["exchange.sends"]),
        ("self.exchange.overdue = True", ["self.exchange.overdue"]),
        ("def f(it: Exchange | None) -> None:\n    it.answered = None", ["it.answered"]),
        ("it = Exchange(head, choice, 0, 1.0)\nit.anything: int = 7", ["it.anything"]),
        ("it = self.exchange\ndel it.reason", ["it.reason"]),
        ("exchange.status, other.x = 200, 1", ["exchange.status", "other.x"]),
        ("for exchange.status in (1, 2):\n    pass", ["exchange.status"]),
        ("exchange.refuse('body')\nstatus = exchange.status\nself.exchange = exchange", []),
        ("managed.states['a'] = 1", ["managed.states['a']"]),
        ("object.__setattr__(self, 'name', 'a'); setattr(self, name, 1)", []),
        ("self.gone = True; self.states['a'] = 1; states['a'] = 1; managed.leave()", []),
    ],
)
def test_a_breach_would_be_found(source: str, found: list[str]) -> None:
    assert list(assigned(source)) == found
