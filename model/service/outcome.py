"""How a clock stands, or how it ended: the line that is shown, and that is kept when the ticket closes."""

from enum import StrEnum

import msgspec

from model.contract import Milestone


class Stand(StrEnum):
    """Where a clock stands. Only `late` is a breach."""

    WAITING = "waiting"  # for the milestone that it counts from, or for a limit to be agreed
    RUNNING = "running"
    PAUSED = "paused"
    PROPOSED = "proposed"  # ended in time if the word that the contract asks for is given
    KEPT = "kept"
    LATE = "late"
    UNSURE = "unsure"  # it began or ended while the clock was not sure; a person may say when
    MOOT = "moot"  # a later milestone made it pointless, or the ticket ended without it


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """A limit of a ticket: when it began, is due and ended (Unix seconds), and where it stands.

    `assumed`: it counts from a milestone that is not reached yet, taken at its latest.
    """

    limit: str
    level: int
    milestone: Milestone
    stand: Stand
    start: float | None = None
    due: float | None = None
    end: float | None = None
    assumed: bool = False

    @property
    def clock(self) -> str:
        """The clock's name in keys: the limit with its level, so that another level's begins anew."""
        return f"{self.limit}/{self.level}"
