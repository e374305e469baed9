"""Public holidays and make-up working days of China, from the library `holidays`: its source is each year's notice.

The General Office of the State Council publishes a year's days off in November of the year before. A year that the
library does not know yet has its statutory holidays from the law and the lunar calendar, and no make-up days.
"""

import functools
from datetime import date

import msgspec

YEARS = range(2015, 2041)  # what calendars are made of; other years have no holidays and are not published


class PublicHolidays(msgspec.Struct, frozen=True):
    """Days off with their names by language, make-up working days, and the years whose notice is known."""

    holidays: dict[date, dict[str, str]]
    make_up: frozenset[date]
    published: tuple[int, ...]


@functools.cache
def china() -> PublicHolidays:
    """Return the public holidays of China. The library is loaded here and only here: an agent never needs it."""
    from holidays.countries.china import China  # noqa: PLC0415 - only where calendars are

    chinese = China(years=YEARS, language="zh_CN")  # type: ignore[no-untyped-call]  # the library has no type here
    english = China(years=YEARS, language="en_US")  # type: ignore[no-untyped-call]  # the same
    return PublicHolidays(
        holidays={day: {"en": english[day], "zh": name} for day, name in sorted(chinese.items())},
        make_up=frozenset(chinese.weekend_workdays),
        published=tuple(year for year in YEARS if year in chinese.special_public_holidays),
    )
