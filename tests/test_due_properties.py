"""Due dates and spent time against an oracle that looks at every minute, and what must hold for any calendar."""

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.calendar import Calendar, Day, Hours, Kind
from model.due import DayEnd, Pause, Roll, Span, due, merged, spent
from tests import calendar_oracle as oracle

HOUR = 3600
# zones near a change of their clock: an hour, half an hour, at midnight, just after midnight; or near no change
CHANGES = [
    ("Europe/Berlin", (2025, 3, 30)),
    ("Europe/Berlin", (2025, 10, 26)),
    ("Australia/Lord_Howe", (2025, 4, 5)),
    ("Australia/Lord_Howe", (2025, 10, 4)),
    ("America/Sao_Paulo", (2018, 11, 4)),
    ("America/Sao_Paulo", (2018, 2, 18)),
    ("America/St_Johns", (2010, 11, 7)),
    ("Asia/Shanghai", (2025, 12, 31)),
    ("Asia/Kathmandu", (2024, 2, 29)),
]
STEADY = {"Asia/Shanghai", "Asia/Kathmandu"}
SKIPPED_DATE = ("Pacific/Apia", (2011, 12, 30))  # a day of no length: it counts by date, and nothing can be spent in it


@st.composite
def hours(draw: st.DrawFn) -> tuple[Hours, ...]:
    """Up to three spans of a day in whole minutes, the last perhaps overnight."""
    marks = sorted(draw(st.lists(st.integers(0, 1439), min_size=0, max_size=6, unique=True)))
    spans = [(a * 60, b * 60) for a, b in zip(marks[::2], marks[1::2], strict=False)]
    if spans and draw(st.booleans()):
        first, last = spans[0][0], spans[-1]
        spans[-1] = (last[0], 86_400 + draw(st.integers(0, first // 60)) * 60)
    return tuple(spans)


@st.composite
def calendars(draw: st.DrawFn, *, skipped: bool = False) -> tuple[Calendar, int]:
    """A calendar with days of every kind about a change of its clock, and a minute near it."""
    zone, around = draw(st.sampled_from([*CHANGES, SKIPPED_DATE] if skipped else CHANGES))
    week = tuple(Day(draw(st.sampled_from([Kind.WORKING, Kind.WORKING, Kind.REST])), draw(hours())) for _ in range(7))
    middle = date(*around)
    days = draw(st.dictionaries(st.integers(-3, 6), st.builds(Day, st.sampled_from(Kind), hours()), max_size=4))
    calendar = Calendar(
        "drawn", week=week, zone=zone, days={middle + timedelta(days=ahead): day for ahead, day in days.items()}
    )
    start = int(datetime(*around, tzinfo=UTC).timestamp()) + draw(st.integers(-2 * 1440, 2 * 1440)) * 60
    return calendar, start


@st.composite
def pause_lists(draw: st.DrawFn, start: int, *, running: bool = True) -> list[Pause]:
    found: list[Pause] = []
    for _ in range(draw(st.integers(0, 3))):
        begun = start + draw(st.integers(-600, 5000)) * 60
        over = begun + draw(st.integers(0, 2000)) * 60
        found.append((begun, None if running and draw(st.integers(0, 9)) == 0 else over, "drawn"))
    return found


def unpaused(calendar: Calendar, start: float, end: float) -> float:
    return spent(start, end, "working_second", calendar)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_spent_working_time_is_what_an_oracle_counts_minute_by_minute(data: st.DataObject) -> None:
    calendar, start = data.draw(calendars(skipped=True))
    pauses = data.draw(pause_lists(start))
    end = start + data.draw(st.integers(0, 4 * 1440)) * 60
    assert spent(start, end, "working_second", calendar, pauses) == oracle.spent_seconds(calendar, start, end, pauses)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_due_is_the_minute_at_which_the_oracle_has_counted_the_span(data: st.DataObject) -> None:
    calendar, start = data.draw(calendars(skipped=True))
    pauses = data.draw(pause_lists(start))
    seconds = data.draw(st.integers(0, 1500)) * 60
    expected = oracle.due_after(calendar, start, seconds, pauses)
    found = due(start, Span(seconds, "working_second"), calendar, pauses)
    if expected is None:
        assert found > start + 10 * 86_400 - 60
    else:
        assert found == expected


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_working_days_by_date_are_what_the_oracle_counts_on_its_wall_calendar(data: st.DataObject) -> None:
    calendar, start = data.draw(calendars())
    number = data.draw(st.integers(1, 5))
    day = oracle.date_shown(calendar, start)
    while oracle.end_of(calendar, day) <= start or oracle.end_of(calendar, day - timedelta(days=1)) > start:
        day += timedelta(days=1 if oracle.end_of(calendar, day) <= start else -1)
    left = number if any(each.kind is Kind.WORKING for each in calendar.week) else 0
    if not left:
        return
    while left:
        day += timedelta(days=1)
        left -= oracle.is_working(calendar, day)
    assert due(start, Span(number, "working_day"), calendar) == oracle.end_of(calendar, day)


def spans() -> st.SearchStrategy[Span]:
    return st.one_of(
        st.builds(Span, st.integers(0, 500_000), st.sampled_from(["second", "working_second"])),
        st.builds(Span, st.integers(0, 12), st.just("working_day"), st.sampled_from(DayEnd)),
        st.builds(Span, st.integers(0, 12), st.just("calendar_day"), st.sampled_from(DayEnd), st.sampled_from(Roll)),
    )


@settings(max_examples=100, deadline=None)
@given(st.data(), spans())
def test_what_is_spent_at_the_due_moment_is_the_span(data: st.DataObject, span: Span) -> None:
    calendar, start = data.draw(calendars())
    pauses = data.draw(pause_lists(start))
    end = due(start, span, calendar, pauses)
    if math.isinf(end) or not span.amount:
        return
    used = spent(start, end, span.unit, calendar, pauses, ends=span.ends)
    if span.unit == "calendar_day" and span.ends is not DayEnd.ELAPSED and (pauses or span.roll is not Roll.NEVER):
        assert used >= span.amount - 1e-9
    else:
        assert used == pytest.approx(span.amount, abs=1e-9)
        assert spent(start, end - 1, span.unit, calendar, pauses, ends=span.ends) < span.amount


@settings(max_examples=100, deadline=None)
@given(st.data(), spans(), st.integers(0, 200_000))
def test_a_later_start_or_a_longer_span_is_never_due_earlier(data: st.DataObject, span: Span, later: int) -> None:
    calendar, start = data.draw(calendars())
    pauses = data.draw(pause_lists(start))
    end = due(start, span, calendar, pauses)
    assert end >= start
    # a pause moves days by date by seconds: where days differ in length, one second is not the same share of each
    alike = calendar.zone in STEADY and span.ends is DayEnd.MIDNIGHT
    if alike or not pauses or span.ends is DayEnd.ELAPSED or "second" in span.unit:
        assert due(start + later, span, calendar, pauses) >= end
    longer = Span(span.amount + 1 + later % 7, span.unit, span.ends, span.roll)
    assert due(start, longer, calendar, pauses) >= end


@settings(max_examples=100, deadline=None)
@given(st.data(), st.integers(0, 200_000), st.integers(0, 200_000))
def test_a_span_in_two_parts_is_due_when_the_whole_is(data: st.DataObject, first: int, second: int) -> None:
    calendar, start = data.draw(calendars())
    pauses = data.draw(pause_lists(start))
    for unit in ("second", "working_second"):
        whole = due(start, Span(first + second, unit), calendar, pauses)
        middle = due(start, Span(first, unit), calendar, pauses)
        if math.isfinite(middle) and first and second:
            assert due(middle, Span(second, unit), calendar, pauses) == whole


@settings(max_examples=100, deadline=None)
@given(st.data(), st.integers(1, 6), st.integers(1, 6))
def test_days_of_24_hours_add_up_too(data: st.DataObject, first: int, second: int) -> None:
    calendar, start = data.draw(calendars())
    for unit in ("calendar_day", "working_day"):
        middle = due(start, Span(first, unit, DayEnd.ELAPSED), calendar)
        whole = due(start, Span(first + second, unit, DayEnd.ELAPSED), calendar)
        if math.isfinite(middle):
            assert due(middle, Span(second, unit, DayEnd.ELAPSED), calendar) == whole


@settings(max_examples=100, deadline=None)
@given(st.data(), st.integers(0, 400_000))
def test_pauses_cost_exactly_the_working_time_they_cover(data: st.DataObject, length: int) -> None:
    calendar, start = data.draw(calendars())
    pauses = data.draw(pause_lists(start, running=False))
    end = start + length
    covered = sum(
        unpaused(calendar, max(a, start), min(end if b is None else b, end)) for a, b in merged(pauses) if a < end
    )
    assert spent(start, end, "working_second", calendar, pauses) == unpaused(calendar, start, end) - covered
    over = due(start, Span(length, "working_second"), calendar, pauses)
    if math.isfinite(over) and length:
        covered = sum(unpaused(calendar, max(a, start), min(b or over, over)) for a, b in merged(pauses) if a < over)
        assert over == due(start, Span(length + covered, "working_second"), calendar)


@settings(max_examples=100, deadline=None)
@given(st.data(), st.lists(st.integers(0, 300_000), min_size=1, max_size=6))
def test_time_spent_in_pieces_is_time_spent(data: st.DataObject, lengths: Sequence[int]) -> None:
    calendar, start = data.draw(calendars())
    pauses = data.draw(pause_lists(start))
    for unit in ("second", "working_second"):
        marks = [start]
        for length in lengths:
            marks.append(marks[-1] + length)
        pieces = [spent(a, b, unit, calendar, pauses) for a, b in pairwise(marks)]
        assert sum(pieces) == spent(start, marks[-1], unit, calendar, pauses)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_the_order_and_the_cutting_of_pauses_change_nothing(data: st.DataObject) -> None:
    calendar, start = data.draw(calendars())
    pauses = data.draw(pause_lists(start, running=False))
    cut: list[Pause] = []
    for begun, over, reason in reversed(pauses):
        middle = begun + ((over or begun) - begun) // 2
        cut += [(middle, over, reason), (begun, middle, reason)]
    span = Span(20_000, "working_second")
    assert merged(cut) == merged(pauses)
    assert due(start, span, calendar, cut) == due(start, span, calendar, pauses)


@settings(max_examples=100, deadline=None)
@given(st.data(), spans(), st.integers(0, 300_000), st.integers(0, 100_000))
def test_what_is_spent_never_falls_and_reaches_the_span_only_when_it_is_due(
    data: st.DataObject, span: Span, length: int, more: int
) -> None:
    calendar, start = data.draw(calendars())
    pauses = data.draw(pause_lists(start))
    early, late = (
        spent(start, start + ahead, span.unit, calendar, pauses, ends=span.ends) for ahead in (length, length + more)
    )
    assert 0 <= early <= late
    if span.unit != "calendar_day" and 0 < span.amount <= early:
        assert due(start, span, calendar, pauses) <= start + length
