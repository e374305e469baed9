"""The columns of a trend's block: times, numbers, words and qualities of one device, packed small.

Theory. A device's points are read together, so a block holds one column of times for all of them, and for each point a
column of cells. What is measured moves little between two rows, and what is shown by a card is a decimal of few places:
a column becomes whole numbers, then differences, then zigzag (small of either sign is small), then the fewest bytes
that hold them all, low bytes first, which leaves zlib long runs and one narrow alphabet. A block is one zlib stream,
whose checksum proves it.

What comes back: decimals of up to six places to nine figures; whole numbers up to 2**53 exactly; any other number to
one part in 100,000 (17 bits of a float32's mantissa), or exactly where a float32 could not hold it; times to the
millisecond; words and qualities as they were.
"""

import zlib
from array import array
from collections.abc import Iterable, Sequence
from enum import IntEnum
from itertools import accumulate, pairwise
from typing import NamedTuple

import msgspec

PLACES = 6  # decimals that are tried
LARGEST = 2.0**53
_FLOATS = 1e-30, 1e30  # beyond, a float32 begins to lose more than we round away
_SHIFT = 7  # bits of a float32's mantissa that are rounded away
_WIDTHS = ((1, "B"), (2, "H"), (4, "I"), (8, "Q"))
GONE = 255
"""The mark of a cell that this column does not tell: another column of the same point does."""


class CodecError(Exception):
    """These bytes are no block, or a damaged one."""


class Kind(IntEnum):
    """What a column's whole numbers are."""

    DECIMAL = 0  # value times 10 ** places
    FLOAT = 1  # the upper bits of a float32
    DOUBLE = 2  # no whole numbers: eight bytes each
    WORD = 3  # places in the block's list of words
    NONE = 4  # nothing was known in all of the block


class Packed(msgspec.Struct, frozen=True, array_like=True):
    """Whole numbers: the first, and the differences, `width` bytes each, by byte planes."""

    first: int
    width: int
    planes: bytes


class Column(msgspec.Struct, frozen=True, array_like=True):
    """One point's cells; `marks` is a byte a cell, or one byte that holds for all."""

    kind: int
    places: int
    whole: Packed
    marks: bytes


class Block(msgspec.Struct, frozen=True, array_like=True):
    """One device's rows. `times`: Unix milliseconds; `points`: (id, unit, columns); `words`: what columns name."""

    times: Packed
    rows: int
    points: tuple[tuple[str, str, tuple[Column, ...]], ...]
    words: tuple[str, ...] = ()


class Numbers(NamedTuple):
    """A column unpacked: a number for each row (of a gap: no matter which), and each row's mark."""

    values: Sequence[float]
    marks: bytes


_EMPTY = Packed(0, 1, b"")
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Block).decode


def pack(numbers: Sequence[int]) -> Packed:
    """Pack whole numbers whose differences fit 63 bits."""
    if not numbers:
        return _EMPTY
    steps = [(step << 1) ^ (step >> 63) for step in (after - before for before, after in pairwise(numbers))]
    most = max(steps, default=0)
    width, code = next(each for each in _WIDTHS if most < 1 << 8 * each[0])
    raw = array(code, steps).tobytes()
    return Packed(numbers[0], width, raw if width == 1 else b"".join(raw[at::width] for at in range(width)))


def unpack(packed: Packed, rows: int) -> list[int]:
    """Return the whole numbers; raises CodecError when they are not so many."""
    if not rows:
        return []
    if len(packed.planes) != (rows - 1) * packed.width:
        raise CodecError("a column is not as long as its block")
    code = dict(_WIDTHS).get(packed.width)
    if code is None:
        raise CodecError("a column of no known width")
    steps = array(code)
    if packed.width == 1:
        steps.frombytes(packed.planes)
    else:
        raw = bytearray(len(packed.planes))
        for at in range(packed.width):
            raw[at :: packed.width] = packed.planes[at * (rows - 1) : (at + 1) * (rows - 1)]
        steps.frombytes(bytes(raw))
    return list(accumulate(((step >> 1) ^ -(step & 1) for step in steps), initial=packed.first))


def pack_times(times: Sequence[int]) -> Packed:
    """Pack milliseconds: their differences are nearly alike, so it is these that are packed."""
    if len(times) < 2:
        return pack(times)
    steps = [after - before for before, after in pairwise(times)]
    inner = pack(steps)
    return Packed(times[0], inner.width, inner.first.to_bytes(8, "little", signed=True) + inner.planes)


