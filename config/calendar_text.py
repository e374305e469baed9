"""A calendar as it is written in YAML: the keys of config/calendars/*.yaml, and of a site's own file of days.

    title: {en: Office hours, zh: 办公时间}
    zone: Asia/Shanghai
    holidays: CN                          # public holidays and make-up days of China, from the library `holidays`
    hours: {mon-fri: 09:00-18:00}         # several: "09:00-12:00, 13:00-18:00"; overnight: 22:00-06:00; or none
    working_days: mon-fri                 # without it: the days that have hours
    holiday_hours: none                   # on holidays and on other single days off
    make_up_hours: 09:00-18:00            # on make-up working days; without it: those of the first working day
    days:
      - {day: 2027-02-05, to: 2027-02-11, is: holiday, en: Spring Festival, zh: 春节}
      - {day: 2027-02-14, is: working_day, hours: 09:00-12:00}

A site's own file has `days` and `published: [2027]`: a year whose holidays the file itself states, whole.
"""

import re
from datetime import date
from itertools import pairwise
from typing import Annotated, Literal

import msgspec

from config.advice import show
from config.fault_rules import Title
from config.scalars import Form
from model.calendar import Hours, Kind
from model.zone import DAY

_RANGE = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9])\s*-\s*([01][0-9]|2[0-4]):([0-5][0-9])")
_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def hours(text: str) -> tuple[Hours, ...]:
    """Read the hours of a day, in order and apart; an end that is not after the start is the next morning's."""
    found = [] if text == "none" else [_range(part.strip()) for part in text.split(",")]
    for (_, end), (start, _) in pairwise(found):
        if start < end:
            raise ValueError(f"the hours in {show(text)} overlap or are out of order")
    if found and found[-1][1] > found[0][0] + DAY:
        raise ValueError(f"the hours in {show(text)} run into the same hours of the next day")
    return tuple(found)


def _range(text: str) -> Hours:
    match = _RANGE.fullmatch(text)
    if not match:
        raise ValueError(f"{show(text)} is no span of hours; write for example 09:00-18:00, or none")
    numbers = [int(group) for group in match.groups()]
    start, end = (numbers[at] * 3600 + numbers[at + 1] * 60 for at in (0, 2))
    if start >= DAY or end > DAY:
        raise ValueError(f"{show(text)} is beyond 24:00, the end of a day")
    return start, end if end > start else end + DAY


def weekdays(text: str) -> tuple[int, ...]:
    """Read mon, mon-fri or several of them with commas: days of the week, Monday 0."""
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if first not in _WEEK or (dash and last not in _WEEK):
            raise ValueError(f"{show(text)} is no day of the week; write for example mon, mon-fri or sat,sun")
        end = _WEEK.index(last) if dash else _WEEK.index(first)
        if end < _WEEK.index(first):
            raise ValueError(f"{show(text)} ends before it begins; write for example sat,sun,mon")
        found += range(_WEEK.index(first), end + 1)
    if len(set(found)) < len(found):
        raise ValueError(f"{show(text)} names a day twice")
    return tuple(found)


def day(text: str) -> date:
    """Read a date, 2027-02-05."""
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{show(text)} is no date: {error}") from None
    raise ValueError(f"{show(text)} is no date")


HoursText = Annotated[tuple[Hours, ...], Form(hours, "09:00-18:00")]
Weekdays = Annotated[tuple[int, ...], Form(weekdays, "mon-fri")]
Date = Annotated[date, Form(day, "2027-02-05")]
Year = Annotated[int, msgspec.Meta(ge=1970, le=2200, examples=[2027])]


class DayText(msgspec.Struct, frozen=True, rename={"kind": "is"}):
    """One day, or all days to another one, that differ from the week and from the public holidays."""

    day: Date
    kind: Kind
    to: Date | None = None
    hours: HoursText | None = None
    en: str = ""
    zh: str = ""


class DaysText(msgspec.Struct, frozen=True):
    """A site's or a desk's own days: they stand before the calendar's and before the public holidays."""

    days: tuple[DayText, ...] = ()
    published: tuple[Year, ...] = ()


class OpenText(msgspec.Struct, frozen=True):
    """What the contract behind a calendar leaves open, and our choice."""

    key: str
    en: str
    zh: str


class CalendarText(msgspec.Struct, frozen=True, kw_only=True):
    """A calendar as it is written."""

    title: Title
    zone: str
    hours: dict[Weekdays, HoursText]
    working_days: Weekdays | None = None
    holidays: Literal["CN"] | None = None
    holiday_hours: HoursText = ()
    make_up_hours: HoursText | None = None
    source: Title | None = None
    days: tuple[DayText, ...] = ()
    published: tuple[Year, ...] = ()
    open: tuple[OpenText, ...] = ()
