"""As much of BER and SNMP (RFC 3416) as a card needs to answer; it shares nothing with wire/.

    asked = request(datagram)        # version, community, kind, request-id, names, and GETBULK's two numbers
    datagram = response(asked, [(name, value), ...])

A name is a tuple of numbers; a value is an int (INTEGER), bytes (OCTET STRING), a tuple (OBJECT IDENTIFIER), `Ticks` or
`END`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

Oid = tuple[int, ...]
GET, GET_NEXT, GET_BULK = 0xA0, 0xA1, 0xA5
RESPONSE = 0xA2


class Ticks(int):
    """Hundredths of a second."""


class End:
    """endOfMibView."""


END = End()
Value = int | bytes | Oid | Ticks | End


@dataclass(frozen=True)
class Request:
    """What was asked. `first` and `second` are error-status and -index, or GETBULK's non-repeaters and repetitions."""

    version: int
    community: bytes
    kind: int
    id: int
    first: int
    second: int
    names: tuple[Oid, ...]


def request(datagram: bytes) -> Request:
    """Read a message; what is not one raises IndexError or ValueError."""
    (message,) = items(datagram)
    version, community, pdu = items(message[1])
    number, first, second, binds = items(pdu[1])
    names = tuple(_oid(next(items(bind))[1]) for _, bind in items(binds[1]))
    return Request(
        _number(version[1]), community[1], pdu[0], _number(number[1]), _number(first[1]), _number(second[1]), names
    )


def response(asked: Request, answer: Iterable[tuple[Oid, Value]]) -> bytes:
    """Write the answer."""
    binds = b"".join(_tlv(0x30, _name(name) + _value(value)) for name, value in answer)
    pdu = _tlv(RESPONSE, _value(asked.id) + _value(0) + _value(0) + _tlv(0x30, binds))
    return _tlv(0x30, _value(asked.version) + _tlv(0x04, asked.community) + pdu)


def items(octets: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield identifier and content of each element."""
    at = 0
    while at < len(octets):
        tag, length, at = octets[at], octets[at + 1], at + 2
        if length & 0x80:
            size = length & 0x7F
            length, at = int.from_bytes(octets[at : at + size], "big"), at + size
        yield tag, octets[at : at + length]
        at += length


def _number(octets: bytes) -> int:
    return int.from_bytes(octets, "big", signed=True)


def _oid(octets: bytes) -> Oid:
    parts, number = [octets[0] // 40, octets[0] % 40], 0
    for octet in octets[1:]:
        number = number << 7 | octet & 0x7F
        if not octet & 0x80:
            parts.append(number)
            number = 0
    return tuple(parts)


def _tlv(tag: int, octets: bytes) -> bytes:
    size = len(octets)
    if size < 0x80:
        return bytes((tag, size)) + octets
    return bytes((tag, 0x82, size >> 8, size & 0xFF)) + octets


def _value(value: Value) -> bytes:
    match value:
        case End():
            return _tlv(0x82, b"")
        case bytes():
            return _tlv(0x04, value)
        case tuple():
            return _name(value)
        case _:
            octets = value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True)
            return _tlv(0x43 if isinstance(value, Ticks) else 0x02, octets)


def _name(oid: Oid) -> bytes:
    octets = bytearray((oid[0] * 40 + oid[1],))
    for number in oid[2:]:
        septets = [number & 0x7F]
        while number := number >> 7:
            septets.append(number & 0x7F | 0x80)
        octets += bytes(reversed(septets))
    return _tlv(0x06, bytes(octets))