def unpack_times(packed: Packed, rows: int) -> list[int]:
    """Return the milliseconds."""
    if rows < 2:
        return unpack(packed, rows)
    first = int.from_bytes(packed.planes[:8], "little", signed=True)
    steps = unpack(Packed(first, packed.width, packed.planes[8:]), rows - 1)
    return list(accumulate(steps, initial=packed.first))


def column(values: Sequence[float], marks: bytes, told: bytes, *, words: bool = False) -> Column:
    """Pack one point's cells; `told` has a 1 where there is a value, elsewhere the one before is repeated."""
    short = marks[:1] if marks.count(marks[:1]) == len(marks) else marks
    if 0 in told:
        values = _filled(values, told)
    if not values:
        return Column(Kind.NONE, 0, _EMPTY, short)
    if words:
        return Column(Kind.WORD, 0, pack([int(value) for value in values]), short)
    flat = all(value == values[0] for value in values)
    for places in range(PLACES + 1):
        whole = _scaled(values[:1] if flat else values, 10.0**places)
        if whole is not None:
            return Column(Kind.DECIMAL, places, _flat(whole[0], len(values)) if flat else pack(whole), short)
    least, most = _FLOATS
    if all(least < abs(value) < most or not value for value in values):
        bits = array("i", array("f", values).tobytes())
        return Column(Kind.FLOAT, 0, pack([(each + (1 << _SHIFT - 1)) >> _SHIFT for each in bits]), short)
    raw = array("d", values).tobytes()
    return Column(Kind.DOUBLE, 0, Packed(0, 8, b"".join(raw[at::8] for at in range(8))), short)


def _flat(number: int, rows: int) -> Packed:
    """Return what `pack` makes of a number that stays."""
    return Packed(number, 1, bytes(rows - 1))


def _filled(values: Sequence[float], told: bytes) -> list[float]:
    """Repeat what was told last where nothing is; before the first, the first. Empty when nothing is told at all."""
    at = told.find(1)
    if at < 0:
        return []
    last, filled = values[at], []
    for value, there in zip(values, told, strict=True):
        last = value if there else last
        filled.append(last)
    return filled


def _scaled(values: Sequence[float], scale: float) -> list[int] | None:
    """Return the values as whole numbers of 1/scale, None when one is none (to nine figures)."""
    whole: list[int] = []
    for value in values:
        scaled = value * scale
        if not -LARGEST < scaled < LARGEST:
            return None
        near = round(scaled)
        if near != scaled and abs(near - scaled) > 1e-9 * abs(near):
            return None
        whole.append(near)
    return whole


def numbers(given: Column, rows: int) -> Numbers:
    """Unpack a column; of words their places in the block's list."""
    marks = given.marks * rows if len(given.marks) == 1 else given.marks
    if len(marks) != rows:
        raise CodecError("a column has not a mark for each row")
    values: Sequence[float]
    match given.kind:
        case Kind.NONE:
            values = [0.0] * rows
        case Kind.DECIMAL:
            scale = 10.0**given.places
            values = [each / scale for each in unpack(given.whole, rows)]
        case Kind.WORD:
            values = unpack(given.whole, rows)
        case Kind.FLOAT:
            bits = array("i", [each << _SHIFT for each in unpack(given.whole, rows)])
            values = array("f", bits.tobytes())
        case Kind.DOUBLE:
            if len(given.whole.planes) != 8 * rows:
                raise CodecError("a column is not as long as its block")
            raw = bytearray(8 * rows)
            for at in range(8):
                raw[at::8] = given.whole.planes[at * rows : (at + 1) * rows]
            values = array("d", bytes(raw))
        case _:
            raise CodecError(f"a column of no known kind: {given.kind}")
    return Numbers(values, marks)


def squeeze(block: Block) -> bytes:
    """Return a block as bytes."""
    press = zlib.compressobj(6, zlib.DEFLATED, 15, 9, zlib.Z_FILTERED)
    return press.compress(_encode(block)) + press.flush()


def expand(raw: bytes) -> Block:
    """Return the block of these bytes; raises CodecError when they are not one, whole."""
    try:
        return _decode(zlib.decompress(raw))
    except (zlib.error, msgspec.MsgspecError) as error:
        raise CodecError(f"no block: {error}") from error


def split_words(words: Iterable[str]) -> tuple[tuple[str, ...], dict[str, int]]:
    """Return each word once, and its place."""
    known = {word: place for place, word in enumerate(dict.fromkeys(words))}
    return tuple(known), known
