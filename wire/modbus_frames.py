"""Modbus frames of either direction, as heard: what a request of any master and the response to it say.

Source: Modbus Application Protocol V1.1b3, sections 6.1 to 6.6, 6.11, 6.12, 6.17, 6.21 and 7. Nothing here encodes:
what writes is understood when another master says it, no more. One exception leaves this module: ModbusError.

After unit and function (values high byte first; n, m are counts of bytes):

    function        request                                          response
    1 to 4          address:2 count:2                                n:1 value:n
    5, 6            address:2 value:2                                the same
    15, 16          address:2 count:2 n:1 value:n                    address:2 count:2
    23              address:2 count:2 address:2 count:2 n:1 value:n  n:1 value:n
    43, 14          0EH code:1 object:1                              0EH code:1 conformity:1 more:1 next:1 objects:1,
                                                                     each id:1 m:1 text:m
    any | 80H                                                        exception:1
"""

import struct
from dataclasses import dataclass
from typing import Final, Literal

from wire.modbus import EXCEPTIONS, ModbusError, crc16

Side = Literal["request", "response", "either"]
"""Direction of a frame; a write of one value is answered by itself, so that alone it is either."""

LONGEST_RTU: Final = 256
"""Most bytes of one frame on a serial line."""

READS: Final = frozenset({1, 2, 3, 4})
WRITES_ONE: Final = frozenset({5, 6})
WRITES_MANY: Final = frozenset({15, 16})
READ_WRITE: Final = 23
ENCAPSULATED: Final = 43
DEVICE_ID: Final = 14

FUNCTIONS: Final = {
    1: "read coils",
    2: "read discrete inputs",
    3: "read holding registers",
    4: "read input registers",
    5: "write one coil",
    6: "write one register",
    15: "write coils",
    16: "write registers",
    23: "read and write registers",
    43: "read device identification",
}

OBJECTS: Final = {
    0: "vendor",
    1: "product",
    2: "revision",
    3: "url",
    4: "product_name",
    5: "model",
    6: "application",
}
"""Objects of the device identification that the standard names (6.21); those from 80H on are the maker's own."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Device identification (43/14): `objects` by number, as they came; `more` asks to go on at object `following`."""

    code: int
    conformity: int
    more: bool
    following: int
    objects: tuple[tuple[int, bytes], ...]

    def named(self) -> dict[str, str]:
        """Return the objects as text by their names (`vendor`, `object_80`); bytes that are no text show as '?'."""
        return {
            OBJECTS.get(number, f"object_{number:02x}"): octets.decode("utf-8", "replace").replace("\ufffd", "?")
            for number, octets in self.objects
        }


@dataclass(frozen=True, slots=True)
class Message:
    """One request or response; a field that such a frame does not have is None.

    `address` counts from 0; `count` is of bits or registers; `octets` is the value read or written, as it came. Of
    function 23 `address` and `count` are what is read, `write_address` and `write_count` what is written before.
    `code` and `first` are what a request for device identification asks for.
    """

    unit: int
    function: int
    side: Side
    address: int | None = None
    count: int | None = None
    value: int | None = None
    octets: bytes | None = None
    write_address: int | None = None
    write_count: int | None = None
    exception: int | None = None
    code: int | None = None
    first: int | None = None
    identity: Identity | None = None

    @property
    def reason(self) -> str:
        """The standard's name of the exception, in words; empty where it is none."""
        return "" if self.exception is None else EXCEPTIONS.get(self.exception, f"exception {self.exception}")

    @property
    def reply_bytes(self) -> int | None:
        """Bytes of value that a request's response carries; None where this is no request that reads."""
        if self.count is None or self.side == "response" or not (self.function in READS or self.function == READ_WRITE):
            return None
        return (self.count + 7) // 8 if self.function <= 2 else 2 * self.count

    def answered_by(self, other: "Message") -> bool:
        """Say whether the other can be the response to this request."""
        if (self.unit, self.function) != (other.unit, other.function) or other.side == "request":
            return False
        if other.exception is not None:
            return True
        if other.octets is not None:
            return len(other.octets) == self.reply_bytes
        return (self.address, self.value) == (other.address, other.value)


def decode_request(frame: bytes) -> Message:
    """Decode a whole RTU frame as a request."""
    return request_of(checked(frame))


def decode_response(frame: bytes) -> Message:
    """Decode a whole RTU frame as a response."""
    return response_of(checked(frame))


def checked(frame: bytes) -> bytes:
    """Return a whole RTU frame without its CRC, which is right."""
    if len(frame) < 5:
        raise ModbusError(f"too short for a frame: {len(frame)} bytes")
    expected = crc16(frame[:-2])
    if expected != frame[-2:]:
        raise ModbusError(f"CRC is {frame[-2:].hex()}, expected {expected.hex()}")
    return frame[:-2]


