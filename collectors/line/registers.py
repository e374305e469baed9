"""Numbers out of registers: every form in which makers put them there."""

import struct
from collections.abc import Callable
from typing import Final, Literal

from wire.float32 import float32

Type = Literal["u16", "s16", "m16", "u32", "s32", "m32", "u64", "s64", "bcd16", "bcd32", "float32", "float64"]
"""u unsigned, s two's complement, m sign and magnitude (the highest bit is the sign), bcd a decimal digit in 4 bits."""

Order = Literal["ABCD", "CDAB", "BADC", "DCBA"]
"""The order of the octets of a number of two registers, A the highest: ABCD as Modbus has it, CDAB the low register
first, BADC the octets of each register swapped, DCBA both. Numbers of one or four registers follow likewise."""

WIDTHS: Final[dict[Type, int]] = {
    "u16": 1,
    "s16": 1,
    "m16": 1,
    "bcd16": 1,
    "u32": 2,
    "s32": 2,
    "m32": 2,
    "bcd32": 2,
    "float32": 2,
    "u64": 4,
    "s64": 4,
    "float64": 4,
}
"""Registers that a number takes."""

LARGEST = 1e30  # beyond it a float is noise, and a unit could take it past all numbers


def octets(words: tuple[int, ...], order: Order) -> bytes:
    """Return the octets of a number, the highest first."""
    ordered = words if order in {"ABCD", "BADC"} else words[::-1]
    swapped: Literal["big", "little"] = "little" if order in {"BADC", "DCBA"} else "big"
    return b"".join(word.to_bytes(2, swapped) for word in ordered)


def number(words: tuple[int, ...], kind: Type, order: Order = "ABCD", mask: int = 0) -> float | None:
    """Return the number that stands in registers (each 0..65535), or in the bits of `mask` alone, moved down.

    None where there is none: NaN, infinite, beyond 1e30, or a digit above 9.
    """
    raw = octets(words, order)
    if kind in {"float32", "float64"}:
        return _floats[kind](raw)
    value, bits = int.from_bytes(raw, "big"), len(raw) * 8
    if mask:
        shift = (mask & -mask).bit_length() - 1
        value, bits = (value & mask) >> shift, (mask >> shift).bit_length()
    if kind.startswith("bcd"):
        text = f"{value:x}"
        return int(text) if text.isdecimal() else None
    top = 1 << (bits - 1)
    if kind.startswith("s") and value & top:
        return value - 2 * top
    if kind.startswith("m") and value & top:
        return -(value - top)
    return value


def _float32(raw: bytes) -> float | None:
    found = float32(raw)
    return found if found is not None and abs(found) < LARGEST else None


def _float64(raw: bytes) -> float | None:
    found: float = struct.unpack(">d", raw)[0]
    return found if abs(found) < LARGEST else None  # NaN is not below it either


_floats: Final[dict[str, Callable[[bytes], float | None]]] = {"float32": _float32, "float64": _float64}
