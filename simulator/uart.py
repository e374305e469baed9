"""Characters as bits: how long one takes, and what a receiver of another speed makes of them."""

import itertools
from typing import Literal

Parity = Literal["none", "even", "odd"]
_SLACK = 1e-9


def character_bits(parity: Parity = "none", stop_bits: int = 1) -> int:
    """Return the bits of one character: a start bit, 8 of the byte, parity if there is one, the stop bits."""
    return 9 + (parity != "none") + stop_bits


def levels(octets: bytes, stop_bits: int = 1) -> list[int]:
    """Return what stands on the line bit by bit: start bit 0, the byte's lowest bit first, stop bits 1."""
    return [
        bit for octet in octets for bit in itertools.chain((0,), (octet >> n & 1 for n in range(8)), (1,) * stop_bits)
    ]


def misheard(octets: bytes, spoken: int, heard: int, stop_bits: int = 1) -> bytes:
    """Return what a receiver at `heard` baud makes of bytes sent at `spoken` baud: garbage, unless they are the same.

    It waits for a falling edge, samples the middle of each of its own bits, and gives the byte whatever its stop bit
    is, as a terminal does that is not told to mark framing errors.
    """
    if spoken == heard:
        return octets
    line = levels(octets, stop_bits)
    bits_each = spoken / heard  # of the sender's, in one of the receiver's
    found = bytearray()
    at = 0.0  # in the sender's bits
    while (start := _falling_edge(line, at)) is not None:
        byte = sum(_level(line, start + (n + 1.5) * bits_each) << n for n in range(8))
        found.append(byte)
        at = start + 9.5 * bits_each
    return bytes(found)


def _falling_edge(line: list[int], at: float) -> int | None:
    """Return the sender's bit from `at` on with which the line goes from 1 to 0, None when it stays quiet."""
    first = int(at + _SLACK)
    before = _level(line, first - 1) if first else 1
    for place in range(first, len(line)):
        if before and not line[place]:
            return place
        before = line[place]
    return None


def _level(line: list[int], at: float) -> int:
    place = int(at + _SLACK)
    return line[place] if place < len(line) else 1
