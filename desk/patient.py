"""What a check of `desk.doctor` is given and what it gives."""

from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path

import msgspec

from desk.local import Local
from desk.store import Db
from desk.words_doctor import SAID


class Weight(IntEnum):
    """How bad a finding is; the worst is the exit code."""

    NOTE = 0
    WARNING = 1
    BROKEN = 2


class Finding(msgspec.Struct, frozen=True):
    """What is wrong and what to do, one sentence in each language; `what` is its word for programs."""

    what: str
    weight: Weight
    en: str
    zh: str


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
    """Return a finding by its word, its blanks filled in."""
    weight, english, chinese = SAID[what]
    return Finding(what, Weight(weight), english.format(**fill), chinese.format(**fill))
