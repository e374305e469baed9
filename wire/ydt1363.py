"""YD/T 1363.3 (电总协议, YDN 023): requests as bytes, answers out of whatever bytes come back.

Sources: YD/T 1363.3-2005 as its implementations agree on it, checked against published frames. A frame is one line of
ASCII; between SOI and EOI everything is hexadecimal text, two characters a byte, high byte first:

    ~ 20 01 46 42 E002 01 FD35 CR
    | |  |  |  |  |    |  |    EOI 0DH
    | |  |  |  |  |    |  CHKSUM  -(sum of all characters from VER to the end of INFO) mod 65536
    | |  |  |  |  |    INFO       LENID characters
    | |  |  |  |  LENGTH          LCHKSUM (-(sum of LENID's three digits) mod 16), then LENID (12 bits)
    | |  |  |  CID2 in a request, RTN in an answer
    | |  |  CID1                  class of device
    | |  ADR                      1 to 254; several batteries use 0
    | VER
    SOI 7EH

Only commands that read can be asked for: nothing here writes to a device. One exception leaves this module: YdtError.
What stands in INFO is `wire.ydt1363_info`. What devices do otherwise and is understood all the same is a Quirk; CHKSUM
must be right always.
"""

import binascii
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

SOI: Final = 0x7E
EOI: Final = 0x0D
LONGEST: Final = 18 + 4095
"""Most characters of one frame, SOI and EOI included."""
OTHER_SOI: Final = 0x3E
"""What one maker's batteries begin a frame with; they answer with the command where CID1 stands."""
SHORTEST: Final = 18
"""Characters of a frame without INFO."""

READS: Final = {
    0x41: "analog values, float",
    0x42: "analog values, fixed point",
    0x43: "states",
    0x44: "alarms",
    0x46: "parameters, float",
    0x47: "parameters, fixed point",
    0x4D: "time",
    0x4F: "protocol version",
    0x50: "address",
    0x51: "maker",
}
"""CID2 that only read. Not here: control and writes (45, 48, 49, 4E), history (its reading moves a pointer)."""

RTN: Final = {
    0x00: "ok",
    0x01: "VER wrong",
    0x02: "CHKSUM wrong",
    0x03: "LCHKSUM wrong",
    0x04: "CID2 not served",
    0x05: "command format wrong",
    0x06: "command data invalid",
}


MAKERS_RTN: Final = frozenset({0x90, 0x91, 0xE0, 0xE1, 0xE2, 0xE3, 0xE4})
"""Return codes of makers that were seen; 80H to EFH are theirs, as return codes and as commands."""


class YdtError(ValueError):
    """A request that must not be sent, or bytes that are not what they were taken for."""


class Quirk(StrEnum):
    """What a frame has that the standard has not; seen in the field, and harmless where CHKSUM is right."""

    NO_SOI = "SOI is missing or another character"
    SOI_3EH = "SOI is 3EH"
    LENID_IN_BYTES = "LENID counts bytes, not characters"
    LCHKSUM_MODULO_15 = "LCHKSUM is reckoned modulo 15"


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of either direction; `code` is CID2 in a request and RTN in an answer.

    `quirks` say how it was read, and do not make it another frame.
    """

    ver: int
    adr: int
    cid1: int
    code: int
    info: bytes = b""
    quirks: tuple[Quirk, ...] = field(default=(), compare=False)

    def answers(self, adr: int, cid1: int, command: int) -> bool:
        """Tell whether it is of this address and class; with SOI 3EH the command stands where CID1 does."""
        return self.adr == adr and (self.cid1 == cid1 or (Quirk.SOI_3EH in self.quirks and self.cid1 == command))

    def encode(self) -> bytes:
        """Encode as on the wire, SOI to EOI."""
        if max(self.ver, self.adr, self.cid1, self.code) > 0xFF or min(self.ver, self.adr, self.cid1, self.code) < 0:
            raise YdtError(f"a field is not one byte: {self}")
        if len(self.info) > 2047:
            raise YdtError(f"INFO of {len(self.info)} bytes is longer than 2047")
        head = bytes((self.ver, self.adr, self.cid1, self.code)).hex()
        text = f"{head}{length_field(len(self.info) * 2):04X}{self.info.hex()}".upper().encode()
        return b"~" + text + f"{chksum(text):04X}".encode() + b"\r"


@dataclass(frozen=True, slots=True)
class Request:
    """A question to one address: `command` is CID2 (one of READS), `info` its data, often empty or one group byte."""

    ver: int
    adr: int
    cid1: int
    command: int
    info: bytes = b""

    def __post_init__(self) -> None:
        if self.command not in READS:
            raise YdtError(f"command {self.command:02X}H is not a read")
        if not 0 <= self.adr <= 254:
            raise YdtError(f"address {self.adr} is not within 0 to 254")

    def encode(self) -> bytes:
        """Encode as on the wire, SOI to EOI."""
        return Frame(self.ver, self.adr, self.cid1, self.command, self.info).encode()


def length_field(lenid: int) -> int:
    """LENGTH for this many characters of INFO: the check digit LCHKSUM in front of LENID."""
    digits = (lenid >> 8) + (lenid >> 4 & 15) + (lenid & 15)
    return (-digits & 15) << 12 | lenid


def chksum(text: bytes) -> int:
    """CHKSUM of the characters from VER to the end of INFO."""
    return -sum(text) & 0xFFFF


def rtn_name(code: int) -> str:
    """Name a return code in words; 80H and above are the maker's own."""
    return RTN.get(code, f"maker's code {code:02X}H" if code >= 0x80 else f"code {code:02X}H")


