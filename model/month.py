"""Limits by the calendar's month and year: "by the 15th", "within 2 working days of the next month", "one year".

All end at 24:00 of their last day in the calendar's zone: that day is included (our choice where a text says "by").
"""

import math

from model import zone as wall
from model.calendar import Calendar
from model.worktime import nth_working_day


def month_day(moment: float, day: int, calendar: Calendar, months: int = 1) -> float:
    """Return the end of a day of the month, so many months after the month of a moment; 0 is that month itself.

    A month that is too short ends with its last day: the 31st is 30 April, and 29 February in a leap year.
    Raises ValueError for a day outside 1 to 31.
    """
    if not 1 <= day <= 31:
        raise ValueError(f"{day} is no day of a month; write one from 1 to 31")
    first, after = _month(moment, calendar, months), _month(moment, calendar, months + 1)
    return float(calendar.midnight(min(first + day, after)))


def month_working_day(moment: float, number: int, calendar: Calendar, months: int = 1) -> float:
    """Return the end of the n-th working day of a month, so many months after the month of a moment.

    Infinite when the calendar has no working days. Raises ValueError for a number below 1.
    """
    if number < 1:
        raise ValueError("working days of a month are counted from 1")
    day = nth_working_day(calendar, _month(moment, calendar, months) - 1, number)
    return math.inf if day is None else float(calendar.midnight(day + 1))


def month_end(moment: float, calendar: Calendar) -> float:
    """Return the last second of the month that a moment lies in: days counted by date from it begin with the 1st."""
    return float(calendar.midnight(_month(moment, calendar, 1)) - 1)


def years_later(moment: float, years: int, calendar: Calendar) -> float:
    """Return the end of the same date so many years later: the last day of "within one calendar year".

    29 February becomes 28 February in a year without it (Civil Code of China, article 202).
    """
    date = wall.date_of(calendar.day_at(math.floor(moment)))
    after = wall.day_number(date.year + years + date.month // 12, date.month % 12 + 1, 1)
    first = wall.day_number(date.year + years, date.month, 1)
    return float(calendar.midnight(min(first + date.day, after)))


def _month(moment: float, calendar: Calendar, months: int) -> int:
    """Return the first day of a month, counted from 1970-01-01."""
    date = wall.date_of(calendar.day_at(math.floor(moment)))
    month = date.year * 12 + date.month - 1 + months
    return wall.day_number(month // 12, month % 12 + 1, 1)
