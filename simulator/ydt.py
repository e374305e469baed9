"""A slave of the Chinese power protocol (YD/T 1363.3, 电总协议): frames, check sums, return codes.

A frame is `~`, upper-case hexadecimal text and CR: VER ADR CID1 CID2|RTN LENGTH INFO CHKSUM.
"""

import struct
from collections.abc import Callable, Mapping

VERSION = 0x21
OK, BAD_CHECKSUM, BAD_LENGTH, NO_COMMAND, BAD_FORMAT = 0x00, 0x02, 0x03, 0x04, 0x05
GET_VERSION, GET_ADDRESS, GET_MAKER = 0x4F, 0x50, 0x51
ANALOG, STATES, ALARMS = 0x41, 0x43, 0x44

Body = Callable[[], bytes]
"""What stands after DATAFLAG in an answer."""


def number(value: float) -> bytes:
    """Return a value as the protocol's float: IEEE 754 single, low byte first."""
    return struct.pack("<f", value)


def checksum(text: bytes) -> bytes:
    """Return CHKSUM for the characters from VER to the end of INFO."""
    return b"%04X" % (-sum(text) & 0xFFFF)


def length(characters: int) -> bytes:
    """Return LENGTH for an INFO of so many characters: LCHKSUM in the top four bits, LENID below."""
    nibbles = (characters >> 8) + (characters >> 4 & 0xF) + (characters & 0xF)
    return b"%04X" % ((-nibbles & 0xF) << 12 | characters)


class YdtSlave:
    """One address on the line: answers by (CID1, CID2), with a DATAFLAG that tells of unread states and alarms."""

    def __init__(
        self,
        name: str,
        address: int,
        bodies: Mapping[tuple[int, int], Body],
        maker: bytes,
        *,
        version: int = VERSION,
    ) -> None:
        self.name = name
        self._address = address
        self._bodies = bodies
        self._classes = {cid1 for cid1, _ in bodies}
        self._maker = maker
        self._version = version
        # The protocol's flag means "changed since it was last read"; nothing has changed when the plant starts.
        self._read = {key: body() for key, body in bodies.items() if key[1] in {STATES, ALARMS}}

    def answer(self, frame: bytes) -> bytes | None:
        """Return the reply to what was heard: None unless there is a frame to this address in it.

        Each `~` begins anew, and CR ends: noise and another protocol's frames around it are not heard.
        """
        text, ended, _ = frame[frame.rfind(b"~") + 1 :].partition(b"\r")
        if b"~" not in frame or not ended or len(text) < 16:
            return None
        try:
            head = bytes.fromhex(text[:8].decode("ascii"))
        except ValueError:
            return None
        if head[1] != self._address:
            return None
        cid1, cid2 = head[2], head[3]
        code = self._fault(text, cid1, cid2)
        return self._frame(cid1, code, self._information(cid1, cid2) if code == OK else b"")

    def _fault(self, text: bytes, cid1: int, cid2: int) -> int:
        """Return the return code that the request deserves."""
        if checksum(text[:-4]) != text[-4:].upper():
            return BAD_CHECKSUM
        information = text[12:-4]
        if text[8:12].upper() != length(len(information)):
            return BAD_LENGTH
        try:
            bytes.fromhex(information.decode("ascii"))
        except ValueError:
            return BAD_FORMAT
        if cid1 not in self._classes:
            return NO_COMMAND
        known = cid2 in {GET_VERSION, GET_ADDRESS, GET_MAKER} or (cid1, cid2) in self._bodies
        return OK if known else NO_COMMAND

    def _information(self, cid1: int, cid2: int) -> bytes:
        if cid2 == GET_MAKER:
            return self._maker
        if (cid1, cid2) not in self._bodies:
            return b""  # version and address stand in the frame's head
        body = self._bodies[cid1, cid2]()
        if (cid1, cid2) in self._read:
            self._read[cid1, cid2] = body
        return bytes([self._dataflag(cid1)]) + body

    def _dataflag(self, cid1: int) -> int:
        """Return bit 0 for alarms, bit 4 for states that differ from what was last read."""
        flag = 0
        for cid2, bit in ((ALARMS, 0x01), (STATES, 0x10)):
            read = self._read.get((cid1, cid2))
            if read is not None and read != self._bodies[cid1, cid2]():
                flag |= bit
        return flag

    def _frame(self, cid1: int, code: int, information: bytes) -> bytes:
        info = information.hex().upper().encode()
        text = b"%02X%02X%02X%02X" % (self._version, self._address, cid1, code) + length(len(info)) + info
        return b"~" + text + checksum(text) + b"\r"
