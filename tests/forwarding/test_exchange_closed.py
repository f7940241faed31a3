"""An exchange is changed by its own methods alone, checked on the syntax tree of every file of the proxy."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import proxy
from proxy.forwarding.exchange import Exchange

ROOT = Path(proxy.__file__).parent
OWNER = ROOT / "forwarding" / "exchange.py"
FIELDS = frozenset(Exchange.__slots__)
FILES = sorted(path for path in ROOT.rglob("*.py") if path != OWNER)


def writes(source: str) -> list[str]:
    """The writes to fields of an exchange in this source, each as it stands there.

    Every write to a field of an exchange's names counts, whatever the object is called, but in methods for
    `self`; and every write to a field of something that is called or declared an exchange.
    """
    tree = ast.parse(source)
    ours = _imports_exchange(tree)
    declared = {name for node in ast.walk(tree) for name in _declared(node)}
    return [ast.unparse(one) for one in _targets(tree) if _written(one, declared, ours=ours)]


def _written(target: ast.Attribute, declared: set[str], *, ours: bool) -> bool:
    on = target.value
    return _is_exchange(on, declared) or (ours and target.attr in FIELDS and not _is_self(on))


def _targets(tree: ast.AST) -> Iterator[ast.Attribute]:
    """Every attribute that is assigned, augmented, deleted, or set by `setattr`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
            yield node
        elif isinstance(node, ast.Call) and _name(node.func) in ("setattr", "delattr", "__setattr__"):
            on, field = node.args[-3:-1] if len(node.args) > 2 else node.args[:2]
            name = field.value if isinstance(field, ast.Constant) else "?"
            yield ast.Attribute(on, str(name), ast.Store())


def _imports_exchange(tree: ast.AST) -> bool:
    modules = (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))
    return any(node.module == "proxy.forwarding.exchange" for node in modules)


def _declared(node: ast.AST) -> Iterator[str]:
    """Names that are declared as exchanges, or are made or renamed from one."""
    match node:
        case ast.arg(arg=name, annotation=ast.expr() as kind) if "Exchange" in ast.unparse(kind):
            yield name
        case ast.AnnAssign(target=target, annotation=kind) if "Exchange" in ast.unparse(kind):
            yield _name(target)
        case ast.Assign(targets=targets, value=value) if _is_exchange(value, set()) or _is_made(value):
            yield from map(_name, targets)


def _is_made(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and _name(node.func) == "Exchange"


def _is_exchange(node: ast.AST, declared: set[str]) -> bool:
    name = _name(node)
    return name.strip("_") == "exchange" or (bool(name) and name in declared)


def _is_self(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_file_writes_to_an_exchange(path: Path) -> None:
    assert writes(path.read_text()) == []


IMPORT = "from proxy.forwarding.exchange import Exchange\n"


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("exchange.sends += 1", ["exchange.sends"]),
        ("self.exchange.overdue = True", ["self.exchange.overdue"]),
        ("self._exchange.anything = 1", ["self._exchange.anything"]),
        ("def f(it: Exchange | None) -> None:\n    it.answered = None", ["it.answered"]),
        ("it = Exchange(head, choice, 0, 1.0)\nit.anything: int = 7", ["it.anything"]),
        ("it = self.exchange\ndel it.reason", ["it.reason"]),
        ("exchange.status, other.x = 200, 1", ["exchange.status"]),
        ("for exchange.status in (1, 2):\n    pass", ["exchange.status"]),
        ("setattr(exchange, name, 1)", ["exchange.?"]),
        ("object.__setattr__(exchange, 'sent', 1)", ["exchange.sent"]),
        (IMPORT + "held.overdue = True", ["held.overdue"]),
        (IMPORT + "self.status = 7", []),
        ("held.overdue = True", []),
        ("exchange.refuse('body')\nstatus = exchange.status\nself.exchange = exchange", []),
    ],
)
def test_a_write_would_be_found(source: str, found: list[str]) -> None:
    assert writes(source) == found
