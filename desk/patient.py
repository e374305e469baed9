"""What a check of `desk.doctor` is given and what it gives."""

from dataclasses import dataclass, field
from pathlib import Path

from desk.local import Local
from desk.store import Db
from desk.words_doctor import SAID
from model.finding import Finding, found

__all__ = ["Finding", "Patient", "finding"]


@dataclass(frozen=True)
class Patient:
    """What is looked at: a state folder, its file where it can be read, and what the desk was started with.

    `now` is Unix seconds; `reach`: servers may be asked too; `backups_within` are the seconds that a backup may be old.
    """

    state: Path
    now: float
    roster: Path | None = None
    contracts: Path | None = None
    reach: bool = False
    backups_within: float = 2 * 86_400.0
    running: bool = False
    local: Local | None = None
    unreadable: str = ""
    db: Db | None = field(default=None, repr=False)


def finding(what: str, **fill: object) -> Finding:
    """Return a finding of the desk by its word, its blanks filled in."""
    return found(SAID, what, **fill)