def decode(line: bytes) -> Frame:
    """Decode one whole frame, SOI to EOI; anything that is not exactly a frame raises YdtError."""
    if len(line) < SHORTEST or line[0] != SOI or line[-1] != EOI:
        raise YdtError(f"not a frame: shorter than {SHORTEST} characters, or not from SOI to EOI")
    return decode_text(line[1:-1])


def decode_text(line: bytes, *quirks: Quirk) -> Frame:
    """Decode what stands between SOI and EOI; these quirks were seen before."""
    if len(line) < SHORTEST - 2:
        raise YdtError(f"{len(line)} characters are too few; a frame has {SHORTEST - 2} between SOI and EOI")
    text, written = line[:-4], line[-4:]
    try:
        octets = binascii.unhexlify(text)
        checksum = int.from_bytes(binascii.unhexlify(written), "big")
    except binascii.Error:
        raise YdtError(f"not hexadecimal text of whole bytes: {len(line)} characters") from None
    if checksum != chksum(text):
        raise YdtError(f"CHKSUM is {checksum:04X}, expected {chksum(text):04X}")
    more = _length_quirks(int.from_bytes(octets[4:6], "big"), len(text) - 12)
    return Frame(octets[0], octets[1], octets[2], octets[3], octets[6:], (*quirks, *more))


def _length_quirks(length: int, characters: int) -> list[Quirk]:
    """Check LENGTH against the characters that INFO has; return what is odd about it."""
    lenid, found = length & 0xFFF, list[Quirk]()
    if length != length_field(lenid):
        digits = (lenid >> 8) + (lenid >> 4 & 15) + (lenid & 15)
        if length >> 12 not in {-digits % 15, -(digits % 15) & 15}:
            raise YdtError(f"LCHKSUM is {length >> 12:X}, expected {length_field(lenid) >> 12:X}")
        found.append(Quirk.LCHKSUM_MODULO_15)
    if lenid != characters:
        if 2 * lenid != characters:
            raise YdtError(f"INFO has {characters} characters, expected {lenid} by LENID")
        found.append(Quirk.LENID_IN_BYTES)
    return found


class FrameReader:
    """Finds frames in bytes that come in any pieces, with noise around them.

    A frame is the hexadecimal text before an EOI, from SOI on; where SOI was lost on the way (a driver that takes the
    line too late), the whole of that text. Never holds more than one longest frame. `errors` counts texts begun by SOI
    that were no frame, `skipped` the bytes outside of them.
    """

    def __init__(self) -> None:
        self._text = bytearray()
        self._mark = 0  # the character before the text
        self.errors = 0
        self.skipped = 0

    @property
    def held(self) -> int:
        """Bytes that may still become a frame."""
        return len(self._text)

    def feed(self, octets: bytes) -> list[Frame]:
        """Take bytes; return the frames that are whole now."""
        frames = []
        for run in _RUNS.finditer(octets):
            self._text += run[1]
            if len(self._text) > LONGEST:
                self._drop()
            if run[2]:
                if run[2][0] == EOI and (frame := self._frame()):
                    frames.append(frame)
                else:
                    self._drop()
                    self._mark = run[2][0]
                    self.skipped += self._mark != SOI
        return frames

    def _frame(self) -> Frame | None:
        if self._mark != SOI and len(self._text) < SHORTEST - 2:
            return None
        try:
            frame = decode_text(bytes(self._text), *soi_quirks(self._mark))
        except YdtError:
            return None
        self._text.clear()
        self._mark = 0
        return frame

    def _drop(self) -> None:
        if self._mark == SOI:
            self.errors += 1
        else:
            self.skipped += len(self._text)
        self._text.clear()
        self._mark = 0


def soi_quirks(mark: int) -> tuple[Quirk, ...]:
    """Return what is odd about the character before the text of a frame; 0 where there is none."""
    if mark == SOI:
        return ()
    return (Quirk.SOI_3EH if mark == OTHER_SOI else Quirk.NO_SOI,)


_RUNS: Final = re.compile(rb"([0-9A-Fa-f]*)([^0-9A-Fa-f]?)", re.DOTALL)


class AnswerReader:
    """Finds the answer to one request: the frame of its address and class whose code is a return code.

    Without a request, that of whomever: who he is, is what was asked.

    VER is the slave's own and is not compared. A frame with a command (40H to 7FH) in the place of RTN is a request,
    heard back or from another master. `foreign` counts frames that were not the answer.
    """

    def __init__(self, request: Request | None = None) -> None:
        self._frames = FrameReader()
        self._request = request
        self.foreign = 0

    @property
    def mismatches(self) -> int:
        """Lines from SOI to EOI that were no frame."""
        return self._frames.errors

    @property
    def skipped(self) -> int:
        """Bytes outside of any frame."""
        return self._frames.skipped

    def feed(self, octets: bytes) -> Frame | None:
        """Take bytes; return the answer as soon as its EOI is here, or None."""
        for frame in self._frames.feed(octets):
            if not 0x40 <= frame.code < 0x80 and self._answers(frame):
                return frame
            self.foreign += 1
        return None

    def _answers(self, frame: Frame) -> bool:
        asked = self._request
        return asked is None or frame.answers(asked.adr, asked.cid1, asked.command)
