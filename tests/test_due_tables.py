"""Due dates worked out by hand, with the shipped calendars: holidays, make-up days, leap day, midnight, year's end.

2025: 1-8 October off, work on Sunday 28 September and Saturday 11 October.
2026: Spring Festival 15-23 February off, work on Saturdays 14 and 28 February; 1-7 October off, work on Sunday
20 September and Saturday 10 October; New Year 1-3 January off, work on Sunday 4 January.
"""

import math
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

import pytest

from config.calendar import load_calendar
from model.calendar import Calendar, Day, Kind
from model.due import DayEnd, Pause, Roll, Span, deadline, due, merged, spent

CHINA = ZoneInfo("Asia/Shanghai")
HOUR = 3600


def at(text: str, zone: ZoneInfo = CHINA) -> float:
    """Read a wall time; 24:00 is the midnight after."""
    if text.endswith("24:00"):
        return datetime.fromisoformat(text.removesuffix(" 24:00")).replace(tzinfo=zone).timestamp() + 86_400
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


def shown(moment: float) -> str:
    return datetime.fromtimestamp(moment, CHINA).isoformat(" ")


def check(
    start: str, expected: str, span: Span, calendar: str = "china-office", pauses: tuple[Pause, ...] = ()
) -> None:
    assert shown(due(at(start), span, load_calendar(calendar), pauses)) == shown(at(expected))


# --- hours and days that nothing stops ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        (1, "2025-09-30 18:50:00"),
        (5, "2025-09-30 22:50:00"),
        (6, "2025-09-30 23:50:00"),
        (8, "2025-10-01 01:50:00"),
        (10, "2025-10-01 03:50:00"),
        (24, "2025-10-01 17:50:00"),
        (7 * 24, "2025-10-07 17:50:00"),
        (10 * 24, "2025-10-10 17:50:00"),
    ],
)
def test_hours_run_through_the_eve_of_national_day(hours: int, expected: str) -> None:
    check("2025-09-30 17:50:00", expected, Span(hours * HOUR), "always")
    check("2025-09-30 17:50:00", expected, Span(hours * HOUR), "china-office")


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("2028-02-28 12:00:01", "2028-02-29 12:00:01"),
        ("2028-02-29 23:59:59", "2028-03-01 23:59:59"),
        ("2027-02-28 23:59:59", "2027-03-01 23:59:59"),
        ("2026-12-31 23:59:59", "2027-01-01 23:59:59"),
    ],
)
def test_one_day_is_24_hours_over_leap_day_and_new_year(start: str, expected: str) -> None:
    check(start, expected, Span(86_400), "always")


# --- working seconds ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "hours", "expected"),
    [
        ("2025-09-24 10:00:00", 2, "2025-09-24 12:00:00"),  # inside
        ("2025-09-24 09:00:00", 9, "2025-09-24 18:00:00"),  # ends with the hours, not with the next day's first
        ("2025-09-24 17:59:59", 1, "2025-09-25 09:59:59"),  # one second today
        ("2025-09-24 18:00:00", 1, "2025-09-25 10:00:00"),  # the end of the hours is outside
        ("2025-09-24 08:59:59", 1, "2025-09-24 10:00:00"),  # before the hours
        ("2025-09-24 23:59:59", 1, "2025-09-25 10:00:00"),
        ("2025-09-25 00:00:00", 1, "2025-09-25 10:00:00"),
        ("2025-09-26 17:00:00", 2, "2025-09-28 10:00:00"),  # Friday to the make-up Sunday
        ("2025-09-27 12:00:00", 9, "2025-09-28 18:00:00"),  # Saturday
        ("2025-09-30 17:50:00", 1, "2025-10-09 09:50:00"),  # over National Day
        ("2025-10-05 12:00:00", 9, "2025-10-09 18:00:00"),
        ("2025-10-10 17:00:00", 10, "2025-10-11 18:00:00"),  # the make-up Saturday
        ("2025-10-11 17:00:00", 2, "2025-10-13 10:00:00"),
        ("2026-02-13 17:00:00", 10, "2026-02-14 18:00:00"),  # the make-up Saturday before Spring Festival
        ("2026-02-14 17:30:00", 1, "2026-02-24 09:30:00"),
        ("2025-12-31 17:30:00", 1, "2026-01-04 09:30:00"),  # over New Year to the make-up Sunday
        ("2028-02-28 17:00:00", 10, "2028-02-29 18:00:00"),  # leap day, a Tuesday
        ("2028-02-29 17:00:00", 2, "2028-03-01 10:00:00"),
    ],
)
def test_working_hours_by_hand(start: str, hours: int, expected: str) -> None:
    check(start, expected, Span(hours * HOUR, "working_second"))
    office = load_calendar("china-office")
    assert spent(at(start), at(expected), "working_second", office) == hours * HOUR


