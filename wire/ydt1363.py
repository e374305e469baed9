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
What stands in INFO is `wire.ydt1363_info`.
"""

import binascii
from dataclasses import dataclass
from typing import Final

SOI: Final = 0x7E
EOI: Final = 0x0D
LONGEST: Final = 18 + 4095
"""Most characters of one frame, SOI and EOI included."""

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


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of either direction; `code` is CID2 in a request and RTN in an answer."""

    ver: int
    adr: int
    cid1: int
    code: int
    info: bytes = b""

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
    if len(line) < 18 or line[0] != SOI or line[-1] != EOI:
        raise YdtError("not a frame: shorter than 18 characters, or not from SOI to EOI")
    text, written = line[1:-5], line[-5:-1]
    try:
        octets = binascii.unhexlify(text)
        checksum = int.from_bytes(binascii.unhexlify(written), "big")
    except binascii.Error:
        raise YdtError("not hexadecimal text") from None
    length = int.from_bytes(octets[4:6], "big")
    lenid = length & 0xFFF
    if length != length_field(lenid):
        raise YdtError(f"LCHKSUM of {length:04X} is wrong")
    if lenid != len(text) - 12:
        raise YdtError(f"INFO has {len(text) - 12} characters where LENID says {lenid}")
    if checksum != chksum(text):
        raise YdtError(f"CHKSUM {checksum:04X} is wrong")
    return Frame(octets[0], octets[1], octets[2], octets[3], octets[6:])


class FrameReader:
    """Finds frames in bytes that come in any pieces, with noise around them.

    A frame begins at the last SOI before an EOI: hexadecimal text holds neither. Never holds more than LONGEST bytes.
    `errors` counts lines from SOI to EOI that were no frame, `skipped` the bytes outside of them.
    """

    def __init__(self) -> None:
        self._held = bytearray()
        self.errors = 0
        self.skipped = 0

    def feed(self, octets: bytes) -> list[Frame]:
        """Take bytes; return the frames that are whole now."""
        frames = []
        for piece in _lines(octets):
            start = piece.rfind(SOI)
            if start >= 0:
                self.skipped += len(self._held) + start
                self._held[:] = piece[start:]
            elif self._held:
                self._held += piece
            else:
                self.skipped += len(piece)
            if len(self._held) > LONGEST:
                self._drop()
            elif self._held and self._held[-1] == EOI:
                frame = self._decode()
                if frame:
                    frames.append(frame)
        return frames

    def _decode(self) -> Frame | None:
        try:
            frame = decode(bytes(self._held))
        except YdtError:
            self._drop()
            return None
        self._held.clear()
        return frame

    def _drop(self) -> None:
        self.errors += 1
        self._held.clear()


def _lines(octets: bytes) -> list[bytes]:
    """Split after every EOI."""
    pieces = octets.split(b"\r")
    whole = [piece + b"\r" for piece in pieces[:-1]]
    return [*whole, pieces[-1]] if pieces[-1] else whole


class AnswerReader:
    """Finds the answer to one request: the frame of its address and class whose code is a return code.

    VER is the slave's own and is not compared. A frame with a command (40H to 7FH) in the place of RTN is a request,
    heard back or from another master. `foreign` counts frames that were not the answer.
    """

    def __init__(self, request: Request) -> None:
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
            if (frame.adr, frame.cid1) == (self._request.adr, self._request.cid1) and not 0x40 <= frame.code < 0x80:
                return frame
            self.foreign += 1
        return None
