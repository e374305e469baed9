"""What the desk does while walk-tests run: it asks their sites for readings again and again, and notes what moved.

Nothing of a walk-test's end depends on this: its window ends by its time.
"""

import asyncio
import contextlib

from desk.core import LOG, Desk
from desk.live import commands_of, readings_of
from desk.store import Db, one
from desk.walktest_store import Walk, note_report, running
from desk.walktests import ask
from runtime.writer import StoreError

EVERY = 3.0  # seconds between two questions to a site that answers
AWAY = 15.0  # and to one that does not
RULES_EVERY = 60.0  # its rules may change: a device is added, a site file reloaded


class Walking:
    """Looks once a second at the walk-tests that run."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._asked: dict[str, float] = {}  # by site, CLOCK_BOOTTIME seconds
        self._rules: dict[str, float] = {}
        self._news: dict[int, tuple[float, ...]] = {}

    async def look(self) -> None:
        """Note what was told since the last look, and ask again."""
        desk = self.desk
        now = desk.timekeeper.now()
        found = await desk.store.read(lambda db: [(walk, _news(db, walk)) for walk in running(db, now)])
        gone = [number for number in self._news if number not in {walk.number for walk, _ in found}]
        for walk, news in found:
            moved = False
            if news[0] > max(walk.looked, walk.opened):
                moved = await desk.store.write(lambda db, walk=walk: note_report(db, walk))  # type: ignore[misc]
            if moved or news[1:] != self._news.get(walk.number, ())[1:]:
                desk.hub.announce(readings_of(walk.site))
            self._news[walk.number] = news
            await self._ask(walk, news[0])
        for number in gone:
            del self._news[number]

    async def _ask(self, walk: Walk, received: float) -> None:
        boot = self.desk.clock().boot
        fresh = received >= self.desk.timekeeper.now() - 2 * EVERY
        if boot - self._asked.get(walk.site, -AWAY) < (EVERY if fresh else AWAY):
            return
        rules = boot - self._rules.get(walk.site, -RULES_EVERY) >= RULES_EVERY
        self._asked[walk.site] = boot
        if rules:
            self._rules[walk.site] = boot
        now = self.desk.timekeeper.now()
        await self.desk.store.write(lambda db: ask(db, walk.site, now, rules=rules))
        self.desk.hub.announce(commands_of(walk.site))

    async def run(self, stop: asyncio.Event) -> None:
        """Look until the desk stops; what fails is logged and tried again."""
        while not stop.is_set():
            try:
                await self.look()
            except StoreError as error:
                LOG.warning("walk-tests: %s", error)
            except Exception:  # whatever it was: the next look notes what this one missed
                LOG.exception("walk-tests: a look failed")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), self.desk.settings.sweep)


def _news(db: Db, walk: Walk) -> tuple[float, ...]:
    """Return when a site's last report came, and how its alarms stand: how many changed since, and when the last."""
    report = one(db, "SELECT received FROM snapshots WHERE site = ?", walk.site)
    alarms = one(
        db,
        "SELECT count(*) AS n, coalesce(max(changed), 0.0) AS last FROM episodes"
        " WHERE condition >= ? AND condition < ? AND changed >= ?",
        f"{walk.site}/",
        f"{walk.site}0",
        walk.opened,
    )
    return (report["received"] if report else 0.0, alarms["n"] if alarms else 0, alarms["last"] if alarms else 0.0)
