"""Questions that any device may be asked, and readers that take anybody's answer: an answer names its own address."""

from dataclasses import dataclass
from typing import Final

from collectors.line.question import Question
from wire.modbus import Refusal, Reply, ReplyReader, Request, crc16
from wire.ydt1363 import LONGEST, READS, AnswerReader
from wire.ydt1363 import Request as YdtRequest

CLEARING: Final = frozenset({0x43, 0x44})
"""States and alarms: reading them clears flags that another master may wait for."""
UNITS: Final = range(1, 248)


@dataclass(frozen=True, slots=True)
class Knock:
    """A YD/T question that any device of a class may be asked: `info` is hexadecimal text in which ADR may stand."""

    ver: int
    cid1: int
    command: int
    info: str = ""

    def __post_init__(self) -> None:
        if self.command in CLEARING or self.command not in READS:
            raise ValueError(f"{self.command:02X}H is not asked by a search: it writes, or clears what others wait for")

    def question(self, address: int) -> Question:
        """Return the question to an address; its reader takes the answer of any."""
        info = bytes.fromhex(self.info.replace("ADR", f"{address:02X}"))
        request = YdtRequest(self.ver, address, self.cid1, self.command, info)
        with_info = f", {info.hex().upper()}" if info else ""
        key = f"class {self.cid1:02X}H, {READS[self.command]} ({self.command:02X}H{with_info})"
        return Question(key, request.encode(), AnswerReader, LONGEST)


def unit_question(unit: int, function: int) -> Question:
    """Return the question for one register, the first; its reader takes the answer of any unit."""
    request = Request(unit, function, 0, 1)
    return Question(f"function {function}, 1 from 0", request.rtu(), lambda: AnyReply(function), 7)


def register_question(unit: int, function: int, register: int, count: int) -> Question:
    """Return the question for registers or bits of one unit."""
    request = Request(unit, function, register, count)
    key = f"function {function}, {count} from {register}"
    return Question(key, request.rtu(), lambda: ReplyReader(request), request.reply_bytes + 5)


class AnyReply:
    """Finds the first reply of one register, or refusal of it, of whatever unit."""

    def __init__(self, function: int) -> None:
        self._function = function
        self._held = b""
        self.skipped = 0
        self.mismatches = 0

    def feed(self, octets: bytes) -> Reply | Refusal | None:
        """Take bytes; return the reply as soon as its last byte is here, or None."""
        for place in range(len(octets)):
            self._held = (self._held + octets[place : place + 1])[-7:]
            for size in (7, 5):
                if found := self._whole(self._held[-size:], size):
                    self.skipped += len(self._held) - size
                    return found
        return None

    def _whole(self, frame: bytes, size: int) -> Reply | Refusal | None:
        if len(frame) < size or frame[0] not in UNITS or crc16(frame[:-2]) != frame[-2:]:
            return None
        if size == 7:
            fits = (frame[1], frame[2]) == (self._function, 2)
            return Reply(frame[0], self._function, frame[3:5]) if fits else None
        fits = frame[1] == self._function | 0x80 and frame[2] != 0
        return Refusal(frame[0], self._function, frame[2]) if fits else None
