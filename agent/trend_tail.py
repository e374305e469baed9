"""The tail of the trends: rows as they come, appended to one file, until enough of them make a segment.

Theory. A frame is its length, a CRC-32 and its bytes; a file begins with what its times mean. What a crash tore off
ends at the last whole frame, and that is where the file goes on. Nothing is kept in memory but where each row begins.
The file is not synced: a crash of the agent costs nothing that was written, a power cut what the kernel had not yet
written back.
"""

import errno
import os
import weakref
import zlib
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from struct import Struct
from typing import NamedTuple

import msgspec

_FRAME = Struct("<II")
_ROW = Struct("<BHq")
_HEADER, _LAYOUT, _WORD, _ROW_KIND = range(4)
LONGEST = 4 << 20  # bytes of a frame: a length beyond is none
_READ = 256 * 1024


class Sense(msgspec.Struct, frozen=True, array_like=True):
    """What a file's times mean: the boot they are of, the wall clock's lead over CLOCK_BOOTTIME, and if it was sure."""

    boot: str
    lead: float
    certain: bool


class Layout(msgspec.Struct, frozen=True, array_like=True):
    """What a row's cells are: ids of a device's points, each with the symbol of its unit."""

    device: str
    points: tuple[tuple[str, str], ...]


class Row(NamedTuple):
    """One reading of a device: Unix milliseconds, a number and a mark for each of the layout's points."""

    layout: Layout
    time: int
    values: bytes
    marks: bytes


class Rows(NamedTuple):
    """All rows of one layout: times, and by point values and marks."""

    times: list[int]
    values: "list[array[float]]"
    marks: list[bytes]


_encode = msgspec.msgpack.Encoder().encode
_sense = msgspec.msgpack.Decoder(Sense).decode
_layout = msgspec.msgpack.Decoder(Layout).decode


class Tail:
    """One file; `torn` is how many bytes at its end were none when it was opened. Raises OSError."""

    def __init__(self, path: Path, sense: Sense) -> None:
        """Open a file or begin it; one that is there keeps its own sense."""
        self.path = path
        self.sense = sense
        self.words: list[str] = []
        self.places: dict[Layout, array[int]] = {}  # where in the file the rows of a layout begin
        self.first = self.last = 0
        self.rows = self.torn = 0
        self._numbers: dict[Layout, int] = {}
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        weakref.finalize(self, os.close, self._file)  # who still reads a tail that is over holds it
        self.size = self._taken_up()
        if self.size == 0:
            self._put([_framed(bytes([_HEADER]) + _encode(sense))])

    def append(self, rows: Sequence[Row], words: Sequence[str]) -> None:
        """Append rows; `words` are all that their values may name. Raises OSError, and then nothing is appended."""
        frames = [_framed(bytes([_WORD]) + word.encode()) for word in words[len(self.words) :]]
        at = self.size + sum(map(len, frames))
        fresh: dict[Layout, int] = {}
        begun: list[tuple[Layout, int]] = []
        for row in rows:
            number = self._numbers.get(row.layout, fresh.get(row.layout))
            if number is None:
                number = fresh[row.layout] = len(self._numbers) + len(fresh)
                frames.append(_framed(bytes([_LAYOUT]) + _encode(row.layout)))
                at += len(frames[-1])
            frames.append(_framed(_ROW.pack(_ROW_KIND, number, row.time) + row.values + row.marks))
            begun.append((row.layout, at))
            at += len(frames[-1])
        self._put(frames)
        self.words = list(words)
        self._numbers |= fresh
        for row, (layout, place) in zip(rows, begun, strict=True):
            self._note(layout, place, row.time)

    @property
    def layouts(self) -> int:
        """How many layouts there are: their numbers have 16 bits."""
        return len(self._numbers)

    def of(self, layout: Layout, since: int | None = None) -> Rows:
        """Return the rows of a layout, in the order they came."""
        width = len(layout.points)
        times, values, marks = [], array("d"), bytearray()
        for place in list(self.places.get(layout, ())):
            length, _ = _FRAME.unpack(os.pread(self._file, _FRAME.size, place))
            row = os.pread(self._file, length, place + _FRAME.size)
            time = _ROW.unpack_from(row)[2]
            if since is not None and time < since:
                continue
            times.append(time)
            values.frombytes(row[_ROW.size : _ROW.size + 8 * width])
            marks += row[_ROW.size + 8 * width :]
        return Rows(times, [values[at::width] for at in range(width)], [bytes(marks[at::width]) for at in range(width)])

    def remove(self) -> None:
        """Forget the file; who still reads it reads on."""
        self.path.unlink(missing_ok=True)

    def _put(self, frames: list[bytes]) -> None:
        raw = b"".join(frames)
        done = 0
        try:
            done = os.pwrite(self._file, raw, self.size)
        finally:
            if done != len(raw):
                os.ftruncate(self._file, self.size)
        if done != len(raw):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
        self.size += len(raw)

    def _note(self, layout: Layout, place: int, time: int) -> None:
        self.places.setdefault(layout, array("Q")).append(place)
        self.first = min(self.first, time) if self.rows else time
        self.last = max(self.last, time) if self.rows else time
        self.rows += 1

    def _taken_up(self) -> int:
        """Read what is there; returns where its last whole frame ends, and cuts the file there."""
        layouts: list[Layout] = []
        end = 0
        for at, frame in _frames(self._file):
            try:
                if (at == 0) != (frame[0] == _HEADER):
                    break
                if frame[0] == _HEADER:
                    self.sense = _sense(frame[1:])
                elif frame[0] == _LAYOUT:
                    layouts.append(_layout(frame[1:]))
                    self._numbers[layouts[-1]] = len(layouts) - 1
                elif frame[0] == _WORD:
                    self.words.append(frame[1:].decode())
                else:
                    _, number, time = _ROW.unpack_from(frame)
                    self._note(layouts[number], at, time)
            except (msgspec.MsgspecError, IndexError, UnicodeDecodeError):
                break
            end = at + _FRAME.size + len(frame)
        self.torn = os.fstat(self._file).st_size - end
        if self.torn:
            os.ftruncate(self._file, end)
        return end


def _framed(payload: bytes) -> bytes:
    return _FRAME.pack(len(payload), zlib.crc32(payload)) + payload


def _frames(file: int) -> Iterator[tuple[int, bytes]]:
    """Give each whole frame and where it begins, up to the first that is none."""
    held, base = b"", 0
    while more := os.pread(file, _READ, base + len(held)):
        held, at = held + more, 0
        while len(held) - at >= _FRAME.size:
            length, check = _FRAME.unpack_from(held, at)
            if not 0 < length <= LONGEST:
                return
            if len(held) - at - _FRAME.size < length:
                break
            payload = held[at + _FRAME.size : at + _FRAME.size + length]
            if zlib.crc32(payload) != check:
                return
            yield base + at, payload
            at += _FRAME.size + length
        held, base = held[at:], base + at
