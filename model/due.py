"""When something is due, and how much of its time is spent. The rules, with examples: docs/calendars.md.

Moments are Unix seconds. They are taken at their whole second, and everything inside is whole seconds; moments,
intervals and pauses are half open, [start, end). A pause costs the time of the clock that it covers and nothing else.
"""

import enum
import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec

from model import zone as wall
from model.calendar import Calendar, Kind
from model.worktime import Measure, counted, nth_working_day, reached, working_days_between
from model.zone import DAY

Unit = Literal["second", "working_second", "calendar_day", "working_day"]
Pause = tuple[float, float | None, str]
_DAYS = frozenset({"calendar_day", "working_day"})


class DayEnd(enum.StrEnum):
    """How days are counted: by date to 24:00, by date to the close of business, or in spans of 24 h from the start."""

    MIDNIGHT = "midnight"
    CLOSE = "close"
    ELAPSED = "elapsed"


class Roll(enum.StrEnum):
    """Where calendar days that end on a day off go on to the next working day: holidays, every day off, or never."""

    HOLIDAY = "holiday"
    REST_DAY = "rest_day"
    NEVER = "never"


class Span(msgspec.Struct, frozen=True):
    """A limit: so many seconds, seconds of working time, calendar days or working days; whole and not negative.

    `second` is for 30 min, 2 h and "7d" = 7 x 24 h. `calendar_day` is the civil rule (`day_rule: civil`).
    `ends` is for both kinds of day, `roll` for calendar days. Raises ValueError.
    """

    amount: float
    unit: Unit = "second"
    ends: DayEnd = DayEnd.MIDNIGHT
    roll: Roll = Roll.HOLIDAY

    def __post_init__(self) -> None:
        if self.amount < 0 or self.amount != int(self.amount):
            raise ValueError(f"a span is a whole number, zero or more; not {self.amount:g}")


class Deadline(NamedTuple):
    """When a span is over (infinite while a pause is open), and the years on its way whose holidays are estimated."""

    at: float
    unpublished: tuple[int, ...]


def due(start: float, span: Span, calendar: Calendar, pauses: Sequence[Pause] = ()) -> float:
    """Return the first moment at which the span is spent; infinite when a pause that still runs comes before it."""
    return deadline(start, span, calendar, pauses).at


def deadline(start: float, span: Span, calendar: Calendar, pauses: Sequence[Pause] = ()) -> Deadline:
    """Return `due`, with the years on the way whose make-up days are not published yet."""
    begin, amount, stops = math.floor(start), int(span.amount), merged(pauses)
    measure = _measure(span.unit, span.ends)
    by_date = span.unit in _DAYS and span.ends is not DayEnd.ELAPSED
    if by_date:
        end = _by_date(calendar, begin, span, stops)
    else:
        end = _stopped(calendar, measure, begin, amount * DAY if span.unit in _DAYS else amount, stops)
    asks_holidays = measure is not Measure.ALL or (by_date and span.roll is not Roll.NEVER)
    return Deadline(float(end), unpublished(begin, end, calendar) if asks_holidays else ())


def spent(
    start: float,
    end: float,
    unit: Unit,
    calendar: Calendar,
    pauses: Sequence[Pause] = (),
    *,
    ends: DayEnd = DayEnd.MIDNIGHT,
) -> float:
    """Return how much of a span is spent between two moments, in its unit; days with their fraction. Never negative.

    Days that are counted by date (`ends` midnight or close) are spent from the 24:00 of the start day on.
    """
    begin, over = math.floor(start), math.floor(end)
    measure = _measure(unit, ends)
    by_date = unit in _DAYS and ends is not DayEnd.ELAPSED
    if by_date:
        begin = calendar.midnight(calendar.day_at(begin) + 1)
    seconds = counted(calendar, measure, begin, over)
    for a, b in merged(pauses):
        seconds -= counted(calendar, measure, max(a, begin), over if b is None else min(b, over))
    if unit not in _DAYS:
        return float(seconds)
    return _in_days(calendar, measure, ends, begin, seconds) if by_date else seconds / DAY


def merged(pauses: Sequence[Pause]) -> tuple[tuple[int, int | None], ...]:
    """Return the pauses as whole seconds, sorted, overlapping and adjacent ones as one, empty ones gone.

    None as an end is a pause that still runs. Raises ValueError for one that ends before it begins.
    """
    found: list[tuple[int, int | None]] = []
    for start, end, reason in sorted(pauses, key=lambda pause: pause[0]):
        begun, over = math.floor(start), None if end is None else math.floor(end)
        if over is not None and over < begun:
            raise ValueError(f"the pause {reason!r} ends before it begins")
        if over == begun:
            continue
        last = found[-1] if found else None
        if last is None or (last[1] is not None and last[1] < begun):
            found.append((begun, over))
        else:
            found[-1] = (last[0], None if over is None or last[1] is None else max(last[1], over))
    return tuple(found)


