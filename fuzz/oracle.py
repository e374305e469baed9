"""pysnmp's decoder beside ours: what both accept says the same; what one alone accepts is one of the named tolerances.

Ours accepts and theirs refuses (cards in the field do it, or the meaning is the caller's to judge): `lenient`.
Theirs accepts and ours refuses (RFC 3417 section 8 and the bounds of RFC 2578 forbid it): `STRICT`.
Where both accept and yet read otherwise, `_same` says why: an Opaque's number, and a number of no octets.
"""

import re
import struct
from collections.abc import Callable
from ipaddress import IPv4Address
from itertools import pairwise

from pyasn1.codec.ber import decoder
from pyasn1.error import PyAsn1Error
from pyasn1.type.univ import Null
from pysnmp.proto import rfc1905
from pysnmp.proto.api import v2c

from fuzz.tree import CONSTRUCTED, parse
from wire import ber, snmp
from wire.ber import MalformedError
from wire.snmp import Absent, Message, Value, VarBind

STRICT = re.compile(
    "|".join(
        (
            r"octets after the (message|PDU|variable bindings)$",  # an element more than belongs there
            r"^indefinite, reserved or cut length",  # indefinite lengths, RFC 3417 section 8; more than 8 octets
            r"identifier of several octets",
            r"^INTEGER of \d+ octets|^number of \d+ octets|^number above 64 bits",  # none, or more than Counter64 has
            r"sub-identifier above 32 bits|OBJECT IDENTIFIER of \d+ sub-identifiers|OBJECT IDENTIFIER too long",
            r"^version field",
            r"where 0x04 belongs|no variable binding|no name that fits|no value that fills",  # constructed strings
            r"^datagram of",
        )
    )
)


REFUSALS = (PyAsn1Error, IndexError, ValueError, OverflowError)  # pysnmp's decoder raises what Python does, too


class Disagreement(AssertionError):  # noqa: N818 - it says what was found
    """One decoder reads what the other does not, or reads it otherwise, for no reason named here."""


def compare(octets: bytes) -> str:
    """Decode with both. Returns `both`, `ours`, `theirs` or `neither`: who accepts it. Raises Disagreement."""
    theirs = _theirs(octets)
    try:
        ours = snmp.decode(octets)
    except MalformedError as error:
        if theirs is None:
            return "neither"
        if not STRICT.search(str(error)):
            raise Disagreement(f"pysnmp reads {octets.hex()}, ours does not: {error}") from error
        return "theirs"
    if theirs is None:
        if not lenient(ours, octets):
            raise Disagreement(f"ours reads {octets.hex()} as {ours}, pysnmp does not")
        return "ours"
    _equal(ours, theirs, octets)
    return "both"


def _theirs(octets: bytes) -> object | None:
    try:
        whole, rest = decoder.decode(octets, asn1Spec=v2c.Message())
    except REFUSALS:
        return None
    return None if rest else whole


def _equal(ours: Message, theirs: object, octets: bytes) -> None:
    pdu = v2c.apiMessage.get_pdu(theirs)
    numbers = [int(pdu[at]) for at in range(3)]
    head = (int(v2c.apiMessage.get_version(theirs)), bytes(v2c.apiMessage.get_community(theirs)), *numbers)
    mine = (ours.version, ours.community, ours.pdu.request_id, ours.pdu.error_status, ours.pdu.error_index)
    if head != mine:
        raise Disagreement(f"{octets.hex()}: ours {mine}, pysnmp {head}")
    binds = v2c.apiPDU.get_varbinds(pdu)
    if len(binds) != len(ours.pdu.varbinds):
        raise Disagreement(f"{octets.hex()}: {len(ours.pdu.varbinds)} bindings, pysnmp has {len(binds)}")
    for bind, (name, value) in zip(ours.pdu.varbinds, binds, strict=True):
        if bind.oid != str(name) or not _same(bind, value):
            raise Disagreement(f"{octets.hex()}: ours {bind}, pysnmp {name} = {value!r}")


ABSENT = {
    Absent.NO_SUCH_OBJECT: rfc1905.NoSuchObject,
    Absent.NO_SUCH_INSTANCE: rfc1905.NoSuchInstance,
    Absent.END_OF_MIB_VIEW: rfc1905.EndOfMibView,
}


