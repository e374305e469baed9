"""Calendars as files: what is shipped, a site's own days, published years, and every mistake by its line."""

import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import FrameType

import msgspec
import pytest

from config import shipped
from config.calendar import calendar_text, holidays_in, load_calendar, parse_calendar, parse_days, read_calendar
from config.node import ConfigError
from config.reader import read_text
from model.calendar import ALWAYS, Calendar, Day, Kind
from model.due import Span, deadline, due, spent, unpublished_warning

NAMES = sorted(shipped.names("calendars"))
HEAD = "title: {en: a, zh: b}\nzone: Asia/Shanghai\n"
# The notices of the General Office of the State Council for 2025 and 2026.
OFF = {
    2025: "01-01 01-28 01-29 01-30 01-31 02-03 02-04 04-04 05-01 05-02 05-05 06-02 10-01 10-02 10-03 10-06 10-07 10-08",
    2026: "01-01 01-02 02-16 02-17 02-18 02-19 02-20 02-23 04-06 05-01 05-04 05-05 06-19 09-25 10-01 10-02 10-05 10-06"
    " 10-07",
}
MAKE_UP = {2025: "01-26 02-08 04-27 09-28 10-11", 2026: "01-04 02-14 02-28 05-09 09-20 10-10"}


def refused(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_calendar(read_text(text, "c.yaml"), "c")
    return str(caught.value)


def days_refused(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_days(read_text(text, "days.yaml"))
    return str(caught.value)


def with_days(tmp_path: Path, text: str, name: str = "china-office") -> Calendar:
    path = tmp_path / "days.yaml"
    path.write_text(text, encoding="utf-8")
    return load_calendar(name, path)


def kinds(calendar: Calendar, *days: str) -> list[Kind]:
    epoch = date(1970, 1, 1)
    return [calendar.on((date.fromisoformat(day) - epoch).days).kind for day in days]


# --- what is shipped ------------------------------------------------------------------------------------------------


def test_the_windows_that_the_contracts_name_are_shipped() -> None:
    assert NAMES == [
        "always",
        "china-office",
        "china-working-days",
        "maintenance-evenings",
        "outsourcing-on-site",
        "outsourcing-phone",
        "outsourcing-reachable",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_calendar_says_its_source_in_two_languages(name: str) -> None:
    text = calendar_text(name)
    assert text.source is not None
    for said in (text.title, text.source, *text.open):
        assert said.en.isascii()
        assert any(sign > "\u4e00" for sign in said.zh)
    if text.holidays:
        assert text.open


@pytest.mark.parametrize("year", OFF)
def test_weekdays_off_and_make_up_days_are_those_of_the_years_notice(year: int) -> None:
    days = holidays_in(load_calendar("china-office"), year)
    off = [f"{day:%m-%d}" for day, each in days.items() if each.kind is Kind.HOLIDAY and day.weekday() < 5]
    worked = [f"{day:%m-%d}" for day, each in days.items() if each.kind is Kind.WORKING]
    assert " ".join(off) == OFF[year]
    assert " ".join(worked) == MAKE_UP[year]


def test_holidays_have_names_in_two_languages() -> None:
    days = load_calendar("china-office").days
    assert days[date(2026, 10, 1)].name == {"en": "National Day", "zh": "国庆节"}
    assert days[date(2026, 10, 10)].name == {"en": "Make-up working day", "zh": "调休上班"}


def test_years_without_a_notice_have_their_statutory_days_and_are_not_published() -> None:
    office = load_calendar("china-office")
    assert 2026 in office.published
    assert 2039 not in office.published
    assert kinds(office, "2039-10-01", "2039-05-02") == [Kind.HOLIDAY, Kind.HOLIDAY]
    assert unpublished_warning(2028)["en"] == "the make-up days of 2028 are not published yet"
    assert unpublished_warning(2028)["zh"] == "2028年的节假日调休安排尚未公布"


def test_a_calendar_is_content_that_comes_back_whole_from_json() -> None:
    office = load_calendar("china-office")
    again = msgspec.json.decode(msgspec.json.encode(office), type=Calendar)
    assert again == office
    assert due(1.76e9, Span(7, "working_day"), again) == due(1.76e9, Span(7, "working_day"), office)


def test_the_digest_is_of_what_a_calendar_says() -> None:
    one = parse_calendar(read_text(f"{HEAD}hours: {{mon-fri: 09:00-18:00}}\n", "c.yaml"), "c")
    same = parse_calendar(read_text(f"# a comment\n{HEAD}hours:\n  mon-fri: 09:00-18:00\n", "d.yaml"), "c")
    other = parse_calendar(read_text(f"{HEAD}hours: {{mon-fri: 09:00-18:01}}\n", "c.yaml"), "c")
    assert one.digest == same.digest
    assert one.digest != other.digest


def test_the_library_of_holidays_is_loaded_only_for_a_calendar_that_asks_for_it() -> None:
    script = (
        "import sys; from config.calendar import load_calendar; load_calendar('always');"
        "assert 'holidays' not in sys.modules; load_calendar('china-office'); assert 'holidays' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).parent.parent)


# --- a site's own days ----------------------------------------------------------------------------------------------


def test_own_days_stand_before_the_public_ones(tmp_path: Path) -> None:
    calendar = with_days(
        tmp_path,
        "days:\n"
        "  - {day: 2026-10-10, is: rest_day}\n"
        "  - {day: 2026-10-05, to: 2026-10-06, is: working_day, hours: 10:00-12:00}\n"
        "  - {day: 2026-06-06, is: holiday, en: Founding day, zh: 司庆日}\n",
    )
    assert kinds(calendar, "2026-10-10", "2026-10-05", "2026-10-07") == [Kind.REST, Kind.WORKING, Kind.HOLIDAY]
    assert calendar.days[date(2026, 10, 6)] == Day(Kind.WORKING, ((36_000, 43_200),))
    assert calendar.days[date(2026, 6, 6)].name == {"en": "Founding day", "zh": "司庆日"}
    assert calendar.digest != load_calendar("china-office").digest


def test_a_year_that_the_file_publishes_is_the_files_alone(tmp_path: Path) -> None:
    calendar = with_days(
        tmp_path,
        "published: [2039]\n"
        "days:\n"
        "  - {day: 2039-10-01, to: 2039-10-07, is: holiday}\n"
        "  - {day: 2039-10-08, is: working_day}\n",
    )
    assert 2039 in calendar.published
    assert [f"{day:%m-%d}" for day in holidays_in(calendar, 2039)] == [f"10-0{day}" for day in range(1, 9)]
    assert calendar.days[date(2039, 10, 8)].hours == ((9 * 3600, 18 * 3600),)
    start = 2_200_000_000.0  # 2039-09-19
    assert deadline(start, Span(10, "working_day"), calendar).unpublished == ()
    assert deadline(start, Span(10, "working_day"), load_calendar("china-office")).unpublished == (2039,)


def test_a_calendar_that_a_ticket_keeps_is_not_moved_by_what_is_published_later(tmp_path: Path) -> None:
    kept = msgspec.json.encode(load_calendar("china-office"))
    later = with_days(tmp_path, "published: [2039]\ndays:\n  - {day: 2039-09-24, is: working_day}\n")
    start, span = 2_200_000_000.0, Span(5, "working_day")  # Monday 2039-09-19; the 24th is a Saturday
    before = due(start, span, msgspec.json.decode(kept, type=Calendar))
    assert before == due(start, span, load_calendar("china-office"))
    assert due(start, span, later) == before - 2 * 86_400  # the make-up Saturday instead of Monday
    assert due(start, span, msgspec.json.decode(kept, type=Calendar)) == before


def test_a_calendar_of_ones_own_is_named_like_its_file(tmp_path: Path) -> None:
    path = tmp_path / "workshop.yaml"
    path.write_text(f'{HEAD}hours: {{mon-thu: "07:00-12:00, 12:30-16:00", fri: 22:00-06:00}}\n', encoding="utf-8")
    calendar = read_calendar(path)
    assert calendar.name == "workshop"
    assert calendar.week[0] == Day(Kind.WORKING, ((25_200, 43_200), (45_000, 57_600)))
    assert calendar.week[4] == Day(Kind.WORKING, ((79_200, 108_000),))
    assert calendar.week[5] == Day(Kind.REST)


# --- mistakes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours", "message"),
    [
        (
            "{mon-fri: 9-18}",
            'hours.mon-fri: "9-18" is no span of hours; write for example 09:00-18:00, or none',
        ),
        ("{mon-fri: 09:00-25:00}", "is no span of hours"),
        ("{mon-fri: 09:00-24:01}", '"09:00-24:01" is beyond 24:00, the end of a day'),
        ('{mon-fri: "09:00-12:00, 11:59-18:00"}', "overlap or are out of order"),
        ('{mon-fri: "13:00-18:00, 09:00-12:00"}', "overlap or are out of order"),
        ('{mon-fri: "05:00-08:00, 22:00-06:00"}', "run into the same hours of the next day"),
        ("{mo-fri: 09:00-18:00}", '"mo-fri" is no day of the week; write for example mon, mon-fri or sat,sun'),
        ("{fri-mon: 09:00-18:00}", '"fri-mon" ends before it begins; write for example sat,sun,mon'),
        ("{mon-fri: 09:00-18:00, fri: 09:00-12:00}", "a day of the week stands twice; name each once"),
        ("{mon-fri: none}", "no day has hours; write for example mon-fri: 09:00-18:00"),
        ("{mon-fri: 09:00-18:00, sat: none}", "a day has none; leave it out, or say which are working_days"),
    ],
)
def test_hours_that_cannot_be_are_refused_with_their_line(hours: str, message: str) -> None:
    said = refused(f"{HEAD}hours: {hours}\n")
    assert said.startswith("c.yaml:3: hours")
    assert message in said


def test_a_zone_that_does_not_exist_is_refused_with_the_nearest() -> None:
    said = refused("title: {en: a, zh: b}\nzone: Asia/Shangai\nhours: {mon: 09:00-18:00}\n")
    assert said == 'c.yaml:2: zone: there is no time zone "Asia/Shangai"; did you mean "Asia/Shanghai"?'


def test_every_mistake_is_said_at_once() -> None:
    said = refused(f"{HEAD}hours: {{mon: 9}}\nholidays: DE\nweek: 5\n").splitlines()
    assert [line.split(": ")[0] for line in said] == ["c.yaml:3", "c.yaml:4", "c.yaml:5"]


def test_published_is_only_for_a_calendar_with_holidays() -> None:
    said = refused(f"{HEAD}hours: {{mon: 09:00-18:00}}\npublished: [2027]\n")
    assert said == "c.yaml:4: published: is for a calendar with holidays; leave it out"


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{day: 2027-02-30, is: holiday}", 'days.yaml:2: days[0].day: "2027-02-30" is no date: day is out of range'),
        ("{day: 27-02-03, is: holiday}", '"27-02-03" is no date; write for example 2027-02-05'),
        ("{day: 2027-02-05, is: off}", 'days[0].is: "off" is not one of its values'),
        ("{day: 2027-02-05}", 'days.yaml:2: days[0]: the key "is" is missing'),
        (
            "{day: 2027-02-05, to: 2027-02-05, is: holiday}",
            "of at most 366 days; write one after 2027-02-05",
        ),
        ("{day: 2027-02-05, to: 2029-02-05, is: holiday}", "is the last of at most 366 days"),
    ],
)
def test_days_that_cannot_be_are_refused_with_their_line(entry: str, message: str) -> None:
    assert message in days_refused(f"days:\n  - {entry}\n")


def test_a_day_that_stands_twice_is_refused_with_both_lines() -> None:
    said = days_refused(
        "days:\n  - {day: 2027-02-05, to: 2027-02-11, is: holiday}\n  - {day: 2027-02-11, is: rest_day}\n"
    )
    assert said == "days.yaml:3: days[1].day: 2027-02-11 stands in line 2 already"


def test_a_bad_file_of_days_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r'days\.yaml:1: days: is "5"; a list is meant'):
        with_days(tmp_path, "days: 5\n")


