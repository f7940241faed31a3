"""The bounds of one message: what they are when nobody says otherwise, and that nobody moves them."""

from dataclasses import FrozenInstanceError

import pytest

from proxy.http1.limits import DEFAULT, Limits


def test_without_a_word_fields_of_8_kib_work_and_nothing_is_endless() -> None:
    assert (DEFAULT.line, DEFAULT.head, DEFAULT.fields) == (16_384, 65_536, 200)
    assert Limits() == DEFAULT
    assert 8 * 1024 < DEFAULT.line < DEFAULT.head


def test_each_of_them_can_be_another() -> None:
    assert Limits(1, 2, 3) == Limits(line=1, head=2, fields=3)
    assert Limits(line=100) == Limits(100, DEFAULT.head, DEFAULT.fields)


@pytest.mark.parametrize("name", ["line", "head", "fields"])
def test_they_do_not_move(name: str) -> None:
    with pytest.raises(FrozenInstanceError):
        setattr(DEFAULT, name, 1)
