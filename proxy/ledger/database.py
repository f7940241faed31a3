"""The file of the ledger: ours alone, sound and of a known shape, or an error with what is wrong.

Write-ahead logging, because an append then costs one fsync instead of three. The exclusive lock keeps a
second program out (two that decide over one ledger would undo each other's trips), and spares the shared
memory file, so the ledger may live on a volume that has none. It dies with the process, however that dies.
"""

import sqlite3
from pathlib import Path

from proxy.ledger.errors import LedgerUnusable

APPLICATION = 0x57454952  # "WEIR": identifies our file among SQLite databases
SHAPE = 3

_PATIENCE = 0.5
"""Seconds to wait for the lock: a predecessor may still be closing."""

_TABLES = """
CREATE TABLE entries (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  service TEXT NOT NULL, revision INTEGER NOT NULL, at REAL NOT NULL, event TEXT NOT NULL,
  actor TEXT NOT NULL, reason TEXT NOT NULL, before INTEGER NOT NULL, after INTEGER NOT NULL, finding TEXT,
  phase TEXT, step INTEGER, generation INTEGER, acknowledged_ms REAL,
  UNIQUE (service, revision)
);
CREATE INDEX entries_by_service ON entries (service, id);
CREATE TABLE states (service TEXT PRIMARY KEY, revision INTEGER NOT NULL, rollout TEXT NOT NULL);
CREATE TABLE trips (service TEXT, check_name TEXT, count INTEGER NOT NULL, PRIMARY KEY (service, check_name));
CREATE TABLE totals (service TEXT, backend TEXT, counts TEXT NOT NULL, PRIMARY KEY (service, backend));
CREATE TABLE boots (boot TEXT PRIMARY KEY, number INTEGER NOT NULL);
CREATE TABLE marks (
  boot TEXT, service TEXT, revision INTEGER, backend TEXT, counts TEXT NOT NULL,
  PRIMARY KEY (boot, service, revision, backend)
);
CREATE TABLE evidence (service TEXT PRIMARY KEY, judged TEXT NOT NULL);
"""

_ORDERS = """
CREATE TABLE orders (
  service TEXT, key TEXT, digest TEXT NOT NULL, at REAL NOT NULL, PRIMARY KEY (service, key)
)"""

_STEPS = {
    1: "CREATE TABLE evidence (service TEXT PRIMARY KEY, judged TEXT NOT NULL)",
    2: """
ALTER TABLE entries ADD COLUMN phase TEXT;
ALTER TABLE entries ADD COLUMN step INTEGER;
ALTER TABLE entries ADD COLUMN generation INTEGER;
ALTER TABLE entries ADD COLUMN acknowledged_ms REAL;
"""
    + _ORDERS,
}
"""The statements that make a ledger of this shape one of the next."""


def connect(path: Path) -> sqlite3.Connection:
    """Open a connection that begins no transaction by itself. LedgerUnusable when that fails."""
    try:
        database = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
    except sqlite3.Error as error:
        raise _unusable(path, error) from error
    try:
        _prepare(path, database)
    except sqlite3.Error as error:
        database.close()
        raise _unusable(path, error) from error
    except LedgerUnusable:
        database.close()
        raise
    return database


def _prepare(path: Path, database: sqlite3.Connection) -> None:
    database.execute("PRAGMA locking_mode = EXCLUSIVE")
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    # The write takes the lock and shows at once whether the file can be written at all.
    database.execute("BEGIN IMMEDIATE")
    if _is_new(database):
        _execute(database, _TABLES + _ORDERS)
        database.execute(f"PRAGMA application_id = {APPLICATION}")
        database.execute(f"PRAGMA user_version = {SHAPE}")
    else:
        _recognise(path, database)
    database.execute("COMMIT")


def _is_new(database: sqlite3.Connection) -> bool:
    (tables,) = database.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    return _number(database, "application_id") == 0 and tables == 0


def _recognise(path: Path, database: sqlite3.Connection) -> None:
    if _number(database, "application_id") != APPLICATION:
        raise LedgerUnusable(f"{path} is a database of another program; give `state` a path of its own")
    shape = _number(database, "user_version")
    if shape not in (SHAPE, *_STEPS):
        raise LedgerUnusable(
            f"the ledger {path} has the shape {shape}, and this version of splitweir reads {SHAPE}; "
            "run the version that wrote it, or give `state` another path"
        )
    (found,) = database.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise LedgerUnusable(
            f"the ledger {path} is damaged ({' '.join(found.split())}); put a copy back or move it away"
        )
    for older in range(shape, SHAPE):
        _execute(database, _STEPS[older])
    database.execute(f"PRAGMA user_version = {SHAPE}")


def _execute(database: sqlite3.Connection, statements: str) -> None:
    """Execute several statements in the open transaction, which `executescript` would end."""
    for statement in statements.split(";"):
        database.execute(statement)


def _number(database: sqlite3.Connection, pragma: str) -> int:
    (value,) = database.execute(f"PRAGMA {pragma}").fetchone()
    return int(value)


_SENTENCES = {
    "SQLITE_BUSY": "is in use by another process; stop that one, or give `state` another path",
    "SQLITE_LOCKED": "is in use by another process; stop that one, or give `state` another path",
    "SQLITE_NOTADB": "is not a ledger: the file is no database; move it away, or give `state` another path",
    "SQLITE_CORRUPT": "is damaged; put a copy back or move it away",
    "SQLITE_CANTOPEN": "cannot be opened or created; is its directory there, and writable?",
    "SQLITE_IOERR_LOCK": "cannot be locked; is it writable, and on a file system that has locks?",
    "SQLITE_READONLY": "cannot be written; who owns it and its directory?",
}


def _unusable(path: Path, error: sqlite3.Error) -> LedgerUnusable:
    name = getattr(error, "sqlite_errorname", "")
    family = "_".join(name.split("_")[:2])  # of SQLITE_READONLY_DIRECTORY, for one
    sentence = _SENTENCES.get(name) or _SENTENCES.get(family) or f"cannot be used: {error}"
    return LedgerUnusable(f"the ledger {path} {sentence}")
