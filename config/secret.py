"""Secrets live in files of their own; the site file only names them.

A service gets them from systemd (LoadCredential=, folder $CREDENTIALS_DIRECTORY); else they lie beside the site file.
"""

import os
import stat
from pathlib import Path

import msgspec

from config.node import ConfigError, Problem

MAX_BYTES = 4096


class Secret(msgspec.Struct, frozen=True):
    """A secret's text, and a warning when others may read its file (else ""). Its repr does not show it."""

    value: str
    warning: str = ""

    def __repr__(self) -> str:
        return f"Secret({len(self.value)} signs)"


def find_secret(name: Path | str, folder: Path) -> Path:
    """Return the file that `name` means: the service's credential of that name, else the one beside the site file."""
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    if credentials:
        given = Path(credentials) / Path(name).name
        if given.is_file():
            return given
    return folder / name


def read_secret(path: Path) -> Secret:
    """Return a file's text without one newline at its end. Raises ConfigError when it is missing, empty or not text."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
            mode = os.fstat(file.fileno()).st_mode
    except OSError as error:
        raise _unusable(path, f"cannot be read: {(error.strerror or str(error)).lower()}") from None
    if len(content) > MAX_BYTES:
        raise _unusable(path, "is longer than 4096 bytes; a secret file holds the secret alone")
    try:
        text = content.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise _unusable(path, "is not UTF-8 text") from None
    if not text.strip():
        raise _unusable(path, "is empty; write the secret into it")
    if "\n" in text:
        raise _unusable(path, "has more than one line; a secret file holds the secret alone")
    others = stat.S_IRGRP | stat.S_IROTH
    warning = f"{path} can be read by others; chmod 600 {path}" if mode & others else ""
    return Secret(text, warning)


def _unusable(path: Path, message: str) -> ConfigError:
    return ConfigError([Problem(str(path), 0, 0, "", message)])
