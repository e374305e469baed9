"""What is agreed with one card in SNMP version 3: its engine, its clock, our keys there (RFC 3414 sections 3 and 4).

    datagram = session.ask(request, request_id, now)
    answer = session.hear(datagram, envelope, request_id, now)     # a Pdu, or Again; RefusedError

Sans-io; `now` is any clock in seconds that never goes back.  The message id is the request's id: hard to guess, so who
has not seen a request cannot answer it, and an answer under the card's digest that bears it is fresh.

Nothing that is not under the digest is believed.  A first contact has nothing better than a report without one, so
what such a report says of the engine is a *proposal*: it is asked by, and forgotten when no proved answer follows.
What was proved stays known meanwhile, and its answers count: a forged report costs one datagram, never the card.

    unknown     --report-->  proposed  --proved answer-->  proved
    proved      --report of another engine-->  proved, another proposed  --proved answer-->  proved (the other)
    proposed    --silence--> unknown
    proved      --silence--> proved, in doubt: asked who it is, every second time

A clock that is wrong is set by the card's authenticated report.  That report may set it back, which RFC 3414 does not
provide for: cards lose their count of boots, and the fresh message id already rules a replay out.
"""

import secrets
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from wire import snmp3
from wire.refusal import DecryptionError, Refusal, RefusedError
from wire.snmp import AUTHORIZATION_ERROR, GET, REPORT, RESPONSE, Pdu, Request, request
from wire.snmp3 import USM_STATS, Envelope
from wire.user import User

if TYPE_CHECKING:
    from wire.usm import Secure

TIME_WINDOW = 150  # seconds, RFC 3414 section 2.2.3
MOST_PROPOSED = 8  # engines that the reports of one try may name: one is true, the others are forged
LAST_BOOTS = 0x7FFF_FFFF  # an engine that has no boots left is never in its time window

_REPORTS = {
    f"{USM_STATS}.1.0": Refusal.REPORTED_LEVEL,
    f"{USM_STATS}.2.0": Refusal.REPORTED_NOT_IN_TIME_WINDOW,
    f"{USM_STATS}.3.0": Refusal.REPORTED_UNKNOWN_USER,
    f"{USM_STATS}.4.0": Refusal.REPORTED_UNKNOWN_ENGINE,
    f"{USM_STATS}.5.0": Refusal.REPORTED_WRONG_DIGEST,
    f"{USM_STATS}.6.0": Refusal.REPORTED_DECRYPTION,
    **{f"{oid}.0": Refusal.REPORTED_UNKNOWN_CONTEXT for oid in snmp3.UNKNOWN_CONTEXTS},
}
_WHO = request(GET, ())


class Again(NamedTuple):
    """The card told what was missing: the same request is sent again, now.

    `refused` is what was wrong with the first sending, None when it was the question who the card is.
    """

    refused: Refusal | None


class _Engine:
    """An SNMP engine as we know it: its clock, and our keys there."""

    __slots__ = ("at", "boots", "engine_id", "secure", "time")

    def __init__(self, engine_id: bytes, boots: int, time: int, now: float, secure: "Secure") -> None:
        self.engine_id = engine_id
        self.secure = secure
        self.set(boots, time, now)

    def set(self, boots: int, time: int, now: float) -> None:
        self.boots, self.time, self.at = boots, time, now

    def clock(self, now: float) -> int:
        return int(self.time + now - self.at)

    def hears(self, boots: int, time: int, now: float) -> bool:
        """Take the time of a proved answer; tell whether it is within the window (RFC 3414 section 3.2, 7b).

        Within the window ours is set back too, so that a card whose clock is slow never drifts out of it.
        """
        ahead = boots > self.boots
        inside = ahead or (boots == self.boots and time >= self.clock(now) - TIME_WINDOW)
        if inside:
            self.set(boots, time, now)
        return inside and boots != LAST_BOOTS


