"""Who is on duty: shifts, nights, holidays, turns, substitutes, gaps and quiet hours."""

from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from model.calendar import Calendar, Day, Kind
from model.roster import Channel, Person, Roster, Shift, Swap, Team, Way, duties, gaps, on_duty, people, quiet_until
from tests.rosters import moment, roster_of

HOUR = 3600.0


@pytest.fixture
def roster(tmp_path: Path) -> Roster:
    return roster_of(tmp_path)


def two(*shifts: Shift, zone: str = "Asia/Shanghai") -> Roster:
    calendar = Calendar("c", (Day(Kind.WORKING, ((0, 86_400),)),) * 7, zone)
    folk = {name: Person(name, name, "en", (Channel(Way.MAIL, f"{name}@example.com"),)) for name in ("a", "b", "c")}
    return Roster(calendar, folk, {"t": Team({}, shifts)}, ())


# --- shifts ---------------------------------------------------------------------------------------------------------


def test_a_shift_is_half_open(roster: Roster) -> None:
    assert on_duty(roster, "field", moment("2026-11-20 19:59:59")) == ("zhang",)
    assert on_duty(roster, "field", moment("2026-11-20 20:00")) == ("li",)
    assert on_duty(roster, "field", moment("2026-11-21 07:59:59")) == ("li",)
    assert on_duty(roster, "field", moment("2026-11-21 08:00")) == ("zhang",)


def test_a_night_belongs_to_the_day_that_it_begins_on() -> None:
    monday = two(Shift(("a",), ((20 * 3600, 32 * 3600),), weekdays=(0,)))
    assert on_duty(monday, "t", moment("2026-11-24 07:59")) == ("a",)  # the morning of Tuesday
    assert on_duty(monday, "t", moment("2026-11-23 07:59")) == ()  # that night began on Sunday


def test_office_hours_are_kept_on_a_make_up_saturday_and_not_on_national_day(roster: Roster) -> None:
    assert on_duty(roster, "office", moment("2026-10-10 10:00")) == ()  # its turns begin in November
    earlier = replace(roster, teams={"office": Team({}, (Shift(("wang",), ((32400, 64800),), kinds=(Kind.WORKING,)),))})
    assert on_duty(earlier, "office", moment("2026-10-10 10:00")) == ("wang",)  # a Saturday that is worked
    assert on_duty(earlier, "office", moment("2026-10-01 10:00")) == ()  # National Day, a Thursday
    assert on_duty(earlier, "office", moment("2026-10-11 10:00")) == ()  # a Sunday


def test_a_shift_for_holidays_alone_is_done_on_holidays_alone() -> None:
    festive = two(Shift(("a",), ((0, 86_400),), kinds=(Kind.HOLIDAY,)), Shift(("b",), ((0, 86_400),)))
    festive = replace(festive, calendar=replace(festive.calendar, days={date(2026, 10, 1): Day(Kind.HOLIDAY)}))
    assert on_duty(festive, "t", moment("2026-10-01 12:00")) == ("a", "b")
    assert on_duty(festive, "t", moment("2026-10-02 12:00")) == ("b",)


def test_a_weekly_turn_changes_with_its_first_day_and_comes_round(roster: Roster) -> None:
    assert on_duty(roster, "office", moment("2026-11-02 09:00")) == ("wang",)
    assert on_duty(roster, "office", moment("2026-11-06 17:59")) == ("wang",)
    assert on_duty(roster, "office", moment("2026-11-09 09:00")) == ("chen",)
    assert on_duty(roster, "office", moment("2026-11-16 09:00")) == ("wang",)


def test_a_night_of_the_day_that_the_clock_goes_back_is_one_hour_longer() -> None:
    night = two(Shift(("a",), ((22 * 3600, 30 * 3600),)), zone="Europe/Berlin")
    noon = datetime(2026, 10, 23, 12, tzinfo=ZoneInfo("Europe/Berlin")).timestamp()
    spans = [duty.end - duty.start for duty in duties(night, "t", noon, noon + 3 * 86_400)]
    assert spans == [8 * HOUR, 9 * HOUR, 8 * HOUR]  # the clock goes back on Sunday the 25th, in the second night


# --- substitutes ----------------------------------------------------------------------------------------------------


def test_a_substitute_has_the_duty_for_exactly_that_time(roster: Roster) -> None:
    swap = Swap("zhang", "wang", moment("2026-11-20 12:00"), moment("2026-11-20 14:00"))
    assert on_duty(roster, "field", moment("2026-11-20 11:59:59"), (swap,)) == ("zhang",)
    assert on_duty(roster, "field", moment("2026-11-20 12:00"), (swap,)) == ("wang",)
    assert on_duty(roster, "field", moment("2026-11-20 14:00"), (swap,)) == ("zhang",)
    said = duties(roster, "field", moment("2026-11-20 08:00"), moment("2026-11-20 20:00"), (swap,))
    assert [(duty.person, duty.instead_of, duty.end - duty.start) for duty in said] == [
        ("zhang", "", 4 * HOUR), ("wang", "zhang", 2 * HOUR), ("zhang", "", 6 * HOUR)]  # fmt: skip


