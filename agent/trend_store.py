"""The store of the trends: one folder of segments and a tail, bounded by age, by its budget and by what the disk has.

Theory. Rows go to the tail (`agent.trend_tail`); a tail that is long or old enough becomes a segment of full detail
(`agent.trend_segment`), and is removed once that has its name: where both are there the tail is the one that is over.
A day of full detail that is past becomes a segment of ten-minute averages, eight days of those one of hours, each under
the name of its stretch of Unix time, so making it again after a crash makes the same. A range is asked of the level
that is fine enough; where that one has nothing yet, or no more, of the next.

Times are the wall clock's by `agent.site_clock`. A file knows its boot and the wall clock's lead over CLOCK_BOOTTIME
then; when the clock of that boot turns out later to have been wrong (`learned`), what was written meanwhile is moved.
"""

import contextlib
import logging
import os
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from agent import trend_segment
from agent.trend_cells import Range, Sample, averaged, averages, detail, samples
from agent.trend_codec import Block, CodecError, expand
from agent.trend_segment import Made, Segment
from agent.trend_tail import Layout, Row, Sense, Tail

DETAIL, TEN, HOUR = range(3)
WIDTHS = (0.0, 600.0, 3600.0)  # seconds of an average
STRETCHES = (0, 86_400_000, 8 * 86_400_000)  # milliseconds in a segment of averages
LEAST = (2 * 86_400.0, 12 * 86_400.0, 0.0)  # seconds that a level is kept at least, for the next to be made of it
NAMES = ("detail", "ten", "hour")
LONG = 8 << 20  # bytes of a tail that becomes a segment
OLD = 6 * 3_600_000  # milliseconds
MOST_ROWS = 4096
_SANE = 1_577_836_800_000  # 2020: before, no clock was right
_NEVER = 1 << 62
log = logging.getLogger("roundsman.trends")


class Bounds(NamedTuple):
    """How long each level is kept (seconds), how many bytes in all, and how many the disk must keep free."""

    ages: tuple[float, float, float] = (30 * 86_400.0, 180 * 86_400.0, 2 * 366 * 86_400.0)
    budget: int = 2 << 30
    spare: int = 256 << 20


