from dataclasses import FrozenInstanceError
from typing import get_args

import pytest

from proxy.rollout.entry import Entry, EntryKind
from tests.rollout.rollouts import FINDING


def test_an_entry_is_a_value() -> None:
    entry = Entry(3, "weight", 500, 2000, "")
    assert entry == Entry(3, "weight", 500, 2000, "", None)
    assert entry != Entry(3, "weight", 500, 2000, "", FINDING)
    with pytest.raises(FrozenInstanceError):
        entry.after = 0


def test_the_words_are_those_that_the_history_is_read_by() -> None:
    plan = "start step gate deadline promoting promotion"
    words = f"release reload {plan} weight pause trip abort resume retry undo"
    assert get_args(EntryKind) == tuple(words.split())
