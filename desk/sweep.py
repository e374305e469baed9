"""What the desk does by itself as time goes by: silent sites, resolved tickets that close, what grew old."""

import asyncio
import contextlib

from desk.core import LOG, Desk
from desk.events import forget_receipts
from desk.keeping_replay import Replay
from desk.ledger import settle_due
from desk.live import BOARD
from desk.nuisance import KEPT, forget_counts
from desk.period_store import is_stale, reckon_some
from desk.release import release_due
from desk.settings import DeskSettings
from desk.silence import Silent, fall_silent
from desk.store import Db
from desk.tickets import close_resolved, forget_commands, forget_told
from runtime.writer import StoreError

RECKONED = 200  # faults whose holding is worked out anew in one transaction
FORGET_EVERY = 3600.0


def silent_now(desk: Desk, boot: float) -> list[Silent]:
    """Return the agents that missed their heartbeats; nobody within the grace after the desk's start."""
    if boot - desk.started < desk.settings.grace:
        return []
    return [
        Silent(agent, heard.site, boot - heard.at, heard.interval)
        for agent, heard in desk.heard.items()
        if boot - heard.at > desk.settings.missed * heard.interval
    ]


def not_heard_yet(desk: Desk, boot: float) -> frozenset[str]:
    """Return the sites that were not heard since the desk's start; none after the grace."""
    if boot - desk.started >= desk.settings.grace:
        return frozenset()
    return frozenset(heard.site for heard in desk.heard.values() if heard.at <= desk.known)


class Sweep:
    """Looks around once a second; writes only when something is due."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.known_silent: dict[str, float] = {}
        self.forget_due = 0.0
        self.replay = Replay(desk)

    async def look(self) -> None:
        """Do what is due now."""
        desk = self.desk
        now = desk.clock()
        silent = silent_now(desk, now.boot)
        waits = await self.replay.waits()
        unheard, started = not_heard_yet(desk, now.boot), now.wall - (now.boot - desk.started)
        fresh = [each for each in silent if self.known_silent.get(each.agent) != desk.heard[each.agent].at]

        def write(db: Db) -> bool:
            ledger = desk.ledger(db)
            opened = [fall_silent(ledger, each, desk.settings.missed) for each in fresh]
            if waits:
                return any(opened)
            released = release_due(ledger, started=started, unheard=unheard)
            settled = settle_due(ledger)
            closed = close_resolved(ledger, ledger.now - desk.settings.close_after)
            return any(opened) or bool(released) or bool(settled) or bool(closed)

        while await desk.store.read(is_stale):  # a part at a time, so that others write in between
            await desk.store.write(lambda db: reckon_some(db, RECKONED))
        news = await desk.store.write(write)
        desk.meters.swept.set_to_current_time()
        self.known_silent = {each.agent: desk.heard[each.agent].at for each in silent if each.agent in desk.heard}
        if news:
            desk.hub.announce(BOARD)
        if now.boot >= self.forget_due:
            await desk.store.write(lambda db: _forget(db, desk.settings, now.wall))
            self.forget_due = now.boot + FORGET_EVERY

    async def run(self, stop: asyncio.Event) -> None:
        """Look around until the desk stops; what fails is logged and tried again."""
        while not stop.is_set():
            try:
                await self.look()
            except StoreError as error:
                LOG.warning("sweep: %s", error)
            except Exception:  # whatever it was: silent sites must still be noticed at the next look
                LOG.exception("sweep: a look failed")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), self.desk.settings.sweep)


def _forget(db: Db, settings: DeskSettings, now: float) -> None:
    forget_counts(db, now - KEPT)
    forget_receipts(db, now - settings.receipts_for)
    forget_commands(db, now - FORGET_EVERY)  # an answer to the last of them may still come
    forget_told(db, now - settings.told_for)
