"""One process a folder: a lock that the kernel lets go when its holder dies."""

import fcntl
import os
from pathlib import Path

from runtime.private import give

FILE = "lock"


class LockedError(Exception):
    """Another process holds the folder."""


def lock_folder(folder: Path) -> int:
    """Take a folder for this process alone until it ends; returns the lock's descriptor. Raises LockedError."""
    lock = os.open(folder / FILE, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        give(folder / FILE, folder)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise LockedError(f"another process holds {folder}") from None
    return lock


def is_locked(folder: Path) -> bool:
    """Say whether a process holds a folder."""
    try:
        lock = os.open(folder / FILE, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(lock)
    return False
