"""The engine: every card of a site on one UDP socket, each on its own time.

    await run(targets, emit)            # until cancelled; emit(batch) is called on the loop and must not block
    batch = await read_once(target)

Polls are due from a heap, spread over the interval.  A card has one request in flight.  A reply counts when it comes
from where the request went and bears its request-id; all else is dropped and counted.  A silent card is asked ever more
rarely, with one small request: it costs the others nothing.
"""

import asyncio
import contextlib
import heapq
import ipaddress
import itertools
import logging
import secrets
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from collectors.snmp.definition import Definition
from collectors.snmp.exchange import Exchange
from collectors.snmp.library import shipped
from collectors.snmp.plan import Recognition
from collectors.snmp.poll import Card, poll
from collectors.snmp.target import Target
from model.point import Batch, unavailable
from wire import snmp
from wire.ber import MalformedError

Emit = Callable[[Batch], None]
Recognised = Callable[[Recognition], None]
Address = tuple[str, int]

START_SECONDS = 1.0  # within which every card is asked for the first time
RAREST_SECONDS = 60.0  # between two tries of a silent card, unless its interval is longer
_DRAIN = 64  # datagrams read before others on the loop have their turn
_RECEIVE_BUFFER = 4_194_304  # octets; the kernel gives what it allows
_log = logging.getLogger(__name__)


