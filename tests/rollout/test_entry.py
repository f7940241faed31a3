from dataclasses import FrozenInstanceError

import pytest

from proxy.rollout.entry import Entry


def test_an_entry_is_a_value():
    entry = Entry(3, "weight", 500, 2000, "")
    assert entry == Entry(3, "weight", 500, 2000, "", None)
    with pytest.raises(FrozenInstanceError):
        entry.after = 0
