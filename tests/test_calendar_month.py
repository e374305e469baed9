"""Limits by the month's day, by its working days and by the year, by hand."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from config.calendar import load_calendar
from model.due import Span, due
from model.month import month_day, month_end, month_working_day, years_later

CHINA = ZoneInfo("Asia/Shanghai")
DAYS = load_calendar("china-working-days")


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=CHINA).timestamp()


def shown(moment: float) -> str:
    return datetime.fromtimestamp(moment, CHINA).isoformat(" ")[:19]


@pytest.mark.parametrize(
    ("moment", "day", "months", "expected"),
    [
        ("2025-09-01 00:00:00", 15, 1, "2025-10-16 00:00:00"),
        ("2025-09-30 23:59:59", 15, 1, "2025-10-16 00:00:00"),
        ("2025-10-01 00:00:00", 15, 1, "2025-11-16 00:00:00"),
        ("2025-12-31 23:59:59", 15, 1, "2026-01-16 00:00:00"),
        ("2025-10-15 12:00:00", 15, 0, "2025-10-16 00:00:00"),
        ("2028-01-31 12:00:00", 31, 1, "2028-03-01 00:00:00"),  # 29 February
        ("2027-01-31 12:00:00", 31, 1, "2027-03-01 00:00:00"),  # 28 February
        ("2025-11-10 12:00:00", 31, 1, "2026-01-01 00:00:00"),
    ],
)
def test_by_a_day_of_the_month_includes_that_day(moment: str, day: int, months: int, expected: str) -> None:
    assert shown(month_day(at(moment), day, DAYS, months)) == expected


@pytest.mark.parametrize(
    ("moment", "number", "expected"),
    [
        ("2025-09-10 12:00:00", 2, "2025-10-11 00:00:00"),  # the 9th and the 10th
        ("2025-09-10 12:00:00", 3, "2025-10-12 00:00:00"),  # the make-up Saturday
        ("2025-10-31 23:59:59", 2, "2025-11-05 00:00:00"),  # Saturday the 1st, so Monday and Tuesday
        ("2025-12-01 00:00:00", 2, "2026-01-06 00:00:00"),  # the make-up Sunday 4 and Monday 5
    ],
)
def test_working_days_of_the_next_month_begin_with_its_first(moment: str, number: int, expected: str) -> None:
    assert shown(month_working_day(at(moment), number, DAYS)) == expected
    assert shown(due(month_end(at(moment), DAYS), Span(number, "working_day"), DAYS)) == expected


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2025-12-01 10:00:00", "2026-12-02 00:00:00"),
        ("2028-02-29 10:00:00", "2029-03-01 00:00:00"),  # ends with 28 February
        ("2027-02-28 10:00:00", "2028-02-29 00:00:00"),
        ("2025-12-31 23:59:59", "2027-01-01 00:00:00"),
    ],
)
def test_a_calendar_year_ends_with_the_same_date(moment: str, expected: str) -> None:
    assert shown(years_later(at(moment), 1, DAYS)) == expected


@pytest.mark.parametrize("day", [0, 32])
def test_a_day_that_no_month_has_is_refused(day: int) -> None:
    with pytest.raises(ValueError, match=f"^{day} is no day of a month; write one from 1 to 31$"):
        month_day(0.0, day, DAYS)


def test_working_days_of_a_month_are_counted_from_one() -> None:
    with pytest.raises(ValueError, match="counted from 1"):
        month_working_day(0.0, 0, DAYS)
