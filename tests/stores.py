"""Where a test's desk keeps what it keeps: a SQLite file, or with `--store postgres` a database of a throw-away server.

The server is Debian's PostgreSQL, of a cluster that is made for this run in a temporary folder and answers on a socket
there alone. Each state folder has a database of its own, copied from one that is migrated already, gone with the test.
"""

import atexit
import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from desk.schema import MIGRATIONS
from runtime.postgres import Connection
from runtime.postgres_writer import migrate

CHOSEN = "ROUNDSMAN_TEST_STORE"
TEMPLATE = "migrated"
_made: set[str] = set()
_moved: dict[Path, Path] = {}
_open: list[Connection] = []


def on_postgres() -> bool:
    return os.environ.get(CHOSEN) == "postgres"


class Server:
    """A PostgreSQL server; `kill` and `start` it as often as a test likes. As root it runs as the user postgres."""

    def __init__(self, *settings: str) -> None:
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        if not found:
            pytest.skip("PostgreSQL is not installed (Debian package postgresql)")
        self.programs = found[-1].parent
        self.folder = Path(
            tempfile.mkdtemp(prefix="roundsman-postgres-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
        )
        self.data = self.folder / "data"
        self.user = pwd.getpwnam("postgres").pw_name if os.getuid() == 0 else None
        if self.user:
            shutil.chown(self.folder, self.user)
        self._settings = (
            "listen_addresses=",
            f"unix_socket_directories={self.folder}",
            "max_connections=40",
            "shared_buffers=32MB",
            *settings,
        )
        self._run("initdb", "--no-sync", "--auth=trust", "--username=desk", "--encoding=UTF8", "--locale=C.UTF-8",
                  f"--pgdata={self.data}")  # fmt: skip
        self.start()
        atexit.register(self.remove)

    def address(self, database: str) -> str:
        return f"postgresql://desk@/{database}?host={self.folder}"

    def start(self) -> None:
        options = " ".join(f"-c {each}" for each in self._settings)
        self._run("pg_ctl", "start", "--wait", f"--pgdata={self.data}", f"--log={self.folder / 'log'}", "-o", options)

    def kill(self) -> None:
        """End it with all that serves for it as kill -9 does: nothing is written any more."""
        postmaster = int((self.data / "postmaster.pid").read_text("ascii").split()[0])
        listed = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(postmaster)], capture_output=True, text=True, check=True
        )
        for each in (postmaster, *map(int, listed.stdout.split())):
            os.kill(each, signal.SIGKILL)
        for left in (self.data / "postmaster.pid", self.folder / ".s.PGSQL.5432", self.folder / ".s.PGSQL.5432.lock"):
            left.unlink()  # its number may be another's, or nobody's that was told of its end

    def stop(self) -> None:
        self._run("pg_ctl", "stop", "--mode=immediate", f"--pgdata={self.data}")

    def remove(self) -> None:
        if self.folder.exists():
            if (self.data / "postmaster.pid").exists():
                self.stop()
            shutil.rmtree(self.folder)

    def ask(self, database: str, sql: str, *values: Any) -> list[Any]:
        connection = Connection(self.address(database))
        try:
            rows: list[Any] = connection.execute(sql, values).fetchall()
        finally:
            connection.close()
        return rows

    def _run(self, program: str, *words: str) -> None:
        done = subprocess.run(
            [self.programs / program, *words], check=False, user=self.user, cwd="/", stdin=subprocess.DEVNULL,
            stdout=(out := (self.folder / "said").open("a+")), stderr=out,
        )  # fmt: skip
        with out:
            out.seek(0)
            log = self.folder / "log"
            assert done.returncode == 0, out.read() + (log.read_text("utf-8")[-2000:] if log.exists() else "")


@cache
def server() -> Server:
    """The one server of this run, with a database that is migrated."""
    made = Server("fsync=off", "full_page_writes=off", "max_wal_size=256MB")  # what is kept here need not stay
    connection = Connection(made.address("postgres"))
    connection.script(f"CREATE DATABASE {TEMPLATE}")
    connection.close()
    connection = Connection(made.address(TEMPLATE))
    migrate(connection, MIGRATIONS)
    connection.close()
    return made


def store_of(folder: Path) -> str:
    """Return the address of the store of a state folder's desk: "" for the file in it."""
    if not on_postgres():
        return ""
    folder = _moved.get(folder.resolve(), folder)
    name = f"d{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:20]}"
    if name not in _made:
        _made.add(name)
        server().ask("postgres", f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    return server().address(name)


def moved(old: Path, new: Path) -> None:
    """Have a state folder's desk go on in the database of another, as its file would be copied."""
    _moved[new.resolve()] = _moved.get(old.resolve(), old)


def book_of(folder: Path) -> Any:
    """Return a connection to the database of a folder, migrated."""
    if len(_open) > 20:  # of the many of one test the first are done with
        _open.pop(0).close()
    _open.append(Connection(store_of(folder)))
    return _open[-1]


def unguarded(db: Any) -> None:
    """Let a connection write what no foreign key and no trigger would let pass."""
    if on_postgres():
        db.execute("SET session_replication_role = replica")
        return
    db.execute("PRAGMA foreign_keys = OFF")
    for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        db.execute(f"DROP TRIGGER {name}")


def forget() -> None:
    """Drop the databases of the test that is over."""
    while _open:
        _open.pop().close()
    while _made:
        server().ask("postgres", f"DROP DATABASE IF EXISTS {_made.pop()} WITH (FORCE)")


of_a_file = pytest.mark.skipif("os.environ.get('ROUNDSMAN_TEST_STORE') == 'postgres'", reason="of a SQLite file")