def _same(bind: VarBind, theirs: object) -> bool:
    """Say whether a value is the same.

    A number of no octets is 0 for them and nothing for us; a string in parts (constructed, which RFC 3417 section 8
    forbids) is put together by them and stays octets of an unknown type for us.
    """
    if bind.tag & CONSTRUCTED:
        return isinstance(bind.value, bytes)
    match bind.value:
        case None:
            return theirs == Null("") if bind.tag == ber.NULL else int(theirs) == 0  # type: ignore[call-overload]
        case Absent():
            return isinstance(theirs, ABSENT[bind.value])
        case int():
            return int(theirs) == bind.value  # type: ignore[call-overload,no-any-return]
        case float():
            kind = ">f" if len(bytes(theirs)) == 7 else ">d"  # type: ignore[call-overload]
            number = struct.unpack(kind, bytes(theirs)[3:])[0]  # type: ignore[call-overload]
            return bool(number == bind.value or (number != number and bind.value != bind.value))  # noqa: PLR0124 - NaN
        case str():
            return str(theirs) == bind.value
        case IPv4Address():
            return bytes(theirs) == bind.value.packed  # type: ignore[call-overload]
        case bytes():
            return bytes(theirs) == bind.value  # type: ignore[call-overload]


def lenient(ours: Message, octets: bytes) -> bool:
    """Say whether what only ours accepts is one of these tolerances."""
    return any(reason(ours, octets) for reason in LENIENT)


def _unknown_type(ours: Message, _octets: bytes) -> bool:
    """Values of a type that RFC 3416 does not have stay octets: UInteger32, NsapAddress and makers' own."""
    known = (0x02, 0x04, 0x05, 0x06, 0x40, 0x41, 0x42, 0x43, 0x44, 0x46, 0x80, 0x81, 0x82)
    return any(bind.tag not in known for bind in ours.pdu.varbinds)


def _number_out_of_range(ours: Message, _octets: bytes) -> bool:
    """Numbers outside their type's range, in the PDU's head too, are read as they are."""
    pdu = ours.pdu
    most = {0x41: 2**32, 0x42: 2**32, 0x43: 2**32, 0x46: 2**64, 0x02: 2**31}
    return (
        any(not -(2**31) <= number < 2**31 for number in (pdu.request_id, pdu.error_status, pdu.error_index))
        or pdu.error_index < 0
        or (pdu.kind == snmp.GET_BULK and pdu.error_status < 0)
        or any(_outside(bind.value, most.get(bind.tag)) for bind in pdu.varbinds)
    )


def _outside(value: Value, most: int | None) -> bool:
    return isinstance(value, int) and most is not None and not -(2**31) <= value < most


def _unsigned_without_zero(ours: Message, octets: bytes) -> bool:
    """Unsigned numbers that lack the leading zero are negative to the letter; cards send them so."""
    found = [node for top in parse(octets) or [] for node in top.all()]
    return any(node.tag in {0x41, 0x42, 0x43, 0x46} and node.content[:1] >= b"\x80" for node in found)


def _content_where_none_belongs(ours: Message, octets: bytes) -> bool:
    """NULL and the three exceptions say all by their tag, whatever is in them."""
    found = [node for top in parse(octets) or [] for node in top.all()]
    return any(node.tag in {0x05, 0x80, 0x81, 0x82} and node.content for node in found)


def _name_of_its_own(ours: Message, octets: bytes) -> bool:
    """An OID of no octets is 0.0, and leading 0x80 octets of a sub-identifier are needless, not wrong."""
    found = [node for top in parse(octets) or [] for node in top.all() if node.tag == 0x06]
    return any(not node.content or _needless(node.content) for node in found)


def _needless(content: bytes) -> bool:
    return content[0] == 0x80 or any(before < 0x80 and octet == 0x80 for before, octet in pairwise(content))


def _address_of_another_size(ours: Message, _octets: bytes) -> bool:
    """An IpAddress that has not four octets stays octets."""
    return any(bind.tag == 0x40 and isinstance(bind.value, bytes) for bind in ours.pdu.varbinds)


LENIENT: tuple[Callable[[Message, bytes], bool], ...] = (
    *(_unknown_type, _number_out_of_range, _unsigned_without_zero, _content_where_none_belongs, _name_of_its_own),
    _address_of_another_size,
)
