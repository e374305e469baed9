"""A connection to PostgreSQL that is asked as SQLite's is: the same SQL, the same rows, the same kinds of error.

Errors are raised as the classes that DB-API gives both (`sqlite3.IntegrityError` ...), so that who writes a job knows
one kind of each: `OperationalError` is the server's or the disk's (try again), every other one is the job's. Of the
first, `LostError` says that the connection is gone and `AgainError` that two got into each other's way.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, Final

import psycopg
from psycopg.adapt import Buffer, Dumper, Loader
from psycopg.pq import Format, TransactionStatus
from psycopg.types.numeric import Int8BinaryDumper, NumericBinaryLoader, NumericLoader
from psycopg.types.string import StrDumperUnknown

from runtime.dialect import translated

Value = str | int | float | bytes | None
MOST = 2**63  # integers are below it, as SQLite's


class LostError(sqlite3.OperationalError):
    """The connection is gone; whatever was not committed has not happened."""


class AgainError(sqlite3.OperationalError):
    """Two transactions got into each other's way: nothing of this one stays, do it again."""


class Row(tuple[Any, ...]):
    """A row by place and by name."""

    __slots__ = ()
    names: dict[str, int]

    def __getitem__(self, key: Any) -> Any:
        """Return a column by its name or place."""
        return tuple.__getitem__(self, self.names[key] if isinstance(key, str) else key)

    def keys(self) -> list[str]:
        """Return the names of the columns."""
        return list(self.names)


class Cursor:
    """What a statement found. With a `row_factory` its rows are had by name too."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        self.row_factory: Any = connection.row_factory
        self.rowcount = -1
        self.columns: tuple[str, ...] = ()
        self._rows: Iterator[Any] = iter(())

    def execute(self, sql: str, values: Sequence[Value] = (), /) -> "Cursor":
        """Ask, and keep what was found."""
        done = self._connection.asked(translated(sql), values)
        self.rowcount, found = done.rowcount, done.pgresult
        rows: list[Any] = []
        if found is not None and found.nfields:
            rows = done.fetchall()
            self.columns = tuple((found.fname(place) or b"").decode() for place in range(found.nfields))
        self._rows = iter(rows if self.row_factory is None else _named(rows, self.columns))
        return self

    @property
    def description(self) -> list[tuple[str]] | None:
        """Return the columns, each by its name first, as DB-API has it."""
        return [(name,) for name in self.columns] or None

    def fetchone(self) -> Any:
        """Return the next row, or None."""
        return next(self._rows, None)

    def fetchall(self) -> list[Any]:
        """Return the rows that are left."""
        return list(self._rows)

    def __iter__(self) -> Iterator[Any]:
        return self._rows

    def close(self) -> None:
        """Forget what was found."""
        self._rows = iter(())


class Connection:
    """One connection; transactions are begun by hand. Raises LostError when there is no server to be had."""

    def __init__(self, address: str, *, setting: str = "") -> None:
        self.row_factory: Any = None
        with _as_sqlite():
            self._own = psycopg.Connection[tuple[Any, ...]].connect(
                address,
                autocommit=True,
                connect_timeout=5,
                application_name="roundsman desk",
                options=f"-c client_encoding=UTF8 -c timezone=UTC {setting}",
                keepalives_idle=10,
                keepalives_interval=5,
                keepalives_count=3,
                tcp_user_timeout=20_000,  # milliseconds without an answer to what was sent
            )
        self._own.prepare_threshold = 2
        _adapt(self._own)
        self._asking = psycopg.RawCursor(self._own)

    @property
    def in_transaction(self) -> bool:
        """Say whether a transaction is begun."""
        return not self.closed and self._own.info.transaction_status != TransactionStatus.IDLE

    @property
    def closed(self) -> bool:
        """Say whether there is no connection any more."""
        return self._own.closed

    def asked(self, sql: str, values: Sequence[Value]) -> "psycopg.RawCursor[tuple[Any, ...]]":
        """Ask in PostgreSQL's own SQL."""
        with _as_sqlite():
            plan = None if values else False  # what has no values is mostly BEGIN and COMMIT: nothing to plan
            return self._asking.execute(sql.encode(), values, prepare=plan, binary=True)

    def script(self, sql: str) -> None:
        """Do one or more statements that take and give nothing."""
        with _as_sqlite():
            self._own.execute(sql.encode())

    def copy_into(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Value]]) -> None:
        """Write many rows of a table; its columns give their types."""
        quoted = ", ".join(f'"{column}"' for column in columns)
        with (
            _as_sqlite(),
            self._own.cursor() as cursor,
            cursor.copy(f"COPY {table} ({quoted}) FROM STDIN".encode()) as to,
        ):
            for row in rows:
                to.write_row(row)

    def cursor(self) -> Cursor:
        """Return what asks one question after another."""
        return Cursor(self)

    def execute(self, sql: str, values: Sequence[Value] = (), /) -> Cursor:
        """Ask one question."""
        return Cursor(self).execute(sql, values)

    def executemany(self, sql: str, rows: Any, /) -> Cursor:
        """Ask one question for each row of values."""
        cursor = Cursor(self)
        for row in rows:
            cursor.execute(sql, row)
        return cursor

    def rollback(self) -> None:
        """Let nothing of the transaction stay."""
        if self.in_transaction:
            self.execute("ROLLBACK")

    def close(self) -> None:
        """Say goodbye."""
        self._own.close()


