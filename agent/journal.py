"""The agent's journal: alarms as they stand and the outbox of what the desk must hear, in one file and one transaction.

Theory. An alarm and the event that tells of it are committed together, so there is no instant at which one exists
without the other. The identity of an event, (agent, epoch, seq), and of its episode is fixed by that commit, before the
first send. The epoch is made with the file: a reinstalled agent cannot be taken for a replay. Rows stay for seven days
after the desk has them, so that a desk restored from a backup can ask for them again; nothing is dropped because of age
before the desk has it.
"""

import os
import sqlite3
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from model.alarm import Alarm, Now
from model.change import Body, Change, Snapshot
from runtime.clock import boot_id, now
from runtime.writer import StoreError, Writer, connect, one_look, reader

KEPT = 7 * 86400.0  # seconds that rows stay after the desk has them (facts: a desk is restored within days)
RESERVE = 256 * 1024  # bytes given back to a full disk so that the queue can drain

MIGRATIONS = (
    """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE alarms (condition TEXT PRIMARY KEY, alarm BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE outbox (
        epoch TEXT NOT NULL, seq INTEGER NOT NULL, body BLOB NOT NULL,
        wall REAL NOT NULL, boot REAL NOT NULL, boot_id TEXT NOT NULL,
        PRIMARY KEY (epoch, seq)
    ) WITHOUT ROWID
    """,
)


_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class Row(NamedTuple):
    """One outbox row."""

    seq: int
    body: bytes
    wall: float
    boot: float
    boot_id: str


class Position(NamedTuple):
    """Where the outbox stands: `acked` is the highest seq the desk has, `last` the highest written."""

    agent: str
    epoch: str
    acked: int
    last: int
    incarnation: str
    cursor: int


class Standing(NamedTuple):
    """What a step leaves: the alarm to keep (or to forget, when `gone`) and the Change to send, if any."""

    alarm: Alarm
    change: Change | None
    gone: bool = False


_encode = msgspec.json.Encoder().encode
_alarm = msgspec.json.Decoder(Alarm).decode
_body: msgspec.json.Decoder[Body] = msgspec.json.Decoder(Body)


