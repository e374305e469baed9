"""A desk's file into an empty PostgreSQL database: every row of every table, checked; it is the same desk there.

Theory. The incarnation comes along, and so agents replay nothing: the desk has forgotten nothing. All is one
transaction, so a copy that is broken off leaves an empty database. It is checked before it is kept: every row is read
back and compared with the file's, byte by byte (a digest of each table in the order of its key), and the books
of every ticket are added up (`desk.proof`). Afterwards the file is renamed, so that nobody goes on with it.
"""

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from desk.placing import DATABASE, mark
from desk.proof import check_books
from desk.schema import MIGRATIONS
from runtime.postgres import Connection
from runtime.postgres_writer import LOCK, migrate
from runtime.writer import StoreError, connect
from runtime.writer import migrate as migrate_file

COPIED = "desk.sqlite.copied"
_MOST = 2000  # rows taken at once
_ORDER = ("desk", "sites", "episodes", "tickets", "windows", "incidents", "walktests", "users")  # those named by others


class Copied(msgspec.Struct, frozen=True):
    """What was copied: rows by table, the desk's incarnation, where the file is now."""

    rows: dict[str, int]
    incarnation: str
    file: Path


def copy(state: Path, address: str) -> Copied:
    """Copy the file of a state folder, which its caller holds. Raises StoreError, and nothing is copied."""
    path = state / DATABASE
    if not path.is_file():
        raise StoreError(f"there is no desk's file in {state}", permanent=True)
    try:
        with closing(connect(path)) as file, closing(Connection(address)) as database:
            migrate_file(file, MIGRATIONS)
            _lock(database)
            migrate(database, MIGRATIONS)
            rows = _all(file, database)
            incarnation = str(file.execute("SELECT incarnation FROM desk").fetchone()[0])
            file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        raise StoreError(f"the copy was broken off, nothing of it is kept: {error}") from error
    mark(state)
    path.rename(state / COPIED)
    return Copied(rows, incarnation, state / COPIED)


def _lock(database: Connection) -> None:
    if not database.execute("SELECT pg_try_advisory_lock(?)", (LOCK,)).fetchone()[0]:
        raise StoreError("a desk writes into this database: stop it first", permanent=True)


def _all(file: sqlite3.Connection, database: Connection) -> dict[str, int]:
    """Copy every table in one transaction and check it before it is kept."""
    names = _tables(file)
    database.execute("BEGIN")
    for name in names:
        if database.execute(f"SELECT count(*) FROM {name}").fetchone()[0]:  # noqa: S608 - our own tables
            raise StoreError(f"the database is not empty: {name} has rows", permanent=True)
    rows = {name: _table(file, database, name) for name in names}
    _number_on(file, database)
    wrong = check_books(database)  # type: ignore[arg-type]  # asked as SQLite's is
    if wrong:
        raise StoreError(f"the books do not add up: {wrong[0]}; `roundsman desk doctor` says more", permanent=True)
    database.execute("COMMIT")
    return rows


def _tables(file: sqlite3.Connection) -> list[str]:
    found = file.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    names = sorted(str(name) for (name,) in found)
    return [*_ORDER, *(name for name in names if name not in _ORDER)]


def _table(file: sqlite3.Connection, database: Connection, name: str) -> int:
    """Copy a table and read it back; returns its rows."""
    told = file.execute(f"PRAGMA table_info({name})").fetchall()
    columns = [str(row[1]) for row in told]
    key = [f'"{row[1]}"' for row in sorted(told, key=lambda row: int(row[5])) if row[5]]
    quoted = ", ".join(f'"{column}"' for column in columns)
    select = f"SELECT {quoted} FROM {name} ORDER BY {', '.join(key)}"  # noqa: S608 - our own tables
    database.execute(f"ALTER TABLE {name} DISABLE TRIGGER USER")  # what is signed comes signed
    database.copy_into(name, columns, file.execute(select))
    database.execute(f"ALTER TABLE {name} ENABLE TRIGGER USER")
    before, count = _digest(file.execute(select))
    after, kept = _digest(_looked(database, select))
    if (before, count) != (after, kept):
        raise StoreError(f"table {name} came out otherwise: {count} rows in the file, {kept} in the database")
    return count


def _looked(database: Connection, select: str) -> Iterator[Any]:
    """Give the rows of a query a part at a time."""
    database.execute(f"DECLARE looked CURSOR FOR {select}")
    while rows := database.execute(f"FETCH {_MOST} FROM looked").fetchall():
        yield from rows
    database.execute("CLOSE looked")


def _digest(rows: Iterable[Any]) -> tuple[str, int]:
    digest, count = hashlib.sha256(), 0
    for row in rows:
        digest.update(repr(tuple(row)).encode())
        count += 1
    return digest.hexdigest(), count


def _number_on(file: sqlite3.Connection, database: Connection) -> None:
    """Let numbers go on after the highest that was ever given, deleted rows' too."""
    given = dict(file.execute("SELECT name, seq FROM sqlite_sequence").fetchall())
    found = database.execute(
        "SELECT t.relname, a.attname FROM pg_attribute a JOIN pg_class t ON t.oid = a.attrelid"
        " WHERE a.attidentity <> '' AND t.relnamespace = current_schema()::regnamespace"
    ).fetchall()
    for table, column in found:
        last = database.execute(f"SELECT coalesce(max({column}), 0) FROM {table}").fetchone()[0]  # noqa: S608
        highest = max(int(last), given.get(table, 0))
        if highest:
            database.execute(f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'), ?)", (highest,))
