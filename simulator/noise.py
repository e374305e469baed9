"""Small, smooth, repeatable movement: what makes a simulated value look measured."""

from zlib import crc32


def wobble(seed: int, name: str, now: float, period: float = 4.0) -> float:
    """Return a value in -1..1 that wanders from one random stop to the next in `period` seconds.

    It depends on nothing but its arguments: the same seed, name and time give the same value.
    """
    stop, part = divmod(now, period)
    here, there = (_stop(seed, name, int(stop) + i) for i in (0, 1))
    return here + (there - here) * part / period


def _stop(seed: int, name: str, number: int) -> float:
    # A CRC alone gives neighbouring names neighbouring values; the multiplications part them (Wellons, lowbias32).
    bits = crc32(f"{seed}/{name}/{number}".encode())
    bits = (bits ^ bits >> 16) * 0x7FEB352D & 0xFFFFFFFF
    bits = (bits ^ bits >> 15) * 0x846CA68B & 0xFFFFFFFF
    return (bits ^ bits >> 16) / 0x7FFFFFFF - 1.0