class Session:
    """One user at one card."""

    def __init__(self, user: User) -> None:
        self.user = user
        self._name, self._context = user.name.encode(), user.context.encode()
        self._proved: _Engine | None = None
        self._proposed: dict[bytes, _Engine] = {}
        self._doubt = False
        self._zero_clock = False
        self._number = secrets.randbits(62)  # of the salt: another start with each start of ours
        self.met = False  # it said who it is
        self.auth_proved = False  # it answered under the digest

    def ask(self, asked: Request, request_id: int, now: float) -> bytes:
        """Give the datagram to send: the request, or the question who the card is where that must come first."""
        engine = None if self._doubt else self._proved
        if self._proposed:
            engine = list(self._proposed.values())[-1]
        if engine is None:
            return snmp3.write(_WHO.stamped(request_id), msg_id=request_id)
        self._number += 1
        return snmp3.write(
            asked.stamped(request_id),
            msg_id=request_id,
            level=self.user.level,
            engine_id=engine.engine_id,
            boots=engine.boots,
            time=engine.clock(now),
            user=self._name,
            context=self._context,
            secure=engine.secure,
            number=self._number,
        )

    def silence(self) -> None:
        """Note that no answer came: what is only proposed is forgotten, what is proved is doubted every second time.

        After a first contact that ended in silence the clock is asked for under the digest: an answer to that proves
        the authentication key, and leaves the privacy key as what is wrong.
        """
        if self._proposed and self._proved is None:
            self._zero_clock = not self._zero_clock
        self._proposed.clear()
        self._doubt = self._proved is not None and not self._doubt

    def hear(self, datagram: bytes, outside: Envelope, request_id: int, now: float) -> Pdu | Again:
        """Give the answer, or Again when it told what was missing; RefusedError when it is not believed.

        What is not SNMP inside raises MalformedError.
        """
        if outside.model != snmp3.USER_BASED:
            raise RefusedError(Refusal.WRONG_MODEL)
        engine = self._engine(outside.engine_id)
        if outside.level == 0:
            if self.user.level or engine is None:
                return self._report_without_digest(datagram, outside, now)
        elif engine is None:
            raise RefusedError(Refusal.WRONG_ENGINE)
        elif not engine.secure.proves(datagram, outside.digest_at, outside.digest_octets):
            raise RefusedError(Refusal.WRONG_DIGEST)
        if outside.user != self._name:
            raise RefusedError(Refusal.WRONG_USER)
        inside = _opened(datagram, outside, engine.secure)
        if inside.pdu.kind == REPORT:
            return self._report(engine, outside, inside.pdu, now)
        self._check(engine, outside, inside, request_id, now)
        self._prove(engine)
        if inside.pdu.error_status == AUTHORIZATION_ERROR:  # of the whole request, whatever it asks for
            raise RefusedError(Refusal.REPORTED_ACCESS, proved=True)
        return inside.pdu

    def _check(self, engine: "_Engine", outside: Envelope, inside: snmp3.Scoped, request_id: int, now: float) -> None:
        """Refuse an answer that is not to what was asked, as it was asked."""
        if outside.level != self.user.level:
            raise RefusedError(Refusal.WRONG_LEVEL)
        if outside.level and not engine.hears(outside.boots, outside.time, now):
            raise RefusedError(Refusal.NOT_IN_TIME_WINDOW)
        if inside.engine_id != engine.engine_id or inside.context != self._context:
            raise RefusedError(Refusal.WRONG_CONTEXT)
        if inside.pdu.kind != RESPONSE:
            raise RefusedError(Refusal.NO_RESPONSE)
        if inside.pdu.request_id != request_id:
            raise RefusedError(Refusal.WRONG_REQUEST)

    def _engine(self, engine_id: bytes) -> "_Engine | None":
        if self._proved is not None and self._proved.engine_id == engine_id:
            return self._proved
        return self._proposed.get(engine_id)

    def _prove(self, engine: "_Engine") -> None:
        self._proved, self._doubt = engine, False
        self._proposed.clear()
        self.auth_proved = True

    def _report_without_digest(self, datagram: bytes, outside: Envelope, now: float) -> Again:
        """Take a proposal from a report of an unknown engine; all else that has no digest is not believed."""
        pdu = _opened(datagram, outside, None).pdu
        if pdu.kind != REPORT:
            raise RefusedError(Refusal.WRONG_LEVEL if self._engine(outside.engine_id) else Refusal.WRONG_ENGINE)
        reason = _said(pdu)
        if reason is Refusal.REPORTED_NOT_IN_TIME_WINDOW:
            raise RefusedError(Refusal.UNAUTHENTICATED)
        if reason is not Refusal.REPORTED_UNKNOWN_ENGINE:
            raise RefusedError(reason)
        if not 5 <= len(outside.engine_id) <= 32:  # RFC 3411, SnmpEngineID
            raise RefusedError(Refusal.WRONG_ENGINE)
        self.met, known = True, self._proved
        if known is not None and known.engine_id == outside.engine_id:
            if not self._doubt:
                raise RefusedError(Refusal.UNAUTHENTICATED)  # it denies the engine that it says it is
            self._doubt = False
            return Again(None)
        if outside.engine_id in self._proposed or len(self._proposed) >= MOST_PROPOSED:
            raise RefusedError(Refusal.STALE)
        boots, time = (0, 0) if self._zero_clock else (outside.boots, outside.time)
        asked_who = not self._proposed and (known is None or self._doubt)
        self._proposed[outside.engine_id] = _Engine(
            outside.engine_id, boots, time, now, keys(self.user, outside.engine_id)
        )
        return Again(None if asked_who else reason)

    def _report(self, engine: "_Engine", outside: Envelope, pdu: Pdu, now: float) -> Again:
        """Take a report that bears the card's digest; of a user without one, any report of its engine."""
        proved = outside.level > 0
        reason = _said(pdu)
        if not proved:
            raise RefusedError(reason)
        self.auth_proved = True
        if reason is Refusal.REPORTED_NOT_IN_TIME_WINDOW and outside.boots != LAST_BOOTS:
            asked_for = self._zero_clock and engine.boots == 0
            engine.set(outside.boots, outside.time, now)
            return Again(None if asked_for else reason)
        raise RefusedError(reason, proved=True)


def _opened(datagram: bytes, outside: Envelope, secure: "Secure | None") -> snmp3.Scoped:
    try:
        return snmp3.open_scoped(datagram, outside, secure)
    except DecryptionError:
        raise RefusedError(Refusal.DECRYPTION) from None


def _said(report: Pdu) -> Refusal:
    """Return what a report reports."""
    oid = report.varbinds[0].oid if report.varbinds else ""
    return _REPORTS.get(oid, Refusal.REPORTED_OTHER)


@lru_cache(4096)
def keys(user: User, engine_id: bytes) -> "Secure":
    """Return a user's keys at an engine; kept, so that a card that comes back costs nothing."""
    from wire.usm import Secure  # noqa: PLC0415 - 7 MB for those who speak version 3

    return Secure(user, engine_id)
