"""Notifications read, proved and acknowledged by pysnmp, whose engine is fed by hand: octets in, octets out.

One engine serves the process, from one thread. Users are registered when a message of theirs comes, with keys
localised to the engine it names: a sender is the authority of its own traps (RFC 3414 section 1.5.1), so its engine id
need not be known before; the digest proves it, and before that nothing is registered.

The time window of traps is not held: cards that forget their count of boots send coldStart from the past, and a trap
that is played again costs one poll within the budget. That of informs is held, by pysnmp.
"""

import contextlib
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
from pysnmp.carrier.asyncio.dgram import udp
from pysnmp.carrier.base import AbstractTransportDispatcher
from pysnmp.entity import config
from pysnmp.entity.engine import SnmpEngine
from pysnmp.entity.rfc3413.ntfrcv import NotificationReceiver

from collectors.snmp.traps.claim import MOST_BINDINGS, Claim, bindings
from collectors.snmp.traps.gate import Secret
from wire import ber
from wire.ber import MalformedError
from wire.refusal import DecryptionError
from wire.snmp3 import Envelope
from wire.user import AUTH_PRIV, User
from wire.usm import Secure, key_of, localise, privacy_key

TRAP_OID = "1.3.6.1.6.3.1.1.4.1.0"  # snmpTrapOID.0, which pysnmp also makes of a version 1 trap (RFC 3584 3.1)
MOST_USERS = 1_024  # registered at once, the longest unused is forgotten
_TICK = 1.0  # seconds of pysnmp's clock, by which it forgets
_MOST_TICKS = 301
_EPOCH = 1_577_836_800.0  # 2020-01-01 UTC
_AUTH = {
    None: config.USM_AUTH_NONE,
    "md5": config.USM_AUTH_HMAC96_MD5,
    "sha1": config.USM_AUTH_HMAC96_SHA,
    "sha224": config.USM_AUTH_HMAC128_SHA224,
    "sha256": config.USM_AUTH_HMAC192_SHA256,
    "sha384": config.USM_AUTH_HMAC256_SHA384,
    "sha512": config.USM_AUTH_HMAC384_SHA512,
}
_PRIVACY = {
    None: config.USM_PRIV_NONE,
    "des": config.USM_PRIV_CBC56_DES,
    "aes128": config.USM_PRIV_CFB128_AES,
    "aes192": config.USM_PRIV_CFB192_AES_BLUMENTHAL,
    "aes256": config.USM_PRIV_CFB256_AES_BLUMENTHAL,
    "aes192c": config.USM_PRIV_CFB192_AES,
    "aes256c": config.USM_PRIV_CFB256_AES,
}
log = logging.getLogger(__name__)


class Taken(msgspec.Struct, frozen=True):
    """What became of a message.

    `bears`: the place of the secret that it is proved to bear, None without one. `oid`: the trap's, once it is read.
    `answers`: what is to be sent back.
    """

    bears: int | None = None
    oid: str | None = None
    answers: tuple[bytes, ...] = ()