def test_the_substitute_said_last_rules_and_may_have_one_of_their_own(roster: Roster) -> None:
    start, end = moment("2026-11-20 08:00"), moment("2026-11-20 20:00")
    swaps = (Swap("zhang", "li", start, end), Swap("zhang", "wang", start, end), Swap("wang", "chen", start, end))
    assert on_duty(roster, "field", start, swaps) == ("chen",)


def test_two_who_stand_in_for_each_other_take_turns_and_nobody_loops(roster: Roster) -> None:
    start, end = moment("2026-11-20 08:00"), moment("2026-11-21 08:00")
    swaps = (Swap("zhang", "li", start, end), Swap("li", "zhang", start, end))
    assert on_duty(roster, "field", moment("2026-11-20 12:00"), swaps) == ("li",)
    assert on_duty(roster, "field", moment("2026-11-20 21:00"), swaps) == ("zhang",)


def test_a_person_who_is_named_has_a_substitute_too(roster: Roster) -> None:
    at = moment("2026-11-20 12:00")
    assert people(roster, "chen", at, (Swap("chen", "wang", at, at + 1),)) == ("wang",)


# --- who is meant ---------------------------------------------------------------------------------------------------


def test_a_role_means_its_teams_on_duty_and_its_people_each_once(roster: Roster) -> None:
    assert people(roster, "province", moment("2026-11-03 10:00")) == ("wang", "chen")
    assert people(roster, "province", moment("2026-11-10 10:00")) == ("chen",)  # chen's week: named twice
    assert people(roster, "province", moment("2026-11-03 20:00")) == ("chen",)
    assert people(roster, "nobody_knows", moment("2026-11-03 10:00")) == ()


def test_gaps_are_what_no_shift_covers(roster: Roster) -> None:
    start, end = moment("2026-11-06 00:00"), moment("2026-11-09 00:00")
    assert gaps(roster, "field", start, end) == ()
    assert gaps(roster, "office", start, end) == (
        (start, moment("2026-11-06 09:00")), (moment("2026-11-06 18:00"), end))  # fmt: skip


# --- quiet hours ----------------------------------------------------------------------------------------------------


def test_quiet_hours_hold_until_their_end_and_not_for_level_1(roster: Roster) -> None:
    night = moment("2026-11-20 22:00")
    assert quiet_until(roster, "zhang", night, 2) == moment("2026-11-21 07:00")
    assert quiet_until(roster, "zhang", moment("2026-11-21 06:59:59"), 2) == moment("2026-11-21 07:00")
    assert quiet_until(roster, "zhang", moment("2026-11-21 07:00"), 2) is None
    assert quiet_until(roster, "zhang", moment("2026-11-20 21:59:59"), 2) is None
    assert quiet_until(roster, "zhang", night, 1) is None


def test_who_has_no_quiet_hours_of_their_own_is_told_at_night(roster: Roster) -> None:
    assert quiet_until(roster, "chen", moment("2026-11-20 23:00"), 3) is None


# --- properties -----------------------------------------------------------------------------------------------------

_HOURS = st.integers(0, 23).flatmap(lambda start: st.integers(1, 24).map(lambda n: (start * 3600, (start + n) * 3600)))
_SHIFTS = st.builds(
    Shift,
    st.lists(st.sampled_from("abc"), min_size=1, max_size=2, unique=True).map(tuple),
    _HOURS.map(lambda each: (each,)),
    st.lists(st.integers(0, 6), unique=True, max_size=3).map(tuple),
)
_START = int(moment("2026-03-20 00:00"))
_SWAPS = st.builds(
    lambda who, start, length: Swap(who[0], who[1], _START + start * 1800.0, _START + (start + length) * 1800.0),
    st.permutations("abc"),
    st.integers(0, 300),
    st.integers(1, 100),
)


@given(
    st.lists(_SHIFTS, min_size=1, max_size=3),
    st.lists(_SWAPS, max_size=3),
    st.integers(0, 14 * 86_400),
    st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/New_York"]),
)
def test_who_is_on_duty_at_a_moment_is_who_has_a_duty_then(
    shifts: list[Shift], swaps: list[Swap], after: int, zone: str
) -> None:
    roster = two(*shifts, zone=zone)
    at = float(_START + after)
    found = duties(roster, "t", at - 90_000, at + 90_000, swaps)
    assert {duty.person for duty in found if duty.start <= at < duty.end} == set(on_duty(roster, "t", at, swaps))
    open_now = [gap for gap in gaps(roster, "t", at - 90_000, at + 90_000, swaps) if gap[0] <= at < gap[1]]
    assert bool(open_now) != bool(on_duty(roster, "t", at, swaps))
