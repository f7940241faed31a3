"""Rules of the house that a machine can check, and the lists of what doesn't keep them yet.

Each list only shrinks: a test fails, too, when something on it keeps the rule or is gone.

python -m tests.house        prints the lists as they should be now
"""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import proxy

PROXY = Path(proxy.__file__).parent
TESTS = Path(__file__).parent

WITHOUT_TESTS: frozenset[str] = frozenset()
"""Modules of proxy/ that have no test file of their name."""

SECTION_AND_VALUE = frozenset(
    {
        "Access",
        "Backend",
        "Caps",
        "Check",
        "Condition",
        "Ejection",
        "Kind",
        "Limits",
        "Listener",
        "Metric",
        "Pair",
        "Pool",
        "Rescue",
        "Rollout",
        "Segment",
        "Service",
        "Slower",
        "Source",
        "StepUp",
        "Sticky",
        "Timeouts",
        "Trust",
    }
)
"""Type names that a section of the config shares with the value that it becomes."""

SHARED: Mapping[str, str] = {}
"""Other type names that are defined more than once, with the reason; five at most."""

AMBIGUOUS: frozenset[str] = frozenset()
"""Type names that are defined more than once and need another name."""

PRIVATE: Mapping[str, int] = {
    "fuzz/test_oracle.py": 1,  # puts a fault into a crossing, which the oracle has to find
}
"""How often a test file uses private attributes of what is defined elsewhere."""

NO_VERBS = frozenset(
    [
        "A",
        "All",
        "An",
        "How",
        "It",
        "None",
        "Nothing",
        "Returns",
        "That",
        "The",
        "They",
        "This",
        "What",
        "When",
        "Where",
        "Whether",
        "Which",
        "Who",
    ]
)
"""First words of a docstring that doesn't say what its function does."""


def without_tests() -> set[str]:
    """Modules of proxy/, relative to it, without `test_NAME.py` in the same folder of tests/."""
    modules = (path.relative_to(PROXY) for path in PROXY.rglob("*.py") if not path.name.startswith("__"))
    tested = {path.relative_to(TESTS) for path in TESTS.rglob("test_*.py")}
    return {str(path) for path in modules if path.with_name(f"test_{path.name}") not in tested}


def types(source: str) -> Iterator[str]:
    """Public names of the classes and of the type aliases at the top of a module."""
    for node in ast.parse(source).body:
        match node:
            case ast.ClassDef(name=name):
                pass
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if _is_type(name, value):
                pass
            case ast.AnnAssign(target=ast.Name(id=name), annotation=ast.Name(id="TypeAlias")):
                pass
            case _:
                continue
        if not name.startswith("_"):
            yield name


def _is_type(name: str, value: ast.expr) -> bool:
    """Whether an assignment names a type: in CamelCase, and what it names is made of types.

    `Access = Annotated[...]` names a type and `Signal = frozenset(...)` a value: of all calls, only those of
    `NewType` and `TypeVar` make types.
    """
    camel = name[0].isupper() and any(letter.islower() for letter in name)
    made = not isinstance(value, ast.Call) or ast.unparse(value.func) in ("NewType", "TypeVar")
    return camel and made


def definitions() -> dict[str, list[str]]:
    """The files, relative to proxy/, that define each type name."""
    found: dict[str, list[str]] = {}
    for path in sorted(PROXY.rglob("*.py")):
        for name in types(path.read_text()):
            found.setdefault(name, []).append(str(path.relative_to(PROXY)))
    return found


def doubles() -> dict[str, list[str]]:
    """The type names that are defined more than once."""
    return {name: files for name, files in definitions().items() if len(files) > 1}


def private(source: str) -> list[str]:
    """Private attributes that a file uses of what others define, as they are written.

    Not its own: of `self` and `cls`, of a class that the file defines, or of a `namedtuple`, whose `_replace`
    is public.
    """
    tree = ast.parse(source)
    uses = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and _is_private(node.attr)]
    own = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    own |= {node.attr for node in uses if _of_self(node) and isinstance(node.ctx, ast.Store)}
    return [ast.unparse(node) for node in uses if not _of_self(node) and node.attr not in own]


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name not in ("_replace", "_asdict", "_exit")


def _of_self(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")


def reaches() -> dict[str, int]:
    """How often each test file uses private attributes of what is defined elsewhere, if it does."""
    files = {str(path.relative_to(TESTS)): private(path.read_text()) for path in sorted(TESTS.rglob("*.py"))}
    return {file: len(uses) for file, uses in files.items() if uses}


def verbless(source: str) -> Iterator[str]:
    """Names of the functions whose docstring begins without a verb; those of properties are nouns."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or node.decorator_list:
            continue
        words = (ast.get_docstring(node) or "").split()
        if words and words[0].rstrip(",.:;") in NO_VERBS:
            yield node.name


CLOCKS = frozenset(
    {"monotonic", "perf_counter", "process_time", "thread_time", "time", "monotonic_ns", "perf_counter_ns"}
)
"""Functions that read a clock, of `time` and of event loops."""


def hurried(source: str) -> Iterator[str]:
    """Assertions that bound from above how long something took: a loaded machine breaks them."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Assert):
            continue
        for each in ast.walk(node.test):
            if isinstance(each, ast.Compare) and _bounds_a_time(each):
                yield ast.unparse(each)


def _bounds_a_time(compared: ast.Compare) -> bool:
    """Whether `clock() - before < 5` is among these comparisons, or `5 > clock() - before`."""
    sides = [compared.left, *compared.comparators]
    for left, operator, right in zip(sides, compared.ops, sides[1:], strict=False):
        small = left if isinstance(operator, ast.Lt | ast.LtE) else right
        if isinstance(operator, ast.Lt | ast.LtE | ast.Gt | ast.GtE) and _is_lapse(small):
            return True
    return False


def _is_lapse(expression: ast.expr) -> bool:
    return any(
        isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Sub)
        and any(map(_reads_a_clock, ast.walk(node)))
        for node in ast.walk(expression)
    )


def _reads_a_clock(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in CLOCKS


if __name__ == "__main__":
    print("WITHOUT_TESTS", *sorted(without_tests()), sep="\n    ")
    print("AMBIGUOUS", *sorted(doubles().keys() - SECTION_AND_VALUE - SHARED.keys()), sep="\n    ")
    print("PRIVATE", *(f'"{file}": {number},' for file, number in reaches().items()), sep="\n    ")
