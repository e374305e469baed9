"""Calendars: which days are working days, and in which hours of them a clock runs.

A calendar is plain, frozen content: a zone, a week of seven days, and the single days that differ (public holidays,
make-up working days, a site's own). Hours are local wall time, half open [start, end), in seconds after the day's
00:00; an end past 24 h is the next morning. A moment is working time when the wall clock then shows working hours, so
that an hour that comes twice counts twice and one that never comes counts nothing.

Whether a day is a working day and whether it has hours are two things: a phone duty has hours on Sunday, and
Sunday is no working day. A working day is a date, [00:00, 24:00). Where 24:00 comes twice, the second one is meant.
"""

import enum
import functools
from datetime import date
from typing import Any

import msgspec

from model import zone as wall
from model.zone import DAY

Hours = tuple[int, int]
_LONGEST = 60  # days off in a row that are looked at for a holiday


class Kind(enum.StrEnum):
    """What a day is. A make-up working day is a working day; a holiday is a public one."""

    WORKING = "working_day"
    REST = "rest_day"
    HOLIDAY = "holiday"


class Day(msgspec.Struct, frozen=True):
    """One day: its kind, its hours and, for a holiday or a make-up day, its name by language."""

    kind: Kind
    hours: tuple[Hours, ...] = ()
    name: dict[str, str] = {}


class Calendar(msgspec.Struct, frozen=True, dict=True):
    """A working calendar; `week` has seven days, Monday first. Raises ValueError for hours that cannot be.

    `country` says that public holidays matter; `published` are the years whose holidays and make-up days are official.
    A ticket keeps the calendar, whole, that it was opened with: what is published later moves no clock that runs.
    `digest` names the content (SHA-256, first 16 hexadecimal digits).
    """

    name: str
    week: tuple[Day, ...]
    zone: str = "UTC"
    days: dict[date, Day] = {}
    country: str = ""
    published: tuple[int, ...] = ()
    title: dict[str, str] = {}
    digest: str = ""

    def __post_init__(self) -> None:
        if len(self.week) != 7:
            raise ValueError("a week has seven days")
        for day in (*self.week, *self.days.values()):
            for start, end in day.hours:
                if not 0 <= start < DAY or not start < end <= start + DAY:
                    raise ValueError("hours begin within the day and last at most 24 h")
        wall.offset(self.zone, 0)

    @functools.cached_property
    def tables(self) -> dict[Any, Any]:
        """What `model.worktime` has worked out of this calendar; no part of its content."""
        return {}

    def on(self, day: int) -> Day:
        """Return a day; days are counted from 1970-01-01."""
        return self.days.get(wall.date_of(day).date(), self.week[(day + 3) % 7])

    def midnight(self, day: int) -> int:
        """Return the moment at which a day begins and the day before has ended."""
        return wall.moment_of(self.zone, day * DAY)

    def closes(self, day: int) -> int:
        """Return the moment at which the last hours of a day end, its 24:00 at the latest or when it has none."""
        end = max((end for _, end in self.on(day).hours), default=DAY)
        return self.midnight(day + 1) if end >= DAY else wall.moment_of(self.zone, day * DAY + end)

    def in_holiday(self, day: int) -> bool:
        """Tell whether a day off is a public holiday or a rest day that joins one."""
        for step in (1, -1):
            near = day
            while self.on(near).kind is Kind.REST and abs(near - day) < _LONGEST:
                near += step
            if self.on(near).kind is Kind.HOLIDAY:
                return True
        return False

    def day_at(self, moment: int) -> int:
        """Return the day that a moment lies in, counted from 1970-01-01."""
        day = (moment + wall.offset(self.zone, moment)) // DAY
        while self.midnight(day) > moment:
            day -= 1
        while self.midnight(day + 1) <= moment:
            day += 1
        return day


ALWAYS = Calendar("always", week=(Day(Kind.WORKING, ((0, DAY),)),) * 7, title={"en": "Always", "zh": "全天候"})
