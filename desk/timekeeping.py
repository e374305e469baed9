"""What the desk does about its time: keeps it for the next start, and says once when it is no longer sure, and again.

The last sure time is kept once a minute, when its trust changes and when the desk stops.
"""

import asyncio
import contextlib
import logging
from concurrent.futures import Future

from msgspec.structs import replace

from desk.core import LOG, Desk
from desk.live import BOARD
from desk.retiming import put_right
from desk.store import Db, audit, one
from desk.timekeeper import Plan, Standing, keep, last_note
from model.clock import Note
from model.service.words import Trust
from runtime.writer import StoreError

KEEP_EVERY = 60.0
DESK = "desk"
CLOCK_SURE = "clock_sure"
_SAYS = {
    Note.SURE: "the clock is sure: escalations go on",
    Note.AHEAD: "the clock was set forward by {:.0f} s: escalations are frozen",
    Note.BEHIND: "the clock was set back by {:.0f} s: escalations are frozen",
    Note.REBOOTED: "the machine was started anew and its clock is not synchronised: escalations are frozen",
    Note.EARLIER: "the clock is {:.0f} s before the last time that was written down: escalations are frozen",
}


class Timekeeping:
    """Looks at the clock once a second; writes when its trust changes, else once a minute."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._said: Note | None = None
        self._kept = -KEEP_EVERY

    async def look(self) -> None:
        """Do what is due now. Raises StoreError when it cannot be written."""
        if self._said is None:
            self._said = await self.desk.store.read(last_note)
        keeper = self.desk.timekeeper
        if keeper.ready and await regain(self.desk, DESK, DESK, CLOCK_SURE) is not None:
            self._say(keeper.standing())
        standing = keeper.standing()
        boot = self.desk.clock().boot
        keeper.held = await self.desk.store.read(lambda db: _due(db, standing.at)) if standing.note else 0
        if standing.note is not self._said:
            await self._keep(standing)
            self._say(standing)
        elif boot - self._kept < KEEP_EVERY:
            return
        else:
            await self._keep(None)
        self._kept = boot

    async def run(self, stop: asyncio.Event) -> None:
        """Look until the desk stops, and keep the time a last time; what cannot be written is tried again."""
        while not stop.is_set():
            try:
                await self.look()
            except StoreError as error:
                LOG.warning("clock: %s", error)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), self.desk.settings.sweep)
        with contextlib.suppress(StoreError):  # the next start has the last minute's
            await self._keep(None)

    def _say(self, standing: Standing) -> None:
        """Tell everybody, once, what became of the time."""
        self._said = standing.note
        says = _SAYS[standing.note]
        LOG.log(
            logging.INFO if standing.trust is Trust.SURE else logging.ERROR,
            says.format(abs(standing.off)),
        )
        self.desk.hub.announce(BOARD)

    async def _keep(self, standing: Standing | None) -> None:
        def write(db: Db) -> None:
            keep(db, self.desk.timekeeper.anchor(), standing.note if standing else self._said or Note.SURE)
            if standing is not None:
                noted(db, standing, DESK, DESK, standing.note or CLOCK_SURE)

        await self.desk.store.write(write)


async def regain(
    desk: Desk, who: str, source: str, what: str, *, word: bool = False, stood_still: bool = False
) -> Standing | None:
    """Be sure of the time again, put right what was written meanwhile, and write that down: all of it, or nothing.

    None when the clocks give no reason to, and no person's `word` does. Raises StoreError.
    """

    def write(db: Db) -> Plan | None:
        before, plan = desk.timekeeper.standing(), desk.timekeeper.plan(word=word, stood_still=stood_still)
        if plan is None:
            return None
        ledger = replace(desk.ledger(db), now=plan.regained.now, trust=Trust.SURE)
        moved = put_right(ledger, plan.regained)
        keep(db, plan.after.anchor, plan.after.note)
        noted(db, before, who, source, what, by=round(plan.regained.by, 3), tickets=moved)
        return plan

    def take(done: Future[Plan | None]) -> None:
        """Right after the commit, before anything else is written."""
        if done.exception() is None and (plan := done.result()) is not None:
            desk.timekeeper.take(plan)

    written = desk.store.writer.put(write)
    written.add_done_callback(take)
    plan = await asyncio.wrap_future(written)
    if plan is None:
        return None
    await desk.store.write(lambda db: put_right(desk.ledger(db), plan.regained, openings=True))  # of the same commit
    desk.hub.announce(BOARD)
    return desk.timekeeper.standing()


def _due(db: Db, now: float) -> int:
    """Return on how many tickets something is due."""
    row = one(db, "SELECT count(*) AS held FROM tickets WHERE again <= ?", now)
    return row["held"] if row else 0


def noted(db: Db, standing: Standing, who: str, source: str, what: str, **more: object) -> None:
    """Write down in the audit what became of the time, and what the machine's clock said."""
    audit(
        db,
        at=standing.at,
        who=who,
        source=source,
        what=what,
        site="",
        detail={"machine": standing.wall, "off": round(standing.off, 3), "synchronised": standing.synchronised, **more},
    )
