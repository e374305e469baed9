"""INFO of YD/T 1363 answers as the makers' documents lay it out, written without the code that reads it."""

import struct
from collections.abc import Sequence


def u16(*numbers: int) -> bytes:
    """Write words, high byte first."""
    return b"".join(struct.pack(">H", number & 0xFFFF) for number in numbers)


def f32(*numbers: float, big: bool = False) -> bytes:
    """Write numbers of 4 bytes, low byte first unless told."""
    return b"".join(struct.pack(">f" if big else "<f", number) for number in numbers)


def counted(numbers: Sequence[int]) -> bytes:
    """Write a count byte and that many words."""
    return bytes((len(numbers),)) + u16(*numbers)


def kelvin(*celsius: float, zero: int = 2731) -> list[int]:
    """Return temperatures as 0.1 K."""
    return [round(each * 10) + zero for each in celsius]


def pylontech(
    cells: Sequence[int], celsius: Sequence[float], amps: float, mah: tuple[int, int], cycles: int = 7
) -> bytes:
    """Write one pack of Pylontech: two items up to 65 Ah, four above."""
    remaining, total = mah
    head = counted(cells) + counted(kelvin(*celsius)) + u16(round(amps * 10), sum(cells))
    if total <= 65000:
        return head + u16(remaining) + b"\x02" + u16(total, cycles)
    large = remaining.to_bytes(3, "big") + total.to_bytes(3, "big")
    return head + u16(0xFFFF) + b"\x04" + u16(0xFFFF, cycles) + large


def seplos(
    cells: Sequence[int],
    celsius: Sequence[float],
    amps: float,
    capacity: tuple[float, float] = (133.71, 170.0),
    spare: int = 4,
) -> bytes:
    """Write one pack of Seplos: six items of the maker and so many spare ones."""
    remaining, total = (round(each * 100) for each in capacity)
    head = counted(cells) + counted(kelvin(*celsius)) + u16(round(amps * 100), round(sum(cells) / 10), remaining)
    items = u16(total, 787, 18000, 70, 1000, 5279) + u16(*[0] * spare)
    return head + bytes((6 + spare,)) + items


def pace(cells: Sequence[int], celsius: Sequence[float], amps: float, items: int = 3) -> bytes:
    """Write one pack of PACE, version 25H."""
    head = counted(cells) + counted(kelvin(*celsius, zero=2730)) + u16(round(amps * 100), sum(cells), 4819)
    return head + bytes((items,)) + u16(10346, 140, 10000) + u16(*[0] * (items - 3))


def class_4a(cells: Sequence[int], celsius: Sequence[float], amps: float) -> bytes:
    """Write one pack of class 4AH with PACE's version 20H: two temperatures more than counted, fifteen items."""
    *sensors, environment, power = kelvin(*celsius, zero=2730)
    head = counted(cells) + counted(sensors) + u16(environment, power, round(amps * 100), round(sum(cells) / 10))
    items = u16(87, 98, max(cells), min(cells), 4, 2981, 2971) + bytes(24) + u16(1, 2)
    return head + u16(8617, 9860, 84) + b"\x0f" + items


def daren(cells: Sequence[int], celsius: Sequence[float], amps: float, words: Sequence[int] = (0, 0, 0, 0, 3)) -> bytes:
    """Write INFO of a Daren pack: three temperatures, then counted ones; five state words, four of cells, balancing."""
    tenths = [round(each * 10) for each in celsius]
    head = b"\x00" + u16(8725, round(sum(cells) / 10)) + counted(cells) + u16(*tenths[:3]) + counted(tenths[3:])
    return head + u16(round(amps * 100), 0, 99) + b"\x0a" + u16(10050, 8768, 42, *words, 0, 0, 0, 0, 0, 0, 0x1234)


def alarms(cells: int, sensors: int, *rest: int) -> bytes:
    """Write 44H of a battery up to its temperature alarms, all normal, then the rest."""
    return bytes((cells, *[0] * cells, sensors, *[0] * sensors, *rest))
