"""Each shared default is used by the config schema and by the code behind it."""

import re
from pathlib import Path

import pytest

import proxy
from proxy import defaults

ROOT = Path(proxy.__file__).parent
NAMES = [name for name in vars(defaults) if name.isupper()]
USES = {path: set(re.findall(r"\bdefaults\.([A-Z_]+)", path.read_text())) for path in ROOT.rglob("*.py")}


@pytest.mark.parametrize("name", NAMES)
def test_a_default_has_users_on_both_sides(name: str) -> None:
    users = {path.relative_to(ROOT).parts[0] == "config" for path, names in USES.items() if name in names}
    assert users == {True, False}


def test_there_is_no_other_name() -> None:
    assert set().union(*USES.values()) == set(NAMES)
