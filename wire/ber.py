"""The part of BER that SNMP uses (X.690, narrowed by RFC 3417 section 8): octets in, values out.

Everything works on one `bytes` and offsets into it, without recursion: SNMP nests to a fixed depth, and each level is
read by its own caller.  An offset that leaves its enclosing element raises `MalformedError`; nothing else leaves.

Strict: bounds, definite lengths, depth, sub-identifiers of 32 bits, at most 128 of them.
Tolerant, because cards in the field do it: lengths in a longer form than needed, integers with needless leading
octets, unsigned numbers sent without their leading zero, an OID of no octets (read as 0.0).
"""

from functools import lru_cache

INTEGER, OCTET_STRING, NULL, OBJECT_IDENTIFIER, SEQUENCE = 0x02, 0x04, 0x05, 0x06, 0x30

MAX_SUB_IDENTIFIER = 0xFFFF_FFFF
MAX_SUB_IDENTIFIERS = 128  # RFC 2578 section 3.5
MAX_INTEGER_OCTETS = 9  # Counter64 with its leading zero
NO_BOUND = 1 << 70  # past every length that eight octets can say
MAX_OID_OCTETS = 256  # 128 sub-identifiers as cards have them: most in one octet, indices of characters in one or two


class MalformedError(ValueError):
    """The octets are not what the standard says; the text says what and at which offset."""


class TruncatedError(MalformedError):
    """The datagram ends before the length that it begins with."""


class OversizedError(MalformedError):
    """The datagram goes on after the length that it begins with, or is longer than any can be."""


def head(buf: bytes, at: int, end: int) -> tuple[int, int, int]:
    """Read identifier and length at `at` of an element that must end by `end`: (tag, start, stop) of its content."""
    try:
        tag, start, stop = buf[at], at + 2, at + 2 + buf[at + 1]
    except IndexError:
        raise MalformedError(f"no identifier and length at octet {at}") from None
    if tag & 0x1F == 0x1F:
        raise MalformedError(f"identifier of several octets at octet {at}")
    if buf[at + 1] & 0x80:
        start, stop = long_length(buf, at + 1)
    if stop > end:
        raise MalformedError(f"element at octet {at} ends at {stop}, past its enclosing end {end}")
    return tag, start, stop


def long_length(buf: bytes, at: int) -> tuple[int, int]:
    """Read a length in long form whose first octet is at `at`: (start, stop) of the content, not yet bounded."""
    count = buf[at] & 0x7F
    if not 1 <= count <= 8 or at + 1 + count > len(buf):
        raise MalformedError(f"indefinite, reserved or cut length at octet {at}")
    start = at + 1 + count
    return start, start + int.from_bytes(buf[at + 1 : start], "big")


def expect(buf: bytes, at: int, end: int, tag: int) -> tuple[int, int]:
    """Read the head of an element that must have the identifier `tag`: (start, stop) of its content."""
    found, start, stop = head(buf, at, end)
    if found != tag:
        raise MalformedError(f"identifier {found:#04x} where {tag:#04x} belongs, at octet {at}")
    return start, stop


def integer(buf: bytes, at: int, end: int) -> tuple[int, int]:
    """Read a signed INTEGER element: (value, offset after it)."""
    if buf[at : at + 2] == b"\x02\x01" and at + 3 <= end:  # most are of one octet
        return (buf[at + 2] ^ 0x80) - 0x80, at + 3
    start, stop = expect(buf, at, end, INTEGER)
    if not 1 <= stop - start <= MAX_INTEGER_OCTETS:
        raise MalformedError(f"INTEGER of {stop - start} octets at octet {at}")
    return int.from_bytes(buf[start:stop], "big", signed=True), stop


def octets(buf: bytes, at: int, end: int) -> tuple[bytes, int]:
    """Read an OCTET STRING element: (value, offset after it)."""
    start, stop = expect(buf, at, end, OCTET_STRING)
    return buf[start:stop], stop


@lru_cache(16_384)
def oid(content: bytes) -> str:
    """Give the dotted name ("1.3.6.1") of the content octets of an OBJECT IDENTIFIER.

    Names repeat with every poll, so the last ones are kept; the bound on octets bounds what a hostile agent can fill.
    """
    if not content:
        return "0.0"
    if len(content) > MAX_OID_OCTETS or content[-1] & 0x80:
        raise MalformedError("OBJECT IDENTIFIER too long, or it ends within a sub-identifier")
    numbers: list[int] = []
    number = 0
    for octet in content:
        number = number << 7 | octet & 0x7F
        if number > MAX_SUB_IDENTIFIER:
            raise MalformedError("sub-identifier above 32 bits in an OBJECT IDENTIFIER")
        if octet < 0x80:
            numbers.append(number)
            number = 0
    first = numbers[0]
    numbers[:1] = (0, first) if first < 40 else (1, first - 40) if first < 80 else (2, first - 80)
    if len(numbers) > MAX_SUB_IDENTIFIERS:
        raise MalformedError(f"OBJECT IDENTIFIER of {len(numbers)} sub-identifiers")
    return ".".join(map(str, numbers))


@lru_cache(4096)
def encode_oid(dotted: str) -> bytes:
    """Give the whole OBJECT IDENTIFIER element of a dotted name; `MalformedError` when it is not one."""
    try:
        numbers = [int(part) for part in dotted.split(".")]
    except ValueError:
        raise MalformedError(f"{dotted!r} is not a dotted OID") from None
    if not 2 <= len(numbers) <= MAX_SUB_IDENTIFIERS or numbers[0] > 2 or (numbers[0] < 2 and numbers[1] > 39):
        raise MalformedError(f"{dotted!r} is not an OID: two or more numbers, the first 0..2, the second 0..39 below 2")
    numbers[:2] = [numbers[0] * 40 + numbers[1]]
    content = bytearray()
    for number in numbers:
        if not 0 <= number <= MAX_SUB_IDENTIFIER:
            raise MalformedError(f"{dotted!r} has a number outside 0..{MAX_SUB_IDENTIFIER}")
        groups = [number & 0x7F]
        while number := number >> 7:
            groups.append(number & 0x7F | 0x80)
        content += bytes(reversed(groups))
    return element(OBJECT_IDENTIFIER, bytes(content))


def encode_integer(value: int, tag: int = INTEGER) -> bytes:
    """Give an integer element in its shortest form; unsigned types keep a leading zero where the sign would show."""
    return element(tag, value.to_bytes((value + (value < 0)).bit_length() // 8 + 1, "big", signed=True))


def element(tag: int, content: bytes) -> bytes:
    """Give an element: identifier, shortest definite length, content."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content
