"""Requests in flight: sent, repeated once, matched with their answers, given up.

A request has `Target.timeout` for its answer.  When the answer is late for what this card usually takes (`Patience`),
the request is repeated within that time, once: a lost datagram costs little, and a slow card is given up no sooner.
A card that is silent anyway is sent nothing twice.

A reply counts when it comes from where the request went and bears its id, and in version 3 when its `Session` believes
it.  All else is refused, for a reason that is counted; the wait for the true answer goes on.
"""

import heapq
import logging
import secrets
from collections.abc import Callable, Generator

from collectors.snmp.contact import Contact
from collectors.snmp.counts import Counts
from collectors.snmp.sockets import Address
from model.point import Batch
from wire import snmp, snmp3
from wire.ber import MalformedError, OversizedError, TruncatedError
from wire.refusal import Refusal, RefusedError
from wire.snmp import Pdu, Request

MOST_AGAIN = 3  # times that one try is told what is missing: its engine, its time, and a doubt
_log = logging.getLogger(__name__)


class Run:
    """One poll under way: its exchange, and the one request that is in flight."""

    def __init__(
        self, contact: Contact, address: Address, exchange: Generator[Request, Pdu | None, Batch], due: float
    ) -> None:
        self.contact = contact
        self.address = address
        self.exchange = exchange
        self.due = due
        self.request: Request | None = None
        self.request_id = 0
        self.asked_at = 0.0
        self.until = 0.0
        self.next_at = 0.0
        self.again = 0


Advance = Callable[[Run, Pdu | None], None]


