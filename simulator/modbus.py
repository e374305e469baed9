"""A Modbus RTU slave that is read: tables of registers and bits, its identity, the standard's exceptions.

Sources: MODBUS Application Protocol 1.1b3 (6.1 to 6.4, 6.21, 7), MODBUS over Serial Line 1.02 (2.5.1, 6.2.2).
"""

import struct
from collections.abc import Callable, Mapping, Sequence

COILS, DISCRETE, HOLDING, INPUT, IDENTIFY = 1, 2, 3, 4, 43
ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE = 1, 2, 3


def _table() -> tuple[int, ...]:
    entries: list[int] = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
        entries.append(crc)
    return tuple(entries)


_CRC = _table()


def crc(frame: bytes) -> bytes:
    """Return the two check bytes that follow `frame` on the wire, low byte first."""
    value = 0xFFFF
    for byte in frame:
        value = (value >> 8) ^ _CRC[(value ^ byte) & 0xFF]
    return value.to_bytes(2, "little")


Registers = Callable[[], Sequence[int]]
"""Gives all registers of a table from address 0, each 0..65535; of functions 1 and 2 the bits, each 0 or 1."""


class ModbusSlave:
    """One unit on the line; `tables` are its registers or bits by the function that reads them (1, 2, 3, 4).

    `longest` is the most registers in a read, `identity` the maker, product and version that function 43/14 tells.
    """

    def __init__(
        self,
        name: str,
        unit: int,
        tables: Mapping[int, Registers],
        *,
        longest: int = 125,
        identity: tuple[str, str, str] | None = None,
    ) -> None:
        self.name = name
        self._unit = unit
        self._tables = tables
        self._longest = longest
        self._identity = identity

    def answer(self, frame: bytes) -> bytes | None:
        """Return the reply to a whole frame: None unless it is this unit's and its check bytes are right."""
        if len(frame) < 4 or frame[0] != self._unit or crc(frame[:-2]) != frame[-2:]:
            return None
        reply = bytes([self._unit]) + self._reply(frame[1], frame[2:-2])
        return reply + crc(reply)

    def _reply(self, function: int, body: bytes) -> bytes:
        if function == IDENTIFY and self._identity is not None:
            return self._identified(body)
        if function not in self._tables:
            return bytes([function | 0x80, ILLEGAL_FUNCTION])
        if len(body) != 4:
            return bytes([function | 0x80, ILLEGAL_VALUE])
        address, count = struct.unpack(">HH", body)
        bits = function in {COILS, DISCRETE}
        if not 1 <= count <= (16 * self._longest if bits else self._longest):
            return bytes([function | 0x80, ILLEGAL_VALUE])
        values = self._tables[function]()
        if address + count > len(values):
            return bytes([function | 0x80, ILLEGAL_ADDRESS])
        values = values[address : address + count]
        if bits:
            packed = sum(bool(bit) << place for place, bit in enumerate(values)).to_bytes((count + 7) // 8, "little")
            return bytes([function, len(packed)]) + packed
        return struct.pack(f">BB{count}H", function, 2 * count, *values)

    def _identified(self, body: bytes) -> bytes:
        """Answer function 43/14, the basic objects 0 to 2: maker, product, version (6.21 of the protocol)."""
        if len(body) != 3 or body[0] != 14 or body[1] not in {1, 4}:
            return bytes([IDENTIFY | 0x80, ILLEGAL_VALUE])
        found = list(enumerate(self._identity or ()))
        found = found[body[2] :] if body[1] == 1 else found[body[2] : body[2] + 1]
        if not found:
            return bytes([IDENTIFY | 0x80, ILLEGAL_ADDRESS])
        objects = b"".join(bytes([number, len(text)]) + text.encode("ascii") for number, text in found)
        return bytes([IDENTIFY, 14, body[1], 0x81, 0, 0, len(found)]) + objects
