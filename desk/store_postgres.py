"""The desk's store in a PostgreSQL database: the same functions of a connection, the same promises as of a file."""

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from desk.schema import MIGRATIONS
from desk.store import Db, Store, incarnation_of
from runtime.postgres import Connection, LostError
from runtime.postgres_writer import PostgresWriter
from runtime.writer import StoreError

T = TypeVar("T")
ONE_LOOK = "-c default_transaction_isolation=repeatable\\ read -c default_transaction_read_only=on"


class PostgresStore(Store):
    """Owns the desk's connections to a database from opening to `close`: one that writes, one that reads.

    Raises StoreError when it cannot be opened, or another desk writes into it.
    """

    def __init__(self, address: str, *, now: float, waiting: int = 10_000) -> None:
        self.path = Path("postgresql")
        self.address = address
        self.writer = PostgresWriter(address, MIGRATIONS, waiting=waiting)
        try:
            self._reader: Any = _reader(address)
            self.incarnation = self.writer.put(lambda db: incarnation_of(db, now)).result()
        except sqlite3.Error as error:
            self.writer.close()
            raise StoreError(f"cannot read the database: {error}", permanent=True) from error
        self._reading = ThreadPoolExecutor(max_workers=1, thread_name_prefix="desk reader")

    def _looked(self, query: Callable[[Db], T]) -> T:
        try:
            return super()._looked(query)
        except LostError:  # nothing was written: it may be asked again
            self._reader.close()
        try:
            self._reader = _reader(self.address)
            return super()._looked(query)
        except sqlite3.OperationalError as error:
            raise StoreError(f"the database does not answer: {error}") from error


def _reader(address: str) -> Connection:
    connection = Connection(address, setting=ONE_LOOK)
    connection.row_factory = sqlite3.Row
    return connection
