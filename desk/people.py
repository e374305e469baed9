"""The roster of the desk: its file and those it names, read again when one changes; a bad one changes nothing."""

from pathlib import Path

from config.node import ConfigError
from config.roster import RosterFile, read_roster

_Seen = tuple[tuple[int, int, int] | None, ...]


class People:
    """Who is on the roster, and what is wrong with its file. `path` None: there is none, and nobody is told."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.file: RosterFile | None = None
        self.problem = ""
        self._seen: _Seen = ()
        self.look()

    def look(self) -> bool:
        """Read the file if it, one that it names or the folder changed; says whether the roster or its problem did.

        A file that cannot be used leaves the one before in force, and `problem` says why. The folder is looked at for
        the sake of a file that was missing.
        """
        if self.path is None:
            return False
        named = self.file.files if self.file is not None else ()
        seen = tuple(_signature(each) for each in (self.path, self.path.parent, *named))
        if seen == self._seen:
            return False
        self._seen, before = seen, (self.file, self.problem)
        try:
            self.file = read_roster(self.path)
            self.problem = ""
        except ConfigError as error:
            self.problem = str(error)
        return (self.file, self.problem) != before


def _signature(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
