"""Calendars from config/calendars/*.yaml, with public holidays and a site's own days; see `config.calendar_text`.

Of several words on one day the site's own file rules, then the calendar's `days`, then the public holidays, then the
week. The digest is over what a calendar says, its holidays too, and not how its file looks.
"""

import functools
import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import msgspec

from config import shipped
from config.advice import nearest, show
from config.calendar_text import CalendarText, DaysText, DayText
from config.convert import Conversion, convert
from config.node import ConfigError, Node
from config.public_holidays import china
from config.reader import read
from model.calendar import Calendar, Day, Hours, Kind

_MAKE_UP = {"en": "Make-up working day", "zh": "调休上班"}
_LONGEST = 366  # days that one entry may span


@functools.cache
def load_calendar(name: str, own_days: Path | None = None) -> Calendar:
    """Return the shipped calendar of that name, with a site's own days over it.

    Raises KeyError for no such name, ConfigError for a bad file.
    """
    return parse_calendar(shipped.read_shipped("calendars", name), name, read_days(own_days))


def read_calendar(path: Path, own_days: Path | None = None) -> Calendar:
    """Return a calendar of one's own, named like its file. Raises ConfigError."""
    return parse_calendar(read(path), path.stem, read_days(own_days))


def calendar_text(name: str) -> CalendarText:
    """Return a shipped calendar as it is written: with its source and what it leaves open."""
    return convert(shipped.read_shipped("calendars", name), CalendarText)


def read_days(path: Path | None) -> DaysText:
    """Return a site's own file of days; nothing for no file. Raises ConfigError."""
    return DaysText() if path is None else parse_days(read(path))


def parse_days(node: Node) -> DaysText:
    """Return a site's own days, checked. Raises ConfigError with every problem."""
    conversion = Conversion()
    text: DaysText = conversion.value(node, DaysText)
    if not conversion.problems:
        _check_days(text.days, conversion)
    if conversion.problems:
        raise ConfigError(conversion.problems)
    return text


def parse_calendar(node: Node, name: str, own: DaysText | None = None) -> Calendar:
    """Return a calendar, checked. Raises ConfigError with every problem."""
    conversion = Conversion()
    text: CalendarText = conversion.value(node, CalendarText)
    if not conversion.problems:
        _check(text, conversion)
        _check_days(text.days, conversion)
    if conversion.problems:
        raise ConfigError(conversion.problems)
    calendar = _made(text, name, own or DaysText())
    said = json.dumps(msgspec.to_builtins(calendar, str_keys=True), sort_keys=True)
    return msgspec.structs.replace(calendar, digest=hashlib.sha256(said.encode()).hexdigest()[:16])


def _made(text: CalendarText, name: str, own: DaysText) -> Calendar:
    by_weekday = {day: hours for days, hours in text.hours.items() for day in days}
    working = tuple(sorted(by_weekday)) if text.working_days is None else text.working_days
    week = tuple(Day(Kind.WORKING if day in working else Kind.REST, by_weekday.get(day, ())) for day in range(7))
    make_up = week[working[0]].hours if text.make_up_hours is None else text.make_up_hours
    days: dict[date, Day] = {}
    published = {*text.published, *own.published}
    if text.holidays:
        public = china()
        published |= set(public.published)
        days |= {day: Day(Kind.HOLIDAY, text.holiday_hours, names) for day, names in public.holidays.items()}
        days |= {day: Day(Kind.WORKING, make_up, _MAKE_UP) for day in public.make_up}
        days = {day: each for day, each in days.items() if day.year not in own.published}
    for written in (*text.days, *own.days):
        days |= _dated(written, week, make_up, text.holiday_hours)
    return Calendar(
        name=name,
        title=text.title.both(),
        zone=text.zone,
        week=week,
        days=dict(sorted(days.items())),
        country=text.holidays or "",
        published=tuple(sorted(published)),
    )


def _dated(text: DayText, week: tuple[Day, ...], make_up: tuple[Hours, ...], off: tuple[Hours, ...]) -> dict[date, Day]:
    """Return the days of one entry, each with its own hours, or those that such a day has."""
    names = {language: name for language, name in (("en", text.en), ("zh", text.zh)) if name}
    found = {}
    for day in _days_of(text):
        usual = week[day.weekday()]
        worked = usual.hours if usual.kind is Kind.WORKING else make_up
        hours = (worked if text.kind is Kind.WORKING else off) if text.hours is None else text.hours
        found[day] = Day(text.kind, hours, names)
    return found


def _days_of(text: DayText) -> Iterator[date]:
    for ahead in range(((text.to or text.day) - text.day).days + 1):
        yield text.day + timedelta(days=ahead)


def _check(text: CalendarText, conversion: Conversion) -> None:
    try:
        ZoneInfo(text.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        known = available_timezones()
        conversion.complain(text, "zone", f"there is no time zone {show(text.zone)}; {nearest(text.zone, known)}")
    named = [day for days in text.hours for day in days]
    if len(set(named)) < len(named):
        conversion.complain(text, "hours", "a day of the week stands twice; name each once")
    if not any(text.hours.values()):
        conversion.complain(text, "hours", "no day has hours; write for example mon-fri: 09:00-18:00")
    if text.working_days is None and not all(text.hours.values()):
        conversion.complain(text, "hours", "a day has none; leave it out, or say which are working_days")
    if text.published and not text.holidays:
        conversion.complain(text, "published", "is for a calendar with holidays; leave it out")


def _check_days(days: tuple[DayText, ...], conversion: Conversion) -> None:
    seen: dict[date, DayText] = {}
    for each in days:
        if each.to is not None and not 0 < (each.to - each.day).days < _LONGEST:
            conversion.complain(each, "to", f"is the last of at most {_LONGEST} days; write one after {each.day}")
            continue
        twice = next((day for day in _days_of(each) if day in seen), None)
        if twice is not None:
            line = conversion.node_of(seen[twice]).place.line
            conversion.complain(each, "day", f"{twice} stands in line {line} already")
        seen |= dict.fromkeys(_days_of(each), each)


def holidays_in(calendar: Calendar, year: int) -> Mapping[date, Day]:
    """Return the days of a year that differ from the week, in order: for pages and plain words."""
    return {day: each for day, each in calendar.days.items() if day.year == year}