class Journal:
    """The journal's file; every method that writes returns a future done after the commit."""

    def __init__(self, folder: Path, site: str, clock: Callable[[], Now] = now) -> None:
        self.clock = clock
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "journal.db"
        self._reserve = folder / "reserve"
        try:
            self.healed = heal(self.path)
            self.writer = Writer(self.path, MIGRATIONS)
        except StoreError:
            if not self.give_reserve():
                raise
            self.healed = heal(self.path)
            self.writer = Writer(self.path, MIGRATIONS)
        self.boot_id = boot_id()
        opened = clock()
        name = folder / "agent"
        known = name.read_text().strip() if name.exists() else ""
        agent = self.writer.put(lambda db: _first(db, site, opened, self.boot_id, known)).result()
        if agent != known:
            _keep_name(name, agent)
        self.keep_reserve()

    def keep_reserve(self) -> bool:
        """Set a few blocks of the disk aside; returns False when the disk has none to give."""
        try:
            if not self._reserve.exists() or self._reserve.stat().st_size != RESERVE:
                self._reserve.write_bytes(b"\0" * RESERVE)
        except OSError:
            self._reserve.unlink(missing_ok=True)
            return False
        return True

    def give_reserve(self) -> bool:
        """Give the reserve back to a full disk; returns False when it was given already."""
        had = self._reserve.exists()
        self._reserve.unlink(missing_ok=True)
        return had

    def record(self, standing: Iterable[Standing], *, cursor: int | None = None) -> "Future[None]":
        """Keep alarms and queue their Changes; a command's `cursor` is kept with its effect."""
        rows, moment = list(standing), self.clock()
        return self.writer.put(lambda db: _record(db, rows, cursor, moment, self.boot_id))

    def rebase(self, alarms: Iterable[Alarm], moment: Now) -> None:
        """Keep alarms whose times were carried into this boot, before anything else is kept; waits for the commit."""
        rows = [Standing(alarm, None) for alarm in alarms]
        self.writer.put(lambda db: _record(db, rows, None, moment, self.boot_id)).result()

    def acknowledge(self, epoch: str, seq: int, incarnation: str, wall: float | None = None) -> "Future[None]":
        """Keep that the desk has everything up to `seq` of an epoch: less than before, if it was restored.

        Another incarnation is kept once its time is known, `wall` (Unix seconds): its commands' ids begin there, so a
        cursor that is ahead of it goes back to it, and no other does.
        """
        return self.writer.put(lambda db: _acknowledge(db, epoch, seq, incarnation, wall))

    def new_epoch(self, snapshot: Snapshot, *, again: bool = False) -> "Future[str]":
        """Begin a new epoch with a snapshot; what the desk has not had of the old one follows it, in order.

        `again`: and all that is kept of those before, for a desk that was restored and may have forgotten it.
        """
        return self.writer.put(lambda db: _new_epoch(db, snapshot, again=again))

    def forget(self, moment: Now, *, unsent: bool = False, certain: bool = True) -> "Future[int]":
        """Delete rows that the desk has had for seven days (`unsent`: any, where no desk is named); returns how many.

        Rows of another boot stay unless the wall clock is `certain`. A desk that is named later gets a snapshot
        instead: it cannot have what is gone.
        """
        return self.writer.put(lambda db: _forget(db, moment, self.boot_id, unsent=unsent, certain=certain))

    def alarms(self) -> tuple[dict[str, Alarm], Now | None, str]:
        """Return the alarms as kept, the time of the last record and the boot it was taken in."""
        with _look(self.path) as db:
            alarms = {row["condition"]: _alarm(row["alarm"]) for row in db.execute("SELECT * FROM alarms")}
            meta = dict(tuple(row) for row in db.execute("SELECT key, value FROM meta"))
        last = Now(float(meta["boot"]), float(meta["wall"])) if "boot" in meta else None
        return alarms, last, meta.get("boot_id", "")

    def position(self) -> Position:
        """Return where the outbox stands."""
        with _look(self.path) as db:
            meta = dict(tuple(row) for row in db.execute("SELECT key, value FROM meta"))
            last = db.execute("SELECT max(seq) FROM outbox WHERE epoch = ?", (meta["epoch"],)).fetchone()[0]
        acked = int(meta["acked"])
        return Position(
            meta["agent"],
            meta["epoch"],
            acked,
            max(int(last or 0), int(meta["seq"])),
            meta.get("incarnation", ""),
            int(meta["cursor"]),
        )

    def waiting(self, epoch: str, after: int, limit: int) -> list[Row]:
        """Return rows of an epoch that follow `after`, in order."""
        query = "SELECT seq, body, wall, boot, boot_id FROM outbox WHERE epoch = ? AND seq > ? ORDER BY seq LIMIT ?"
        with _look(self.path) as db:
            return [Row(*row) for row in db.execute(query, (epoch, after, limit))]

    def oldest(self, epoch: str) -> int:
        """Return the lowest seq still kept of an epoch; 1 for none."""
        with _look(self.path) as db:
            row = db.execute("SELECT min(seq) FROM outbox WHERE epoch = ?", (epoch,)).fetchone()
        return int(row[0] or 1)

    def close(self) -> None:
        """Finish what waits and close the file."""
        self.writer.close()


@contextmanager
def _look(path: Path) -> Iterator[sqlite3.Connection]:
    """Give a read-only connection that sees every transaction whole or not at all."""
    with closing(reader(path)) as db, one_look(db):
        yield db


def heal(path: Path) -> str:
    """Put a damaged file aside and say so; "" when the file is sound or new."""
    if not path.exists():
        return ""
    try:
        db = connect(path)
        try:
            verdict = str(db.execute("PRAGMA quick_check(1)").fetchone()[0])
        finally:
            db.close()
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF not in _DAMAGED:  # full, locked, no rights: the file itself may be sound
            raise StoreError(f"cannot open {path}: {error}. Free some space or check the disk.") from error
        verdict = str(error)
    if verdict == "ok":
        return ""
    aside = path.with_name(f"{path.name}.damaged-{uuid.uuid4().hex[:8]}")
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    return f"{path} was damaged ({verdict}); it is kept as {aside.name} and a new journal was begun"


def _set(db: sqlite3.Connection, **values: object) -> None:
    db.executemany(
        "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        [(key, str(value)) for key, value in values.items()],
    )


def _get(db: sqlite3.Connection, key: str) -> str:
    row = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return "" if row is None else str(row[0])