def unpublished(start: float, end: float, calendar: Calendar) -> tuple[int, ...]:
    """Return the years from one moment to another whose holidays and make-up days the calendar only estimates.

    The last week of December belongs to the next year's notice too: a make-up day of New Year may lie in it.
    """
    if not calendar.country:
        return ()
    over = end if math.isfinite(end) else start
    first = wall.date_of(calendar.day_at(math.floor(start))).year
    last = wall.date_of(calendar.day_at(math.floor(over)) + 7).year
    return tuple(year for year in range(first, last + 1) if year not in calendar.published)


def unpublished_warning(year: int) -> dict[str, str]:
    """Return, by language, what to say of a due date that depends on a year's unpublished holidays."""
    return {
        "en": f"the make-up days of {year} are not published yet",
        "zh": f"{year}年的节假日调休安排尚未公布",
    }


def _stopped(
    calendar: Calendar, measure: Measure, begin: int, amount: int, stops: tuple[tuple[int, int | None], ...]
) -> float:
    """Return when an amount of counted seconds is reached; each pause on the way adds what it covers."""
    if not amount:
        return begin
    end = reached(calendar, measure, begin, amount)
    for a, b in stops:
        if end is None or a >= end:
            break
        if b is None:
            return math.inf
        end = reached(calendar, measure, end, counted(calendar, measure, max(a, begin), b))
    return math.inf if end is None else end


def _by_date(calendar: Calendar, begin: int, span: Span, stops: tuple[tuple[int, int | None], ...]) -> float:
    """Return the end of the last of so many days after the start day."""
    measure, today, number = _measure(span.unit, span.ends), calendar.day_at(begin), int(span.amount)
    first = calendar.midnight(today + 1)
    last = nth_working_day(calendar, today, number) if span.unit == "working_day" and number else today + number
    if last is None:
        return math.inf
    over = _end_of(calendar, last, span.ends) if number else first
    end = _stopped(calendar, measure, first, counted(calendar, measure, first, over), stops)
    return _rolled(calendar, end, span, stops) if span.unit == "calendar_day" and number else end


def _rolled(calendar: Calendar, end: float, span: Span, stops: tuple[tuple[int, int | None], ...]) -> float:
    """Return the end of the day that an end lies in, or of the next working day where that one is a day off."""
    while math.isfinite(end):
        begin = int(end)
        today = calendar.day_at(begin - 1)
        if _end_of(calendar, today, span.ends) < begin:
            today += 1
        last = nth_working_day(calendar, today, 1) if _rolls(calendar, today, span.roll) else today
        if last is None:
            return math.inf
        over = _end_of(calendar, last, span.ends)
        if over == begin:
            return end
        end = _stopped(calendar, Measure.ALL, begin, over - begin, stops)
    return end


def _rolls(calendar: Calendar, day: int, roll: Roll) -> bool:
    if roll is Roll.NEVER or calendar.on(day).kind is Kind.WORKING:
        return False
    return roll is Roll.REST_DAY or calendar.in_holiday(day)


def _in_days(calendar: Calendar, measure: Measure, ends: DayEnd, begin: int, seconds: int) -> float:
    """Return counted seconds from a midnight on as days: the whole ones, and the share of the last that is over."""
    moment = reached(calendar, measure, begin, seconds)
    if moment is None or seconds <= 0:
        return 0.0
    first, day = calendar.day_at(begin), calendar.day_at(moment - 1)
    whole = day - first if measure is Measure.ALL else working_days_between(calendar, first, day)
    opened = calendar.midnight(day)
    return whole + min(1.0, (moment - opened) / (_end_of(calendar, day, ends) - opened))


def _end_of(calendar: Calendar, day: int, ends: DayEnd) -> int:
    return calendar.closes(day) if ends is DayEnd.CLOSE else calendar.midnight(day + 1)


def _measure(unit: Unit, ends: DayEnd) -> Measure:
    if unit == "working_second":
        return Measure.HOURS
    if unit == "working_day":
        return Measure.TO_CLOSE if ends is DayEnd.CLOSE else Measure.DAYS
    return Measure.ALL
