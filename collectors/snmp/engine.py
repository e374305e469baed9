"""The engine: every card of a site on one UDP socket for each family, each card on its own time.

    await run(targets, emit)            # until cancelled; emit(batch) is called on the loop and must not block
    batch = await read_once(target)

Polls are due from a heap, spread over the interval.  A card has one request in flight (`Flights`).  A silent card is
asked ever more rarely, with one small request, and only so many of them at a time: it costs the others nothing.
"""

import asyncio
import contextlib
import heapq
import itertools
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable

import msgspec

from collectors.snmp.contact import Contact, why
from collectors.snmp.counts import Counts
from collectors.snmp.exchange import Exchange
from collectors.snmp.flights import Flights, Run
from collectors.snmp.library import Library, shipped
from collectors.snmp.names import Names
from collectors.snmp.plan import Recognition
from collectors.snmp.poll import Card, poll
from collectors.snmp.sockets import Address, Sockets, literal
from collectors.snmp.target import Target
from model.point import Batch, unavailable
from wire import snmp

__all__ = ["Counts", "Engine", "boottime", "pause", "read_once", "recognise_once", "run"]

Emit = Callable[[Batch], None]
Recognised = Callable[[Recognition], None]

START_SECONDS = 1.0  # within which every card is asked for the first time
BEAT_SECONDS = 0.2  # cards whose turns are nearer to each other are asked together: waking costs more than asking
RAREST_SECONDS = 60.0  # between two tries of a silent card, unless its interval is longer
DEAD_AFTER = 2  # polls without an answer; such cards are asked only so many at a time:
MOST_PROBES = 32
_log = logging.getLogger(__name__)


