"""docs/calendars.md: its examples come out as they are written, every key and every shipped calendar has its line."""

import re
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from config import shipped
from config.calendar import load_calendar, parse_days
from config.calendar_text import CalendarText, DayText
from config.reader import read_text
from model.due import DayEnd, Span, due
from model.month import month_day, month_end, month_working_day, years_later

DOC = (Path(__file__).parent.parent / "docs" / "calendars.md").read_text(encoding="utf-8")
CHINA = ZoneInfo("Asia/Shanghai")
OFFICE = load_calendar("china-office")
EVE = datetime(2025, 9, 30, 17, 50, tzinfo=CHINA).timestamp()
LEAP_DAY = datetime(2028, 2, 29, 12, tzinfo=CHINA).timestamp()

LIMITS = {
    "`1h`": Span(3600),
    "`7d`": Span(7 * 86_400),
    "`7d` with `day_rule: civil`": Span(7, "calendar_day"),
    "`1wh`": Span(3600, "working_second"),
    "`3wd`": Span(3, "working_day"),
    "`3wd`, to the close of business": Span(3, "working_day", DayEnd.CLOSE),
    "`3wd`, as 24 hours each": Span(3, "working_day", DayEnd.ELAPSED),
}
MONTHS = {
    "month_day": month_day(EVE, 15, OFFICE),
    "month_working_day": month_working_day(EVE, 2, OFFICE),
    "month_end": month_end(EVE, OFFICE),
    "years_later": years_later(LEAP_DAY, 1, OFFICE),
}


def rows(heading: str) -> list[list[str]]:
    found = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", DOC, re.DOTALL | re.MULTILINE)
    assert found is not None
    table = [line.strip("| ").split(" | ") for line in found[1].splitlines() if line.startswith("|")]
    return table[2:]


def shown(moment: float) -> str:
    there = datetime.fromtimestamp(moment, CHINA)
    if there.strftime("%H:%M:%S") == "00:00:00":
        return datetime.fromtimestamp(moment - 1, CHINA).strftime("%Y-%m-%d 24:00")
    return there.strftime("%Y-%m-%d %H:%M:%S").removesuffix(":00")


def test_every_limit_of_the_page_is_due_as_it_says() -> None:
    assert {row[0]: row[2] for row in rows("What a limit means")} == {
        written: shown(due(EVE, span, OFFICE)) for written, span in LIMITS.items()
    }


def test_every_limit_by_the_month_is_due_as_the_page_says() -> None:
    found = {row[0].strip("`").partition("(")[0]: row[2].split(": ")[-1] for row in rows("By the month and the year")}
    assert found == {name: shown(moment) for name, moment in MONTHS.items()}


def test_every_key_and_every_shipped_calendar_has_its_line() -> None:
    keys = {row[0].strip("`"): row[1] for row in rows("A calendar as a file")}
    assert set(keys) == {field.encode_name for field in msgspec.structs.fields(CalendarText)}
    for field in msgspec.structs.fields(DayText):
        assert f"`{field.encode_name}`" in keys["days"]
    assert {row[0].strip("`") for row in rows("Shipped calendars")} == set(shipped.names("calendars"))


def test_the_file_of_days_on_the_page_can_be_used() -> None:
    found = re.search(r"```yaml\n(.*?)```", DOC, re.DOTALL)
    assert found is not None
    days = parse_days(read_text(found[1], "days.yaml"))
    assert days.published == (2039,)
    assert len(days.days) == 4


def test_a_pause_within_working_days_is_as_the_page_says() -> None:
    friday, *pause = (datetime(2025, 9, *when, tzinfo=CHINA).timestamp() for when in ((19, 10), (22, 15), (22, 18)))
    end = due(friday, Span(2, "working_day"), OFFICE, [(pause[0], pause[1], "waits for the carrier")])
    assert shown(end) == "2025-09-24 03:00"  # a Wednesday
