"""How people write times, places and duty of a period."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.period import GuardDuty, Scope
from model.period_text import TextError, duty_of, moment, scope_of, until, words_of


def utc(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("text", "zone", "meant"),
    [
        ("2026-10-01 08:00", "Asia/Shanghai", "2026-10-01 00:00"),
        ("2026-10-01", "Asia/Shanghai", "2026-09-30 16:00"),
        ("2026-10-01T08:00:30", "UTC", "2026-10-01 08:00:30"),
        ("2026-10-01T08:00+08:00", "America/New_York", "2026-10-01 00:00"),
        ("2026-10-25T02:30+02:00", "Europe/Berlin", "2026-10-25 00:30"),
        ("2026-10-25T02:30+01:00", "Europe/Berlin", "2026-10-25 01:30"),
        ("2028-02-29 00:00", "Asia/Shanghai", "2028-02-28 16:00"),
    ],
)
def test_a_time_is_of_its_zone_or_has_its_own_offset(text: str, zone: str, meant: str) -> None:
    assert moment(text, zone) == utc(meant)


@pytest.mark.parametrize(
    ("text", "zone", "sentence"),
    [
        ("2026-10-25 02:30", "Europe/Berlin", "comes twice in Europe/Berlin"),
        ("2026-03-29 02:30", "Europe/Berlin", "never comes in Europe/Berlin"),
        ("2026-02-29", "UTC", "is no time"),
        ("tomorrow", "UTC", "write 2026-10-01 08:00"),
        ("2026-10-01", "Mars/Olympus", "no time zone 'Mars/Olympus'"),
        ("2026-10-01", "../../etc/passwd", "no time zone"),
        ("", "UTC", "is no time"),
        ("9999-12-31", "UTC", "too far away"),
        ("0001-01-01T00:00+08:00", "UTC", "too far away"),
    ],
)
def test_a_time_that_is_not_one_is_said_so(text: str, zone: str, sentence: str) -> None:
    with pytest.raises(TextError, match=sentence):
        moment(text, zone)


@pytest.mark.parametrize(("text", "seconds"), [("90min", 5400), ("4h", 14_400), ("7d", 604_800), ("0h", 0)])
def test_an_end_may_be_how_long_it_lasts(text: str, seconds: int) -> None:
    assert until(text, 1000.0, "UTC") == 1000.0 + seconds


def test_a_week_over_a_change_of_the_clock_is_seven_times_24_hours() -> None:
    start = moment("2026-10-24 12:00", "Europe/Berlin")
    assert until("1d", start, "Europe/Berlin") == moment("2026-10-25 11:00", "Europe/Berlin")


@pytest.mark.parametrize(
    ("words", "scope"),
    [
        ("all", Scope()),
        ("all fault:mains.*", Scope(faults=("mains.*",))),
        ("site:S1, site:S2", Scope(sites=("S1", "S2"))),
        ("region:east device:S1/ups fault:mains.lost", Scope(("east",), (), ("S1/ups",), ("mains.lost",))),
        ("site:S1，site:S1", Scope(sites=("S1",))),
    ],
)
def test_a_scope_in_words(words: str, scope: Scope) -> None:
    assert scope_of(words) == scope
    assert scope_of(words_of(scope)) == scope


@pytest.mark.parametrize(
    "words",
    ["", "  ", "fault:mains.lost", "all site:S1", "S1", "site:", "device:ups", "device:S1/", "fault:Mains", "fault:*",
     "rack:3", " ".join(f"site:S{n}" for n in range(201))],
)  # fmt: skip
def test_a_scope_that_says_no_place_is_refused(words: str) -> None:
    with pytest.raises(TextError):
        scope_of(words)


@given(st.text(max_size=60))
def test_any_text_is_a_scope_or_refused(text: str) -> None:
    try:
        scope = scope_of(text)
    except TextError:
        return
    assert scope_of(words_of(scope)) == scope


def test_duty_in_lines() -> None:
    lines = "Wang Fang\nZhao, 13800000000\n\nLi， 分机8， 2026-10-01 08:00， 8h\n"
    assert duty_of(lines, 5.0, 9.0, "UTC") == (
        GuardDuty("Wang Fang", 5.0, 9.0),
        GuardDuty("Zhao", 5.0, 9.0, "13800000000"),
        GuardDuty("Li", utc("2026-10-01 08:00"), utc("2026-10-01 16:00"), "分机8"),
    )


@pytest.mark.parametrize("line", ["a, b, 2026-10-01", ", 1380", "a, b, 2026-10-01, 2026-09-30", "a, b, x, y"])
def test_duty_that_cannot_be_read_is_refused(line: str) -> None:
    with pytest.raises(TextError):
        duty_of(line, 0.0, 1.0, "UTC")
