"""`roundsman desk restore`: a backup into an empty state folder, or in place of what is there, which is moved aside.

Theory. All of it is first made and checked in a folder of its own within the state folder. Then `restoring.json` says
that the old is being moved aside (`aside`), then that the new is being moved in (`in`). Each of both may be done again
from any point of its middle, and a desk does not start while the file is there: so a crash leaves the old, or what
`--finish` makes the new, and never a part of both.

What was put back has another incarnation and no number that was given since: agents go on from where the file has
them, commands' ids go on by time, tickets' numbers after the last that is known, or after a gap.
"""

import os
import shutil
import sqlite3
import time
import uuid
from contextlib import closing
from pathlib import Path

import msgspec

from desk.keeping import (
    ASIDE,
    DATABASE,
    LAST,
    MANIFEST,
    OWN,
    RESTORING,
    STAGED,
    STATE,
    KeepingError,
    Manifest,
    compare,
    content,
    opened,
    pieces,
    safe,
    stored,
    sync_folder,
)
from desk.schema import MIGRATIONS
from desk.store import Db, audit
from runtime.lock import FILE as LOCK
from runtime.lock import LockedError, lock_folder
from runtime.private import give, write_private
from runtime.writer import StoreError, connect, migrate, reader

GAP = 1000  # numbers are taken up at the next thousand that is at least half of it away
_SPARE = 16 << 20
_ONCE = (  # what was good once may have been used since; who was signed in signs in again
    ("codes", "DELETE FROM codes WHERE agent IS NULL"),
    ("sessions", "DELETE FROM sessions"),
    ("links", "DELETE FROM links"),
)


class Plan(msgspec.Struct, frozen=True):
    """How far a restore is: `aside` while the old is moved to a folder of that name, `in` while the new is moved in."""

    phase: str
    aside: str
    done: "Restored"


class Restored(msgspec.Struct, frozen=True):
    """What was put back: of when (Unix seconds), how many tickets, where new numbers begin, where the old is.

    `own` is the folder with roster and contracts, "" when the backup has none.
    """

    made: float
    tickets: int
    next_ticket: int
    aside: str = ""
    own: str = ""


def restore(backup: Path, state: Path, *, now: float | None = None) -> Restored:
    """Put a backup into a state folder; what was there is moved aside. Raises KeepingError, and nothing is changed."""
    at = time.time() if now is None else now
    lock = _held(state)
    try:
        if (state / RESTORING).exists():
            raise KeepingError(
                f"a restore into {state} was broken off: end it first by `roundsman desk restore --finish`"
            )
        manifest = _staged(backup, state)
        if manifest.at > at:
            made, clock = (time.strftime("%Y-%m-%d %H:%M", time.localtime(each)) for each in (manifest.at, at))
            raise KeepingError(f"the backup is of {made}, this machine's clock says {clock}: set the clock first")
        number = _prepared(state, manifest, backup, at)
        old = [path for path in state.iterdir() if _is_old(path.name)]
        aside = f"{ASIDE}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(at))}-{uuid.uuid4().hex[:4]}" if old else ""
        own = str(state / OWN) if (state / STAGED / OWN).exists() else ""
        done = Restored(manifest.at, manifest.tickets, number, str(state / aside) if aside else "", own)
        write_private(state / RESTORING, msgspec.json.encode(Plan("aside", aside, done)))
        return _finished(state)
    except (OSError, sqlite3.Error) as error:
        raise KeepingError(f"cannot restore into {state}: {error}") from error
    finally:
        os.close(lock)


def finish(state: Path) -> Restored:
    """End a restore that was broken off. Raises KeepingError when none was."""
    lock = _held(state)
    try:
        if not (state / RESTORING).exists():
            shutil.rmtree(state / STAGED, ignore_errors=True)
            raise KeepingError(f"no restore into {state} waits to be finished: nothing was changed")
        return _finished(state)
    except (OSError, msgspec.MsgspecError) as error:
        raise KeepingError(f"cannot finish the restore into {state}: {error}") from error
    finally:
        os.close(lock)


def _held(state: Path) -> int:
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        return lock_folder(state)
    except LockedError:
        raise KeepingError(f"a desk runs in {state}: stop it first") from None
    except OSError as error:
        raise KeepingError(f"cannot use {state}: {error.strerror}; run this as the desk's user") from error


def _staged(backup: Path, state: Path) -> Manifest:
    """Unpack a backup beside what is there, every check sum compared."""
    staged = state / STAGED
    if staged.exists():
        shutil.rmtree(staged)
    staged.mkdir(mode=0o700)
    with opened(backup) as (archive, manifest):
        if manifest.schema > len(MIGRATIONS):
            raise KeepingError(
                f"{backup} was made by the newer program {manifest.version} (its file is of version {manifest.schema},"
                f" this program knows {len(MIGRATIONS)}): install that one"
            )
        need, free = sum(member.size for member in manifest.members), shutil.disk_usage(state).free
        if free < need + _SPARE:
            raise KeepingError(f"{state} has {free >> 20} MiB free, the backup needs {need >> 20} MiB")
        named = {member.path: member for member in manifest.members}
        for entry in archive:
            member = named.pop(entry.name, None)
            if entry.name == MANIFEST:
                continue
            if member is None or not safe(entry.name):
                compare(backup, None, entry.name, (0, ""))
                continue
            place = staged / (entry.name if entry.name.startswith(f"{OWN}/") else entry.name.removeprefix(f"{STATE}/"))
            compare(backup, member, entry.name, stored(pieces(content(archive, entry)), place))
        if named:
            raise KeepingError(f"{backup} lacks {min(named)}: take another backup")
    return manifest