def boottime() -> float:
    """Return CLOCK_BOOTTIME in seconds: the time of readings."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass(slots=True)
class Counts:
    """What the socket has seen.  `strangers` came from elsewhere, `stale` answer nothing that is asked."""

    sent: int = 0
    received: int = 0
    silences: int = 0
    malformed: int = 0
    strangers: int = 0
    stale: int = 0
    unsent: int = 0


class _Run:
    """One poll under way: its exchange, and the one request that is in flight."""

    def __init__(self, card: Card, address: Address, exchange: Exchange[Batch], due: float) -> None:
        self.card = card
        self.address = address
        self.exchange = exchange
        self.due = due
        self.request: snmp.Request | None = None
        self.request_id = 0


async def run(
    targets: Iterable[Target],
    emit: Emit,
    *,
    recognised: Recognised | None = None,
    definitions: Mapping[str, Definition] | None = None,
    counts: Counts | None = None,
) -> None:
    """Poll every target until cancelled.  `recognised` is told what a device is whenever it has been discovered."""
    engine = Engine(emit, recognised=recognised, definitions=definitions, counts=counts)
    await engine.run(list(targets))


async def read_once(target: Target, *, definitions: Mapping[str, Definition] | None = None) -> Batch:
    """Discover and read one card, once."""
    batch, _ = await recognise_once(target, definitions=definitions)
    return batch


async def recognise_once(
    target: Target, *, definitions: Mapping[str, Definition] | None = None
) -> tuple[Batch, Recognition | None]:
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
    """One socket, a heap of what is due, and what is in flight."""

    def __init__(
        self,
        emit: Emit,
        *,
        recognised: Recognised | None = None,
        definitions: Mapping[str, Definition] | None = None,
        counts: Counts | None = None,
        clock: Callable[[], float] = boottime,
    ) -> None:
        self.counts = counts or Counts()
        self._emit = emit
        self._recognised = recognised
        self._definitions = shipped() if definitions is None else definitions
        self._clock = clock
        self._order = itertools.count()
        self._due: list[tuple[float, int, Card]] = []
        self._second: dict[Card, float] = {}
        self._deadlines: list[tuple[float, int]] = []
        self._flights: dict[int, _Run] = {}
        self._cards: dict[str, Card] = {}
        self._again: set[Card] = set()
        self._resolving: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def run(self, targets: list[Target]) -> None:
        """Poll the targets until cancelled."""
        self._loop = asyncio.get_running_loop()
        self._failed: asyncio.Future[None] = self._loop.create_future()
        self._socket = _open()
        self._loop.add_reader(self._socket, self._readable)
        start = self._loop.time()
        for place, target in enumerate(targets):
            card, share = Card(target), place / len(targets)
            self._cards[target.device] = card
            self._push(start + share * min(target.every, START_SECONDS), card)
            self._second[card] = start + share * target.every
        self._wake_at_next()
        try:
            await self._failed
        finally:
            self._loop.remove_reader(self._socket)
            self._socket.close()
            self._cards.clear()
            if self._timer is not None:
                self._timer.cancel()
            for task in self._resolving:
                task.cancel()

    def hint(self, device: str) -> bool:
        """Poll this device now, or once more right after the poll that is under way; False when there is none such.

        Its regular polls stay when they were. Hints during one poll are one; a silent device is tried at once.
        """
        card = self._cards.get(device)
        if card is None:
            return False
        at = next((at for at, (_, _, waiting) in enumerate(self._due) if waiting is card), None)
        if at is None:
            self._again.add(card)
            return True
        due, _, _ = self._due[at]
        self._due[at] = self._due[-1]
        self._due.pop()
        heapq.heapify(self._due)
        self._begin(card, due)
        self._wake_at_next()
        return True

    # -- time ---------------------------------------------------------------------------------------------------------

    def _push(self, due: float, card: Card) -> None:
        heapq.heappush(self._due, (due, next(self._order), card))

    def _wake_at_next(self) -> None:
        """Set the one timer to what is due first, a poll or the end of a wait."""
        while self._deadlines and self._deadlines[0][1] not in self._flights:
            heapq.heappop(self._deadlines)
        firsts = [heap[0][0] for heap in (self._due, self._deadlines) if heap]
        if not firsts:
            return
        at = min(firsts)
        if self._timer is not None:
            if self._timer.when() <= at and not self._timer.cancelled():
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(at, self._wake)

    def _wake(self) -> None:
        self._timer = None
        now = self._loop.time()
        while self._deadlines and self._deadlines[0][0] <= now:
            run = self._flights.pop(heapq.heappop(self._deadlines)[1], None)
            if run is not None:
                self.counts.silences += 1
                self._advance(run, None)
        while self._due and self._due[0][0] <= now:
            due, _, card = heapq.heappop(self._due)
            self._begin(card, due)
        self._wake_at_next()

    # -- a poll -------------------------------------------------------------------------------------------------------

    def _begin(self, card: Card, due: float) -> None:
        target = card.target
        try:
            address = (str(ipaddress.IPv4Address(target.address)), target.port)
        except ValueError:
            task = self._loop.create_task(self._resolve(card, due))
            self._resolving.add(task)
            task.add_done_callback(self._resolving.discard)
            return
        self._start(card, address, due)

    async def _resolve(self, card: Card, due: float) -> None:
        """Look a host name up, anew for each poll: the resolver caches, and a card may move."""
        target = card.target
        try:
            found = await self._loop.getaddrinfo(
                target.address, target.port, family=socket.AF_INET, type=socket.SOCK_DGRAM
            )
        except OSError as error:
            card.unanswered += 1
            self._finish(card, due, self._lost(card, f"{target.address} has no IPv4 address: {error.strerror}"))
        else:
            self._start(card, (str(found[0][4][0]), target.port), due)
        self._wake_at_next()

    def _start(self, card: Card, address: Address, due: float) -> None:
        self._advance(_Run(card, address, poll(card, self._definitions, self._clock), due), None)

    def _advance(self, run: _Run, reply: snmp.Pdu | None) -> None:
        """Give an exchange its reply, and send what it asks next or emit what it ends in."""
        before = run.card.plan
        try:
            request = run.exchange.send(reply)
        except StopIteration as end:
            self._finish(run.card, run.due, end.value)
        except Exception as error:  # a fault of ours in one card's poll stops no other's
            _log.exception("The poll of %s failed", run.card.target)
            run.card.unanswered += 1
            self._finish(run.card, run.due, self._lost(run.card, f"the poll failed: {error!r}"))
        else:
            self._send(run, request)
        plan = run.card.plan
        if plan is not None and plan is not before and self._recognised is not None:
            self._recognised(plan.recognition)

    def _finish(self, card: Card, due: float, batch: Batch) -> None:
        """Emit a poll's batch and set the next."""
        self._push(self._next(card, due), card)
        if card in self._again:
            self._again.discard(card)
            self._loop.call_soon(self.hint, card.target.device)
        try:
            self._emit(batch)
        except Exception as error:
            if not self._failed.done():
                self._failed.set_exception(error)

    def _next(self, card: Card, due: float) -> float:
        """Return when a card is polled next; its second poll takes its place in the interval, for good."""
        now, every = self._loop.time(), card.target.every
        if card.unanswered:
            return now + pause(every, card.unanswered)
        if due > now:  # a hint came before it; the wait of a card that was silent is over
            return min(due, now + every)
        place = self._second.pop(card, None)
        if place is None:
            return max(due + every, now)
        return place if place > now + every / 4 else place + every

    def _lost(self, card: Card, error: str) -> Batch:
        now = self._clock()
        readings = tuple(unavailable(point, now) for point in card.points)
        return Batch(card.target.device, now, readings, reachable=False, error=error)

    # -- the socket ---------------------------------------------------------------------------------------------------

    def _send(self, run: _Run, request: snmp.Request) -> None:
        if request is not run.request:
            run.request, run.request_id = request, self._new_id()
        pdu = request.stamped(run.request_id)
        datagram = snmp.wrap(run.card.manners.version, run.card.target.community, pdu)
        self._flights[run.request_id] = run
        heapq.heappush(self._deadlines, (self._loop.time() + run.card.target.timeout, run.request_id))
        try:
            self._socket.sendto(datagram, run.address)
            self.counts.sent += 1
        except OSError as error:  # a full buffer or no route: as good as lost, and asked again
            self.counts.unsent += 1
            _log.debug("Nothing sent to %s: %s", run.card.target, error)

    def _new_id(self) -> int:
        """Return a request-id that is in no flight, hard to guess for who would answer in a card's place."""
        while True:
            request_id = snmp.FIRST_REQUEST_ID + secrets.randbelow(snmp.LAST_REQUEST_ID - snmp.FIRST_REQUEST_ID)
            if request_id not in self._flights:
                return request_id

    def _readable(self) -> None:
        for _ in range(_DRAIN):
            try:
                datagram, source = self._socket.recvfrom(snmp.MAX_DATAGRAM)
            except OSError:  # nothing more to read
                break
            self._received(datagram, source)
            if len(self._flights) < 2:  # the one just sent cannot be answered yet
                break
        self._wake_at_next()

    def _received(self, datagram: bytes, source: Address) -> None:
        self.counts.received += 1
        try:
            message = snmp.decode(datagram)
        except MalformedError as error:
            self.counts.malformed += 1
            _log.debug("Dropped a datagram from %s: %s", source[0], error)
            return
        run = self._flights.get(message.pdu.request_id)
        if run is None or message.pdu.kind != snmp.RESPONSE:
            self.counts.stale += 1
        elif source != run.address:
            self.counts.strangers += 1
        else:
            del self._flights[message.pdu.request_id]
            run.card.manners.largest = max(run.card.manners.largest, len(datagram))
            self._advance(run, message.pdu)


def pause(every: float, unanswered: int) -> float:
    """Return the seconds from one poll of a card to the next: twice as long for each in a row that was not answered."""
    if not unanswered:
        return every
    return min(every * 2.0 ** min(unanswered - 1, 10), max(every, RAREST_SECONDS))


def _open() -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.setblocking(False)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
    opened.bind(("0.0.0.0", 0))
    return opened
