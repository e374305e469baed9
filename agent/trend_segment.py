"""A segment of the trends: a file that is written once, whole, and never changed: blocks, and where each one is.

It is made under another name, synced and then named, so that it is there whole or not at all. A damaged block costs
that block; a damaged directory the segment. Forgetting one needs no room on the disk.
"""

import os
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from struct import Struct
from typing import NamedTuple

import msgspec

from agent.trend_codec import Block, CodecError, expand
from agent.trend_tail import Sense

MAGIC = b"RTREND01"
_FOOT = Struct("<QII8s")  # where the directory is, its length, its CRC-32


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """Where one device's block is, and its first and last Unix milliseconds."""

    device: str
    place: int
    length: int
    first: int
    last: int


class Directory(msgspec.Struct, frozen=True, array_like=True):
    """What a segment holds."""

    sense: Sense
    entries: tuple[Entry, ...]


class Made(NamedTuple):
    """A block ready to be written."""

    device: str
    first: int
    last: int
    raw: bytes


class Segment(msgspec.Struct, frozen=True):
    """A segment as the store knows it. Times are Unix milliseconds as they were written."""

    path: Path
    level: int
    size: int
    sense: Sense
    first: int
    last: int


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Directory).decode


def write(path: Path, level: int, sense: Sense, blocks: Iterable[Made]) -> Segment | None:
    """Write a segment; None when there are no blocks. Raises OSError, and then there is none."""
    fresh = path.with_suffix(".new")
    entries: list[Entry] = []
    try:
        with fresh.open("wb") as file:
            file.write(MAGIC)
            for device, first, last, raw in blocks:
                entries.append(Entry(device, file.tell(), len(raw), first, last))
                file.write(raw)
            directory = zlib.compress(_encode(Directory(sense, tuple(entries))))
            file.write(directory + _FOOT.pack(file.tell(), len(directory), zlib.crc32(directory), MAGIC))
            file.flush()
            os.fsync(file.fileno())
            size = file.tell()
        if not entries:
            return None
        fresh.replace(path)
        _sync(path.parent)
    finally:
        fresh.unlink(missing_ok=True)
    return Segment(path, level, size, sense, min(e.first for e in entries), max(e.last for e in entries))


def opened(path: Path, level: int) -> Segment:
    """Return a segment that is there. Raises CodecError for a damaged one, OSError when it cannot be read."""
    found = directory(path)
    if not found.entries:
        raise CodecError(f"{path.name} holds nothing")
    first, last = min(each.first for each in found.entries), max(each.last for each in found.entries)
    return Segment(path, level, path.stat().st_size, found.sense, first, last)


def directory(path: Path) -> Directory:
    """Read what a segment holds. Raises CodecError for a damaged one, OSError when it cannot be read."""
    with path.open("rb") as file:
        raw, check = _raw(file.fileno(), os.fstat(file.fileno()).st_size)
    if zlib.crc32(raw) != check:
        raise CodecError(f"{path.name} is damaged")
    try:
        return _decode(zlib.decompress(raw))
    except (zlib.error, msgspec.MsgspecError) as error:
        raise CodecError(f"{path.name} is damaged: {error}") from error


def _raw(file: int, size: int) -> tuple[bytes, int]:
    """Return a directory's bytes and what their CRC-32 should be; of a file that is none, what cannot agree."""
    if size < _FOOT.size:
        return b"", 1
    place, length, check, magic = _FOOT.unpack(os.pread(file, _FOOT.size, size - _FOOT.size))
    if magic != MAGIC or place + length > size:
        return b"", 1
    return os.pread(file, length, place), check


def blocks(path: Path, entries: Iterable[Entry]) -> Iterator[Block | None]:
    """Give the blocks of entries; None for one that is damaged. Raises OSError."""
    with path.open("rb") as file:
        for entry in entries:
            try:
                yield expand(os.pread(file.fileno(), entry.length, entry.place))
            except CodecError:
                yield None


def _sync(folder: Path) -> None:
    place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(place)
    finally:
        os.close(place)