@pytest.mark.parametrize(
    ("start", "seconds", "expected"),
    [
        ("2025-09-24 22:59:59", 2, "2025-09-25 17:30:01"),  # Wednesday night to Thursday evening
        ("2025-09-26 22:00:00", 2 * HOUR, "2025-09-27 10:00:00"),  # Friday to Saturday, when the duty begins at 9
        ("2025-09-27 22:00:00", 2 * HOUR, "2025-09-28 18:30:00"),  # to the make-up Sunday: the hours of a working day
        ("2025-09-30 22:00:00", 2 * HOUR, "2025-10-01 10:00:00"),  # a holiday, a Wednesday
        ("2025-10-08 22:00:00", 2 * HOUR, "2025-10-09 18:30:00"),
    ],
)
def test_phone_duty_has_other_hours_at_weekends_and_on_holidays(start: str, seconds: int, expected: str) -> None:
    check(start, expected, Span(seconds, "working_second"), "outsourcing-phone")


# --- working days ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "days", "expected"),
    [
        ("2025-09-24 00:00:00", 1, "2025-09-25"),
        ("2025-09-24 23:59:59", 1, "2025-09-25"),
        ("2025-09-26 17:50:00", 1, "2025-09-28"),  # Friday: the next working day is the make-up Sunday
        ("2025-09-27 12:00:00", 1, "2025-09-28"),
        ("2025-09-28 12:00:00", 3, "2025-10-09"),  # 29, 30, and then the 9th
        ("2025-09-30 17:50:00", 3, "2025-10-11"),  # 9, 10, make-up Saturday 11
        ("2025-09-30 17:50:00", 5, "2025-10-14"),
        ("2025-09-30 17:50:00", 7, "2025-10-16"),
        ("2026-02-13 09:00:00", 3, "2026-02-25"),  # make-up Saturday 14, then 24, 25
        ("2026-02-16 09:00:00", 7, "2026-03-03"),  # 24 25 26 27, make-up Saturday 28, March 2 and 3
        ("2026-09-30 10:00:00", 3, "2026-10-10"),  # 8, 9, make-up Saturday 10
        ("2025-12-31 10:00:00", 2, "2026-01-05"),  # make-up Sunday 4, Monday 5
        ("2028-02-28 10:00:00", 1, "2028-02-29"),
        ("2028-02-29 10:00:00", 2, "2028-03-02"),
    ],
)
def test_working_days_by_hand(start: str, days: int, expected: str) -> None:
    check(start, f"{expected} 24:00", Span(days, "working_day"))
    check(start, f"{expected} 24:00", Span(days, "working_day"), "china-working-days")
    check(start, f"{expected} 18:00:00", Span(days, "working_day", DayEnd.CLOSE))


@pytest.mark.parametrize(
    ("start", "days", "expected"),
    [
        ("2025-09-24 17:50:00", 1, "2025-09-25 17:50:00"),
        ("2025-09-26 17:50:00", 1, "2025-09-28 17:50:00"),
        ("2025-09-30 17:50:00", 3, "2025-10-11 17:50:00"),
        ("2025-10-05 17:50:00", 1, "2025-10-09 24:00"),  # a start on a day off counts from the next working day
    ],
)
def test_working_days_as_24_hours_keep_the_time_of_day(start: str, days: int, expected: str) -> None:
    check(start, expected, Span(days, "working_day", DayEnd.ELAPSED))


