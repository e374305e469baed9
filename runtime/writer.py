"""The one writer of a SQLite file: a thread, a queue, and one transaction for all that waits (group commit).

Theory. SQLite before 3.51.3 may corrupt a WAL that two connections reset, so exactly one connection writes and
checkpoints; everyone else reads by `reader`. A job is a function of the connection and may run twice: first the jobs of
a group run one after another; when one of them raises, all is rolled back and each runs again in a savepoint of its
own, so that a job that fails takes nothing of the others with it. (A savepoint keeps a copy of every page that is
written in it; nearly no group needs one.) A job's future is done only after the COMMIT that carries it is on the disk
(synchronous=FULL): what somebody was told is kept. When the COMMIT itself fails (disk full, I/O error) every job of the
group fails with `StoreError`, and none has happened.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from queue import Empty, Full, Queue
from typing import Any, Generic, NamedTuple, TypeVar

T = TypeVar("T")
GROUP = 256  # jobs a transaction takes at most: bounds the wait of the first of them


class StoreError(Exception):
    """The file could not be written; `permanent` when trying again cannot help."""

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        super().__init__(message)
        self.permanent = permanent


class BusyError(StoreError):
    """More is waiting to be written than may wait; try again in a moment."""


@dataclass(frozen=True)
class Job(Generic[T]):
    """Work for the writer, and the promise of its result; `again` is run in its place in a savepoint of its own."""

    work: Callable[[sqlite3.Connection], T]
    again: Callable[[sqlite3.Connection], T]
    done: "Future[T]"


class Room(NamedTuple):
    """What a writer may take: pages of WAL before it is written back, KiB of memory for pages."""

    wal: int = 1000
    cache: int = 2000


SMALL = Room()


def plainly(*kinds: type[StrEnum]) -> None:
    """Have SQLite take values of these kinds as the words that they are, without looking for a way to each."""
    for kind in kinds:
        sqlite3.register_adapter(kind, str)


# the module looks half a microsecond for how to adapt what is no int, float or str
sqlite3.register_adapter(bool, int)
sqlite3.register_adapter(bytes, bytes)
sqlite3.register_adapter(type(None), lambda none: none)


def connect(path: Path, room: Room = SMALL) -> sqlite3.Connection:
    """Open the writer's connection: WAL, FULL, foreign keys; transactions are begun by hand."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "temp_store=MEMORY",
        f"wal_autocheckpoint={room.wal}",
        f"cache_size=-{room.cache}",
    ):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def reader(path: Path) -> sqlite3.Connection:
    """Open a connection that can only read, for any thread's own use."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    return connection


@contextmanager
def one_look(db: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Let all that a reader asks within be of one commit, whatever is written meanwhile: each question alone is not."""
    db.execute("BEGIN")  # in WAL mode the first question fixes what the others see
    try:
        yield db
    finally:
        db.rollback()


class Writer:
    """Owns the writing connection of one file; `put` from any thread, `close` once."""

    def __init__(self, path: Path, migrations: tuple[str, ...], *, waiting: int = 10_000, room: Room = SMALL) -> None:
        self.path = path
        self.commits = 0
        self.jobs = 0
        self._queue: Queue[Job[Any] | None] = Queue(maxsize=waiting)
        self._closed = threading.Event()
        try:
            self._connection = self._opened(migrations, room)
        except sqlite3.Error as error:
            raise StoreError(f"cannot open {path}: {error}", permanent=True) from error
        self._thread = threading.Thread(target=self._run, name=f"writer {path.name}", daemon=True)
        self._thread.start()

    def _opened(self, migrations: tuple[str, ...], room: Room) -> sqlite3.Connection:
        connection = connect(self.path, room)
        migrate(connection, migrations)
        return connection

    @property
    def depth(self) -> int:
        """How many jobs wait."""
        return self._queue.qsize()

    def put(
        self, work: Callable[[sqlite3.Connection], T], again: Callable[[sqlite3.Connection], T] | None = None
    ) -> "Future[T]":
        """Queue work; the future's result comes after the commit. Raises BusyError when too much waits.

        When this or another job of its group raises, nothing of it stays, and `again` (`work`, where there is none)
        runs in a savepoint.
        """
        if self._closed.is_set():
            raise StoreError(f"{self.path} is closed")
        job = Job(work, again or work, Future())
        try:
            self._queue.put_nowait(job)
        except Full:
            raise BusyError(f"{self._queue.maxsize} writes already wait for {self.path.name}") from None
        return job.done

    def close(self) -> None:
        """Finish what waits, then close the file."""
        if not self._closed.is_set():
            self._closed.set()
            self._queue.put(None)
            self._thread.join()
            self._connection.close()

    def _run(self) -> None:
        going = True
        while going:
            group: list[Job[Any]] = []
            item = self._queue.get()
            while item is not None:
                group.append(item)
                if len(group) >= GROUP:
                    break
                try:
                    item = self._queue.get_nowait()
                except Empty:
                    break
            going = item is not None
            wanted = [job for job in group if job.done.set_running_or_notify_cancel()]
            if wanted:
                self._commit(wanted)

    def _commit(self, group: list[Job[Any]]) -> None:
        """Run the group in one transaction and keep every promise only after it is on the disk."""
        try:
            results = self._together(group)
            if results is None:
                self._connection.execute("BEGIN IMMEDIATE")
                results = [self._try(job) for job in group]
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            failure = StoreError(f"cannot write {self.path}: {error}. Free some space or check the disk.")
            for job in group:
                job.done.set_exception(failure)
            return
        self._keep(group, results)

    def _keep(self, group: list[Job[Any]], results: list[tuple[Any, Exception | None]]) -> None:
        """Keep the promises of a group that is committed."""
        self.commits += 1
        self.jobs += len(group)
        for job, (result, problem) in zip(group, results, strict=True):
            if problem is not None:
                job.done.set_exception(problem)
            else:
                job.done.set_result(result)

    def _together(self, group: list[Job[Any]]) -> list[tuple[Any, Exception | None]] | None:
        """Begin a transaction and run the group in it; None, and there is no transaction, when one of them raised."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            return [(job.work(self._connection), None) for job in group]
        except sqlite3.OperationalError:
            raise  # the disk, not a job: the whole group fails
        except Exception:  # whose it is comes out when each runs by itself
            self._connection.execute("ROLLBACK")
            return None

    def _try(self, job: Job[Any]) -> tuple[Any, Exception | None]:
        self._connection.execute("SAVEPOINT job")
        try:
            result = job.again(self._connection)
        except sqlite3.OperationalError:
            raise  # the disk, not the job: the whole group fails
        except Exception as problem:  # whatever a job raises belongs to who asked for it
            self._connection.execute("ROLLBACK TO job")
            self._connection.execute("RELEASE job")
            return None, problem
        self._connection.execute("RELEASE job")
        return result, None


def migrate(connection: sqlite3.Connection, migrations: tuple[str, ...]) -> None:
    """Bring a file forward: migration N makes version N; a file from a newer program is refused."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > len(migrations):
        raise StoreError(
            f"the file is of version {version}, this program knows {len(migrations)}: install the newer program again",
            permanent=True,
        )
    for number, script in enumerate(migrations[version:], start=version + 1):
        connection.execute("BEGIN IMMEDIATE")
        for statement in filter(None, (part.strip() for part in script.split(";\n"))):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version={number}")
        connection.execute("COMMIT")
