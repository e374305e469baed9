"""The desk's store: one SQLite file, one writer with group commit, one reader thread; plain SQL on top.

This is the seam for another database: `Store.write` runs a function of a connection, wholly or not at all, and answers
after the commit, `Store.read` runs one that only reads. All SQL of the desk is in such functions, and uses nothing but
`?` parameters, partial indexes and `ON CONFLICT`.
"""

import asyncio
import sqlite3
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import msgspec

from desk.schema import MIGRATIONS
from model.alarm import AlarmState, Kind
from model.contract import Handling
from model.rule import Meaning
from model.service.words import Cover, Side, Trust
from model.telling import What
from model.ticket import Reason, TicketState
from runtime.writer import Room, StoreError, Writer, one_look, plainly, reader

T = TypeVar("T")
Db = sqlite3.Connection
Row = sqlite3.Row
Value = str | int | float | bytes | None
ROOM = Room(wal=8000, cache=16_000)  # a storm writes pages back a few times, not after every fifty sites
AUDIT = "INSERT INTO audit (at, who, source, what, site, ticket, episode, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"


plainly(AlarmState, Kind, Meaning, TicketState, Reason, Side, Trust, Cover, What, Handling)


class Site(msgspec.Struct, frozen=True):
    """The desk's record of a site: it decides the levels and clocks of the site's tickets."""

    id: str
    name: str
    contract: str
    region: str = ""
    timezone: str = ""


class Store:
    """Owns the desk's file from opening to `close`."""

    path: Path
    writer: Writer
    incarnation: str

    def __init__(self, path: Path, *, now: float, waiting: int = 10_000) -> None:
        self.path = path
        self.writer = Writer(path, MIGRATIONS, waiting=waiting, room=ROOM)
        self._reading = ThreadPoolExecutor(max_workers=1, thread_name_prefix="desk reader")
        self._reader = reader(path)
        self.incarnation = self.writer.put(lambda db: incarnation_of(db, now)).result()

    async def write(self, work: Callable[[Db], T], again: Callable[[Db], T] | None = None) -> T:
        """Do work in the next transaction and return its result after the commit.

        It may be done twice, the first time for nothing: when something of the same transaction raised. Then `again`,
        if there is one, is done in its place.
        Raises BusyError when too much waits already, StoreError when the file cannot be written, else what it raised.
        """
        return await asyncio.wrap_future(self.writer.put(work, again))

    async def read(self, query: Callable[[Db], T]) -> T:
        """Return what a query finds among what is committed: all that it asks is of one commit."""
        return await asyncio.get_running_loop().run_in_executor(self._reading, self._looked, query)

    def _looked(self, query: Callable[[Db], T]) -> T:
        with one_look(self._reader) as db:
            return query(db)

    def close(self) -> None:
        """Finish what waits and close the file."""
        self._reading.shutdown(wait=True)
        self._reader.close()
        self.writer.close()


def opened(path: Path, address: str, *, now: float, waiting: int) -> Store:
    """Open the database of an address, or the file where there is none. Raises StoreError."""
    if not address:
        return Store(path, now=now, waiting=waiting)
    if not address.startswith(("postgresql://", "postgres://")):
        raise StoreError("the store's address is no postgresql://USER@HOST/DATABASE", permanent=True)
    try:
        from desk.store_postgres import PostgresStore  # noqa: PLC0415 - what it needs is not always installed
    except ImportError as error:
        raise StoreError(f"for PostgreSQL: pip install 'roundsman[postgres]' ({error})", permanent=True) from error
    return PostgresStore(address, now=now, waiting=waiting)


def every(db: Db, sql: str, *values: Value) -> list[Row]:
    """Return all rows of a query, by name."""
    cursor = db.cursor()
    cursor.row_factory = sqlite3.Row
    rows: list[Row] = cursor.execute(sql, values).fetchall()
    return rows


def one(db: Db, sql: str, *values: Value) -> Row | None:
    """Return a query's first row, or None."""
    cursor = db.cursor()
    cursor.row_factory = sqlite3.Row
    row: Row | None = cursor.execute(sql, values).fetchone()
    cursor.close()  # what is not read to its end would hold the transaction
    return row


def site_of(db: Db, site: str) -> Site | None:
    """Return the record of a site."""
    row = db.execute("SELECT id, name, contract, region, timezone FROM sites WHERE id = ?", (site,)).fetchone()
    return Site(*row) if row else None


def sites(db: Db) -> list[Site]:
    """Return every site's record by name."""
    return [Site(*row) for row in every(db, "SELECT id, name, contract, region, timezone FROM sites ORDER BY name, id")]


def audit(
    db: Db,
    *,
    at: float,
    who: str,
    source: str,
    what: str,
    site: str,
    ticket: int | None = None,
    episode: str = "",
    detail: dict[str, object] | None = None,
) -> None:
    """Write down who did what, when and from where; rows are never changed or deleted."""
    db.execute(AUDIT, (at, who, source, what, site, ticket, episode, msgspec.json.encode(detail or {})))


def incarnation_of(db: Db, now: float) -> str:
    """Return the id made with this file: another one tells agents that the desk may have forgotten something."""
    db.execute("INSERT INTO desk VALUES (1, ?, ?) ON CONFLICT DO NOTHING", (str(uuid.uuid4()), now))
    row = one(db, "SELECT incarnation FROM desk")
    return str(row["incarnation"]) if row else ""
