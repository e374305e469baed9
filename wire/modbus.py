"""Modbus: read requests as bytes, replies out of whatever bytes come back.

Sources: Modbus Application Protocol V1.1b3 (functions, exceptions), Modbus over Serial Line V1.02 (RTU frame, CRC-16).
Modbus TCP is `wire.modbus_tcp`, device identification `wire.modbus_identity`, frames of any function and direction as
heard `wire.modbus_frames`. Only functions 1 to 4 can be asked for: nothing here writes to a device. One exception
leaves this module: ModbusError.

An RTU frame has no start mark and no length. What is known is the question, so a reply is searched for: unit, function,
byte count and CRC must all be those of the expected reply, at whatever place in the bytes they stand.

    request    unit  function  address:2  count:2  crc:2 (low byte first)
    reply      unit  function  bytes:1    value:bytes  crc:2
    exception  unit  function|80H  code:1  crc:2
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from wire.float32 import float32 as shortest

COILS: Final = 1
DISCRETE_INPUTS: Final = 2
HOLDING_REGISTERS: Final = 3
INPUT_REGISTERS: Final = 4

LONGEST: Final = {COILS: 2000, DISCRETE_INPUTS: 2000, HOLDING_REGISTERS: 125, INPUT_REGISTERS: 125}
"""Most bits or registers that one request may ask for, by function."""

EXCEPTIONS: Final = {
    1: "illegal function",
    2: "illegal address",
    3: "illegal value",
    4: "device failure",
    5: "acknowledged, not ready",
    6: "device busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target did not answer",
}

Order = Literal["big", "little"]


class ModbusError(ValueError):
    """A request that must not be sent, or bytes that are not the frame they were taken for."""


def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
        table.append(crc)
    return tuple(table)


_CRC: Final = _crc_table()


def crc16(octets: bytes | bytearray | memoryview) -> bytes:
    """CRC-16 of Modbus (polynomial A001H reflected, start FFFFH) as its two bytes on the wire, low byte first."""
    crc = 0xFFFF
    for byte in octets:
        crc = (crc >> 8) ^ _CRC[(crc ^ byte) & 0xFF]
    return crc.to_bytes(2, "little")


@dataclass(frozen=True, slots=True)
class Request:
    """A question to one unit (1..247; 0 is broadcast and never answered): `count` bits or registers from `address`."""

    unit: int
    function: int
    address: int
    count: int

    def __post_init__(self) -> None:
        if self.function not in LONGEST:
            raise ModbusError(f"function {self.function} is not a read (1 to 4)")
        if not 1 <= self.unit <= 255:
            raise ModbusError(f"unit {self.unit} is not within 1 to 255")
        if not 1 <= self.count <= LONGEST[self.function]:
            raise ModbusError(f"count {self.count} is not within 1 to {LONGEST[self.function]}")
        if self.address < 0 or self.address + self.count > 0x10000:
            raise ModbusError(f"address {self.address} with count {self.count} is not within 0 to 65535")

    @property
    def pdu(self) -> bytes:
        """The request without addressing and check sum: function, address, count."""
        return struct.pack(">BHH", self.function, self.address, self.count)

    @property
    def reply_bytes(self) -> int:
        """Bytes of value that the reply carries."""
        return self.count * 2 if self.function in (HOLDING_REGISTERS, INPUT_REGISTERS) else (self.count + 7) // 8

    def rtu(self) -> bytes:
        """Encode for a serial line: 8 bytes."""
        frame = bytes((self.unit,)) + self.pdu
        return frame + crc16(frame)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a unit answered to a read: the value's bytes as they came."""

    unit: int
    function: int
    octets: bytes

    @property
    def registers(self) -> tuple[int, ...]:
        """The value as 16-bit registers, 0..65535 each (functions 3 and 4)."""
        if len(self.octets) % 2:
            raise ModbusError(f"{len(self.octets)} bytes are not whole registers")
        return struct.unpack(f">{len(self.octets) // 2}H", self.octets)

    @property
    def bits(self) -> tuple[bool, ...]:
        """The value as bits, lowest first, filled up to whole bytes (functions 1 and 2)."""
        return tuple(bool(byte >> bit & 1) for byte in self.octets for bit in range(8))


@dataclass(frozen=True, slots=True)
class Refusal:
    """An exception reply: the unit is alive and will not answer this (`code`, see EXCEPTIONS)."""

    unit: int
    function: int
    code: int

    @property
    def reason(self) -> str:
        """The standard's name of the code, in words."""
        return EXCEPTIONS.get(self.code, f"exception {self.code}")


class ReplyReader:
    """Finds the reply to one request in bytes that come in any pieces, with noise before, after or instead of it.

    Holds at most one reply's length of bytes and looks at each byte as the end of a reply once. `mismatches` counts the
    places that looked like the reply but for their CRC, `skipped` the bytes that were no part of it.
    """

    def __init__(self, request: Request) -> None:
        self._reply = bytes((request.unit, request.function, request.reply_bytes))
        self._refusal = bytes((request.unit, request.function | 0x80))
        self._length = request.reply_bytes + 5
        self._held = bytearray()
        self.mismatches = 0
        self.skipped = 0

    def feed(self, octets: bytes) -> Reply | Refusal | None:
        """Take bytes; return the reply as soon as its last byte is here, or None."""
        seen = len(self._held)
        self._held += octets
        refusal = self._refusal_behind(seen)
        found = self._reply_behind(seen, refusal[0] if refusal else len(self._held)) or refusal
        if found:
            self.skipped += len(self._held) - (self._length if isinstance(found[1], Reply) else 5)
            self._held.clear()
            return found[1]
        spare = len(self._held) - max(self._length, 5)
        if spare > 0:
            del self._held[:spare]
            self.skipped += spare
        return None

    def _reply_behind(self, seen: int, until: int) -> tuple[int, Reply] | None:
        """Return the first reply that ends behind the bytes seen before and not behind `until`, and where it ends."""
        for end in self._ends(self._reply, self._length, seen, until):
            start = end - self._length
            if crc16(self._held[start : end - 2]) == self._held[end - 2 : end]:
                return end, Reply(self._reply[0], self._reply[1], bytes(self._held[start + 3 : end - 2]))
            self.mismatches += 1
        return None

    def _refusal_behind(self, seen: int) -> tuple[int, Refusal] | None:
        for end in self._ends(self._refusal, 5, seen, len(self._held)):
            code = self._held[end - 3]
            if code and crc16(self._held[end - 5 : end - 2]) == self._held[end - 2 : end]:
                return end, Refusal(self._reply[0], self._reply[1], code)
        return None

    def _ends(self, head: bytes, length: int, seen: int, until: int) -> Iterator[int]:
        """Give the ends, after `seen` and up to `until`, of what begins with this head and has this length."""
        start, last = max(0, seen - length + 1), max(0, until - length + len(head))
        while (start := self._held.find(head, start, last)) >= 0:
            yield start + length
            start += 1


def whole_number(registers: tuple[int, ...], *, signed: bool, order: Order = "big") -> int:
    """Put 1, 2 or 4 registers together into a number; `order` says which register is the high one (big: the first)."""
    words = registers if order == "big" else registers[::-1]
    octets = b"".join(word.to_bytes(2, "big") for word in words)
    return int.from_bytes(octets, "big", signed=signed)


def float32(registers: tuple[int, ...], *, order: Order = "big") -> float | None:
    """Put 2 registers together into an IEEE 754 number; None where it is no number (NaN, infinite)."""
    octets = whole_number(registers, signed=False, order=order).to_bytes(4, "big")
    return shortest(octets)
