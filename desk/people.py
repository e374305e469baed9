"""The roster of the desk: its file, read when the desk starts and again when it changes; a bad one changes nothing."""

from pathlib import Path

from config.node import ConfigError
from config.roster import RosterFile, read_roster

_Seen = tuple[int, int, int]


class People:
    """Who is on the roster, and what is wrong with its file. `path` None: there is none, and nobody is told."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.file: RosterFile | None = None
        self.problem = ""
        self._seen: _Seen | None = None
        self.look()

    def look(self) -> bool:
        """Read the file if it is another than before; says whether that changed anything.

        A file that cannot be used leaves the one before in force, and `problem` says why.
        """
        if self.path is None:
            return False
        seen = _signature(self.path)
        if seen == self._seen and (seen is not None or self.problem):
            return False
        self._seen = seen
        try:
            self.file = read_roster(self.path)
            self.problem = ""
        except ConfigError as error:
            self.problem = str(error)
        return True


def _signature(path: Path) -> _Seen | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
