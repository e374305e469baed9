"""SNMP version 3 messages (RFC 3412 section 6, RFC 3414 section 2.4): the envelope around the PDUs of `wire.snmp`.

    Message    ::= SEQUENCE { 3, SEQUENCE { msgID, msgMaxSize, msgFlags, msgSecurityModel }, OCTET STRING parameters,
                              ScopedPdu | OCTET STRING encrypted }
    parameters ::= SEQUENCE { engineID, engineBoots, engineTime, userName, digest, salt }
    ScopedPdu  ::= SEQUENCE { contextEngineID, contextName, pdu }

`read` gives what stands outside, believed by nobody; `open_scoped` decrypts and gives what is inside.  Whether the
digest is right is `Secure.proves`, which stands between the two.  What is not SNMP raises `MalformedError`.
"""

from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from wire import ber, snmp
from wire.ber import MalformedError
from wire.refusal import DecryptionError
from wire.snmp import Pdu
from wire.user import AUTH_PRIV

if TYPE_CHECKING:
    from wire.usm import Secure

USER_BASED = 3  # msgSecurityModel, RFC 3411 section 5
REPORTABLE = 0x04
LEVEL = 0x03  # the bits of msgFlags that are the security level

UNKNOWN_CONTEXTS = ("1.3.6.1.6.3.12.1.4", "1.3.6.1.6.3.12.1.5")  # snmpUnavailableContexts, snmpUnknownContexts
USM_STATS = "1.3.6.1.6.3.15.1.1"  # .1 levels, .2 time windows, .3 user names, .4 engine ids, .5 digests, .6 decryption

_VERSION = b"\x02\x01\x03"
_MODEL = b"\x02\x01\x03"
_FLAGS = tuple(bytes((4, 1, flags)) for flags in range(8))
_MAX_SIZE = ber.encode_integer(snmp.MAX_DATAGRAM)


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """What stands outside a message's PDU. Offsets are into the datagram; `level` as in `wire.user`."""

    msg_id: int
    level: int
    model: int
    engine_id: bytes
    boots: int
    time: int
    user: bytes
    digest_at: int
    digest_octets: int
    salt: bytes
    body_at: int
    body_end: int


class Scoped(msgspec.Struct, frozen=True):
    """A PDU and the context it speaks of."""

    engine_id: bytes
    context: bytes
    pdu: Pdu


def read(datagram: bytes) -> Envelope:
    """Read the outside of a version 3 message that fills a datagram."""
    integer, octets, expect = ber.integer, ber.octets, ber.expect
    at, end = snmp.inside(datagram), len(datagram)
    version, at = integer(datagram, at, end)
    if version != snmp.V3:
        raise MalformedError(f"version field {version} is not 3")
    at, head_end = expect(datagram, at, end, ber.SEQUENCE)
    msg_id, at = integer(datagram, at, head_end)
    _, at = integer(datagram, at, head_end)
    flags, at = octets(datagram, at, head_end)
    model, at = integer(datagram, at, head_end)
    if at != head_end or len(flags) != 1 or not 0 <= msg_id <= 0x7FFF_FFFF:
        raise MalformedError("a header that is not a version 3 header")
    level = flags[0] & LEVEL
    if level == 2:
        raise MalformedError("flags that ask for privacy without authentication")
    at, params_end = expect(datagram, at, end, ber.OCTET_STRING)
    at, stop = expect(datagram, at, params_end, ber.SEQUENCE)
    if stop != params_end:
        raise MalformedError("octets after the security parameters")
    engine_id, at = octets(datagram, at, stop)
    boots, at = integer(datagram, at, stop)
    time, at = integer(datagram, at, stop)
    user, at = octets(datagram, at, stop)
    digest_at, at = expect(datagram, at, stop, ber.OCTET_STRING)
    digest_octets = at - digest_at
    salt, at = octets(datagram, at, stop)
    if at != stop or len(engine_id) > 32 or len(user) > 32 or min(boots, time) < 0 or max(boots, time) > 0x7FFF_FFFF:
        raise MalformedError("security parameters that are not those of the user-based model")
    body_at, body_end = expect(datagram, at, end, ber.OCTET_STRING if level == AUTH_PRIV else ber.SEQUENCE)
    if body_end != end:
        raise MalformedError("octets after the PDU")
    return Envelope(
        msg_id, level, model, engine_id, boots, time, user, digest_at, digest_octets, salt, body_at, body_end
    )


def open_scoped(datagram: bytes, outside: Envelope, secure: "Secure | None" = None) -> Scoped:
    """Return what is inside, decrypted with these keys where it is encrypted.

    Raises DecryptionError when what was encrypted comes out as anything but a PDU: the key is another one.
    """
    if outside.level != AUTH_PRIV:
        return _scoped(datagram, outside.body_at, outside.body_end)
    if secure is None:
        raise DecryptionError("encrypted, and no key is known")
    octets = secure.decrypt(datagram[outside.body_at : outside.body_end], outside.salt, outside.boots, outside.time)
    try:
        at, end = ber.expect(octets, 0, len(octets), ber.SEQUENCE)  # padding may stand behind it
        return _scoped(octets, at, end)
    except MalformedError as error:
        raise DecryptionError(f"decrypted to what is no PDU: {error}") from None


def _scoped(buf: bytes, at: int, end: int) -> Scoped:
    engine_id, at = ber.octets(buf, at, end)
    context, at = ber.octets(buf, at, end)
    return Scoped(engine_id, context, snmp.decode_pdu(buf, at, end))


def write(
    pdu: bytes,
    *,
    msg_id: int,
    level: int = 0,
    engine_id: bytes = b"",
    boots: int = 0,
    time: int = 0,
    user: bytes = b"",
    context: bytes = b"",
    secure: "Secure | None" = None,
    number: int = 0,
    flags: int = REPORTABLE,
) -> bytes:
    """Give the datagram around an encoded PDU; `secure` has the keys for a `level` above noAuthNoPriv.

    `number` never comes twice with the same keys: the salt is made of it.
    """
    body = ber.element(ber.SEQUENCE, _few(engine_id) + _few(context) + pdu)
    salt = b"\x04\x00"
    if level == AUTH_PRIV and secure is not None:
        encrypted, fresh = secure.encrypt(body, boots, time, number)
        body, salt = _octets(encrypted), _octets(fresh)
    digest_octets = secure.digest_octets if level and secure is not None else 0
    clock = _clock(boots, time)
    parameters = b"".join((_few(engine_id), clock, _few(user), _few(bytes(digest_octets)), salt))
    head = ber.encode_integer(msg_id) + _MAX_SIZE + _FLAGS[level | flags] + _MODEL
    whole = ber.element(
        ber.SEQUENCE,
        _VERSION
        + ber.element(ber.SEQUENCE, head)
        + ber.element(ber.OCTET_STRING, ber.element(ber.SEQUENCE, parameters))
        + body,
    )
    if not digest_octets or secure is None:
        return whole
    end = len(whole) - len(body) - len(salt)
    return whole[: end - digest_octets] + secure.digest(whole) + whole[end:]


def _octets(content: bytes) -> bytes:
    return ber.element(ber.OCTET_STRING, content)


_few = lru_cache(4096)(_octets)  # engines, users and contexts: they come with every request


@lru_cache(4096)
def _clock(boots: int, time: int) -> bytes:
    return ber.encode_integer(boots) + ber.encode_integer(time)
