"""Who a notification says it is from, read without believing it (RFC 1157, RFC 3412, RFC 3414)."""

import msgspec

from wire import ber, snmp, snmp3
from wire.ber import MalformedError
from wire.snmp import INFORM, TRAP, V1, V2C, V3

TRAP_V1 = 0xA4  # RFC 1157: a PDU with a form of its own
LARGEST = 8_192  # octets: above any trap of a card, below what costs pysnmp a second
_KINDS = {V1: frozenset((TRAP_V1,)), V2C: frozenset((INFORM, TRAP))}


class Envelope(msgspec.Struct, frozen=True):
    """What stands in the clear: a community, or in version 3 what stands outside the PDU."""

    version: int
    community: bytes = b""
    secured: snmp3.Envelope | None = None


def envelope(datagram: bytes) -> Envelope:
    """Read the outside of a notification; MalformedError for all that is none."""
    end = len(datagram)
    if end > LARGEST:
        raise MalformedError(f"datagram of {end} octets")
    version, at = ber.integer(datagram, snmp.inside(datagram), end)
    if version == V3:
        secured = snmp3.read(datagram)
        if secured.model != snmp3.USER_BASED:
            raise MalformedError(f"security model {secured.model}")
        return Envelope(version, secured=secured)
    if version not in _KINDS:
        raise MalformedError(f"version field {version}")
    community, at = ber.octets(datagram, at, end)
    kind, _, stop = ber.head(datagram, at, end)
    if kind not in _KINDS[version] or stop != end:
        raise MalformedError(f"PDU type {kind:#04x} is no notification of version field {version}")
    return Envelope(version, community=community)