class TrendStore:
    """One thread writes (append, tend); any may read. Raises OSError where the disk does."""

    def __init__(self, folder: Path, sense: Sense, bounds: Bounds, breathe: Callable[[], None] = lambda: None) -> None:
        self.folder = folder
        self.bounds = bounds
        self.said: list[str] = []  # what was found damaged or torn
        self._breathe = breathe
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)
        self._learned = _load_learned(folder / "clock")
        self._segments: list[Segment] = []
        self._look_round()
        self._tails = self._take_up(sense)

    # --- writing -------------------------------------------------------------------------------------------------

    def append(self, rows: Sequence[Row], words: Sequence[str], sense: Sense) -> None:
        """Append rows of this boot; a clock that was set begins a new tail."""
        tail = self._tails[-1]
        if tail.sense.boot != sense.boot or abs(tail.sense.lead - sense.lead) > 1.0:
            tail = self._begin(sense)
        tail.append(rows, words)

    def words(self) -> list[str]:
        """Return the words that the tail names by number."""
        return list(self._tails[-1].words)

    def learned(self, sense: Sense) -> None:
        """Keep a boot's certain lead: what was written in that boot while it was not certain is moved by it."""
        if not sense.certain or abs(self._learned.get(sense.boot, float("inf")) - sense.lead) <= 1.0:
            return
        self._learned[sense.boot] = sense.lead
        self._learned = dict(list(self._learned.items())[-50:])
        fresh = self.folder / "clock.new"
        fresh.write_bytes(msgspec.json.encode(self._learned))
        fresh.replace(self.folder / "clock")

    def tend(self, now: float, *, certain: bool) -> None:
        """Make segments of what is due, forget what is over."""
        self.evict(now, certain=certain)
        tail = self._tails[-1]
        long = any(len(places) >= MOST_ROWS for places in list(tail.places.values())) or tail.layouts > 60_000
        if tail.rows and (tail.size >= LONG or long or tail.last - tail.first >= OLD):
            self._begin(tail.sense)
        for old in self._tails[:-1]:
            self._settle(old)
        for level in (TEN, HOUR):
            self._average(level, round(now * 1000))

    def _begin(self, sense: Sense) -> Tail:
        number = max([int(each.path.stem.rpartition("-")[2]) for each in self._tails], default=0)
        taken = [int(each.path.stem.rpartition("-")[2]) for each in self._segments if each.level == DETAIL]
        tail = Tail(self.folder / f"detail-{max([number, *taken]) + 1:09d}.tail", sense)
        with self._lock:
            self._tails = [*self._tails, tail]
        return tail

    def _settle(self, tail: Tail) -> None:
        """Make a segment of a tail that is over."""
        made = trend_segment.write(tail.path.with_suffix(".seg"), DETAIL, tail.sense, self._blocks(tail))
        with self._lock:
            self._segments += [made] if made else []
            self._tails = [each for each in self._tails if each is not tail]
        tail.remove()

    def _blocks(self, tail: Tail) -> Iterator[Made]:
        for layout in sorted(tail.places, key=lambda each: each.device):
            yield detail(layout, tail.of(layout), tail.words)
            self._breathe()

    def _average(self, level: int, now: int) -> None:
        """Make the averages of each stretch that is past and has none."""
        long, finer = STRETCHES[level], level - 1
        had = {_number(each.path) for each in self._segments if each.level == level}
        open_from = min([self._moved(t.sense, t.first) for t in self._tails if t.rows] + [now])
        if level == HOUR:  # the last ten-minute days may still come
            open_from = min(open_from, now - STRETCHES[TEN])
        wanted: set[int] = set()
        for each in self._segments:
            if each.level == finer:
                first, last = self._moved(each.sense, each.first) // long, self._moved(each.sense, each.last) // long
                wanted |= set(range(first, min(last, first + 60) + 1))
        for number in sorted(wanted - had):
            if (number + 1) * long > open_from:
                continue
            path = self.folder / f"{NAMES[level]}-{number:09d}.seg"
            made = trend_segment.write(path, level, Sense("", 0.0, certain=True), self._averages(level, number * long))
            with self._lock:
                self._segments += [made] if made else []

    def _averages(self, level: int, start: int) -> Iterator[Made]:
        end = start + STRETCHES[level]
        pieces = [each for each in self._segments if each.level == level - 1 and self._overlaps(each, start, end)]
        known = [(each, trend_segment.directory(each.path).entries) for each in pieces]
        for device in sorted({entry.device for _, entries in known for entry in entries}):
            held: list[tuple[int, Block]] = []
            for each, entries in known:
                mine = [entry for entry in entries if entry.device == device]
                shift = self._shift(each.sense)
                held += [(shift, block) for block in trend_segment.blocks(each.path, mine) if block is not None]
            units = {point: unit for _, block in held for point, unit, _ in block.points}
            points = []
            for point, unit in units.items():
                found = [s for shift, b in held for s in samples(b, point, Range(level - 1, start, end, shift))[1]]
                found.sort(key=_time)
                points.append((point, unit, list(averaged(found, WIDTHS[level]))))
                self._breathe()
            if any(each for _, _, each in points):
                yield averages(device, points)

    # --- forgetting ----------------------------------------------------------------------------------------------

    @property
    def used(self) -> int:
        """Bytes on the disk."""
        return sum(each.size for each in self._segments) + sum(each.size for each in self._tails)

    def size(self, level: int) -> int:
        """Bytes of a level's segments."""
        return sum(each.size for each in self._segments if each.level == level)

    def free(self) -> int:
        """Bytes that the disk has left for us."""
        disk = os.statvfs(self.folder)
        return disk.f_bavail * disk.f_frsize

    def spare(self) -> int:
        """Bytes that the disk must keep free: of a small one a twentieth."""
        disk = os.statvfs(self.folder)
        return min(self.bounds.spare, disk.f_blocks * disk.f_frsize // 20)

    def evict(self, now: float, *, certain: bool) -> None:
        """Forget what is too old (when the clock is certain) or too much, oldest detail first."""
        for each in list(self._segments) if certain else []:
            age = max(LEAST[each.level], self.bounds.ages[each.level])
            if self._moved(each.sense, each.last) < (now - age) * 1000:
                self._drop(each)
        spare, tails = self.spare(), sum(each.size for each in self._tails)
        while self._segments and (self.used + tails > self.bounds.budget or self.free() < spare):
            self._drop(self._victim())

    def _victim(self) -> Segment:
        """Return the oldest of the level that has more than its part of the budget."""
        sizes = [self.size(level) for level in range(3)]
        level = DETAIL if sizes[DETAIL] > self.used / 2 else TEN if sizes[TEN] > self.used / 4 else HOUR
        there = [each for each in self._segments if each.level == level] or self._segments
        return min(there, key=lambda each: self._moved(each.sense, each.last))

    def _drop(self, segment: Segment) -> None:
        with self._lock:
            self._segments = [each for each in self._segments if each is not segment]
        segment.path.unlink(missing_ok=True)

    # --- reading -------------------------------------------------------------------------------------------------

    def read(self, device: str, point: str, start: float, end: float, width: float) -> tuple[str, list[Sample]]:
        """Return unit and samples of a point in [start, end), Unix seconds, oldest first, as fine as `width` asks."""
        with self._lock:
            segments, tails = list(self._segments), list(self._tails)
        unit, found = "", list[Sample]()
        for piece in self._pieces(segments, round(start * 1000), round(end * 1000), width):
            for shift, block in self._held(segments, tails, (device, point), piece):
                named, more = samples(block, point, piece._replace(shift=shift))
                unit = named or unit
                found += more
        found.sort(key=_time)
        return unit, found

    def _pieces(self, segments: list[Segment], start: int, end: int, width: float) -> list[Range]:
        """Part a range among the levels: coarser where the wanted one has no more, finer where it has nothing yet."""
        wanted = max(level for level in range(3) if level == 0 or WIDTHS[level] <= width)
        since = [self._oldest(segments, level) for level in range(3)]
        pieces: list[Range] = []
        for level in range(HOUR, -1, -1):
            if level > wanted:
                until = min(end, *since[:level])
            else:
                until = end if level == DETAIL else min(end, self._made_until(segments, level))
            if start < until:
                pieces.append(Range(level, start, until))
                start = until
        return pieces

    def _made_until(self, segments: list[Segment], level: int) -> int:
        """Return up to when a level has averages: to the last, or the first stretch of which only the finer one knows.

        A clock that was wrong for days may have left averages of a time to come.
        """
        long = STRETCHES[level]
        made = {_number(each.path) for each in segments if each.level == level}
        finer = [(each.sense, each.first, each.last) for each in segments if each.level == level - 1]
        finer += [(each.sense, each.first, each.last) for each in self._tails if each.rows and level == TEN]
        spans = [(self._moved(sense, first) // long, self._moved(sense, last) // long) for sense, first, last in finer]
        open_ones = {number for first, last in spans for number in range(first, min(last, first + 60) + 1)} - made
        known = [number * long for number in open_ones if number * long > _SANE]
        return min([*known, (max(made, default=-1) + 1) * long])

    def _oldest(self, segments: list[Segment], level: int) -> int:
        """Return the first time that a level has, but for what a clock that was never set has written."""
        mine = [(each.sense, each.first) for each in segments if each.level == level]
        mine += [(each.sense, each.first) for each in self._tails if each.rows and level == DETAIL]
        return min([first for first in (self._moved(*each) for each in mine) if first > _SANE], default=_NEVER)

    def _held(
        self, segments: list[Segment], tails: list[Tail], wanted: tuple[str, str], piece: Range
    ) -> Iterator[tuple[int, Block]]:
        (device, point), (level, start, end, _) = wanted, piece
        for each in segments:
            if each.level == level and self._overlaps(each, start, end):
                shift = self._shift(each.sense)
                with contextlib.suppress(FileNotFoundError, CodecError):  # forgotten meanwhile, or damaged: a gap
                    mine = [
                        entry
                        for entry in trend_segment.directory(each.path).entries
                        if entry.device == device and entry.last + shift >= start and entry.first + shift < end
                    ]
                    yield from ((shift, b) for b in trend_segment.blocks(each.path, mine) if b is not None)
        for tail in tails if level == DETAIL else ():
            yield from ((self._shift(tail.sense), block) for block in _in_tail(tail, device, point))

    def devices(self) -> dict[str, set[str]]:
        """Return the points that the newest files hold, by device."""
        found: dict[str, set[str]] = {}
        with self._lock:
            newest, tails = [each for each in self._segments if each.level == DETAIL][-1:], list(self._tails)
        for each in newest:
            with contextlib.suppress(FileNotFoundError, CodecError):
                entries = trend_segment.directory(each.path).entries
                for entry, block in zip(entries, trend_segment.blocks(each.path, entries), strict=True):
                    found.setdefault(entry.device, set()).update(name for name, _, _ in (block.points if block else ()))
        for layout in [layout for tail in tails for layout in list(tail.places)]:
            found.setdefault(layout.device, set()).update(name for name, _ in layout.points)
        return found

    # --- times ---------------------------------------------------------------------------------------------------

    def _shift(self, sense: Sense) -> int:
        """Return by how many milliseconds the times of a file are wrong, as was learned since."""
        if sense.certain or sense.boot not in self._learned:
            return 0
        return round((self._learned[sense.boot] - sense.lead) * 1000)

    def _moved(self, sense: Sense, time: int) -> int:
        return time + self._shift(sense)

    def _overlaps(self, segment: Segment, start: int, end: int) -> bool:
        shift = self._shift(segment.sense)
        return segment.last + shift >= start and segment.first + shift < end

    # --- the start -----------------------------------------------------------------------------------------------

    def _look_round(self) -> None:
        """Find the segments that are there; half-written ones go, damaged ones are put aside and said."""
        for path in self.folder.glob("*.new"):
            path.unlink(missing_ok=True)
        for path in sorted(self.folder.glob("*.seg")):
            match = re.fullmatch(r"(detail|ten|hour)-[0-9]{1,12}", path.stem)
            if match is None:
                continue
            try:
                self._segments.append(trend_segment.opened(path, NAMES.index(match[1])))
            except CodecError as error:
                path.unlink(missing_ok=True)
                self.said.append(f"{error}: it was removed, its time is a gap")

    def _take_up(self, sense: Sense) -> list[Tail]:
        """Open the tails that are there; the last goes on when it is of this boot and clock."""
        tails: list[Tail] = []
        for path in sorted(self.folder.glob("detail-*.tail")):
            if path.with_suffix(".seg").exists():
                path.unlink(missing_ok=True)  # the crash was between the two
                continue
            tail = Tail(path, sense)
            if tail.torn:
                self.said.append(f"the last {tail.torn} bytes of {path.name} were torn by a crash and are left out")
            tails.append(tail)
        self._tails = tails
        goes_on = tails and tails[-1].sense.boot == sense.boot and abs(tails[-1].sense.lead - sense.lead) <= 1.0
        if not goes_on:
            self._begin(sense)
        return self._tails


def _time(sample: Sample) -> float:
    return sample.time


def _number(path: Path) -> int:
    return int(path.stem.rpartition("-")[2])


def _in_tail(tail: Tail, device: str, point: str) -> Iterable[Block]:
    """Give the blocks of one point alone in a tail."""
    for layout in list(tail.places):
        place = next((at for at, (name, _) in enumerate(layout.points) if name == point), None)
        if layout.device == device and place is not None:
            rows = tail.of(layout)
            alone = Layout(device, (layout.points[place],))
            only = rows._replace(values=[rows.values[place]], marks=[rows.marks[place]])
            yield expand(detail(alone, only, tail.words).raw)


def _load_learned(path: Path) -> dict[str, float]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, float])
    except (OSError, msgspec.MsgspecError):
        return {}