class _Outlet(AbstractTransportDispatcher):  # type: ignore[misc] # pysnmp has no types
    """Where pysnmp sends: kept until it is fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []
        self.set_timer_resolution(_TICK)

    def send_message(self, *sent: Any, **_: Any) -> Any:
        """Keep what is to be sent; where to is known without it."""
        self.sent.append(bytes(sent[0]))


class Notifications:
    """The engine. `engine_id` is the site's own, to which informs are sent; `boots` grows with every start."""

    def __init__(self, engine_id: bytes, boots: int) -> None:
        self.engine_id = engine_id
        self._turn = threading.Lock()  # a receiver that ends may still be reading while the next one begins
        self._engine: Any = SnmpEngine()  # given its id here, it would keep files of its own below /tmp
        builder = self._engine.get_mib_builder()
        own_id, own_boots = builder.import_symbols("__SNMP-FRAMEWORK-MIB", "snmpEngineID", "snmpEngineBoots")
        own_id.syntax = self._engine.snmpEngineID = own_id.syntax.clone(engine_id)
        own_boots.syntax = own_boots.syntax.clone(boots)
        self._outlet = _Outlet()
        self._engine.register_transport_dispatcher(self._outlet)
        self._receiver = NotificationReceiver(self._engine, self._notified)
        self._communities: set[bytes] = set()
        self._users: OrderedDict[tuple[bytes, str], User] = OrderedDict()
        self._ticked: float | None = None
        self._oid: str | None = None

    def take(self, datagram: bytes, claim: Claim, secrets: Sequence[Secret], now: float) -> Taken:
        """Read one message that claims to bear one of these secrets; none for a question after our engine id.

        `now` is monotonic seconds. Raises nothing: what pysnmp cannot read is proved at most.
        """
        bears = None
        if secrets:
            bears, bound = _proved(datagram, claim, secrets)
            if bears is None or bound > MOST_BINDINGS:
                return Taken(bears)
        with self._turn:
            self._tick(now)
            new = self._registered(claim, secrets[bears]) if bears is not None else None
            self._oid = None
            try:
                address = udp.UdpTransportAddress(("0.0.0.0", 0))
                self._engine.message_dispatcher.receive_message(self._engine, udp.DOMAIN_NAME, address, datagram)
            except Exception as error:  # pysnmp names some of what hostile octets make it raise, not all
                log.debug("pysnmp could not read a datagram: %r", error)
            if new is not None and self._oid is None:
                self._forget(new)
            self._forget_states()
            answers, self._outlet.sent = tuple(self._outlet.sent), []
            return Taken(bears, self._oid, answers)

    def _notified(self, _engine: Any, _state: Any, _id: Any, _name: Any, binds: Any, _context: Any) -> None:
        named = (str(value) for name, value in binds if str(name) == TRAP_OID)
        self._oid = next(named, "")

    def _registered(self, claim: Claim, secret: Secret) -> tuple[bytes, str] | None:
        """Let pysnmp know the secret; returns the user's place when it is new."""
        if isinstance(secret, bytes):
            if secret not in self._communities:
                octets: Any = secret  # any octets are a community
                config.add_v1_system(self._engine, f"c{len(self._communities)}", octets)
                self._communities.add(secret)
            return None
        engine_id = claim.secured.engine_id if claim.secured else b""
        place = (engine_id, secret.name)
        if self._users.get(place) == secret:
            self._users.move_to_end(place)
            return None
        if place in self._users:  # another device's user of that name, with other keys
            self._forget(place)
        self._register(secret, engine_id)
        self._users[place] = secret
        if len(self._users) > MOST_USERS:
            self._forget(next(iter(self._users)))
        return place

    def _register(self, user: User, engine_id: bytes) -> None:
        auth = privacy = None
        if user.auth:
            auth = localise(user.auth, key_of(user.auth, user.auth_pass), engine_id)
            if user.privacy:
                privacy = privacy_key(user.auth, user.privacy, user.privacy_pass, engine_id)
        config.add_v3_user(
            self._engine,
            user.name,
            _AUTH[user.auth],
            auth,
            _PRIVACY[user.privacy],
            privacy,
            securityEngineId=engine_id,
            authKeyType=config.USM_KEY_TYPE_LOCALIZED,
            privKeyType=config.USM_KEY_TYPE_LOCALIZED,
        )

    def _forget(self, place: tuple[bytes, str]) -> None:
        engine_id, name = place
        del self._users[place]
        config.delete_v3_user(self._engine, name, securityEngineId=engine_id)

    def _forget_states(self) -> None:
        """Nothing outlives its message here; pysnmp keeps for ten minutes, or for good, what no answer takes up."""
        engine = self._engine
        for model in (*engine.message_processing_subsystems.values(), *engine.security_models.values()):
            model._cache = type(model._cache)()  # noqa: SLF001 - it has no other way

    def _tick(self, now: float) -> None:
        """Let pysnmp's clock go as far as ours has, so that it forgets the clocks of senders."""
        self._ticked = now if self._ticked is None else max(self._ticked, now - _MOST_TICKS * _TICK)
        while self._ticked + _TICK <= now:
            self._ticked += _TICK
            self._outlet.handle_timer_tick(self._ticked)


def _proved(datagram: bytes, claim: Claim, secrets: Sequence[Secret]) -> tuple[int | None, int]:
    """Return the place of the first secret that a message bears, and its variable bindings as far as they were hidden.

    A community has been compared before, and a user without keys has nothing to prove.
    """
    outside = claim.secured
    for place, secret in enumerate(secrets):
        if outside is None or isinstance(secret, bytes) or not outside.level:
            return place, 0
        secure = Secure(secret, outside.engine_id)
        if not secure.proves(datagram, outside.digest_at, outside.digest_octets):
            continue
        if outside.level != AUTH_PRIV:
            return place, 0
        with contextlib.suppress(DecryptionError, MalformedError):  # the digest is right, the other key is wrong
            return place, _hidden(datagram, outside, secure)
    return None, 0


def _hidden(datagram: bytes, outside: Envelope, secure: Secure) -> int:
    """Return how many variable bindings are encrypted. Raises DecryptionError or MalformedError for another key."""
    hidden = datagram[outside.body_at : outside.body_end]
    octets = secure.decrypt(hidden, outside.salt, outside.boots, outside.time)
    return bindings(octets, *ber.expect(octets, 0, len(octets), ber.SEQUENCE))  # padding may stand behind it


@lru_cache(1)
def shared(engine_id: bytes, boots_file: Path | None) -> Notifications:
    """Return the process's one engine (it costs 0.1 s and some megabytes); its start is counted in the file."""
    return Notifications(engine_id, next_boots(boots_file, time.time()) if boots_file else 1)


def next_boots(file: Path, wall: float) -> int:
    """Count a start; `wall` is Unix seconds.

    Senders of informs refuse an engine whose boots went back (RFC 3414 section 2.2.2). The count is never below the
    minutes since 2020, so that it also grows over a file that was lost or cannot be written.
    """
    try:
        before = int(file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        before = 0
    boots = max(before + 1, int((wall - _EPOCH) / 60.0))
    beside = file.with_suffix(".new")
    try:
        beside.write_text(str(boots), encoding="ascii")
        beside.replace(file)
    except OSError as error:
        log.warning("%s cannot be written (%s); traps are received all the same", file, error.strerror)
    return boots