def boottime() -> float:
    """Return CLOCK_BOOTTIME in seconds: the time of readings."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


async def run(
    targets: Iterable[Target],
    emit: Emit,
    *,
    recognised: Recognised | None = None,
    definitions: Library | None = None,
    counts: Counts | None = None,
) -> None:
    """Poll every target until cancelled.  `recognised` is told what a device is whenever it has been discovered."""
    engine = Engine(emit, recognised=recognised, definitions=definitions, counts=counts)
    await engine.run(list(targets))


async def read_once(target: Target, *, definitions: Library | None = None) -> Batch:
    """Discover and read one card, once."""
    batch, _ = await recognise_once(target, definitions=definitions)
    return batch


async def recognise_once(target: Target, *, definitions: Library | None = None) -> tuple[Batch, Recognition | None]:
    """Discover and read one card, once; also return what it is, None when it did not answer."""
    first: asyncio.Future[Batch] = asyncio.get_running_loop().create_future()
    seen: list[Recognition] = []
    engine = Engine(first.set_result, recognised=seen.append, definitions=definitions)
    running = asyncio.create_task(engine.run([target]))
    await asyncio.wait((first, running), return_when=asyncio.FIRST_COMPLETED)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    return first.result(), seen[-1] if seen else None


class Engine:
    """The sockets, a heap of what is due, and what is in flight."""

    def __init__(
        self,
        emit: Emit,
        *,
        recognised: Recognised | None = None,
        definitions: Library | None = None,
        counts: Counts | None = None,
        clock: Callable[[], float] = boottime,
        poll: Callable[[Card, Library, Callable[[], float]], Exchange[Batch]] = poll,
    ) -> None:
        self.counts = counts or Counts()
        self._emit = emit
        self._recognised = recognised
        self._definitions = shipped() if definitions is None else definitions
        self._clock = clock
        self._poll = poll
        self._order = itertools.count()
        self._due: list[tuple[float, int, Contact]] = []
        self._second: dict[Contact, float] = {}
        self._contacts: dict[str, Contact] = {}
        self._again: set[Contact] = set()
        self._probes: set[Contact] = set()
        self._waiting: deque[tuple[float, Contact]] = deque()
        self._resolving: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def run(self, targets: list[Target]) -> None:
        """Poll the targets until cancelled."""
        self._loop = asyncio.get_running_loop()
        self._failed: asyncio.Future[None] = self._loop.create_future()
        self._names = Names(self._loop.time)
        self._sockets = Sockets(self._loop, self._received, self._wake_at_next)
        self._flights = Flights(self._sockets.send, self._advance, self._loop.time, self.counts)
        start = self._loop.time()
        for place, target in enumerate(targets):
            contact, share = Contact(target), place / len(targets)
            self._contacts[target.device] = contact
            self._push(start + share * min(target.every, START_SECONDS), contact)
            self._second[contact] = start + _on_beat(share * target.every, target.every)
        self._wake_at_next()
        try:
            await self._failed
        finally:
            self._sockets.close()
            self._names.close()
            self._contacts.clear()
            if self._timer is not None:
                self._timer.cancel()
            for task in self._resolving:
                task.cancel()

    def hint(self, device: str) -> bool:
        """Poll this device now, or once more right after the poll that is under way; False when there is none such.

        Its regular polls stay when they were. Hints during one poll are one; a silent device is tried at once.
        """
        contact = self._contacts.get(device)
        if contact is None:
            return False
        due = self._taken(contact)
        if due is None:
            self._again.add(contact)
            return True
        self._begin(contact, due, at_once=True)
        self._wake_at_next()
        return True

    def _taken(self, contact: Contact) -> float | None:
        """Take a card out of what is due, or out of the dead that wait for their turn; None while it is polled."""
        for entry in self._waiting:
            if entry[1] is contact:
                self._waiting.remove(entry)
                return entry[0]
        at = next((at for at, (_, _, waiting) in enumerate(self._due) if waiting is contact), None)
        if at is None:
            return None
        due, _, _ = self._due[at]
        self._due[at] = self._due[-1]
        self._due.pop()
        heapq.heapify(self._due)
        return due

    # -- time ---------------------------------------------------------------------------------------------------------

    def _push(self, due: float, contact: Contact) -> None:
        heapq.heappush(self._due, (due, next(self._order), contact))

    def _wake_at_next(self) -> None:
        """Set the one timer to what is due first, a poll or the end of a wait."""
        at = self._flights.first()
        if self._due and (at is None or self._due[0][0] < at):
            at = self._due[0][0]
        if at is None:
            return
        if self._timer is not None:
            if self._timer.when() <= at and not self._timer.cancelled():
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(at, self._wake)

    def _wake(self) -> None:
        self._timer = None
        now = self._loop.time()
        try:
            self._flights.expire(now)
            while self._due and self._due[0][0] <= now:
                due, _, contact = heapq.heappop(self._due)
                self._begin(contact, due)
        finally:
            self._wake_at_next()

    # -- a poll -------------------------------------------------------------------------------------------------------

    def _begin(self, contact: Contact, due: float, *, at_once: bool = False) -> None:
        """Begin a poll; whatever goes wrong with one card is its own batch's error."""
        try:
            address = self._address(contact)
        except Exception as error:
            self._not_found(contact, due, error)
            return
        if address is not None:
            self._start(contact, address, due, at_once=at_once)
            return
        task = self._loop.create_task(self._resolve(contact, due, at_once=at_once))
        self._resolving.add(task)
        task.add_done_callback(self._resolving.discard)

    def _address(self, contact: Contact) -> Address | None:
        """Return where a card is, None for a host name not known yet."""
        target = contact.target
        if contact.address is None:
            contact.address = literal(target.address, target.port)
        return contact.address or self._names.known(target.address, target.port, contact.card.unanswered)

    async def _resolve(self, contact: Contact, due: float, *, at_once: bool) -> None:
        """Look up a host name that was never known."""
        try:
            address = await self._names.find(contact.target.address, contact.target.port)
        except Exception as error:
            self._not_found(contact, due, error)
        else:
            self._start(contact, address, due, at_once=at_once)
        self._wake_at_next()

    def _not_found(self, contact: Contact, due: float, error: Exception) -> None:
        contact.card.unanswered += 1
        said = getattr(error, "strerror", None) or str(error) or repr(error)
        self._finish(contact, due, self._lost(contact, f"{contact.target.address} has no address: {said}"))

    def _start(self, contact: Contact, address: Address, due: float, *, at_once: bool) -> None:
        """Start a poll's exchange; a card that is dead waits for its turn, unless it is to be tried at once."""
        if contact.card.unanswered >= DEAD_AFTER:
            if len(self._probes) >= MOST_PROBES and not at_once:
                self._waiting.append((due, contact))
                return
            self._probes.add(contact)
        contact.begins()
        self._advance(Run(contact, address, self._poll(contact.card, self._definitions, self._clock), due), None)

    def _advance(self, run: Run, reply: snmp.Pdu | None) -> None:
        """Give an exchange its reply, and send what it asks next or emit what it ends in."""
        contact, card = run.contact, run.contact.card
        before = card.plan
        try:
            self._flights.begin(run, run.exchange.send(reply))
        except StopIteration as end:
            self._finish(contact, run.due, _explained(contact, end.value))
        except Exception as error:  # a fault of ours in one card's poll stops no other's
            _log.exception("The poll of %s failed", contact.target)
            card.unanswered += 1
            self._finish(contact, run.due, self._lost(contact, f"the poll failed: {error!r}"))
        plan = card.plan
        if plan is not None and plan is not before and self._recognised is not None:
            self._recognised(plan.recognition)

    def _finish(self, contact: Contact, due: float, batch: Batch) -> None:
        """Emit a poll's batch and set the next; let the next silent card have its try."""
        self._push(self._next(contact, due), contact)
        self._probes.discard(contact)
        if self._waiting and len(self._probes) < MOST_PROBES:
            waited, other = self._waiting.popleft()
            self._push(min(waited, self._loop.time()), other)
        if contact in self._again:
            self._again.discard(contact)
            self._loop.call_soon(self.hint, contact.target.device)
        try:
            self._emit(batch)
        except Exception as error:
            if not self._failed.done():
                self._failed.set_exception(error)

    def _next(self, contact: Contact, due: float) -> float:
        """Return when a card is polled next; its second poll takes its place in the interval, for good."""
        now, every = self._loop.time(), contact.target.every
        if contact.card.unanswered:
            return now + pause(every, contact.card.unanswered)
        if due > now:  # a hint came before it; the wait of a card that was silent is over
            return min(due, now + every)
        place = self._second.pop(contact, None)
        if place is None:
            return max(due + every, now)
        return place if place > now + every / 4 else place + every

    def _lost(self, contact: Contact, error: str) -> Batch:
        now = self._clock()
        readings = tuple(unavailable(point, now) for point in contact.card.points)
        return Batch(contact.target.device, now, readings, reachable=False, error=error)

    def _received(self, datagram: bytes, source: Address) -> bool:
        self._flights.received(datagram, source)
        return len(self._flights) > 1  # the one just sent cannot be answered yet


def _on_beat(seconds: float, every: float) -> float:
    """Return the beat before a time within an interval: a fifth of it at most is the time between two."""
    beat = min(BEAT_SECONDS, every / 5)
    return seconds // beat * beat


def _explained(contact: Contact, batch: Batch) -> Batch:
    """Add why a card gave no answer, where that is known."""
    reason = "" if batch.reachable else why(contact)
    if not reason:
        return batch
    refused = f"refused by {contact.target.place}: {reason}"
    return msgspec.structs.replace(batch, error=refused if contact.turned_away else f"{batch.error}; {reason}")


def pause(every: float, unanswered: int) -> float:
    """Return the seconds from one poll of a card to the next: twice as long for each in a row that was not answered."""
    if not unanswered:
        return every
    return min(every * 2.0 ** min(unanswered - 1, 10), max(every, RAREST_SECONDS))