def _named(rows: list[tuple[Any, ...]], names: tuple[str, ...]) -> list[Row]:
    kind = _KINDS.get(names)
    if kind is None:
        places = {name: place for place, name in reversed(tuple(enumerate(names)))}
        kind = _KINDS[names] = type("Row", (Row,), {"__slots__": (), "names": {name: places[name] for name in names}})
    return [kind(row) for row in rows]


_KINDS: dict[tuple[str, ...], type[Row]] = {}
_OF_CLASS: Final[dict[str, type[sqlite3.Error]]] = {
    "22": sqlite3.DataError,
    "23": sqlite3.IntegrityError,
    "40": AgainError,
    "54": sqlite3.DataError,  # too long for an index: SQLite has no such bound
    "08": LostError,
}
_OF_STATE: Final[dict[str, type[sqlite3.Error]]] = {
    "55P03": AgainError,
    "57P01": LostError,
    "57P02": LostError,
    "57P03": LostError,
}


@contextmanager
def _as_sqlite() -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        raise _kind(error)(str(error).strip()) from error


def _kind(error: psycopg.Error) -> type[sqlite3.Error]:
    state = error.sqlstate or ""
    if state:
        return _OF_STATE.get(state) or _OF_CLASS.get(state[:2], sqlite3.OperationalError)
    if isinstance(error, psycopg.DataError):
        return sqlite3.DataError
    return LostError if isinstance(error, psycopg.OperationalError) else sqlite3.OperationalError


class _Whole(Int8BinaryDumper):
    """Integers, and what is true or false as 1 or 0."""

    def dump(self, obj: Any) -> Buffer | None:
        """Return eight bytes. Raises OverflowError, as SQLite does."""
        if not -MOST <= obj < MOST:
            raise OverflowError("Python int too large to convert to SQLite INTEGER")
        return super().dump(int(obj))


class _TrueOrFalse(Loader):
    """A truth as the number that SQLite has for it."""

    format = Format.BINARY

    def load(self, data: Buffer) -> int:
        """Return 1 or 0."""
        return int(bytes(data) not in {b"\x00", b"f"})


class _TrueOrFalseText(_TrueOrFalse):
    format = Format.TEXT


class _Number(NumericBinaryLoader):
    """A sum: an integer where it is one."""

    def load(self, data: Buffer) -> Any:
        """Return an int or a float."""
        number = super().load(data)
        return int(number) if number == number.to_integral_value() else float(number)


class _NumberText(NumericLoader):
    def load(self, data: Buffer) -> Any:
        """Return an int or a float."""
        number = super().load(data)
        return int(number) if number == number.to_integral_value() else float(number)


def _adapt(connection: "psycopg.Connection[Any]") -> None:
    """Have values go and come as SQLite takes and gives them."""
    dumpers: tuple[tuple[type, type[Dumper]], ...] = (
        (int, _Whole),
        (bool, _Whole),
        (str, StrDumperUnknown),
        (StrEnum, StrDumperUnknown),
    )
    for kind, dumper in dumpers:
        connection.adapters.register_dumper(kind, dumper)
    for name, loaders in (("bool", (_TrueOrFalse, _TrueOrFalseText)), ("numeric", (_Number, _NumberText))):
        for loader in loaders:
            connection.adapters.register_loader(name, loader)
