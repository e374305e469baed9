"""The wall clock of a time zone, in whole seconds and exact where the clock is put forward or back.

A moment is a Unix second. A wall second counts what the clock on the wall shows, as if that were UTC:
1970-01-01 00:00:00 on the wall is 0 in every zone. Between two changes of a zone's offset, moment + offset = wall
second; such a piece of time is a `Stretch`. When the clock is put forward some wall seconds never come (a gap), when it
is put back some come twice (a fold).

The rules are the tz database's, read once a zone by `zoneinfo` as a constant is.
"""

import functools
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

DAY = 86_400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC).toordinal()
_STEP = 6 * 3600  # no zone changes its offset twice within six hours
_MARGIN = 3 * DAY  # more than any offset, and any change of it


class Stretch(NamedTuple):
    """Moments [start, end) with one offset: seconds east of UTC."""

    start: int
    end: int
    offset: int


def date_of(day: int) -> datetime:
    """Return the midnight of a day, counted from 1970-01-01, as a UTC datetime to read year, month and weekday from."""
    return datetime.fromordinal(day + _EPOCH).replace(tzinfo=UTC)


def day_number(year: int, month: int, day: int) -> int:
    """Return a date as days since 1970-01-01. Raises ValueError for a date that does not exist."""
    return datetime(year, month, day, tzinfo=UTC).toordinal() - _EPOCH


def offset(zone: str, moment: int) -> int:
    """Return the seconds east of UTC that hold at a moment. Raises ZoneInfoNotFoundError for no such zone."""
    shift = datetime.fromtimestamp(moment, ZoneInfo(zone)).utcoffset()
    return 0 if shift is None else shift.days * DAY + shift.seconds


def stretches(zone: str, start: int, end: int) -> tuple[Stretch, ...]:
    """Return the stretches that cover the moments [start, end) and three days either side, oldest first."""
    first, last = date_of(start // DAY).year, date_of(end // DAY).year
    found: list[Stretch] = []
    for year in range(first, last + 1):
        for piece in _year(zone, year):
            if found and found[-1].offset == piece.offset:
                found[-1] = Stretch(found[-1].start, max(found[-1].end, piece.end), piece.offset)
            elif not found or piece.start >= found[-1].end:
                found.append(piece)
    return tuple(found)


def moment_of(zone: str, wall: int) -> int:
    """Return the moment from which on the wall clock never again shows less than `wall`.

    For a wall second that comes twice that is the second time; for one that never comes, the moment of the change.
    """
    pieces = stretches(zone, wall, wall)
    for piece in reversed(pieces):
        if wall - piece.offset >= piece.start:
            return min(wall - piece.offset, piece.end)
    return wall - pieces[0].offset


@functools.cache
def _year(zone: str, year: int) -> tuple[Stretch, ...]:
    """Return the stretches of a UTC year, three days before and after included."""
    start = day_number(year, 1, 1) * DAY - _MARGIN
    end = day_number(year + 1, 1, 1) * DAY + _MARGIN
    found: list[Stretch] = []
    begun, held = start, offset(zone, start)
    for moment in range(start + _STEP, end + _STEP, _STEP):
        if (new := offset(zone, moment)) != held:
            change = _change(zone, moment - _STEP, moment)
            found.append(Stretch(begun, change, held))
            begun, held = change, new
    return (*found, Stretch(begun, end, held))


def _change(zone: str, before: int, after: int) -> int:
    """Return the first moment with the offset that holds at `after`; it changes once between the two."""
    new = offset(zone, after)
    while after - before > 1:
        middle = (before + after) // 2
        if offset(zone, middle) == new:
            after = middle
        else:
            before = middle
    return after
