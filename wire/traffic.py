"""What is said on a line by others: frames of both directions, Modbus RTU and YD/T 1363 mixed on one pair.

Whoever only listens knows no question, so a frame must tell itself: every place of the stream is tried, in order, with
each size that a frame beginning there can have (`wire.modbus_frames.sizes`; from SOI to EOI for text), until a check
sum is right. While the line is in step a frame begins where the one before ended, and what looks like a frame within
another is never tried. A pause ends whatever has begun. What a frame is, request or response, follows from its form;
where the form leaves it open, from the request before.

Pure: time is an argument, in seconds of any clock that does not go back. At most one longest frame of text is held, and
each byte is tried as the first one of a frame once: the work is bounded by three check sums of 256 bytes for each byte.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal

from wire.modbus import ModbusError, crc16
from wire.modbus_frames import FUNCTIONS, Message, Side, request_of, response_of, sizes
from wire.ydt1363 import EOI, LONGEST, MAKERS_RTN, SOI, Frame, YdtError, decode

_TEXT: Final = re.compile(rb"[0-9A-Fa-f]*")
_BEGIN: Final = re.compile(
    b"~[0-9A-Fa-f]|.[" + re.escape(bytes(byte for each in FUNCTIONS for byte in (each, each | 0x80))) + b"]", re.DOTALL
)
"""SOI and text, or a unit and one of the functions, as it is or refused."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One frame: when its last byte came, what it says, and its bytes as they were on the wire.

    `request` is what a response answers; None where that was not heard, and for everything else. `either`: a frame that
    alone could be both (a write of one value; a code of the maker's own, which may be its command or its RTN).
    """

    at: float
    side: Side
    octets: bytes
    message: Message | Frame
    request: "Heard | None" = None

    @property
    def protocol(self) -> Literal["modbus", "ydt1363"]:
        """The device definitions' name of the protocol."""
        return "modbus" if isinstance(self.message, Message) else "ydt1363"

    @property
    def unit(self) -> int:
        """The unit (Modbus) or ADR (YD/T 1363)."""
        return self.message.unit if isinstance(self.message, Message) else self.message.adr

    @property
    def function(self) -> int:
        """The function (Modbus) or CID1, the class of device (YD/T 1363)."""
        return self.message.function if isinstance(self.message, Message) else self.message.cid1


LONGEST_READ: Final = 2000
"""Most bits that a request may ask for."""


class Talk:
    """Who speaks: tells requests from responses by their form, and by the request before where the form is not enough.

    A response is expected until `patience` seconds after its request; `asked` is the request that none has answered.
    """

    def __init__(self, *, patience: float = 5.0) -> None:
        self._patience = patience
        self._begun = False
        self.asked: Heard | None = None

    def placed(self, said: list[Message] | Frame, octets: bytes, at: float) -> Heard:
        """Return a frame with its side and what it answers; of Modbus, `said` is what it can be as either side."""
        asked = self.asked
        if asked is not None and at - asked.at > self._patience:
            asked = None
        if isinstance(said, Frame):
            heard = _of_ydt(said, octets, asked, at)
        else:
            heard = _of_modbus(said, octets, asked, at, begun=self._begun)
        self._begun = True
        if heard.side != "response":
            self.asked = heard
        elif heard.request is not None:
            self.asked = None
        return heard


class TrafficReader:
    """Finds every frame in bytes that come in any pieces, with noise around them.

    `pause` is the silence in seconds that ends a frame, whole or not; `patience` how long after a request its response
    is expected. `skipped` counts bytes that were no part of a frame; `mismatches` lines of text that were no frame, and
    responses that were due but for their CRC.
    """

    def __init__(self, *, pause: float = 0.25, patience: float = 5.0) -> None:
        self._pause = pause
        self._talk = Talk(patience=patience)
        self._held = bytearray()
        self._refused = 0  # the largest size that the first held byte was tried with
        self._text = 1  # characters from the first held byte on that are known to be text
        self._last = 0.0
        self.skipped = 0
        self.mismatches = 0

    @property
    def held(self) -> int:
        """Bytes that may still become a frame."""
        return len(self._held)

    def feed(self, octets: bytes, at: float) -> list[Heard]:
        """Take bytes that came at this time, or none to say that nothing came; return the frames that are whole now."""
        found = []
        if self._held and at - self._last > self._pause:
            found = self._scan(ended=True)
        if octets:
            self._last = at
            self._held += octets
            found += self._scan(ended=False)
        return found

    def _scan(self, *, ended: bool) -> list[Heard]:
        held, found, start = self._held, list[Heard](), 0
        while start < len(held):
            size, said = self._at(start)
            if not size and not ended:
                break
            if said is not None:
                found.append(self._talk.placed(said, bytes(held[start : start + size]), self._last))
            else:
                size = max(size, 1, self._next_start(start + 1) - start)
                self.skipped += size
            start += size
            self._refused, self._text = 0, 1
        del held[:start]
        return found

    def _next_start(self, at: int) -> int:
        """Return the next place where a frame can begin, by its second byte: there are few in noise."""
        begin = _BEGIN.search(self._held, at)
        return begin.start() if begin else max(at, len(self._held) - 1)

    def _at(self, start: int) -> tuple[int, list[Message] | Frame | None]:
        """Say what begins here: its bytes and its readings, the bytes to skip and None, or 0 and None to wait."""
        held = self._held
        if held[start] == SOI:
            if start + 1 == len(held):
                return 0, None
            if _TEXT.fullmatch(held, start + 1, start + 2):
                return self._line_at(start)
        found, more = sizes(held, start)
        for size in found:
            if size <= self._refused:
                continue
            if start + size > len(held):
                return 0, None
            self._refused = size
            if said := self._read(held, start, size):
                return size, said
        return 0 if more else 1, None

    def _line_at(self, start: int) -> tuple[int, Frame | None]:
        text = _TEXT.match(self._held, start + self._text)
        end = text.end() if text else start + self._text
        self._text = end - start
        if self._text >= LONGEST:
            return 1, None
        if end == len(self._held):
            return 0, None
        if self._held[end] != EOI:
            return 1, None
        try:
            return end + 1 - start, decode(bytes(self._held[start : end + 1]))
        except YdtError:
            self.mismatches += 1
            return end + 1 - start, None

    def _read(self, held: bytearray, start: int, size: int) -> list[Message]:
        """Return every reading of these bytes as a frame; none where the CRC is wrong."""
        body = bytes(held[start : start + size - 2])
        if crc16(body) == held[start + size - 2 : start + size]:
            return readings(body)
        asked = self._talk.asked.message if self._talk.asked else None
        if isinstance(asked, Message) and (asked.unit, asked.function) == (body[0], body[1]):
            self.mismatches += any(asked.answered_by(message) for message in readings(body))
        return []


def readings(body: bytes) -> list[Message]:
    """Return what unit, function and what follows can say: as a request, as a response, as both, or nothing."""
    found = list[Message]()
    for read in (request_of, response_of):
        try:
            found.append(read(body))
        except ModbusError:
            continue
    return found


def _of_ydt(frame: Frame, octets: bytes, asked: Heard | None, at: float) -> Heard:
    due = (
        asked is not None
        and isinstance(asked.message, Frame)
        and frame.answers(asked.message.adr, asked.message.cid1, asked.message.code)
        and asked.octets != octets
    )
    if 0x40 <= frame.code < 0x80:
        return Heard(at, "request", octets, frame)
    if frame.code < 0x40 or (due and not frame.info and frame.code in MAKERS_RTN):
        return Heard(at, "response", octets, frame, asked if due else None)
    return Heard(at, "either", octets, frame)


def _of_modbus(said: list[Message], octets: bytes, asked: Heard | None, at: float, *, begun: bool) -> Heard:
    question = asked.message if asked is not None and isinstance(asked.message, Message) else None
    for message in said:
        if message.side == "response" and question is not None and question.answered_by(message):
            return Heard(at, "response", octets, message, asked)
    # A write of one value with no such request before it is the request; the first frame of all could be its answer.
    alike = len(said) == 2 and said[0].value is not None
    if len(said) == 2 and said[0].count is not None and not 0 < said[0].count <= LONGEST_READ:
        return Heard(at, "response", octets, said[1])  # three bytes of bits, which as a request would ask for too many
    return Heard(at, "either" if alike and not begun else said[0].side, octets, said[0])
