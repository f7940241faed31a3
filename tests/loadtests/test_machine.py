"""Which core is whose, and how a Python was built."""

import os

import pytest
from rig.machine import Cores, build, layout, pinned


@pytest.mark.parametrize(
    ("cores", "expected"),
    [
        ([0, 1], ((0,), (1,), (1,))),
        ([4, 7, 9], ((4,), (7,), (9,))),
        ([0, 1, 2, 3, 4], ((0,), (1,), (2,))),
        (list(range(6)), ((0, 1), (2, 3), (4, 5))),
        (list(range(64)), ((0, 1), (2, 3), (4, 5))),
    ],
)
def test_who_gets_which_core(cores: list[int], expected: tuple[tuple[int, ...], ...]) -> None:
    assert layout(cores) == Cores(*expected)


@pytest.mark.parametrize("cores", [[], [0]])
def test_one_core_is_not_enough(cores: list[int]) -> None:
    with pytest.raises(ValueError, match=f"needs two cores and may use {len(cores)}"):
        layout(cores)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="only Linux pins")
def test_pinned_only_inside() -> None:
    before = os.sched_getaffinity(0)
    with pinned([min(before)]):
        assert os.sched_getaffinity(0) == {min(before)}
    assert os.sched_getaffinity(0) == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("'--enable-shared'", "not profile-guided, without link-time optimization"),
        ("'--enable-optimizations' '--with-lto'", "profile-guided, with link-time optimization"),
        (
            "'--with-wheel-pkg-dir=/usr/share/python-wheels/'",
            "Debian's (profile-guided by its package's rules)",
        ),
    ],
)
def test_how_python_was_built(arguments: str, words: str) -> None:
    assert build(arguments) == words
