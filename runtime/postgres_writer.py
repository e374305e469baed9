"""The one writer of a PostgreSQL database: `runtime.writer.Writer` with another connection.

Theory. One process writes: it holds a lock of the database (`pg_try_advisory_lock`) as long as its connection lives,
and wrote its name into `writer`. When the connection is lost the writer takes another, if the lock is to be had and the
name is still its own: nobody has written in between. A group that was not committed is then done again, each job in a
savepoint. When the connection is lost in the middle of a COMMIT, the new one is asked what became of the transaction
(`pg_xact_status`), so that no promise is broken and nothing is done twice.
"""

import sqlite3
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from runtime.dialect import translated
from runtime.postgres import AgainError, Connection, LostError
from runtime.writer import Job, Room, StoreError, Writer

LOCK: Final = 0x726F756E64  # "round": the advisory lock of who writes
TRIES: Final = 5
PATIENCE: Final = 3.0  # seconds for the place of a desk that has just ended
WAIT: Final = 10.0  # seconds for a server that starts again, or for the old connection to be forgotten
SETTING: Final = " ".join(  # the server forgets a line that is dead as soon as the desk does: with it goes the lock
    f"-c {each}"
    for each in (
        "synchronous_commit=on",
        "idle_in_transaction_session_timeout=60000",
        "tcp_keepalives_idle=10",
        "tcp_keepalives_interval=5",
        "tcp_keepalives_count=3",
        "tcp_user_timeout=20000",
    )
)


class PostgresWriter(Writer):
    """Owns the writing connection to one database."""

    _connection: Any  # asked as SQLite's is

    def __init__(self, address: str, migrations: tuple[str, ...], *, waiting: int = 10_000) -> None:
        self.address = address
        self._name = str(uuid.uuid4())
        super().__init__(Path("postgresql"), migrations, waiting=waiting)

    def _opened(self, migrations: tuple[str, ...], room: Room) -> Any:  # noqa: ARG002 - of a file
        connection = Connection(self.address, setting=SETTING)
        try:
            self._taken(connection, migrations)
        except BaseException:
            connection.close()
            raise
        return connection

    def _taken(self, connection: Connection, migrations: tuple[str, ...]) -> None:
        """Take the writer's place and bring the database forward."""
        until = time.monotonic() + PATIENCE
        while not _locked(connection):  # one that was killed is forgotten within a moment
            if time.monotonic() > until:
                raise StoreError("another desk writes into this database: stop that one first", permanent=True)
            time.sleep(0.1)
        migrate(connection, migrations)
        connection.script("CREATE TABLE IF NOT EXISTS writer (one INT PRIMARY KEY CHECK (one = 1), name TEXT NOT NULL)")
        connection.execute(
            "INSERT INTO writer VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET name = excluded.name", (self._name,)
        )

    def _commit(self, group: list[Job[Any]]) -> None:
        try:
            results = self._done(group)
        except sqlite3.Error as error:
            self._leave()
            failure = StoreError(f"cannot write to the database: {str(error).partition(chr(10))[0]}")
            for job in group:
                job.done.set_exception(failure)
            return
        self._keep(group, results)

    def _done(self, group: list[Job[Any]]) -> list[tuple[Any, Exception | None]]:
        """Do a group and commit it, as often as it takes. Raises sqlite3.Error when it cannot be done."""
        tries = 0
        while True:
            tries += 1
            try:
                if self._connection.closed:
                    self._connect_again()
                results = self._together(group) if tries == 1 else None
                if results is None:
                    self._connection.execute("BEGIN")
                    results = [self._try(job) for job in group]
                name = self._connection.execute("SELECT pg_current_xact_id_if_assigned()::text").fetchone()[0]
            except (AgainError, LostError):
                self._leave()
                if tries >= TRIES:
                    raise
                continue
            if self._committed(name):
                return results

    def _committed(self, name: str | None) -> bool:
        """Commit; False when nothing of it stays and it has to be done again. Raises sqlite3.Error."""
        try:
            self._connection.execute("COMMIT")
        except AgainError:
            self._leave()
            return False
        except LostError:
            if name is None:
                return True  # it only read
            self._connect_again()
            became = self._connection.execute("SELECT pg_xact_status(?::text::xid8)", (name,)).fetchone()[0]
            return bool(became == "committed")
        return True

    def _leave(self) -> None:
        with suppress(sqlite3.Error):
            self._connection.rollback()

    def _connect_again(self) -> None:
        """Connect and lock again, waiting for it a while. Raises sqlite3.OperationalError."""
        until = time.monotonic() + WAIT
        while True:
            with suppress(sqlite3.Error):
                self._connection.close()
            try:
                connection = Connection(self.address, setting=SETTING)
                if _locked(connection):
                    self._connection = connection
                    break
                connection.close()
                problem: sqlite3.Error = sqlite3.OperationalError("another desk writes into it")
            except sqlite3.Error as error:
                problem = error
            if time.monotonic() > until or self._closed.wait(0.2):
                raise problem
        row = self._connection.execute("SELECT name FROM writer").fetchone()
        if row is None or row[0] != self._name:
            self._connection.close()
            raise sqlite3.OperationalError("another desk has written into it meanwhile: start this one again")


def _locked(connection: Connection) -> bool:
    return bool(connection.execute("SELECT pg_try_advisory_lock(?)", (LOCK,)).fetchone()[0])


def migrate(connection: Connection, migrations: tuple[str, ...]) -> None:
    """Bring a database forward: migration N makes version N; one from a newer program is refused."""
    connection.script("CREATE TABLE IF NOT EXISTS schema_version (version INT NOT NULL)")
    row = connection.execute("SELECT max(version) FROM schema_version").fetchone()
    version = int(row[0] or 0)
    if version > len(migrations):
        raise StoreError(
            f"the database is of version {version}, this program knows {len(migrations)}: install the newer program",
            permanent=True,
        )
    for number, script in enumerate(migrations[version:], start=version + 1):
        connection.execute("BEGIN")
        for statement in filter(None, (part.strip() for part in script.split(";\n"))):
            connection.script(translated(statement))
        connection.execute("DELETE FROM schema_version")
        connection.execute("INSERT INTO schema_version VALUES (?)", (number,))
        connection.execute("COMMIT")