def _first(db: sqlite3.Connection, site: str, opened: Now, boot: str, known: str) -> str:
    """Give a new file its identity and return the agent's; its epoch begins, as every one does, with a snapshot."""
    if not _get(db, "agent"):
        _set(db, agent=known or uuid.uuid4(), epoch=uuid.uuid4(), seq=0, acked=0, cursor=0)
        _append(db, Snapshot(site, (), opened.wall, opened.boot, boot, "a new journal"), boot)
    return _get(db, "agent")


def _keep_name(path: Path, agent: str) -> None:
    """Keep who the agent is beside its journal: one that had to be put aside must not cost the agent its enrolment.

    On a disk that has no room for it now, the next start tries again.
    """
    fresh = path.with_suffix(".new")
    try:
        with fresh.open("w", encoding="ascii") as file:
            file.write(agent + "\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)


def _append(db: sqlite3.Connection, body: Body, boot: str) -> int:
    seq = int(_get(db, "seq")) + 1
    db.execute(
        "INSERT INTO outbox VALUES (?, ?, ?, ?, ?, ?)",
        (_get(db, "epoch"), seq, _encode(body), body.wall, body.boot, boot),
    )
    _set(db, seq=seq)
    return seq


def _record(db: sqlite3.Connection, rows: list[Standing], cursor: int | None, moment: Now, boot: str) -> None:
    for alarm, change, gone in rows:
        if gone:
            db.execute("DELETE FROM alarms WHERE condition = ?", (alarm.condition,))
        else:
            db.execute(
                "INSERT INTO alarms VALUES (?, ?) ON CONFLICT (condition) DO UPDATE SET alarm = excluded.alarm",
                (alarm.condition, _encode(alarm)),
            )
        if change is not None:
            _append(db, change, boot)
    _set(db, boot=moment.boot, wall=moment.wall, boot_id=boot)  # the alarms' times are of this boot
    if cursor is not None:
        _set(db, cursor=cursor)


def _acknowledge(db: sqlite3.Connection, epoch: str, seq: int, incarnation: str, wall: float | None) -> None:
    if epoch != _get(db, "epoch"):
        return
    _set(db, acked=min(seq, int(_get(db, "seq"))))
    before = _get(db, "incarnation")
    if before in {"", incarnation}:
        _set(db, incarnation=incarnation)
    elif wall is not None:
        _set(db, incarnation=incarnation, cursor=min(int(_get(db, "cursor")), int(wall * 1000)))


def _new_epoch(db: sqlite3.Connection, snapshot: Snapshot, *, again: bool) -> str:
    old, acked = _get(db, "epoch"), int(_get(db, "acked"))
    unsent = db.execute(
        "SELECT body, wall, boot, boot_id FROM outbox WHERE ? OR (epoch = ? AND seq > ?)"
        " ORDER BY CASE epoch WHEN ? THEN 1 ELSE 0 END, CASE epoch WHEN ? THEN 0.0 ELSE wall END, seq",
        (again, old, acked, old, old),
    ).fetchall()
    epoch = str(uuid.uuid4())
    _set(db, epoch=epoch, seq=0, acked=0)
    _append(db, snapshot, snapshot.boot_id)
    for body, wall, boot, boot_of in unsent:
        if isinstance(_body.decode(body), Snapshot):
            continue
        seq = int(_get(db, "seq")) + 1
        db.execute("INSERT INTO outbox VALUES (?, ?, ?, ?, ?, ?)", (epoch, seq, body, wall, boot, boot_of))
        _set(db, seq=seq)
    db.execute("DELETE FROM outbox WHERE epoch <> ? AND (? OR (epoch = ? AND seq > ?))", (epoch, again, old, acked))
    return epoch


def _forget(db: sqlite3.Connection, moment: Now, boot: str, *, unsent: bool, certain: bool) -> int:
    upto = int(_get(db, "seq" if unsent else "acked"))
    old = "CASE boot_id WHEN ? THEN boot < ? ELSE ? AND wall < ? END"
    return db.execute(
        f"DELETE FROM outbox WHERE (epoch <> ? OR seq <= ?) AND {old}",  # noqa: S608 - constants
        (_get(db, "epoch"), upto, boot, moment.boot - KEPT, certain, moment.wall - KEPT),
    ).rowcount
