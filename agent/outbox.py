"""The way to the desk: events in order, nothing skipped, nothing believed sent before the desk says it has it.

Theory. One request at a time carries the oldest events the desk has not acknowledged. Only its answer moves the
position, and only after the journal has committed the new position is the next batch read. A lost answer is asked
again with the same bytes; the desk knows each event by (agent, epoch, seq) and its hash. A conflict (another agent
wrote under our name: a cloned disk) ends the epoch: a new one begins with a snapshot of what stands. A desk that was
restored from a backup says how far it has us, and we go back there.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from agent.journal import Journal, Position, Row
from agent.site_clock import SiteClock
from connectors.desk import DeskClient, DeskError
from model.change import Snapshot
from model.protocol import Event, EventsReply, EventsRequest
from runtime.writer import StoreError

T = TypeVar("T")
BATCH = 100  # events a request
LARGEST = 1 << 20  # bytes of them, unless one alone is larger
FIRST_WAIT, LONGEST_WAIT = 0.5, 60.0  # seconds between tries, doubling, with jitter

log = logging.getLogger("roundsman.outbox")


@dataclass
class OutboxStats:
    """What /metrics and heartbeats say of the outbox."""

    sent: int = 0
    refused: int = 0
    failures: int = 0
    conflicts: int = 0
    depth: int = 0
    oldest_wall: float | None = None
    last_error: str = ""
    position: Position | None = None


class Outbox:
    """Sends what the journal holds; `wake` it after each commit."""

    def __init__(
        self,
        journal: Journal,
        client: DeskClient,
        snapshot: Callable[[str], Snapshot],
        settled: Callable[[], Awaitable[None]],
    ) -> None:
        self.stats = OutboxStats()
        self._journal = journal
        self._client = client
        self._snapshot = snapshot
        self._settled = settled
        self._bytes = LARGEST
        self._awake = asyncio.Event()
        self._tries = 0
        self._clock = SiteClock()
        self._beat: Callable[[], Awaitable[None]] | None = None

    def keep_time(self, clock: SiteClock, beat: Callable[[], Awaitable[None]]) -> None:
        """Go by a clock; `beat` asks the desk for its time, before the ages of another boot are told."""
        self._clock, self._beat = clock, beat

    def wake(self) -> None:
        """Say that something new is there."""
        self._awake.set()

    async def heed(self, before: Position, acked: int, incarnation: str, wall: float | None = None) -> None:
        """Compare a heartbeat's answer with where we stood before it: a desk that has less gets the rest again.

        One of another incarnation, which knows nothing of an epoch of which it had something, was put back to before
        that epoch: it gets what is kept of those before, too. `wall` is the desk's time (Unix seconds).
        """
        place = await asyncio.to_thread(self._journal.position)
        other = before.incarnation not in {"", incarnation}
        if other:
            log.warning("the desk is another than before: it was restored, or begun anew")
            await _kept(self._journal.acknowledge(before.epoch, min(acked, place.acked), incarnation, wall))
        if place.epoch == before.epoch and acked > place.last:
            await self._begin_anew(f"the desk has {acked} of our events, this journal {place.last}")
            self.wake()
        elif other and acked == 0 < before.acked and place.epoch == before.epoch:
            await self._begin_anew("the desk was restored to before this epoch", again=True)
            self.wake()
        elif acked < before.acked:
            log.warning("the desk has %d of our events and had %d: it was restored; sending again", acked, before.acked)
            await _kept(self._journal.acknowledge(before.epoch, acked, incarnation, wall))
            self.wake()

    async def run(self) -> None:
        """Send until cancelled; no error of desk or disk ends it."""
        while True:
            self._awake.clear()
            try:
                more = await self.send_once()
            except (DeskError, StoreError, OSError) as error:
                await self._pause(error)
                continue
            except Exception as error:
                log.exception("the outbox met an error of the program; going on")
                await self._pause(error)
                continue
            self._tries = 0
            self.stats.last_error = ""
            if not more:
                await self._awake.wait()

    async def send_once(self) -> bool:
        """Send one batch; returns whether there was anything to send. Raises DeskError, StoreError."""
        if self._beat is not None and not self._clock.compared:
            await self._beat()
        place = await asyncio.to_thread(self._journal.position)
        rows = await asyncio.to_thread(self._journal.waiting, place.epoch, place.acked, BATCH)
        self._measure(place, rows)
        if not rows:
            return False
        oldest = await asyncio.to_thread(self._journal.oldest, place.epoch)
        if place.acked + 1 < oldest:  # what the desk lacks is forgotten here: it gets what stands instead
            await self._begin_anew(f"events {place.acked + 1} to {oldest - 1} are no longer kept")
            return True
        rows = _light(rows, self._bytes)
        try:
            reply = await self._client.events(_request(place, rows, oldest, self._journal.boot_id, self._clock))
        except DeskError as error:
            if error.reason == "too_large" and len(rows) > 1:
                self._bytes //= 2
                return True
            if error.reason != "conflict":
                raise
            self.stats.conflicts += 1
            await self._begin_anew(f"the desk knows other events under our name: {error}")
            return True
        return await self._heard(place, rows, reply)

    async def _heard(self, place: Position, rows: list[Row], reply: EventsReply) -> bool:
        """Move by the desk's answer to a batch; returns whether to go on at once."""
        if reply.incarnation != place.incarnation != "" and self._beat is not None:
            await self._beat()  # a desk that was restored: how far it has us, and its time
            if (await asyncio.to_thread(self._journal.position)).incarnation != reply.incarnation:
                raise DeskError("the desk is another than before, and has not said its time yet")
            return True
        last = max(place.last, rows[-1].seq)  # rows may have come since the look at the position
        if reply.acked > last:  # this journal is older than what was sent from it: a disk put back
            await self._begin_anew(f"the desk has {reply.acked} of our events, this journal {last}")
            return True
        await _kept(self._journal.acknowledge(place.epoch, reply.acked, reply.incarnation))
        self.stats.sent += max(0, reply.acked - place.acked)
        self.stats.refused += len(reply.refused)
        for refusal in reply.refused:
            log.error("the desk put event %d aside: %s", refusal.seq, refusal.reason)
        if reply.acked == place.acked:
            raise DeskError(f"the desk did not take event {rows[0].seq}")
        return True

    async def _begin_anew(self, why: str, *, again: bool = False) -> None:
        """Begin a new epoch with a snapshot of what the journal has kept, and nothing that it has not."""
        log.error("%s; beginning a new epoch with what stands", why)
        await self._settled()
        await _kept(self._journal.new_epoch(self._snapshot(why), again=again))

    def _measure(self, place: Position, rows: list[Row]) -> None:
        self.stats.position = place
        self.stats.depth = place.last - place.acked
        self.stats.oldest_wall = rows[0].wall if rows else None

    async def _pause(self, error: Exception) -> None:
        """Wait longer after each failure in a row; the desk's own word is heeded; a new event does not shorten it."""
        self.stats.failures += 1
        if self.stats.last_error != str(error):
            log.warning("cannot hand over events: %s", error)
        self.stats.last_error = str(error)
        wait = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(self._tries, 10))
        self._tries += 1
        if isinstance(error, DeskError) and error.permanent:
            wait = LONGEST_WAIT
        asked = error.retry_after if isinstance(error, DeskError) else None
        await asyncio.sleep(asked if asked is not None else wait * random.uniform(0.5, 1.0))  # noqa: S311 - jitter


def _light(rows: list[Row], limit: int) -> list[Row]:
    """Return the first rows that together weigh no more than a limit in bytes; always one."""
    total = 0
    light: list[Row] = []
    for row in rows:
        total += len(row.body)
        if light and total > limit:
            break
        light.append(row)
    return light


def _request(place: Position, rows: list[Row], oldest: int, boot_id: str, clock: SiteClock) -> EventsRequest:
    moment = clock()
    events = tuple(
        Event(
            row.seq,
            max(0.0, moment.boot - row.boot) if row.boot_id == boot_id else clock.since(row.wall),
            msgspec.Raw(row.body),
        )
        for row in rows
    )
    return EventsRequest(place.agent, place.epoch, oldest, moment.wall, events)


async def _kept(future: "Future[T]") -> T:
    return await asyncio.wrap_future(future)