# --- calendar days by the civil rule --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "days", "roll", "expected"),
    [
        ("2025-09-20 17:50:00", 7, Roll.HOLIDAY, "2025-09-27"),  # a Saturday that joins no holiday does not roll
        ("2025-09-20 17:50:00", 7, Roll.REST_DAY, "2025-09-28"),  # unless every day off does: to the make-up Sunday
        ("2025-09-30 17:50:00", 7, Roll.HOLIDAY, "2025-10-09"),  # the 7th is a holiday: the next working day
        ("2025-09-30 17:50:00", 7, Roll.NEVER, "2025-10-07"),
        ("2025-09-24 17:50:00", 10, Roll.HOLIDAY, "2025-10-09"),  # the 4th, a Saturday within the holiday
        ("2025-09-29 17:50:00", 10, Roll.HOLIDAY, "2025-10-09"),
        ("2025-10-02 17:50:00", 10, Roll.HOLIDAY, "2025-10-12"),
        ("2026-02-05 00:00:00", 10, Roll.HOLIDAY, "2026-02-24"),  # the 15th is Sunday and begins Spring Festival
        ("2026-02-04 23:59:59", 10, Roll.HOLIDAY, "2026-02-14"),  # the make-up Saturday is a working day
        ("2025-12-29 10:00:00", 3, Roll.HOLIDAY, "2026-01-04"),
        ("2028-02-26 10:00:00", 3, Roll.HOLIDAY, "2028-02-29"),
    ],
)
def test_calendar_days_by_the_civil_rule(start: str, days: int, roll: Roll, expected: str) -> None:
    check(start, f"{expected} 24:00", Span(days, "calendar_day", roll=roll))


# --- pauses ---------------------------------------------------------------------------------------------------------


def paused(*spans: tuple[str, str | None]) -> tuple[Pause, ...]:
    return tuple((at(a), None if b is None else at(b), "waits for the carrier") for a, b in spans)


@pytest.mark.parametrize(
    ("unit", "pauses", "expected"),
    [
        ("second", [("2025-09-24 23:30:00", "2025-09-25 00:30:00")], "2025-09-25 18:00:00"),  # across midnight
        ("second", [("2025-09-24 16:00:00", "2025-09-24 17:00:00")], "2025-09-25 17:00:00"),  # before the start
        ("second", [("2025-09-25 17:00:00", "2025-09-25 20:00:00")], "2025-09-25 17:00:00"),  # at the due moment
        ("second", [("2025-09-25 16:59:59", "2025-09-25 20:00:00")], "2025-09-25 20:00:01"),
        ("working_second", [("2025-09-24 17:30:00", "2025-09-25 09:30:00")], "2025-09-29 15:00:00"),
        ("working_second", [("2025-09-24 18:00:00", "2025-09-25 09:00:00")], "2025-09-29 14:00:00"),  # costs nothing
        ("working_second", [("2025-09-27 00:00:00", "2025-09-27 23:59:59")], "2025-09-29 14:00:00"),  # a Saturday
    ],
)
def test_pauses_by_hand(
    unit: Literal["second", "working_second"], pauses: list[tuple[str, str | None]], expected: str
) -> None:
    # 24 h end at 17:00. 33 working hours are 1 on the 24th, 9 each on the 25th, the 26th and the make-up 28th, 5 on the
    # 29th: 14:00.
    start = "2025-09-24 17:00:00"
    span = Span((24 if unit == "second" else 33) * HOUR, unit)
    check(start, expected, span, pauses=paused(*pauses))


def test_overlapping_and_adjacent_pauses_count_once() -> None:
    pauses = paused(
        ("2025-09-24 10:00:00", "2025-09-24 11:00:00"),
        ("2025-09-24 10:30:00", "2025-09-24 12:00:00"),
        ("2025-09-24 12:00:00", "2025-09-24 12:30:00"),
    )
    check("2025-09-24 09:00:00", "2025-09-24 13:30:00", Span(2 * HOUR, "working_second"), pauses=pauses)
    assert merged(pauses) == ((at("2025-09-24 10:00:00"), at("2025-09-24 12:30:00")),)
    assert merged([(9.0, None, "b"), (5.0, 5.9, "empty"), (3.0, 9.0, "a")]) == ((3, None),)


def test_a_pause_within_a_limit_of_working_days_moves_its_end_by_what_it_covers() -> None:
    pauses = paused(("2025-09-29 15:00:00", "2025-09-29 18:00:00"))
    check("2025-09-26 10:00:00", "2025-09-30 03:00:00", Span(2, "working_day"), pauses=pauses)
    holiday = paused(("2025-09-30 21:00:00", "2025-10-08 21:00:00"))
    check("2025-09-29 10:00:00", "2025-10-09 03:00:00", Span(1, "working_day"), pauses=holiday)


