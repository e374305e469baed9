"""Who a notification says it is from, and how much it binds, read without believing it (RFC 1157, RFC 3412, RFC 3414).

pysnmp needs 0.14 ms for each variable binding. What a trap binds is not believed anyway, so a trap that binds more than
any card does, or that no Ethernet frame carries, is refused before it costs that.
"""

import msgspec

from wire import ber, snmp, snmp3
from wire.ber import MalformedError
from wire.snmp import INFORM, TRAP, V1, V2C, V3
from wire.user import AUTH_PRIV

TRAP_V1 = 0xA4  # RFC 1157: a PDU with a form of its own
LARGEST = 1_500  # octets
MOST_BINDINGS = 64
_KINDS = {V1: frozenset((TRAP_V1,)), V2C: frozenset((INFORM, TRAP))}
_FIELDS = {TRAP_V1: 5}  # before the variable bindings; else request-id, error-status and error-index
_CONSTRUCTED = 0x20


class Claim(msgspec.Struct, frozen=True):
    """What stands in the clear: a community, or in version 3 what stands outside the PDU."""

    version: int
    community: bytes = b""
    secured: snmp3.Envelope | None = None

    def __repr__(self) -> str:
        return f"Claim(version {self.version}, {self.secured})"  # without the community


def claim(datagram: bytes) -> Claim:
    """Read the outside of a notification; MalformedError for all that is none, or too much to be read."""
    end = len(datagram)
    if end > LARGEST:
        raise MalformedError(f"datagram of {end} octets, and {LARGEST} are read at most")
    version, at = ber.integer(datagram, snmp.inside(datagram), end)
    if version == V3:
        return _secured(datagram)
    if version not in _KINDS:
        raise MalformedError(f"version field {version}")
    community, at = ber.octets(datagram, at, end)
    kind, bound = _pdu(datagram, at, end)
    if kind not in _KINDS[version]:
        raise MalformedError(f"PDU type {kind:#04x} is no notification of version field {version}")
    _bounded(bound)
    return Claim(version, community=community)


def _secured(datagram: bytes) -> Claim:
    secured = snmp3.read(datagram)
    if secured.model != snmp3.USER_BASED:
        raise MalformedError(f"security model {secured.model}")
    if secured.level != AUTH_PRIV:
        _bounded(bindings(datagram, secured.body_at, secured.body_end))
    return Claim(V3, secured=secured)


def _bounded(bound: int) -> None:
    if bound > MOST_BINDINGS:
        raise MalformedError(f"{bound} variable bindings, and {MOST_BINDINGS} are read at most")


def bindings(scoped: bytes, at: int, end: int) -> int:
    """Return how many variable bindings the content of a ScopedPDU has; MalformedError where it is none."""
    _, at = ber.octets(scoped, at, end)
    _, at = ber.octets(scoped, at, end)
    _, bound = _pdu(scoped, at, end)
    return bound


def _pdu(buf: bytes, at: int, end: int) -> tuple[int, int]:
    """Return the type of the PDU that fills buf[at:end], and how many variable bindings it has."""
    kind, at, stop = ber.head(buf, at, end)
    for _ in range(_FIELDS.get(kind, 3)):
        _, _, at = ber.head(buf, at, stop)
    at, last = ber.expect(buf, at, stop, ber.SEQUENCE)
    if stop != end or last != end:
        raise MalformedError("octets after the PDU or its variable bindings")
    bound = 0
    while at < end:
        inside, at = ber.expect(buf, at, end, ber.SEQUENCE)
        _, inside = ber.expect(buf, inside, at, ber.OBJECT_IDENTIFIER)
        tag, _, inside = ber.head(buf, inside, at)
        if tag & _CONSTRUCTED or inside != at:  # nothing nests here, and pysnmp would go down all of it
            raise MalformedError("a variable binding that is no name and value")
        bound += 1
    return kind, bound
