"""The keeper: takes what the watch found to the journal, in order, until it is on the disk.

A commit that fails (disk full, I/O error) is tried again with everything that came since; nothing is sent before it is
kept, and a crash before the commit is no loss, because the fault is still there and is detected again. A full disk is
first given the reserve file.
"""

import asyncio
import logging
import time
from collections.abc import Callable

from agent.journal import Journal, Standing
from agent.own_metrics import OwnMetrics
from runtime.writer import StoreError

AGAIN = 1.0  # seconds before a failed commit is tried again
log = logging.getLogger("roundsman.journal")


class Keeper:
    """One task writes; `keep` never waits."""

    def __init__(self, journal: Journal, metrics: OwnMetrics, wake: Callable[[], None]) -> None:
        self._journal = journal
        self._metrics = metrics
        self._wake = wake
        self._waiting: list[Standing] = []
        self._cursor: int | None = None
        self._some = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self.failing = ""

    def keep(self, standing: list[Standing], *, cursor: int | None = None) -> None:
        """Queue alarms and Changes; a desk command's cursor is kept with its effect, in the same transaction."""
        if not standing and cursor is None:
            return
        self._waiting.extend(standing)
        self._cursor = cursor if cursor is not None else self._cursor
        for row in standing:
            if row.change is not None:
                self._metrics.changes.labels(str(row.change.kind)).inc()
        self._metrics.journal_waiting.set(len(self._waiting))
        self._empty.clear()
        self._some.set()

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._some.wait()
            self._some.clear()
            rows, cursor = self._waiting, self._cursor
            self._waiting, self._cursor = [], None
            while not await self._written(rows, cursor):
                await asyncio.sleep(AGAIN)
                rows += self._waiting
                cursor = self._cursor if self._cursor is not None else cursor
                self._waiting, self._cursor = [], None
            self._metrics.journal_waiting.set(len(self._waiting))
            if not self._waiting:
                self._empty.set()
            self._wake()

    async def settled(self) -> None:
        """Wait until everything queued so far is on the disk."""
        await self._empty.wait()

    async def _written(self, rows: list[Standing], cursor: int | None) -> bool:
        began = time.perf_counter()
        try:
            await asyncio.wrap_future(self._journal.record(rows, cursor=cursor))
        except StoreError as error:
            self._metrics.journal_failures.inc()
            if self.failing != str(error):
                log.error("%s %d changes wait.", error, len(rows))  # noqa: TRY400 - the message says all
            self.failing = str(error)
            if self._journal.give_reserve():
                log.warning("gave the disk reserve back, so that the queue can drain")
            return False
        except Exception:  # a row that no journal takes must not hold up the others
            log.exception("%d changes cannot be written together", len(rows))
            if len(rows) > 1:
                half = len(rows) // 2
                return await self._written(rows[:half], None) and await self._written(rows[half:], cursor)
            log.error("put aside, it cannot be kept: %s", ascii(rows))  # noqa: TRY400 - the trace is above
            self._metrics.journal_failures.inc()
            return not rows or cursor is None or await self._written([], cursor)
        self._metrics.commit.observe(time.perf_counter() - began)
        if self.failing:
            log.warning("the journal can be written again")
            self.failing = ""
            self._journal.keep_reserve()
        return True
