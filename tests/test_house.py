"""The rules of the house hold, but for what is listed: see `tests/house.py`."""

import pytest

from tests.house import (
    AMBIGUOUS,
    PRIVATE,
    PROXY,
    SECTION_AND_VALUE,
    SHARED,
    TESTS,
    WITHOUT_TESTS,
    doubles,
    hurried,
    private,
    reaches,
    types,
    verbless,
    without_tests,
)


def test_every_module_has_its_test_file() -> None:
    assert without_tests() == WITHOUT_TESTS


def test_a_type_name_is_defined_once() -> None:
    assert doubles().keys() - SECTION_AND_VALUE - SHARED.keys() == AMBIGUOUS


def test_no_test_uses_what_is_private_to_others() -> None:
    assert reaches() == PRIVATE


def test_no_test_asserts_how_fast_the_machine_is() -> None:
    files = {str(path.relative_to(TESTS)): list(hurried(path.read_text())) for path in TESTS.rglob("*.py")}
    assert {file: found for file, found in files.items() if found} == {}


@pytest.mark.parametrize(
    ("assertion", "found"),
    [
        ("time.monotonic() - before < 5", 1),
        ("5 > time.perf_counter() - before, 'too slow'", 1),
        ("0 < loop.time() - before <= 0.2", 1),
        ("min(time.perf_counter() - each for each in costs) < 0.2", 1),
        ("time.monotonic() - before >= 0.3", 0),  # a pause lasts at least as long
        ("time.monotonic() < deadline", 0),  # a test that waits gives up at some time
        ("before <= seen <= time.process_time()", 0),
    ],
)
def test_what_asserts_how_fast_the_machine_is(assertion: str, found: int) -> None:
    assert len(list(hurried(f"assert {assertion}"))) == found


def test_the_docstring_of_a_function_begins_with_a_verb() -> None:
    files = {str(path.relative_to(PROXY)): list(verbless(path.read_text())) for path in PROXY.rglob("*.py")}
    assert {file: names for file, names in files.items() if names} == {}


@pytest.mark.parametrize(
    ("docstring", "found"),
    [
        ("Return the pool.", []),
        ("Whether it is ready.", ["f"]),
        ("What is left.", ["f"]),
        ("The pool.", ["f"]),
        ("Returns the pool.", ["f"]),
    ],
)
def test_what_a_docstring_without_a_verb_is(docstring: str, found: list[str]) -> None:
    assert list(verbless(f'def f():\n    """{docstring}"""')) == found
    assert list(verbless(f'@property\ndef f():\n    """{docstring}"""')) == []


def test_a_section_shares_its_name_with_one_value() -> None:
    found = doubles()
    inside = {
        name: [file.startswith("config/") for file in found.get(name, ())] for name in SECTION_AND_VALUE
    }
    assert {name for name, where in inside.items() if sorted(where) != [False, True]} == set()


def test_the_names_that_are_shared_otherwise_are_few_and_still_shared() -> None:
    assert SHARED.keys() <= doubles().keys()
    assert len(SHARED) <= 5
    assert all(SHARED.values())


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("class Side: ...", ["Side"]),
        ("class _Side: ...", []),
        ("Side = Literal['client', 'server']", ["Side"]),
        ("Side = ClientSide | ServerSide", ["Side"]),
        ("Side = NewType('Side', str)", ["Side"]),
        ("Side = str", ["Side"]),
        ("Side: TypeAlias = str", ["Side"]),
        ("SIDE = ClientSide | ServerSide", []),
        ("Side = find_the_side()", []),
        ("side = Literal['client', 'server']", []),
        ("def f():\n    class Side: ...", []),
    ],
)
def test_what_a_type_name_is(source: str, found: list[str]) -> None:
    assert list(types(source)) == found


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("def test(pool): assert pool._idle", ["pool._idle"]),
        ("def test(pool): pool.plane._dial()", ["pool.plane._dial"]),
        ("def test(pool): pool._idle = 3", ["pool._idle"]),
        ("def test(pool): assert pool.__dict__", []),
        ("class Fake:\n    def dial(self): self._idle = 3", []),
        ("class Fake:\n    def dial(self): self.plane._idle = 3", ["self.plane._idle"]),
        ("class Fake:\n    def dial(self): self._idle = 3\ndef test(fake): assert fake._idle", []),
        ("class Fake:\n    def _dial(self): ...\ndef test(fake): fake._dial()", []),
        ("def test(value): value._replace(a=1)", []),
    ],
)
def test_what_counts_as_use_of_what_is_private(source: str, found: list[str]) -> None:
    assert private(source) == found