def test_a_pause_within_calendar_days_gives_the_day_it_ends_in_whole() -> None:
    pauses = paused(("2025-09-22 15:00:00", "2025-09-22 18:00:00"))
    check("2025-09-20 10:00:00", "2025-09-26 24:00", Span(5, "calendar_day"), pauses=pauses)
    check("2025-09-20 10:00:00", "2025-10-09 24:00", Span(10, "calendar_day"), pauses=pauses)


def test_nothing_is_due_while_a_pause_runs_and_time_stands_still() -> None:
    office, running = load_calendar("china-office"), paused(("2025-09-24 10:00:00", None))
    start = at("2025-09-24 09:00:00")
    assert due(start, Span(2 * HOUR, "working_second"), office, running) == math.inf
    assert due(start, Span(1 * HOUR, "working_second"), office, running) == at("2025-09-24 10:00:00")
    assert spent(start, at("2026-09-24 09:00:00"), "working_second", office, running) == HOUR


def test_a_pause_that_ends_before_it_begins_is_refused_with_its_reason() -> None:
    with pytest.raises(ValueError, match=r"^the pause 'lunch' ends before it begins$"):
        due(0.0, Span(1), load_calendar("always"), [(10.0, 5.0, "lunch")])


# --- years that are not published -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "span", "years"),
    [
        ("2026-10-08 09:00:00", Span(5, "working_day"), ()),
        ("2026-12-18 09:00:00", Span(2, "working_day"), ()),  # the 22nd
        ("2026-12-21 09:00:00", Span(5, "working_day"), (2027,)),  # a make-up day of New Year may be the last week's
        ("2026-12-28 09:00:00", Span(5, "working_day"), (2027,)),
        ("2026-12-31 17:00:00", Span(2 * HOUR, "working_second"), (2027,)),
        ("2028-02-28 09:00:00", Span(1, "working_day"), (2028,)),
        ("2026-12-28 09:00:00", Span(10, "calendar_day"), (2027,)),
        ("2026-12-28 09:00:00", Span(10, "calendar_day", roll=Roll.NEVER), ()),
        ("2026-12-28 09:00:00", Span(10 * 86_400), ()),
    ],
)
def test_a_due_date_in_a_year_without_its_notice_says_so(start: str, span: Span, years: tuple[int, ...]) -> None:
    assert deadline(at(start), span, load_calendar("china-office")).unpublished == years
    assert deadline(at(start), span, load_calendar("always")).unpublished == ()


# --- hours past midnight --------------------------------------------------------------------------------------------

NIGHTS = Calendar("nights", week=(Day(Kind.WORKING, ((22 * HOUR, 30 * HOUR),)),) * 7, zone="Asia/Shanghai")


@pytest.mark.parametrize(
    ("start", "hours", "expected"),
    [
        ("2025-12-31 22:00:00", 8, "2026-01-01 06:00:00"),
        ("2025-12-31 12:00:00", 3, "2026-01-01 01:00:00"),
        ("2026-01-01 05:59:59", 1, "2026-01-01 22:59:59"),
        ("2028-02-28 23:00:00", 8, "2028-02-29 23:00:00"),  # 7 in the first night
    ],
)
def test_night_hours_belong_to_the_night_they_begin_in(start: str, hours: int, expected: str) -> None:
    assert due(at(start), Span(hours * HOUR, "working_second"), NIGHTS) == at(expected)


@pytest.mark.parametrize("unit", ["working_day", "calendar_day"])
def test_business_that_closes_after_midnight_ends_a_day_at_24_00(unit: Literal["working_day", "calendar_day"]) -> None:
    start, end = at("2025-12-30 23:00:00"), at("2026-01-01 24:00")
    assert due(start, Span(2, unit, DayEnd.CLOSE), NIGHTS) == end
    assert spent(start, end, unit, NIGHTS, ends=DayEnd.CLOSE) == 2
    assert spent(start, at("2025-12-31 01:00:00"), unit, NIGHTS, ends=DayEnd.CLOSE) == pytest.approx(1 / 24)
