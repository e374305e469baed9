"""Device identification, function 43/14: what a device says of its maker and kind (Modbus Application Protocol 6.21).

A request asks for the objects of a category from a number on; what does not fit into one frame is asked for again from
the number that the answer names. One exception leaves this module: ModbusError.
"""

from dataclasses import dataclass
from typing import Final

from wire.modbus import ModbusError, Refusal, crc16
from wire.modbus_frames import DEVICE_ID, ENCAPSULATED, LONGEST_RTU, Identity, response_of

BASIC: Final = 1
"""Vendor, product and revision; every device that answers has them."""
REGULAR: Final = 2
EXTENDED: Final = 3
SINGLE: Final = 4
"""One object, by its number."""


@dataclass(frozen=True, slots=True)
class IdentityRequest:
    """A question to one unit (1..255) for the objects of a category (`code`, 1 to 4) from object `first` (0..255)."""

    unit: int
    code: int = BASIC
    first: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.unit <= 255:
            raise ModbusError(f"unit {self.unit} is not within 1 to 255")
        if not (1 <= self.code <= 4 and 0 <= self.first <= 255):
            raise ModbusError(f"code {self.code} with object {self.first} is not within 1 to 4 with 0 to 255")

    @property
    def pdu(self) -> bytes:
        """The request without addressing and check sum."""
        return bytes((ENCAPSULATED, DEVICE_ID, self.code, self.first))

    def rtu(self) -> bytes:
        """Encode for a serial line: 7 bytes."""
        frame = bytes((self.unit,)) + self.pdu
        return frame + crc16(frame)


@dataclass(slots=True)
class _Start:
    """A place where the answer may begin: where its next object stands, and how many are left (-1: not said yet).

    `refused`: it would be an exception, of 5 bytes.
    """

    at: int
    next: int = 0
    left: int = -1
    refused: bool = False


class IdentityReader:
    """Finds the answer to one IdentityRequest in bytes that come in any pieces, with noise before, after or within.

    Every place that begins like the answer is followed until its end, each object of it looked at once; holds at most
    one longest frame. `mismatches` counts the places whose CRC is wrong, `skipped` the bytes that were no part of the
    answer.
    """

    def __init__(self, request: IdentityRequest) -> None:
        self._answer = bytes((request.unit, ENCAPSULATED, DEVICE_ID, request.code))
        self._refusal = bytes((request.unit, ENCAPSULATED | 0x80))
        self._held = bytearray()
        self._starts: list[_Start] = []
        self.mismatches = 0
        self.skipped = 0

    def feed(self, octets: bytes) -> Identity | Refusal | None:
        """Take bytes; return the answer as soon as its last byte is here, or None."""
        seen = len(self._held)
        self._held += octets
        self._begin(self._answer, seen)
        self._begin(self._refusal, seen)
        found = self._first()
        if found is not None:
            self._forget(len(self._held))
            return found
        self._forget(min([start.at for start in self._starts], default=len(self._held) - len(self._answer) + 1))
        return None

    def _begin(self, head: bytes, seen: int) -> None:
        """Follow every place where this head ends behind the bytes seen before."""
        at = max(0, seen - len(head) + 1)
        while (at := self._held.find(head, at)) >= 0:
            self._starts.append(_Start(at, refused=head == self._refusal))
            at += 1

    def _first(self) -> Identity | Refusal | None:
        """Return the answer that ends first; forget the places that were none."""
        ended, going = list[tuple[int, _Start]](), list[_Start]()
        for start in self._starts:
            end = start.at + 5 if start.refused else self._end(start)
            if not end or end > len(self._held):
                going += [start] if end <= start.at + LONGEST_RTU else []
            elif end <= start.at + LONGEST_RTU:
                ended.append((end, start))
        self._starts = going
        for end, start in sorted(ended, key=lambda each: each[0]):
            body = bytes(self._held[start.at : end - 2])
            if crc16(body) == self._held[end - 2 : end] and (not start.refused or body[2]):
                self.skipped -= end - start.at
                return Refusal(body[0], ENCAPSULATED, body[2]) if start.refused else response_of(body).identity
            self.mismatches += not start.refused
        return None

    def _end(self, start: _Start) -> int:
        """Return where the frame that begins there ends; 0 while that is not known."""
        if start.left < 0:
            if len(self._held) < start.at + 8:
                return 0
            start.left, start.next = self._held[start.at + 7], start.at + 8
        while start.left:
            if len(self._held) < start.next + 2:
                return 0
            start.next += 2 + self._held[start.next + 1]
            start.left -= 1
            if start.next > start.at + LONGEST_RTU:
                break
        return start.next + 2

    def _forget(self, count: int) -> None:
        """Let go of the first bytes, which are part of nothing any more."""
        if count <= 0:
            return
        del self._held[:count]
        self.skipped += count
        kept = (each for each in self._starts if each.at >= count)
        self._starts = [_Start(each.at - count, max(0, each.next - count), each.left, each.refused) for each in kept]
