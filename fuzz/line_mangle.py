"""Mangling of what is said on a serial line: bits, bytes and lengths, the check sums often put right again."""

import random
import re
from collections.abc import Callable, Sequence

from wire.modbus import crc16
from wire.ydt1363 import chksum

Draw = random.Random
ODD = (0x00, 0x01, 0x03, 0x04, 0x06, 0x0F, 0x10, 0x17, 0x2B, 0x0E, 0x7E, 0x0D, 0x20, 0x80, 0x83, 0xAB, 0xFA, 0xFF)


def mangled(octets: bytes, seeds: Sequence[bytes], draw: Draw) -> bytes:
    """Return bytes made from these, changed in one to four ways."""
    for _ in range(draw.choice((1, 1, 2, 3, 4))):
        octets = draw.choice(WAYS)(octets, seeds, draw)
    return octets


def _bit(octets: bytes, _: Sequence[bytes], draw: Draw) -> bytes:
    at = draw.randrange(len(octets) + 1)
    return (
        octets[:at] + bytes((octets[at] ^ 1 << draw.randrange(8),)) + octets[at + 1 :] if at < len(octets) else octets
    )


def _put(octets: bytes, _: Sequence[bytes], draw: Draw) -> bytes:
    at = draw.randrange(len(octets) + 1)
    more = bytes((draw.choice(ODD),)) if draw.random() < 0.7 else draw.randbytes(draw.randrange(8))
    return octets[:at] + more + octets[at + draw.randrange(2) :]


def _lose(octets: bytes, _: Sequence[bytes], draw: Draw) -> bytes:
    at = draw.randrange(len(octets) + 1)
    return octets[:at] + octets[at + draw.choice((1, 1, 2, 9)) :]


def _double(octets: bytes, _: Sequence[bytes], draw: Draw) -> bytes:
    at = draw.randrange(len(octets) + 1)
    return octets[:at] + octets[at : at + draw.randrange(40)] * draw.choice((1, 2, 30)) + octets[at:]


def _join(octets: bytes, seeds: Sequence[bytes], draw: Draw) -> bytes:
    other = draw.choice(seeds)
    return draw.choice((octets + other, other + octets, octets + draw.randbytes(2) + other))


def _within(octets: bytes, seeds: Sequence[bytes], draw: Draw) -> bytes:
    at = draw.randrange(len(octets) + 1)
    return octets[:at] + draw.choice(seeds) + octets[at:]


def _crc(octets: bytes, _: Sequence[bytes], draw: Draw) -> bytes:
    """Put the CRC right of the whole, or of a part."""
    start = draw.randrange(len(octets)) if octets and draw.random() < 0.2 else 0
    return octets[:-2] + crc16(octets[start:-2])


def _checks(octets: bytes, _: Sequence[bytes], draw: Draw) -> bytes:
    """Put LENGTH and CHKSUM of every line of text right."""

    def right(found: re.Match[bytes]) -> bytes:
        text = found[1]
        if draw.random() < 0.8 and len(text) >= 12:
            lenid = (len(text) - 12) & 0xFFF
            digits = (lenid >> 8) + (lenid >> 4 & 15) + (lenid & 15)
            text = text[:8] + f"{-digits & 15:X}{lenid:03X}".encode() + text[12:]
        return b"~" + text + f"{chksum(text):04X}".encode() + b"\r"

    return re.sub(rb"~([0-9A-Fa-f]*)[0-9A-Fa-f]{4}\r", right, octets)


WAYS: tuple[Callable[[bytes, Sequence[bytes], Draw], bytes], ...] = (
    *(_bit, _bit, _put, _put, _lose, _double, _join, _within, _crc, _crc, _crc, _checks, _checks, _checks),
)
RIGHT = {"modbus": _crc, "ydt1363": _checks}
"""What puts a whole frame right again, by target, so that more than the check sum is tried."""
