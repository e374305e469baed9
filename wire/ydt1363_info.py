"""What stands in the INFO of a YD/T 1363 answer: numbers, codes, counted groups, and what is not monitored.

Source: YD/T 1363.3-2005 as its implementations agree on it. Numbers are IEEE 754 of 4 bytes with the low byte first, or
whole numbers of 2 bytes with the high byte first; states and alarms are codes of one byte; a value that the device does
not monitor has 20H in every byte. One exception leaves this module: YdtError.
"""

from dataclasses import dataclass
from typing import Final, Literal

from wire.float32 import float32
from wire.ydt1363 import YdtError

NOT_MONITORED: Final = 0x20
"""Every byte of a value that the device does not monitor."""


@dataclass(frozen=True, slots=True)
class DataFlag:
    """First byte of the answers to 41H to 44H: what has changed and was not read yet."""

    alarms_changed: bool
    states_changed: bool


class Walk:
    """Reads the values of an INFO one after the other; None is "not monitored". Past the end raises YdtError."""

    def __init__(self, info: bytes) -> None:
        self._info = info
        self.at = 0

    @property
    def left(self) -> int:
        """Bytes not read yet."""
        return len(self._info) - self.at

    def take(self, length: int) -> bytes:
        """Read this many bytes as they are."""
        if length > self.left:
            raise YdtError(f"INFO ends at byte {len(self._info)}, but {length} bytes are due from byte {self.at}")
        self.at += length
        return self._info[self.at - length : self.at]

    def since(self, at: int) -> bytes:
        """Return the bytes read from this place on, as they are."""
        return self._info[at : self.at]

    def value(self, length: int) -> bytes | None:
        """Read this many bytes as they are, or None where the device does not monitor them (every byte 20H)."""
        octets = self.take(length)
        return None if octets == bytes((NOT_MONITORED,)) * length else octets

    def float32(self, order: Literal["little", "big"] = "little") -> float | None:
        """Read an IEEE 754 number of 4 bytes, low byte first unless told; None also where it is no number."""
        octets = self.value(4)
        if octets is None:
            return None
        return float32(octets[::-1] if order == "little" else octets)

    def fixed(self, length: int = 2, *, signed: bool = True) -> int | None:
        """Read a whole number, high byte first."""
        octets = self.value(length)
        return None if octets is None else int.from_bytes(octets, "big", signed=signed)

    def code(self) -> int | None:
        """Read one byte of state or alarm."""
        return self.fixed(1, signed=False)

    def count(self) -> int:
        """Read a count byte."""
        return self.take(1)[0]

    def flag(self) -> DataFlag:
        """Read DATAFLAG."""
        flag = self.take(1)[0]
        return DataFlag(alarms_changed=bool(flag & 0x01), states_changed=bool(flag & 0x10))

    def items(self, width: int) -> list[bytes]:
        """Read a counted group: its count byte p, then p items of `width` bytes (4 float, 2 fixed, 1 state)."""
        return [self.take(width) for _ in range(self.count())]

    def text(self, length: int) -> str:
        """Read ASCII text, without the spaces and zeros that fill it up; other bytes show as '?'."""
        octets = self.take(length).rstrip(b" \x00")
        return "".join(chr(octet) if 0x20 <= octet < 0x7F else "?" for octet in octets)


def clock(info: bytes) -> str:
    """Return the time in the answer to 4DH (or the request 4EH), as `2024-09-17 11:59:31`; it names no zone."""
    if len(info) != 7:
        raise YdtError(f"a time has 7 bytes, not {len(info)}")
    year, month, day = int.from_bytes(info[:2], "big"), info[2], info[3]
    hour, minute, second = info[4:]
    if not (1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60 and second < 60):
        raise YdtError(f"{info.hex()} is no time")
    return f"{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"
