"""Who a notification says it is from, read without believing it (RFC 1157, RFC 3412 section 6, RFC 3414 2.4)."""

import msgspec

from wire import ber
from wire.ber import MalformedError
from wire.snmp import INFORM, TRAP, V1, V2C, V3

TRAP_V1 = 0xA4  # RFC 1157: a PDU with a form of its own
LARGEST = 8_192  # octets: above any trap of a card, below what costs pysnmp a second
_USM = 3
_KINDS = {V1: frozenset((TRAP_V1,)), V2C: frozenset((INFORM, TRAP))}


class Envelope(msgspec.Struct, frozen=True):
    """What stands in the clear. `level` are the bits of msgFlags: 0, 1 authenticated, 3 encrypted too."""

    version: int
    community: bytes = b""
    engine_id: bytes = b""
    user: bytes = b""
    level: int = 0


def envelope(datagram: bytes) -> Envelope:
    """Read the outside of a notification; MalformedError for all that is none."""
    end = len(datagram)
    if end > LARGEST:
        raise MalformedError(f"datagram of {end} octets")
    at, stop = ber.expect(datagram, 0, end, ber.SEQUENCE)
    if stop != end:
        raise MalformedError(f"{end - stop} octets after the message")
    version, at = ber.integer(datagram, at, end)
    if version == V3:
        return _user_based(datagram, at, end)
    if version not in _KINDS:
        raise MalformedError(f"version field {version}")
    community, at = ber.octets(datagram, at, end)
    kind, _, stop = ber.head(datagram, at, end)
    if kind not in _KINDS[version] or stop != end:
        raise MalformedError(f"PDU type {kind:#04x} is no notification of version field {version}")
    return Envelope(version, community=community)


def _user_based(datagram: bytes, at: int, end: int) -> Envelope:
    at, stop = ber.expect(datagram, at, end, ber.SEQUENCE)
    _, at = ber.integer(datagram, at, stop)  # msgID
    _, at = ber.integer(datagram, at, stop)  # msgMaxSize
    flags, at = ber.octets(datagram, at, stop)
    model, at = ber.integer(datagram, at, stop)
    if len(flags) != 1 or flags[0] & 3 == 2 or model != _USM or at != stop:
        raise MalformedError("flags or security model that are not those of USM")
    at, stop = ber.expect(datagram, at, end, ber.OCTET_STRING)
    at, stop = ber.expect(datagram, at, stop, ber.SEQUENCE)
    engine_id, at = ber.octets(datagram, at, stop)
    _, at = ber.integer(datagram, at, stop)  # boots
    _, at = ber.integer(datagram, at, stop)  # time
    user, _ = ber.octets(datagram, at, stop)
    if len(engine_id) > 32 or len(user) > 32:
        raise MalformedError("an engine id or user name of more than 32 octets")
    return Envelope(V3, engine_id=engine_id, user=user, level=flags[0] & 3)
