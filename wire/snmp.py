"""SNMP version 1 and 2c messages (RFC 1157, RFC 3416, RFC 3417): octets in, `Message` out, and back.

    Message  ::= SEQUENCE { version INTEGER, community OCTET STRING, pdu PDU }
    PDU      ::= [n] { request-id, error-status, error-index INTEGER, SEQUENCE OF SEQUENCE { name OID, value } }

The PDU is read and written apart from the message around it: version 3 wraps the same PDUs (and the REPORT) in
another envelope.  `MalformedError` is the one exception that leaves.  A name is a dotted `str`, an octet string is
`bytes`, a number is an `int` whose kind is the tag beside it, and what is not there is an `Absent` or None, never a
number.
"""

import struct
from collections.abc import Iterable, Iterator
from enum import Enum
from ipaddress import IPv4Address

import msgspec

from wire import ber
from wire.ber import MalformedError, OversizedError, TruncatedError
from wire.layout import Layouts, Span

V1, V2C, V3 = 0, 1, 3  # the version field as it is on the wire

IP_ADDRESS, COUNTER32, GAUGE32, TIME_TICKS, OPAQUE, COUNTER64, UINTEGER32 = 0x40, 0x41, 0x42, 0x43, 0x44, 0x46, 0x47
GET, GET_NEXT, RESPONSE, SET, GET_BULK, INFORM, TRAP, REPORT = 0xA0, 0xA1, 0xA2, 0xA3, 0xA5, 0xA6, 0xA7, 0xA8

NO_ERROR, TOO_BIG, NO_SUCH_NAME, GEN_ERR, AUTHORIZATION_ERROR = 0, 1, 2, 5, 16
ERRORS = (
    *("noError", "tooBig", "noSuchName", "badValue", "readOnly", "genErr", "noAccess", "wrongType", "wrongLength"),
    *("wrongEncoding", "wrongValue", "noCreation", "inconsistentValue", "resourceUnavailable", "commitFailed"),
    *("undoFailed", "authorizationError", "notWritable", "inconsistentName"),
)  # by error-status, RFC 3416 section 3

MAX_DATAGRAM = 65_507  # the largest UDP payload over IPv4

_PDUS = frozenset((GET, GET_NEXT, RESPONSE, SET, GET_BULK, INFORM, TRAP, REPORT))
_NUMBERS = frozenset((ber.INTEGER, COUNTER32, GAUGE32, TIME_TICKS, COUNTER64, UINTEGER32))


class Absent(Enum):
    """What an agent answers instead of a value (RFC 3416 section 3); the number is the tag on the wire."""

    NO_SUCH_OBJECT = 0x80
    NO_SUCH_INSTANCE = 0x81
    END_OF_MIB_VIEW = 0x82


_ABSENT = {absent.value: absent for absent in Absent}

Value = int | float | bytes | str | IPv4Address | Absent | None
"""int: every integer type.  float: within an Opaque.  bytes: OCTET STRING, and unknown types.  str: a dotted OID."""


class VarBind(msgspec.Struct, frozen=True, gc=False):
    """A name, the tag of its value on the wire, and the value."""

    oid: str
    tag: int
    value: Value


class Pdu(msgspec.Struct, frozen=True):
    """A PDU.  In a GET_BULK `error_status` holds non-repeaters and `error_index` max-repetitions."""

    kind: int
    request_id: int
    error_status: int
    error_index: int
    varbinds: tuple[VarBind, ...]


class Message(msgspec.Struct, frozen=True):
    """A version 1 or 2c message."""

    version: int
    community: bytes
    pdu: Pdu

    def __repr__(self) -> str:
        return f"Message(version {self.version}, {self.pdu})"  # without the community


def version_of(datagram: bytes) -> int:
    """Return the version field of what may be a message, -1 where it does not stand in its shortest form."""
    try:
        at = 2 if datagram[1] < 0x80 else 2 + (datagram[1] & 0x7F)
        return datagram[at + 2] if datagram[at] == 0x02 and datagram[at + 1] == 0x01 else -1
    except IndexError:
        return -1


def inside(datagram: bytes) -> int:
    """Return where the content begins of the one SEQUENCE that a datagram is."""
    size = len(datagram)
    if size > MAX_DATAGRAM:
        raise OversizedError(f"datagram of {size} octets")
    if size < 2:
        raise TruncatedError(f"datagram of {size} octets")
    at, stop = ber.expect(datagram, 0, ber.NO_BOUND, ber.SEQUENCE)
    if stop > size:
        raise TruncatedError(f"the message ends at octet {stop}, past the {size} of its datagram")
    if stop < size:
        raise OversizedError(f"{size - stop} octets after the message")
    return at


