import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from proxy.ledger.database import SHAPE, connect
from proxy.ledger.errors import LedgerUnusable


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "weir.db"


def refused(path: Path) -> str:
    with pytest.raises(LedgerUnusable) as refusal:
        connect(path)
    assert str(path) in refusal.value.detail
    return refusal.value.detail


def test_a_new_file_gets_its_tables_and_an_old_one_keeps_them(path: Path) -> None:
    database = connect(path)
    database.execute("INSERT INTO boots VALUES ('b', 1)")
    database.close()
    again = connect(path)
    assert again.execute("SELECT * FROM boots").fetchall() == [("b", 1)]
    again.close()


def test_a_ledger_of_the_first_shape_is_brought_up_to_date(path: Path) -> None:
    database = connect(path)
    database.execute("INSERT INTO boots VALUES ('b', 1)")
    database.execute("DROP TABLE evidence")
    database.execute("DROP TABLE orders")
    for column in ("phase", "step", "generation", "acknowledged_ms"):
        database.execute(f"ALTER TABLE entries DROP COLUMN {column}")
    database.execute("PRAGMA user_version = 1")
    database.close()
    for _ in range(2):
        again = connect(path)
        assert again.execute("SELECT * FROM boots").fetchall() == [("b", 1)]
        assert again.execute("SELECT * FROM evidence").fetchall() == []
        assert again.execute("SELECT phase, step, generation, acknowledged_ms FROM entries").fetchall() == []
        assert again.execute("SELECT * FROM orders").fetchall() == []
        assert again.execute("PRAGMA user_version").fetchone() == (SHAPE,)
        again.close()


def test_a_file_that_is_empty_is_a_new_one(path: Path) -> None:
    path.touch()
    connect(path).close()


def test_closing_leaves_one_file(path: Path) -> None:
    connect(path).close()
    assert [each.name for each in path.parent.iterdir()] == ["weir.db"]


HOLDER = """
import sys, pathlib
from proxy.ledger.database import connect
held = connect(pathlib.Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.mark.process
def test_a_second_process_is_refused_until_the_first_is_gone(path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout.readline() == b"held\n"
    assert "in use by another process" in refused(path)
    holder.kill()
    holder.communicate()
    connect(path).close()


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    assert "cannot be opened or created" in refused(tmp_path / "nowhere" / "weir.db")


def test_a_directory_in_its_place(path: Path) -> None:
    path.mkdir()
    assert "cannot be opened or created" in refused(path)


def test_a_file_that_cannot_be_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the kernel answers a user without the right: root, who may run this, is never told."""
    connect(path).close()
    real = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda path, **how: real(f"file:{path}?mode=ro", uri=True, **how))
    assert "is it writable" in refused(path)


def test_a_file_that_is_no_database(path: Path) -> None:
    path.write_bytes(b"listen: ':8080'\n" * 100)
    assert "is no database" in refused(path)


def test_a_damaged_database(path: Path) -> None:
    connect(path).close()
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    assert "damaged" in refused(path)


def test_the_database_of_another_program(path: Path) -> None:
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE songs (name TEXT)")
    other.close()
    assert "another program" in refused(path)
    untouched = sqlite3.connect(path)
    assert untouched.execute("SELECT name FROM sqlite_schema").fetchall() == [("songs",)]
    untouched.close()


def test_a_ledger_of_another_version(path: Path) -> None:
    database = connect(path)
    database.execute(f"PRAGMA user_version = {SHAPE + 1}")
    database.close()
    assert f"shape {SHAPE + 1}" in refused(path)
