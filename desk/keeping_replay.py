"""After a restore: what falls due waits until the agents have told what the desk forgot.

A file that was put back has open tickets that were acknowledged or restored since. The agents tell of it within
seconds; until each of those that are enrolled was heard and has nothing left to send, or `LONGEST` is over, nobody is
called and nothing escalates by time alone. Then all that is due falls due, as late as it is.
"""

from desk.core import LOG, Desk
from desk.store import Db, audit, one

LONGEST = 180.0  # seconds from the desk's start: a site that is away must not hold up the others
_OPEN = "SELECT id FROM restores WHERE replayed IS NULL LIMIT 1"
_BEHIND = """SELECT count(*) AS n FROM agents LEFT JOIN cursors
    ON cursors.agent = agents.id AND cursors.epoch = agents.epoch
    WHERE retired IS NULL AND (heartbeat IS NULL OR heartbeat < ? OR coalesce(seq, 0) < last_seq)"""


class Replay:
    """Says whether a restored desk still waits for its agents."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._since = desk.timekeeper.now()
        self._waits: bool | None = None  # not asked for yet

    async def waits(self) -> bool:
        """Look whether agents are still to be waited for; the end of it is written down."""
        desk = self.desk
        if self._waits is None:
            self._waits = await desk.store.read(lambda db: one(db, _OPEN) is not None)
        if not self._waits:
            return False
        behind = await desk.store.read(self._behind)
        if behind and desk.clock().boot - desk.started < LONGEST:
            return True
        now = desk.timekeeper.now()
        await desk.store.write(lambda db: _over(db, now, behind))
        self._waits = False
        LOG.info("the agents have told what this desk forgot, but for %d", behind)
        return False

    def _behind(self, db: Db) -> int:
        row = one(db, _BEHIND, self._since)
        return int(row["n"]) if row else 0


def _over(db: Db, now: float, behind: int) -> None:
    db.execute("UPDATE restores SET replayed = ? WHERE replayed IS NULL", (now,))
    audit(db, at=now, who="desk", source="", what="replayed", site="", detail={"behind": behind})