def decode(datagram: bytes) -> Message:
    """Read one whole datagram of version 1 or 2c."""
    at, end = inside(datagram), len(datagram)
    version, at = ber.integer(datagram, at, end)
    if version not in {V1, V2C}:
        raise MalformedError(f"version field {version} is neither 1 nor 2c")
    community, at = ber.octets(datagram, at, end)
    return Message(version, community, decode_pdu(datagram, at, end))


def decode_pdu(buf: bytes, at: int, end: int) -> Pdu:
    """Read the PDU that fills buf[at:end]; every type but the version 1 trap, which has a form of its own."""
    kind, at, stop = ber.head(buf, at, end)
    if kind not in _PDUS:
        raise MalformedError(f"PDU type {kind:#04x}")
    if stop != end:
        raise MalformedError(f"{end - stop} octets after the PDU")
    request_id, at = ber.integer(buf, at, end)
    error_status, at = ber.integer(buf, at, end)
    error_index, at = ber.integer(buf, at, end)
    at, stop = ber.expect(buf, at, end, ber.SEQUENCE)
    if stop != end:
        raise MalformedError(f"{end - stop} octets after the variable bindings")
    return Pdu(kind, request_id, error_status, error_index, _varbinds(buf, at, end))


layouts = Layouts()


def _varbinds(buf: bytes, at: int, end: int) -> tuple[VarBind, ...]:
    """Read variable bindings: by the layout of a reply before that looked the same, else element by element."""
    content = buf[at:end]
    known = layouts.find(content)
    if known is None:
        try:
            binds = tuple(_each_varbind(buf, at, end))
        except IndexError:
            raise MalformedError("variable bindings end within an element") from None
        layouts.learn(content, _spans(content, binds))
        return binds
    layout, values = known
    if layout.odd:
        mended: list[Value] = [*values]
        for place in layout.odd:
            mended[place] = _value(layout.tags[place], values[place])  # type: ignore[arg-type]  # odd ones are octets
        return tuple(map(VarBind, layout.names, layout.tags, mended))
    return tuple(map(VarBind, layout.names, layout.tags, values))


def _spans(content: bytes, binds: Iterable[VarBind]) -> Iterator[Span]:
    """Give where the values stand in bindings that have been read."""
    at = 0
    for bind in binds:
        _, at, end = ber.head(content, at, len(content))
        _, _, at = ber.head(content, at, end)
        _, start, at = ber.head(content, at, end)
        yield Span(bind.oid, bind.tag, start, at)


def _each_varbind(buf: bytes, at: int, end: int) -> list[VarBind]:
    """Read the bindings that fill buf[at:end].  A hot loop: heads are read in place, long lengths elsewhere.

    Reading a length past an element's end is harmless: the stop it gives lies past that end too, and is refused.
    """
    found: list[VarBind] = []
    append, long_length, name_of, number_of = found.append, ber.long_length, ber.oid, int.from_bytes
    while at < end:
        start = at + 2
        if (size := buf[at + 1]) < 0x80:
            bound = start + size
        else:
            start, bound = long_length(buf, at + 1)
        if buf[at] != 0x30 or bound > end:
            raise MalformedError(f"no variable binding that fits at octet {at}")
        at, start = start, start + 2
        if (size := buf[at + 1]) < 0x80:
            stop = start + size
        else:
            start, stop = long_length(buf, at + 1)
        if buf[at] != 0x06 or stop > bound:
            raise MalformedError(f"no name that fits at octet {at}")
        name, at = name_of(buf[start:stop]), stop
        tag, start = buf[at], at + 2
        if (size := buf[at + 1]) < 0x80:
            stop = start + size
        else:
            start, stop = long_length(buf, at + 1)
        if stop != bound:
            raise MalformedError(f"no value that fills the binding, at octet {at}")
        at = bound
        if tag in _NUMBERS and 0 < stop - start < ber.MAX_INTEGER_OCTETS:
            append(VarBind(name, tag, number_of(buf[start:stop], "big", signed=tag == 0x02)))
        else:
            append(VarBind(name, tag, _value(tag, buf[start:stop])))
    return found


