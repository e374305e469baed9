"""A Modbus RTU slave that reads: one function code, one block of registers, the standard's exceptions.

Sources: MODBUS Application Protocol 1.1b3 (6.3, 6.4, 7), MODBUS over Serial Line 1.02 (2.5.1, 6.2.2).
"""

import struct
from collections.abc import Callable, Sequence

HOLDING = 3
INPUT = 4
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


class ModbusSlave:
    """One unit on the line; `registers` gives all its registers from address 0, each 0..65535."""

    def __init__(
        self, name: str, unit: int, function: int, registers: Callable[[], Sequence[int]], *, longest: int = 125
    ) -> None:
        self.name = name
        self._unit = unit
        self._function = function
        self._registers = registers
        self._longest = longest

    def answer(self, frame: bytes) -> bytes | None:
        """Return the reply to a whole frame: None unless it is this unit's and its check bytes are right."""
        if len(frame) < 4 or frame[0] != self._unit or crc(frame[:-2]) != frame[-2:]:
            return None
        reply = bytes([self._unit]) + self._reply(frame[1], frame[2:-2])
        return reply + crc(reply)

    def _reply(self, function: int, body: bytes) -> bytes:
        if function != self._function:
            return bytes([function | 0x80, ILLEGAL_FUNCTION])
        if len(body) != 4:
            return bytes([function | 0x80, ILLEGAL_VALUE])
        address, count = struct.unpack(">HH", body)
        if not 1 <= count <= self._longest:
            return bytes([function | 0x80, ILLEGAL_VALUE])
        registers = self._registers()
        if address + count > len(registers):
            return bytes([function | 0x80, ILLEGAL_ADDRESS])
        return struct.pack(f">BB{count}H", function, 2 * count, *registers[address : address + count])
