"""IEEE 754 single precision, as meters and power plants send it."""

import math
import struct


def float32(octets: bytes) -> float | None:
    """Return the number in 4 bytes, high byte first, as the shortest decimal that is this very number.

    53.4 comes out as 53.4 and not as 53.400001525878906. None where it is no number (NaN, infinite).
    """
    number: float = struct.unpack(">f", octets)[0]
    if not math.isfinite(number):
        return None
    for digits in (6, 7, 8):
        short = float(f"{number:.{digits}g}")
        if abs(short) < 3.4e38 and struct.pack(">f", short) == octets:
            return short
    return number