def _value(tag: int, content: bytes) -> Value:
    """Give the value of a type's content octets.  A number of no octets says nothing: None."""
    if tag == ber.OCTET_STRING:
        return content
    if tag in _ABSENT:
        return _ABSENT[tag]
    if tag == ber.OBJECT_IDENTIFIER:
        return ber.oid(content)
    if tag in _NUMBERS:
        return _number(tag, content)
    if tag == ber.NULL:
        return None
    if tag == IP_ADDRESS and len(content) == 4:
        return IPv4Address(content)
    if tag == OPAQUE:
        return opaque(content)
    if tag & 0x1F == 0x1F:
        raise MalformedError("identifier of several octets on a value")
    return content


def _number(tag: int, content: bytes) -> int | None:
    size = len(content)
    if size > ber.MAX_INTEGER_OCTETS:
        raise MalformedError(f"number of {size} octets")
    if tag != ber.INTEGER and size == ber.MAX_INTEGER_OCTETS and content[0]:
        raise MalformedError("number above 64 bits")
    return int.from_bytes(content, "big", signed=tag == ber.INTEGER) if content else None


def opaque(content: bytes) -> float | bytes:
    """Give the number of an Opaque that wraps a float or a double, as net-snmp and LM-SENSORS do; else its octets."""
    if content[:3] == b"\x9f\x78\x04" and len(content) == 7:
        return float(struct.unpack(">f", content[3:])[0])
    if content[:3] == b"\x9f\x79\x08" and len(content) == 11:
        return float(struct.unpack(">d", content[3:])[0])
    return content


class Request(msgspec.Struct, frozen=True):
    """A request PDU encoded once; each sending patches in its request-id, four octets wide, and wraps it.

    `oids` are the names it asks for, in their order.
    """

    kind: int
    oids: tuple[str, ...]
    before: bytes
    after: bytes

    def stamped(self, request_id: int) -> bytes:
        """Give the PDU with a request-id of FIRST_ to LAST_REQUEST_ID: numbers whose shortest form has four octets."""
        return self.before + request_id.to_bytes(4, "big") + self.after


FIRST_REQUEST_ID, LAST_REQUEST_ID = 0x0100_0000, 0x7FFF_FFFF


def request(kind: int, oids: tuple[str, ...], *, non_repeaters: int = 0, max_repetitions: int = 0) -> Request:
    """Encode a GET, GET_NEXT or GET_BULK of names, ready to be stamped; the two numbers count for GET_BULK."""
    names = b"".join([ber.element(ber.SEQUENCE, ber.encode_oid(oid) + b"\x05\x00") for oid in oids])
    after = ber.encode_integer(non_repeaters) + ber.encode_integer(max_repetitions) + ber.element(ber.SEQUENCE, names)
    whole = ber.element(kind, ber.encode_integer(FIRST_REQUEST_ID) + after)
    return Request(kind, oids, whole[: -len(after) - 4], after)


def wrap(version: int, community: bytes, pdu: bytes) -> bytes:
    """Give the datagram of version 1 or 2c around an encoded PDU."""
    content = ber.encode_integer(version) + ber.element(ber.OCTET_STRING, community) + pdu
    return ber.element(ber.SEQUENCE, content)


def encode(message: Message) -> bytes:
    """Encode a whole message with its values, in the shortest form: what an agent sends."""
    return wrap(message.version, message.community, encode_pdu(message.pdu))


def encode_pdu(pdu: Pdu) -> bytes:
    """Encode a PDU with its values."""
    bindings = [
        ber.element(ber.SEQUENCE, ber.encode_oid(bind.oid) + encode_value(bind.tag, bind.value))
        for bind in pdu.varbinds
    ]
    numbers = (pdu.request_id, pdu.error_status, pdu.error_index)
    content = b"".join(map(ber.encode_integer, numbers)) + ber.element(ber.SEQUENCE, b"".join(bindings))
    return ber.element(pdu.kind, content)


def encode_value(tag: int, value: Value) -> bytes:
    """Encode a value under its tag; an Opaque number is wrapped as a double."""
    match value:
        case None | Absent():
            return bytes((tag, 0))
        case int():
            return ber.encode_integer(value, tag)
        case float():
            return ber.element(tag, b"\x9f\x79\x08" + struct.pack(">d", value))
        case str():
            return ber.encode_oid(value)
        case IPv4Address():
            return ber.element(tag, value.packed)
        case bytes():
            return ber.element(tag, value)
