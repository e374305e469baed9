"""What a backup is: one file, a gzipped tar of `manifest.json` and everything that it names, each with its check sum.

    manifest.json         version, when, incarnation, the file's version, and of each member its size and SHA-256
    state/desk.sqlite     the desk's file as of one commit, whole, without a WAL
    state/...             what else stands in the state folder (keys, certificates), but for what belongs to one run
    own/roster/...        the roster's file and those that it names; own/contracts/... contracts of one's own

It holds token hashes, keys and secrets: mode 0600, and whoever has it has the desk.
"""

import gzip
import hashlib
import os
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

import msgspec

from runtime.lock import LockedError, lock_folder
from runtime.writer import StoreError

FORMAT = 1
MANIFEST = "manifest.json"
STATE, OWN = "state", "own"
DATABASE = "desk.sqlite"
RESTORING = "restoring.json"  # in a state folder: a restore was begun and is not finished
STAGED = "restore.new"
ASIDE = "before-restore"
LAST = "backup.json"  # in a state folder: when it was last backed up, and where to
OF_ONE_RUN = frozenset({"local.json", "local.new", "lock", RESTORING, STAGED, LAST, OWN})
SUFFIXES = ("-wal", "-shm", "-journal")
_PIECE = 1 << 20  # bytes read at once
_LARGEST_MANIFEST = 16 << 20


class KeepingError(Exception):
    """A backup that cannot be made or used: a sentence that says why and what to do."""


class Member(msgspec.Struct, frozen=True):
    """One file of a backup: its path in it, bytes, SHA-256 in hexadecimal."""

    path: str
    size: int
    sha256: str


class Last(msgspec.Struct, frozen=True):
    """The last backup that was made of a state folder: when (Unix seconds), and where it was put."""

    at: float
    path: str


class Manifest(msgspec.Struct, frozen=True):
    """What a backup says of itself. `at` is Unix seconds; `version` the desk's program, `schema` its file's version.

    `last` has the highest number given of what people call by a number, as far as the backup knows; `own` where roster
    and contracts were.
    """

    format: int
    at: float
    version: str
    schema: int
    incarnation: str
    tickets: int
    members: tuple[Member, ...]
    last: dict[str, int] = {}
    own: dict[str, str] = {}


def belongs_to_a_run(name: str) -> bool:
    """Say whether a name in a state folder is no part of what is kept: of one run, or an earlier restore's."""
    return (
        name.removeprefix(".").removesuffix(".new") in OF_ONE_RUN
        or name.startswith(ASIDE)
        or name == DATABASE
        or name in {DATABASE + suffix for suffix in SUFFIXES}
    )


@contextmanager
def held(state: Path) -> Iterator[None]:
    """Hold a state folder for a desk, or a restore, alone. Raises StoreError when another process does, and why not.

    A folder in which a restore was broken off is neither the old desk nor the new one.
    """
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        lock = lock_folder(state)
    except LockedError:
        raise StoreError(f"a desk already runs in {state}, or a restore does: end it first", permanent=True) from None
    except OSError as error:
        raise StoreError(f"cannot use {state}: {error.strerror}", permanent=True) from error
    try:
        if (state / RESTORING).exists():
            what = f"a restore into {state} was broken off: `roundsman desk restore --finish` ends it"
            raise StoreError(what, permanent=True)
        yield
    finally:
        os.close(lock)


def sum_of(path: Path) -> tuple[int, str]:
    """Return a file's size in bytes and its SHA-256."""
    with path.open("rb") as file:
        return _sum(file)


def sync_folder(folder: Path) -> None:
    """Bring a folder's names to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file(path: Path) -> None:
    """Bring a file's content to the disk."""
    sync_folder(path)


@contextmanager
def opened(backup: Path) -> Iterator[tuple[tarfile.TarFile, Manifest]]:
    """Open a backup and read its manifest. Raises KeepingError for what is none, is cut off or of a newer program."""
    try:
        with tarfile.open(backup, "r:gz") as archive:
            yield archive, _manifest_of(archive, backup)
    except FileNotFoundError:
        raise KeepingError(f"there is no file {backup}") from None
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, OSError) as error:
        raise KeepingError(f"{backup} cannot be read ({error}): it is no backup, or it is damaged; take another") from (
            error
        )


def check(backup: Path) -> Manifest:
    """Read a backup whole and compare every check sum. Raises KeepingError with the first that is wrong."""
    with opened(backup) as (archive, manifest):
        named = {member.path: member for member in manifest.members}
        for entry in archive:
            if entry.name == MANIFEST:
                continue
            compare(backup, named.pop(entry.name, None), entry.name, _sum(content(archive, entry)))
        if named:
            raise KeepingError(f"{backup} lacks {min(named)}: take another backup")
    return manifest


def compare(backup: Path, member: Member | None, name: str, found: tuple[int, str]) -> None:
    """Raise KeepingError unless what was found of a member is what the manifest says."""
    if member is None or not safe(name):
        raise KeepingError(f"{backup} has {name!r}, which its manifest does not name: take another backup")
    if found != (member.size, member.sha256):
        raise KeepingError(f"{name} in {backup} is not what was backed up (check sum): take another backup")


def content(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> IO[bytes]:
    """Return a plain file's content. Raises KeepingError for what is none: a link, a device."""
    file = archive.extractfile(entry) if entry.isreg() else None
    if file is None:
        raise KeepingError(f"{entry.name!r} in the backup is no plain file: take another backup")
    return file


def pieces(file: IO[bytes]) -> Iterator[bytes]:
    """Read a file by parts."""
    while piece := file.read(_PIECE):
        yield piece


def stored(parts: Iterable[bytes], path: Path) -> tuple[int, str]:
    """Write a file of mode 0600 to the disk; returns its size in bytes and its SHA-256."""
    digest, size = hashlib.sha256(), 0
    for folder in reversed(path.parents):  # `parents=True` gives those between the mode of the umask
        folder.mkdir(mode=0o700, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        for piece in parts:
            file.write(piece)
            digest.update(piece)
            size += len(piece)
        file.flush()
        os.fsync(file.fileno())
    return size, digest.hexdigest()


def safe(name: str) -> bool:
    """Say whether a member's path stays where it is put."""
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and path.parts[:1] in {(STATE,), (OWN,)}


def _sum(file: IO[bytes]) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    for piece in pieces(file):
        digest.update(piece)
        size += len(piece)
    return size, digest.hexdigest()


def _manifest_of(archive: tarfile.TarFile, backup: Path) -> Manifest:
    first = archive.next()
    if first is None or first.name != MANIFEST or first.size > _LARGEST_MANIFEST:
        raise KeepingError(f"{backup} is no backup of a desk: it does not begin with a manifest")
    raw = content(archive, first).read()
    try:
        version = msgspec.json.decode(raw, type=_Format).format
        if version > FORMAT:
            raise KeepingError(
                f"{backup} was made by a newer program (format {version}): install that one and try again"
            )
        return msgspec.json.decode(raw, type=Manifest)
    except msgspec.MsgspecError as error:
        raise KeepingError(f"the manifest of {backup} cannot be read ({error}): take another backup") from error


class _Format(msgspec.Struct):
    format: int