def _prepared(state: Path, manifest: Manifest, backup: Path, at: float) -> int:
    """Bring the staged file forward and make it another incarnation; returns the number of the next ticket."""
    path = state / STAGED / DATABASE
    try:
        with closing(connect(path)) as db:
            verdict = str(db.execute("PRAGMA integrity_check(1)").fetchone()[0])
            if verdict != "ok":
                raise KeepingError(f"the desk's file in {backup} is damaged ({verdict}): take another backup")
            migrate(db, MIGRATIONS)
            db.execute("BEGIN IMMEDIATE")
            number = _renewed(db, manifest, backup, at, state / DATABASE)
            db.execute("COMMIT")
            db.execute("PRAGMA journal_mode=DELETE")
    except StoreError as error:
        raise KeepingError(str(error)) from error
    for folder, _, names in os.walk(state / STAGED, topdown=False):
        for name in names:
            give(Path(folder, name), state)
        give(Path(folder), state)
        sync_folder(Path(folder))
    sync_folder(path)
    return number


def _renewed(db: Db, manifest: Manifest, backup: Path, at: float, old: Path) -> int:
    same, known = _last_known(old, manifest.incarnation)
    before = str(db.execute("SELECT incarnation FROM desk").fetchone()[0])
    db.execute("UPDATE desk SET incarnation = ?", (str(uuid.uuid4()),))
    names = {name for (name,) in db.execute("SELECT name FROM sqlite_sequence")} | {"tickets"}
    for name in names - {"commands", "incidents"}:  # ids by time; numbers that follow from the tickets' entries
        last = int((db.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (name,)).fetchone() or (0,))[0])
        db.execute("DELETE FROM sqlite_sequence WHERE name = ?", (name,))
        db.execute(
            "INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (name, _after(last, known.get(name, 0), same=same))
        )
    highest = int(db.execute("SELECT coalesce(max(id), 0) FROM commands").fetchone()[0])
    floor = max(int(at * 1000), highest + 1, known.get("commands", 0) + 1)  # ids go on above: `desk.tickets.command`
    db.execute("INSERT INTO commands (id, site, at, expires, body) VALUES (?, '', ?, ?, x'7b7d')", (floor, at, at))
    there = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    for table, forget in _ONCE:
        if table in there:
            db.execute(forget)
    detail: dict[str, object] = {"made": manifest.at, "before": before, "file": backup.name}
    audit(db, at=at, who="admin", source="local", what="restored", site="", detail=detail)
    row = (at, manifest.at, str(backup), before)
    db.execute("INSERT INTO restores (at, made, source, before) VALUES (?, ?, ?, ?)", row)
    return int(db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'tickets'").fetchone()[0]) + 1


def _after(last: int, known: int, *, same: bool) -> int:
    """Return after which number new ones begin: the last that is known, else a gap that none fills in a few days."""
    return max(last, known) if same else max(known, (last + GAP // 2) // GAP * GAP + GAP)


def _last_known(old: Path, incarnation: str) -> tuple[bool, dict[str, int]]:
    """Return the numbers that the file gave last which is replaced, and whether it is what the backup was made of."""
    if not old.is_file():
        return False, {}
    try:
        with closing(reader(old)) as db:
            if str(db.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
                return False, {}
            same = [row[0] for row in db.execute("SELECT incarnation FROM desk")] == [incarnation]
            last = {str(name): int(seq) for name, seq in db.execute("SELECT name, seq FROM sqlite_sequence")}
            return same, last
    except sqlite3.Error:
        return False, {}


def _finished(state: Path) -> Restored:
    """Do what `restoring.json` says, from wherever it was broken off."""
    plan = msgspec.json.decode((state / RESTORING).read_bytes(), type=Plan)
    staged = state / STAGED
    if plan.phase == "aside":
        if plan.aside:
            (state / plan.aside).mkdir(mode=0o700, exist_ok=True)
            give(state / plan.aside, state)
            for path in sorted(state.iterdir()):
                if _is_old(path.name):
                    path.rename(state / plan.aside / path.name)
            sync_folder(state / plan.aside)
        sync_folder(state)
        write_private(state / RESTORING, msgspec.json.encode(msgspec.structs.replace(plan, phase="in")))
    if staged.exists():
        for path in sorted(staged.iterdir()):
            path.rename(state / path.name)
        sync_folder(state)
        staged.rmdir()
    (state / RESTORING).unlink()
    sync_folder(state)
    return plan.done


def _is_old(name: str) -> bool:
    """Say whether a name in the state folder is of the desk that was there."""
    return name not in {LOCK, STAGED, RESTORING, f".{RESTORING}.new", LAST} and not name.startswith(ASIDE)
