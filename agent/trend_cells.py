"""The cells of a trend between file and plot: marks, samples, and their averages with minimum and maximum."""

import math
from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from agent.trend_codec import (
    GONE,
    Block,
    Column,
    column,
    numbers,
    pack_times,
    split_words,
    squeeze,
    unpack_times,
)
from agent.trend_segment import Made
from agent.trend_tail import Layout, Rows
from model.point import Quality

QUALITIES = (Quality.GOOD, Quality.UNCERTAIN, Quality.STALE, Quality.UNAVAILABLE)
NUMBER, WORD = 4, 8  # beside the quality's place
_ORDER = {quality: place for place, quality in enumerate(QUALITIES)}
_AVERAGED = 4  # columns of an averaged point: mean (a word: the last), lowest, highest, how many


class Sample(NamedTuple):
    """A reading, or several: Unix seconds, mean (of words the last), lowest and highest, how many. None is a gap."""

    time: float
    value: float | str | None
    low: float | str | None
    high: float | str | None
    many: int = 1
    quality: Quality = Quality.GOOD

    @property
    def known(self) -> bool:
        """Whether there is a value that can be believed."""
        return self.value is not None and self.quality in _KNOWN


_KNOWN = frozenset({Quality.GOOD, Quality.UNCERTAIN})


def mark(value: float | str | None, quality: Quality) -> int:
    """Return the mark of a cell."""
    return _ORDER[quality] | (0 if value is None else WORD if isinstance(value, str) else NUMBER)


def detail(layout: Layout, rows: Rows, words: Sequence[str]) -> Made:
    """Make the block of one layout's rows, in the order of time."""
    rows = _in_order(rows)
    named, places = split_words(words)
    points = tuple(
        (point, unit, _columns(values, marks, words, places))
        for (point, unit), values, marks in zip(layout.points, rows.values, rows.marks, strict=True)
    )
    block = Block(pack_times(rows.times), len(rows.times), points, named)
    return Made(layout.device, rows.times[0], rows.times[-1], squeeze(block))


def _in_order(rows: Rows) -> Rows:
    """Return rows sorted by time: the clock may have been slewed back by a little."""
    if all(first <= then for first, then in zip(rows.times, rows.times[1:], strict=False)):
        return rows
    order = sorted(range(len(rows.times)), key=rows.times.__getitem__)
    return Rows(
        [rows.times[at] for at in order],
        [array("d", [values[at] for at in order]) for values in rows.values],
        [bytes(marks[at] for at in order) for marks in rows.marks],
    )


def _columns(values: Sequence[float], marks: bytes, words: Sequence[str], places: dict[str, int]) -> tuple[Column, ...]:
    kinds = {each & 12 for each in set(marks)}
    if WORD not in kinds:
        return (column(values, marks, bytes(each & NUMBER != 0 for each in marks)),)
    named = [places[words[int(value)]] if each & WORD else 0.0 for value, each in zip(values, marks, strict=True)]
    wordy = bytes(each & WORD != 0 for each in marks)
    if NUMBER not in kinds:
        return (column(named, marks, wordy, words=True),)
    figures = bytes(each & NUMBER != 0 for each in marks)
    return (
        column(values, bytes(GONE if each & WORD else each for each in marks), figures),
        column(named, bytes(each if each & WORD else GONE for each in marks), wordy, words=True),
    )


def averages(device: str, points: Sequence[tuple[str, str, Sequence[Sample]]]) -> Made:
    """Make the block of a device's averages; `points` are (id, unit, samples), some of the times each."""
    times = sorted({sample.time for _, _, samples in points for sample in samples})
    at = {time: place for place, time in enumerate(times)}
    told = [each for _, _, samples in points for s in samples for each in (s.value, s.low, s.high)]
    words = [each for each in told if isinstance(each, str)]
    named, places = split_words(words)
    packed = tuple((point, unit, _averaged(samples, at, places)) for point, unit, samples in points)
    whole = [round(time * 1000) for time in times]
    return Made(device, whole[0], whole[-1], squeeze(Block(pack_times(whole), len(whole), packed, named)))


