"""Files that only one user reads, written whole or not at all.

Root writes them for the owner of the folder they are in: a command that root gives makes no file that a service, which
owns its state folder, could not read.
"""

import os
from pathlib import Path


def private_folder(path: Path) -> None:
    """Make a folder that its owner alone enters; the owner is that of the folder above."""
    if not path.is_dir():
        path.mkdir(mode=0o700, parents=True)
        give(path, path.parent)
    path.chmod(0o700)


def write_private(path: Path, content: bytes) -> None:
    """Write a file, mode 0600. After a crash it is the old one or the new one, never a part."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    give(fresh, path.parent)
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def give(path: Path, folder: Path) -> None:
    """Give a file to a folder's owner, where root made it."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.chown(path, owner.st_uid, owner.st_gid)