@pytest.mark.parametrize("hours", [(-1, 5), (5, 5), (86_400, 86_401), (0, 86_401)])
def test_a_calendar_made_in_code_is_checked_too(hours: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="hours begin within the day and last at most 24 h"):
        Calendar("c", week=(Day(Kind.WORKING, (hours,)),) * 7)


# --- cost -----------------------------------------------------------------------------------------------------------


def calls(step: Callable[[], object]) -> int:
    """Count the function calls of a step: what it costs, whatever machine runs it."""
    count = 0

    def called(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(called)
    try:
        step()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize(
    ("day", "year"),
    [
        (Span(32_400, "working_second"), Span(365 * 32_400, "working_second")),
        (Span(1, "working_day"), Span(250, "working_day")),
        (Span(1, "calendar_day"), Span(365, "calendar_day")),
    ],
)
def test_a_year_long_span_costs_little_more_than_a_day_long_one(day: Span, year: Span) -> None:
    office, start = load_calendar("china-office"), 1_760_000_000.0
    due(start, year, office)  # the years are worked out once
    assert calls(lambda: due(start, year, office)) < 2 * calls(lambda: due(start, day, office)) < 1000


def test_always_is_always() -> None:
    assert spent(0.0, 1e9, "working_second", ALWAYS) == 1e9
    assert due(5.75, Span(86_400, "working_second"), ALWAYS) == 86_405.0