class Flights:
    """What is in flight. `advance` is called with the answer of a run's request, or None when none came."""

    def __init__(
        self,
        send: Callable[[bytes, Address], None],
        advance: Advance,
        clock: Callable[[], float],
        counts: Counts,
    ) -> None:
        self._send = send
        self._advance = advance
        self._clock = clock
        self._counts = counts
        self._runs: dict[int, Run] = {}
        self._deadlines: list[tuple[float, int]] = []

    def __len__(self) -> int:
        return len(self._runs)

    def begin(self, run: Run, request: Request) -> None:
        """Send a run's request and wait. The same one again keeps its id: a late answer to it is as good."""
        now = self._clock()
        if request is not run.request:
            run.request, run.request_id, run.asked_at = request, self._new_id(), now
        run.again = 0
        self._runs[run.request_id] = run
        try:
            self._wait(run, now)
        except Exception:  # a fault of ours: it is in no flight
            del self._runs[run.request_id]
            raise

    def _wait(self, run: Run, now: float) -> None:
        """Send, and wait for as long as an answer has."""
        contact = run.contact
        run.until = now + contact.target.timeout
        repeat_at = now + contact.patience.wait
        alive = not contact.card.unanswered
        run.next_at = repeat_at if alive and repeat_at < run.until else run.until
        heapq.heappush(self._deadlines, (run.next_at, run.request_id))
        self._transmit(run, now)

    def _transmit(self, run: Run, now: float) -> None:
        contact, request = run.contact, run.request
        if request is None:
            raise RuntimeError("a run in flight has a request")
        if contact.session is None:
            pdu = request.stamped(run.request_id)
            datagram = snmp.wrap(contact.card.manners.version, contact.target.community, pdu)
        else:
            datagram = contact.session.ask(request, run.request_id, now)
        try:
            self._send(datagram, run.address)
            self._counts.sent += 1
            contact.unsent = ""
        except OSError as error:  # a full buffer or no route: as good as lost, and asked again
            self._counts.unsent += 1
            contact.unsent = error.strerror or str(error)
            _log.debug("Nothing sent to %s: %s", contact.target, error)

    def _new_id(self) -> int:
        """Return a request-id that is in no flight, hard to guess for who would answer in a card's place."""
        while True:
            request_id = snmp.FIRST_REQUEST_ID + secrets.randbelow(snmp.LAST_REQUEST_ID - snmp.FIRST_REQUEST_ID)
            if request_id not in self._runs:
                return request_id

    # -- time ---------------------------------------------------------------------------------------------------------

    def first(self) -> float | None:
        """Return when `expire` is called next, None while nothing is in flight."""
        while self._deadlines:
            at, request_id = self._deadlines[0]
            run = self._runs.get(request_id)
            if run is not None and run.next_at == at:
                return at
            heapq.heappop(self._deadlines)
        return None

    def expire(self, now: float) -> None:
        """Repeat what is late, give up what is too late."""
        while (at := self.first()) is not None and at <= now:
            run = self._runs[heapq.heappop(self._deadlines)[1]]
            if run.until > at:
                run.next_at = run.until
                heapq.heappush(self._deadlines, (run.until, run.request_id))
                self._counts.repeats += 1
                self._transmit(run, now)
            else:
                self._counts.silences += 1
                run.contact.turned_away = False
                if run.contact.session is not None:
                    run.contact.session.silence()
                self._give_up(run)

    def _give_up(self, run: Run) -> None:
        del self._runs[run.request_id]
        self._advance(run, None)

    # -- answers ------------------------------------------------------------------------------------------------------

    def received(self, datagram: bytes, source: Address) -> None:
        """Take a datagram."""
        self._counts.received += 1
        try:
            if snmp.version_of(datagram) == snmp.V3:
                self._version_3(datagram, source)
            else:
                self._community(datagram, source)
        except MalformedError as error:
            self._refuse(_shape(error), next((run for run in self._runs.values() if run.address == source), None))
            _log.debug("Dropped a datagram from %s: %s", source[0], error)

    def _community(self, datagram: bytes, source: Address) -> None:
        """Take an answer of version 1 or 2c."""
        pdu = snmp.decode(datagram).pdu
        run = self._runs.get(pdu.request_id)
        if run is None:
            self._refuse(Refusal.STALE, None)
        elif source != run.address:
            self._refuse(Refusal.FOREIGN, run)
        elif run.contact.session is not None:
            self._refuse(Refusal.WRONG_VERSION, run)
        elif pdu.kind != snmp.RESPONSE:
            self._refuse(Refusal.NO_RESPONSE, run)
        else:
            self._answered(run, pdu, len(datagram))

    def _version_3(self, datagram: bytes, source: Address) -> None:
        outside = snmp3.read(datagram)
        run = self._runs.get(outside.msg_id)
        if run is None:
            self._refuse(Refusal.STALE, None)
        elif source != run.address:
            self._refuse(Refusal.FOREIGN, run)
        elif (session := run.contact.session) is None:
            self._refuse(Refusal.WRONG_VERSION, run)
        else:
            now = self._clock()
            try:
                heard = session.hear(datagram, outside, run.request_id, now)
            except RefusedError as refused:
                self._refuse(refused.reason, run)
                if refused.proved:  # the card will not say otherwise
                    self._counts.answered += 1
                    run.contact.turned_away = True
                    self._give_up(run)
                return
            if isinstance(heard, Pdu):
                self._answered(run, heard, len(datagram))
                return
            if heard.refused is not None:
                self._refuse(heard.refused, run)
            if run.again < MOST_AGAIN:
                run.again += 1
                run.contact.said = None  # it was made good
                self._counts.answered += 1
                self._counts.resynchronised += 1
                self._wait(run, now)

    def _answered(self, run: Run, pdu: Pdu, octets: int) -> None:
        del self._runs[run.request_id]
        self._counts.answered += 1
        contact = run.contact
        contact.patience.took(self._clock() - run.asked_at)
        contact.card.manners.largest = max(contact.card.manners.largest, octets)
        self._advance(run, pdu)

    def _refuse(self, reason: Refusal, run: Run | None) -> None:
        self._counts.refused[reason] += 1
        if run is not None:
            run.contact.said = reason
            _log.debug("Refused what %s answers: %s", run.contact.target, reason)


def _shape(error: MalformedError) -> Refusal:
    if isinstance(error, TruncatedError):
        return Refusal.TRUNCATED
    return Refusal.OVERSIZED if isinstance(error, OversizedError) else Refusal.MALFORMED