def _averaged(samples: Sequence[Sample], at: dict[float, int], places: dict[str, int]) -> tuple[Column, ...]:
    columns: list[Column] = []
    for kind in (NUMBER, WORD):
        cells = [array("d", bytes(8 * len(at))) for _ in range(_AVERAGED)]
        marks = bytearray([GONE]) * len(at)
        for sample in samples:
            place = at[sample.time]
            worded = isinstance(sample.value, str)
            if sample.value is None and kind == NUMBER:
                marks[place] = _ORDER[sample.quality]
            elif sample.value is not None and worded == (kind == WORD):
                marks[place] = mark(sample.value, sample.quality)
                for cell, value in zip(cells, (sample.value, sample.low, sample.high, sample.many), strict=True):
                    cell[place] = places[value] if isinstance(value, str) else value or 0
        told = bytes(each != GONE and each & 12 != 0 for each in marks)
        if kind == WORD and 1 not in told:
            break
        columns += [
            column(cell, bytes(marks), told, words=kind == WORD and number < _AVERAGED - 1)
            for number, cell in enumerate(cells)
        ]
    return tuple(columns)


class Range(NamedTuple):
    """What is asked: [start, end) in Unix milliseconds, of a level's blocks whose times are `shift` too early."""

    level: int
    start: int
    end: int
    shift: int = 0


def samples(block: Block, point: str, asked: Range) -> tuple[str, list[Sample]]:
    """Return the unit and the samples of a point in a range; "" for no point."""
    level, start, end, shift = asked
    found = next(((unit, columns) for name, unit, columns in block.points if name == point), None)
    if found is None:
        return "", []
    times = unpack_times(block.times, block.rows)
    step = _AVERAGED if level else 1
    groups = [found[1][at : at + step] for at in range(0, len(found[1]), step)]
    told = [list(_told(group, times, block.words, level)) for group in groups]
    merged = told[0] if len(told) == 1 else sorted((s for each in told for s in each), key=lambda s: s.time)
    if not shift and start <= times[0] and times[-1] < end:
        return found[0], merged
    since, until, off = start / 1000, end / 1000, shift / 1000
    moved = merged if not shift else [sample._replace(time=sample.time + off) for sample in merged]
    return found[0], [sample for sample in moved if since <= sample.time < until]


def _told(group: Sequence[Column], times: Sequence[int], words: Sequence[str], level: int) -> Iterator[Sample]:
    rows = len(times)
    first = numbers(group[0], rows)
    others = [numbers(each, rows).values for each in group[1:]]
    lows, highs, counts = others if level else (first.values, first.values, [1] * rows)
    for time, value, low, high, count, each in zip(times, first.values, lows, highs, counts, first.marks, strict=True):
        if each == GONE:
            continue
        if each & NUMBER:
            yield Sample(time / 1000, value, low, high, int(count), QUALITIES[each & 3])
        elif each & WORD:
            shown = words[int(value)], words[int(low)], words[int(high)]
            yield Sample(time / 1000, *shown, int(count), QUALITIES[each & 3])
        else:
            yield Sample(time / 1000, None, None, None, 0, QUALITIES[each & 3])


def averaged(given: Iterable[Sample], width: float) -> Iterator[Sample]:
    """Give one sample for each stretch of `width` seconds (whole ones from the epoch) that has any, by rising time."""
    held: list[Sample] = []
    begun = -1.0
    for sample in given:
        start = sample.time // width * width
        if start != begun and held:
            yield _one(held, begun)
            held = []
        begun = start
        held.append(sample)
    if held:
        yield _one(held, begun)


def _one(held: Sequence[Sample], time: float) -> Sample:
    known = [sample for sample in held if sample.known]
    figures = [s for s in known if not isinstance(s.value, str)]
    quality = max((sample.quality for sample in known), key=_ORDER.__getitem__, default=Quality.UNAVAILABLE)
    if figures:
        many = sum(s.many for s in figures)
        mean = sum(_figure(s.value) * s.many for s in figures) / many
        low, high = min(_figure(s.low) for s in figures), max(_figure(s.high) for s in figures)
        return Sample(time, _short(mean, low, high), low, high, many, quality)
    if known:
        words = [str(each) for s in known for each in (s.low, s.high)]
        return Sample(time, known[-1].value, min(words), max(words), sum(s.many for s in known), quality)
    return Sample(time, None, None, None, 0, quality)


def _figure(value: float | str | None) -> float:
    return value if isinstance(value, float | int) else math.nan


def _short(mean: float, low: float, high: float) -> float:
    """Return a mean to six figures, or the very value where there was but one."""
    return low if low == high else float(f"{mean:.6g}")
