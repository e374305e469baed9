"""Counted time: how many seconds of a calendar's working hours, or working days, lie between two moments, and back.

    counted(calendar, Measure.HOURS, start, end)      seconds of working hours in [start, end)
    reached(calendar, Measure.HOURS, start, amount)   the first moment at which that many are counted from start

Each year of a calendar is worked out once, as sorted half-open pieces with a running sum; every question after that is
a bisection for each year between the two moments. Nothing steps through seconds, minutes or days.
"""

import enum
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from model import zone as wall
from model.calendar import Calendar, Kind
from model.zone import DAY

_YEARS = 100  # a calendar without a working second in so many years has none


class Measure(enum.StrEnum):
    """What is counted: all time, working hours, whole working days, or working days up to their close of business."""

    ALL = "all"
    HOURS = "hours"
    DAYS = "days"
    TO_CLOSE = "to_close"


class Table(NamedTuple):
    """The counted pieces of one year [start, end): when each begins and ends and what is counted before it."""

    start: int
    end: int
    starts: list[int]
    ends: list[int]
    before: list[int]
    total: int

    def until(self, moment: int) -> int:
        """Return what is counted from the year's start to a moment."""
        index = bisect_right(self.starts, moment) - 1
        return 0 if index < 0 else self.before[index] + min(moment, self.ends[index]) - self.starts[index]

    def at(self, amount: int) -> int:
        """Return the first moment at which an amount, above 0 and at most the total, is counted."""
        index = bisect_left(self.before, amount) - 1
        return self.starts[index] + amount - self.before[index]


def counted(calendar: Calendar, measure: Measure, start: int, end: int) -> int:
    """Return the counted seconds in [start, end); nothing when the end is not after the start."""
    if end <= start:
        return 0
    if measure is Measure.ALL:
        return end - start
    total = 0
    for table in _tables(calendar, measure, start):
        total += table.until(min(end, table.end)) - table.until(start)
        if end <= table.end:
            break
    return total


def reached(calendar: Calendar, measure: Measure, start: int, amount: int) -> int | None:
    """Return the first moment at which `amount` seconds are counted from the start; None when they never are."""
    if measure is Measure.ALL or amount <= 0:
        return start + max(amount, 0)
    for table in _tables(calendar, measure, start):
        done = table.until(start)
        if amount <= table.total - done:
            return table.at(done + amount)
        amount -= table.total - done
    return None


def nth_working_day(calendar: Calendar, after: int, number: int) -> int | None:
    """Return the n-th working day after a day, counted from 1970-01-01; None when there is none in a hundred years."""
    first = wall.date_of(after).year
    for year in range(first, first + _YEARS):
        days = working_days(calendar, year)
        skipped = bisect_right(days, after)
        if number <= len(days) - skipped:
            return days[skipped + number - 1]
        number -= len(days) - skipped
    return None


def working_days_between(calendar: Calendar, first: int, end: int) -> int:
    """Return how many working days there are from a day up to another, the latter not counted."""
    years = range(wall.date_of(first).year, wall.date_of(end).year + 1)
    return sum(
        bisect_left(days, end) - bisect_left(days, first) for days in (working_days(calendar, year) for year in years)
    )


def working_days(calendar: Calendar, year: int) -> list[int]:
    """Return the working days of a year, counted from 1970-01-01."""
    key = ("dates", year)
    if key not in calendar.tables:
        first, end = wall.day_number(year, 1, 1), wall.day_number(year + 1, 1, 1)
        calendar.tables[key] = [day for day in range(first, end) if calendar.on(day).kind is Kind.WORKING]
    found: list[int] = calendar.tables[key]
    return found


def _tables(calendar: Calendar, measure: Measure, start: int) -> Iterator[Table]:
    """Give the tables of a hundred years from the one a moment lies in."""
    first = wall.date_of(calendar.day_at(start)).year
    for year in range(first, first + _YEARS):
        key = (measure, year)
        if key not in calendar.tables:
            calendar.tables[key] = _table(calendar, measure, year)
        yield calendar.tables[key]


def _table(calendar: Calendar, measure: Measure, year: int) -> Table:
    first, last = wall.day_number(year, 1, 1), wall.day_number(year + 1, 1, 1)
    start, end = calendar.midnight(first), calendar.midnight(last)
    found = _hours(calendar, first, last) if measure is Measure.HOURS else _days(calendar, measure, year)
    starts: list[int] = []
    ends: list[int] = []
    for begun, over in sorted((max(a, start), min(b, end)) for a, b in found):
        if begun >= over:
            continue
        if ends and begun <= ends[-1]:
            ends[-1] = max(ends[-1], over)
        else:
            starts.append(begun)
            ends.append(over)
    before = [0]
    for begun, over in zip(starts, ends, strict=True):
        before.append(before[-1] + over - begun)
    return Table(start, end, starts, ends, before[:-1], before[-1])


def _hours(calendar: Calendar, first: int, last: int) -> Iterable[tuple[int, int]]:
    """Give the working hours of the days [first, last) and of the night before, as moments."""
    pieces = wall.stretches(calendar.zone, first * DAY, last * DAY)
    for day in range(first - 1, last):
        for opens, closes in calendar.on(day).hours:
            for piece in pieces:
                begun = max(day * DAY + opens - piece.offset, piece.start)
                over = min(day * DAY + closes - piece.offset, piece.end)
                if begun < over:
                    yield begun, over


def _days(calendar: Calendar, measure: Measure, year: int) -> Iterable[tuple[int, int]]:
    """Give the working days of a year, as moments."""
    for day in working_days(calendar, year):
        over = calendar.closes(day) if measure is Measure.TO_CLOSE else calendar.midnight(day + 1)
        yield calendar.midnight(day), over
