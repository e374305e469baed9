"""`roundsman desk backup`: a desk's file as of one commit, and all that it needs beside it, into one checked file.

The desk may run meanwhile: a connection that only reads copies what is committed, and no writer waits for it. Nothing
has the backup's name before it was read back and every check sum was compared.
"""

import contextlib
import io
import os
import shutil
import sqlite3
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
from msgspec.structs import replace

from config.node import ConfigError
from config.roster import read_roster
from desk.keeping import (
    DATABASE,
    FORMAT,
    LAST,
    MANIFEST,
    OWN,
    STATE,
    KeepingError,
    Last,
    Manifest,
    Member,
    belongs_to_a_run,
    check,
    sum_of,
    sync_file,
    sync_folder,
)
from desk.local import LocalError, read_local
from desk.placing import ELSEWHERE, is_elsewhere
from runtime.private import write_private
from runtime.version import VERSION
from runtime.writer import reader

PREFIX, SUFFIX = "desk-", ".tar.gz"
_COMPRESS = 3  # of 9: most of what there is to gain, at a tenth of the time
_SPARE = 16 << 20  # bytes left free on the disk
_WORK = ".backup-"  # a folder of what is not yet a backup
_LONGEST = 86_400.0  # seconds that one takes at most


def back_up(state: Path, target: Path, *, keep: int = 0, now: float | None = None) -> tuple[Path, Manifest]:
    """Back a desk up to a new file, or to one named by the time in a folder; returns where and what it says.

    In a folder the newest `keep` backups stay, 0: all; this one among them, whatever its clock. Raises KeepingError.
    """
    at = time.time() if now is None else now
    folder = target if target.is_dir() else target.parent
    path = folder / f"{PREFIX}{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(at))}{SUFFIX}" if target.is_dir() else target
    if not folder.is_dir():
        raise KeepingError(f"there is no folder {folder}: make it first")
    if path.exists():
        raise KeepingError(f"{path} is there already: name another file, nothing is written over")
    if is_elsewhere(state):
        raise KeepingError(f"{ELSEWHERE}: back that up with pg_dump, and {state} beside it")
    if not (state / DATABASE).is_file():
        raise KeepingError(f"there is no desk in {state}: name its state folder by --state")
    if folder.resolve().is_relative_to(state.resolve()):  # each would hold all before it, and all be lost at once
        raise KeepingError(f"{folder} is within the desk's own folder {state}: name a folder elsewhere")
    try:
        manifest = _made(state, path, at)
    except PermissionError as error:
        raise KeepingError(f"{error.filename or state}: {error.strerror}; run this as the desk's user") from error
    except OSError as error:
        raise KeepingError(f"the backup cannot be written: {error.strerror or error}. Free some space") from error
    with contextlib.suppress(OSError):  # who may only read the folder makes a good backup too
        write_private(state / LAST, msgspec.json.encode(Last(at, str(path.absolute()))))
    if keep > 0 and target.is_dir():
        others = [each for each in backups(folder) if each != path]
        for old in sorted(others, reverse=True)[keep - 1 :]:
            old.unlink(missing_ok=True)
    return path, manifest


def backups(folder: Path) -> list[Path]:
    """Return the backups in a folder that were named by their time, oldest first."""
    return sorted(path for path in folder.glob(f"{PREFIX}*{SUFFIX}") if path.is_file())


def _made(state: Path, path: Path, at: float) -> Manifest:
    for left in path.parent.glob(f"{_WORK}*"):  # by a backup that was killed
        if left.is_dir() and left.stat().st_mtime < at - _LONGEST:
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=_WORK, dir=path.parent) as name:
        work = Path(name)
        size = (state / DATABASE).stat().st_size
        free = shutil.disk_usage(work).free
        if free < size * 2 + _SPARE:
            raise KeepingError(f"{path.parent} has {free >> 20} MiB free; this backup takes up to {size * 2 >> 20} MiB")
        copy = work / DATABASE
        _copy(state / DATABASE, copy)
        beside = list(_beside(state))
        manifest = replace(_described(copy, at, beside), own=_told(state))
        part = work / "part"
        _pack(part, manifest, {f"{STATE}/{DATABASE}": copy, **dict(beside)})
        check(part)
        os.link(part, path)  # unlike a rename, it takes no other file's place
        sync_folder(path.parent)
    return manifest


