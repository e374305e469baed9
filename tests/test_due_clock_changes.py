"""Due dates across changes of the wall clock, by hand: put forward, put back, by half an hour, at midnight."""

from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from model.calendar import Calendar, Day, Hours, Kind
from model.due import DayEnd, Span, due, spent
from model.zone import moment_of, offset, stretches

HOUR = 3600


def every_day(zone: str, *hours: Hours) -> Calendar:
    return Calendar("every day", week=(Day(Kind.WORKING, hours),) * 7, zone=zone)


def at(zone: str, text: str, *, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


def shown(zone: str, moment: float) -> str:
    there = datetime.fromtimestamp(moment, ZoneInfo(zone))
    return there.isoformat(" ")


NIGHT = (22 * HOUR, 30 * HOUR)  # 22:00-06:00
GAP = (2 * HOUR + 900, 2 * HOUR + 2700)  # 02:15-02:45
DAY = (9 * HOUR, 17 * HOUR)


@pytest.mark.parametrize(
    ("zone", "hours", "date", "seconds"),
    [
        ("Europe/Berlin", NIGHT, "2025-03-29", 7 * HOUR),  # 02:00 becomes 03:00
        ("Europe/Berlin", NIGHT, "2025-10-25", 9 * HOUR),  # 03:00 becomes 02:00
        ("Europe/Berlin", NIGHT, "2025-06-01", 8 * HOUR),
        ("Australia/Lord_Howe", NIGHT, "2025-04-05", 8 * HOUR + HOUR // 2),  # 02:00 becomes 01:30
        ("Australia/Lord_Howe", NIGHT, "2025-10-04", 7 * HOUR + HOUR // 2),  # 02:00 becomes 02:30
        ("America/Sao_Paulo", NIGHT, "2018-11-03", 7 * HOUR),  # 24:00 becomes 01:00
        ("America/Sao_Paulo", NIGHT, "2018-02-17", 9 * HOUR),  # 24:00 becomes 23:00
    ],
)
def test_a_night_shift_has_the_hours_that_really_pass(zone: str, hours: Hours, date: str, seconds: int) -> None:
    calendar = every_day(zone, hours)
    start = at(zone, f"{date} 12:00:00")
    end = at(zone, f"{datetime.fromisoformat(date) + timedelta(hours=36)}")
    assert spent(start, end, "working_second", calendar) == seconds
    closing = due(start, Span(seconds, "working_second"), calendar)
    assert shown(zone, closing)[11:19] == "06:00:00"


def test_hours_that_never_come_count_nothing() -> None:
    calendar = every_day("Europe/Berlin", GAP)
    start, end = at("Europe/Berlin", "2025-03-30 00:00:00"), at("Europe/Berlin", "2025-03-31 00:00:00")
    assert spent(start, end, "working_second", calendar) == 0
    assert shown("Europe/Berlin", due(start, Span(1, "working_second"), calendar)) == "2025-03-31 02:15:01+02:00"


def test_hours_that_come_twice_count_twice() -> None:
    calendar = every_day("Europe/Berlin", GAP)
    start = at("Europe/Berlin", "2025-10-26 00:00:00")
    found = [shown("Europe/Berlin", due(start, Span(n, "working_second"), calendar)) for n in (1, 1800, 1801, 3600)]
    assert found == [
        "2025-10-26 02:15:01+02:00",
        "2025-10-26 02:45:00+02:00",
        "2025-10-26 02:15:01+01:00",
        "2025-10-26 02:45:00+01:00",
    ]


@pytest.mark.parametrize(
    ("start", "expected"),
    [("2025-03-29 12:00:00", "2025-03-30 13:00:00+02:00"), ("2025-10-25 12:00:00", "2025-10-26 11:00:00+01:00")],
)
def test_seven_days_of_24_hours_do_not_follow_the_wall_clock(start: str, expected: str) -> None:
    calendar = every_day("Europe/Berlin", DAY)
    begin = at("Europe/Berlin", start)
    assert shown("Europe/Berlin", due(begin, Span(86_400), calendar)) == expected
    assert shown("Europe/Berlin", due(begin, Span(1, "working_day", DayEnd.ELAPSED), calendar)) == expected


@pytest.mark.parametrize(
    ("zone", "start", "expected"),
    [
        ("Europe/Berlin", "2025-03-29 12:00:00", "2025-03-31 00:00:00+02:00"),
        ("Europe/Berlin", "2025-10-25 12:00:00", "2025-10-27 00:00:00+01:00"),
        ("America/Sao_Paulo", "2018-11-02 12:00:00", "2018-11-04 01:00:00-02:00"),  # 24:00 of the 3rd never comes
        ("America/Sao_Paulo", "2018-02-16 12:00:00", "2018-02-18 00:00:00-03:00"),  # the hour before comes twice
        ("America/St_Johns", "2010-11-05 12:00:00", "2010-11-07 00:00:00-03:30"),  # at 00:01 put back to 23:01
    ],
)
def test_a_day_by_date_ends_when_its_24_00_is_over(zone: str, start: str, expected: str) -> None:
    calendar = every_day(zone, DAY)
    for unit in ("calendar_day", "working_day"):
        assert shown(zone, due(at(zone, start), Span(1, unit), calendar)) == expected


def test_a_start_in_the_hour_that_comes_twice_knows_which_one_it_is() -> None:
    calendar = every_day("Europe/Berlin", (0, 86_400))
    first, second = (at("Europe/Berlin", "2025-10-26 02:30:00", fold=fold) for fold in (0, 1))
    span = Span(HOUR, "working_second")
    assert shown("Europe/Berlin", due(first, span, calendar)) == "2025-10-26 02:30:00+01:00"
    assert shown("Europe/Berlin", due(second, span, calendar)) == "2025-10-26 03:30:00+01:00"


def test_a_wall_time_in_a_gap_is_the_moment_of_the_change() -> None:
    change = int(datetime.fromisoformat("2025-03-30T01:00:00+00:00").timestamp())
    for minutes in (120, 135, 179, 180):
        assert moment_of("Europe/Berlin", (change // 86_400) * 86_400 + minutes * 60) == change


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Africa/Casablanca", "Australia/Lord_Howe", "Asia/Shanghai", "UTC"])
def test_stretches_join_without_a_hole_and_have_the_offset_of_their_moments(zone: str) -> None:
    begin, end = (int(at("UTC", f"{year}-06-01 00:00:00")) for year in (1985, 2045))
    pieces = stretches(zone, begin, end)
    assert all(a.end == b.start and a.offset != b.offset for a, b in pairwise(pieces))
    assert pieces[0].start < begin
    assert pieces[-1].end > end
    for piece in pieces:
        assert offset(zone, piece.start) == offset(zone, piece.end - 1) == piece.offset


def test_a_zone_that_does_not_exist_is_refused() -> None:
    with pytest.raises(KeyError, match="No time zone found with key Europe/Atlantis"):
        every_day("Europe/Atlantis", DAY)
