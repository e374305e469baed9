"""What the desk does by itself as time goes by: silent sites, resolved tickets that close, receipts that are old."""

import asyncio
import contextlib

from desk.core import LOG, Desk
from desk.events import forget_receipts
from desk.live import BOARD
from desk.silence import Silent, fall_silent
from desk.store import Db
from desk.tickets import close_resolved
from runtime.writer import StoreError

RECEIPTS_EVERY = 3600.0


def silent_now(desk: Desk, boot: float) -> list[Silent]:
    """Return the agents that missed their heartbeats; nobody within the grace after the desk's start."""
    if boot - desk.started < desk.settings.grace:
        return []
    return [
        Silent(agent, heard.site, boot - heard.at, heard.interval)
        for agent, heard in desk.heard.items()
        if boot - heard.at > desk.settings.missed * heard.interval
    ]


class Sweep:
    """Looks around once a second; writes only when something is due."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.known_silent: dict[str, float] = {}
        self.receipts_due = 0.0

    async def look(self) -> None:
        """Do what is due now."""
        desk = self.desk
        now = desk.clock()
        silent = silent_now(desk, now.boot)
        fresh = [each for each in silent if self.known_silent.get(each.agent) != desk.heard[each.agent].at]

        def write(db: Db) -> bool:
            opened = [fall_silent(db, desk.levels, each, desk.settings.missed, now.wall) for each in fresh]
            closed = close_resolved(db, now.wall - desk.settings.close_after, now.wall)
            return any(opened) or bool(closed)

        news = await desk.store.write(write)
        self.known_silent = {each.agent: desk.heard[each.agent].at for each in silent if each.agent in desk.heard}
        if news:
            desk.hub.announce(BOARD)
        if now.boot >= self.receipts_due:
            before = now.wall - desk.settings.receipts_for
            await desk.store.write(lambda db: forget_receipts(db, before))
            self.receipts_due = now.boot + RECEIPTS_EVERY

    async def run(self, stop: asyncio.Event) -> None:
        """Look around until the desk stops; a full disk is logged and tried again."""
        while not stop.is_set():
            try:
                await self.look()
            except StoreError as error:
                LOG.warning("sweep: %s", error)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), self.desk.settings.sweep)