def _copy(source: Path, copy: Path) -> None:
    """Copy a SQLite file as of one commit, and check the copy whole."""
    copy.touch(mode=0o600)
    try:
        with closing(reader(source)) as db, closing(sqlite3.connect(copy, isolation_level=None)) as made:
            db.backup(made)
            made.execute("PRAGMA journal_mode=DELETE")
            verdict = str(made.execute("PRAGMA integrity_check(1)").fetchone()[0])
    except sqlite3.Error as error:
        raise KeepingError(f"{source} cannot be copied: {error}; `roundsman desk doctor` says more") from error
    if verdict != "ok":
        raise KeepingError(f"{source} is damaged ({verdict}): no backup was made; restore the last good one")
    sync_file(copy)


def _described(copy: Path, at: float, beside: list[tuple[str, Path]]) -> Manifest:
    with closing(sqlite3.connect(f"file:{copy}?mode=ro&immutable=1", uri=True)) as db:
        schema = int(db.execute("PRAGMA user_version").fetchone()[0])
        row = db.execute("SELECT incarnation FROM desk").fetchone()
        tickets = int(db.execute("SELECT count(*) FROM tickets").fetchone()[0])
        last = dict(db.execute("SELECT name, seq FROM sqlite_sequence").fetchall())
        last["commands"] = int(db.execute("SELECT coalesce(max(id), 0) FROM commands").fetchone()[0])
    paths = [(f"{STATE}/{DATABASE}", copy), *beside]
    members = tuple(Member(name, *sum_of(path)) for name, path in paths)
    return Manifest(FORMAT, at, VERSION, schema, row[0] if row else "", tickets, members, last)


def _beside(state: Path) -> Iterator[tuple[str, Path]]:
    """Give what is kept beside the desk's file: of its folder, and what it was started with."""
    for path in sorted(state.rglob("*")):
        part = path.relative_to(state)
        if path.is_file() and not path.is_symlink() and not belongs_to_a_run(part.parts[0]):
            yield f"{STATE}/{part.as_posix()}", path
    told = _told(state)
    roster, contracts = (Path(told[name]) if name in told else None for name in ("roster", "contracts"))
    if roster is not None and roster.is_file():
        yield from ((f"{OWN}/roster/{path.relative_to(roster.parent).as_posix()}", path) for path in _of_roster(roster))
    if contracts is not None and contracts.is_dir():
        for path in sorted(contracts.rglob("*.yaml")):
            yield f"{OWN}/contracts/{path.relative_to(contracts).as_posix()}", path


def _told(state: Path) -> dict[str, str]:
    """Return where the desk was told, at its last start, to find its roster and its own contracts."""
    try:
        local = read_local(state)
    except LocalError:
        return {}
    return {name: path for name, path in (("roster", local.roster), ("contracts", local.contracts)) if path}


def _of_roster(roster: Path) -> list[Path]:
    """Return the roster's file and what it names beside it: secrets, a calendar."""
    try:
        named = read_roster(roster).files
    except ConfigError:
        named = ()
    beside = {path for path in named if path.is_file() and path.is_relative_to(roster.parent)}
    return sorted({roster, *beside})


def _pack(part: Path, manifest: Manifest, paths: dict[str, Path]) -> None:
    with (
        os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file,
        tarfile.open(fileobj=file, mode="w:gz", compresslevel=_COMPRESS) as archive,
    ):
        raw = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
        archive.addfile(_entry(MANIFEST, len(raw), manifest.at), io.BytesIO(raw))
        for member in manifest.members:
            with paths[member.path].open("rb") as content:
                archive.addfile(_entry(member.path, member.size, manifest.at), content)
    sync_file(part)


def _entry(name: str, size: int, at: float) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = size, 0o600, int(at)
    return entry