def request_of(body: bytes) -> Message:
    """Decode a request's unit, function and what follows, without addressing or check sum around it."""
    unit, function = _head(body)
    size = len(body)
    if function in READS | WRITES_ONE and size == 6:
        address, word = struct.unpack_from(">HH", body, 2)
        if function in READS:
            return Message(unit, function, "request", address, count=word)
        return Message(unit, function, "request", address, value=word)
    if function in WRITES_MANY and size > 7 and size == 7 + body[6]:
        address, count = struct.unpack_from(">HH", body, 2)
        if body[6] == ((count + 7) // 8 if function == 15 else 2 * count):
            return Message(unit, function, "request", address, count, octets=body[7:])
    if function == READ_WRITE and size > 11 and size == 11 + body[10]:
        address, count, write_address, write_count = struct.unpack_from(">HHHH", body, 2)
        if body[10] == 2 * write_count:
            written = {"octets": body[11:], "write_address": write_address, "write_count": write_count}
            return Message(unit, function, "request", address, count, **written)
    if function == ENCAPSULATED and size == 5 and body[2] == DEVICE_ID:
        return Message(unit, function, "request", code=body[3], first=body[4])
    raise ModbusError(f"not a request of function {function}: {size - 2} bytes after it")


def response_of(body: bytes) -> Message:
    """Decode a response's unit, function and what follows, without addressing or check sum around it."""
    unit, function = _head(body)
    size = len(body)
    if function & 0x80 and size == 3 and body[2]:
        return Message(unit, function & 0x7F, "response", exception=body[2])
    if (function in READS or function == READ_WRITE) and size > 3 and size == 3 + body[2]:
        if function <= 2 or body[2] % 2 == 0:
            return Message(unit, function, "response", octets=body[3:])
        raise ModbusError(f"{body[2]} bytes are not whole registers")
    if function in WRITES_ONE | WRITES_MANY and size == 6:
        address, word = struct.unpack_from(">HH", body, 2)
        if function in WRITES_ONE:
            return Message(unit, function, "response", address, value=word)
        return Message(unit, function, "response", address, count=word)
    if function == ENCAPSULATED and size >= 8 and body[2] == DEVICE_ID:
        return Message(unit, function, "response", identity=_identity(body))
    raise ModbusError(f"not a response of function {function}: {size - 2} bytes after it")


def _head(body: bytes) -> tuple[int, int]:
    if len(body) < 3:
        raise ModbusError(f"too short for unit, function and what follows: {len(body)} bytes")
    return body[0], body[1]


def _identity(body: bytes) -> Identity:
    objects, at = list[tuple[int, bytes]](), 8
    for _ in range(body[7]):
        if at + 2 > len(body) or at + 2 + body[at + 1] > len(body):
            raise ModbusError(f"the device identification ends within object {len(objects) + 1} of {body[7]}")
        objects.append((body[at], body[at + 2 : at + 2 + body[at + 1]]))
        at += 2 + body[at + 1]
    if at != len(body):
        raise ModbusError(f"{len(body) - at} bytes after the device identification's objects")
    return Identity(body[3], body[4], bool(body[5]), body[6], tuple(objects))


def sizes(octets: bytes | bytearray, start: int) -> tuple[list[int], bool]:
    """Return how many bytes an RTU frame that begins at `start` can have, its CRC included, in ascending order.

    The second is True while more bytes could tell of another size. No size and False: no frame begins here.
    """
    here = len(octets) - start
    if here < 2:
        return [], True
    function = octets[start + 1]
    if function & 0x80:
        return ([5], False) if function & 0x7F in FUNCTIONS else ([], False)
    if function in WRITES_ONE:
        return [8], False
    if function in READS:
        return _sizes_of([8], octets, start, here, count_at=2, around=5)
    if function in WRITES_MANY:
        return _sizes_of([8], octets, start, here, count_at=6, around=9)
    if function == READ_WRITE:
        found, more = _sizes_of([], octets, start, here, count_at=2, around=5)
        return _sizes_of(found, octets, start, here, count_at=10, around=13, undecided=more)
    if function == ENCAPSULATED:
        return _sizes_of_identity(octets, start, here)
    return [], False


def _sizes_of(
    others: list[int],
    octets: bytes | bytearray,
    start: int,
    here: int,
    *,
    count_at: int,
    around: int,
    undecided: bool = False,
) -> tuple[list[int], bool]:
    """Add the size of a frame that says its count of bytes at `count_at` and has `around` bytes besides."""
    if here <= count_at:
        return others, True
    count = octets[start + count_at]
    fits = 0 < count <= LONGEST_RTU - around
    return sorted({*others, count + around}) if fits else others, undecided


def _sizes_of_identity(octets: bytes | bytearray, start: int, here: int) -> tuple[list[int], bool]:
    if here < 3 or octets[start + 2] != DEVICE_ID:
        return [], here < 3
    if here < 8:
        return [7], True
    at, end = start + 8, len(octets)
    for _ in range(octets[start + 7]):
        if at - start > LONGEST_RTU - 4:
            return [7], False
        if at + 2 > end:
            return [7], True
        at += 2 + octets[at + 1]
    size = at - start + 2
    return ([7, size], False) if size <= LONGEST_RTU else ([7], False)
