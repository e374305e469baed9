"""A time as a person says it: the site's clock, to the minute, and never one that did not come."""

import pytest

from desk.moments import MomentError, happened, moment

NOW = 1_800_000_000.0  # 2027-01-15 08:00:00 UTC, 16:00 in Shanghai
CHINA = "Asia/Shanghai"
BERLIN = "Europe/Berlin"


@pytest.mark.parametrize(
    ("said", "before_now"),
    [
        ("14:05", 6900),
        ("14:05:30", 6870),
        ("14：05", 6900),
        ("9:00", 7 * 3600),
        ("16:00", 0),
        ("16:01", 86_400 - 60),  # has not come today: yesterday's is meant
        ("00:10", 57_000),
        ("2027-01-15T14:05", 6900),
        ("2027-01-15 14:05", 6900),
        ("2027-01-15T06:05Z", 6900),
        ("2027-01-15T07:05:00+01:00", 6900),
        (NOW - 6900, 6900),
        (1_800_000_000, 0),
        ("1799993100", 6900),
        ("1799993100.5", 6899.5),
    ],
)
def test_a_time_is_the_sites_own_unless_it_says_another_zone(said: float | str, before_now: float) -> None:
    assert moment(said, CHINA, NOW) == NOW - before_now


@pytest.mark.parametrize(
    "said", ["", "now", "25:00", "14:60", "1405", 1405, -5, 1_800_000_000_000, "1800000000000", "²", "2027-13-01",
             "0001-01-01", "9999-12-31T00:00", float("nan"),
             float("inf"), 1e300, -1e15],
)  # fmt: skip
def test_what_is_no_time_is_refused_with_what_would_be_one(said: float | str) -> None:
    with pytest.raises(MomentError):
        moment(said, CHINA, NOW)


@pytest.mark.parametrize(("said", "after_now"), [("18:00", 7200), ("16:00", 86_400), ("15:59", 86_340), ("16:01", 60)])
def test_a_limit_is_the_next_time_that_the_clock_shows_that(said: str, after_now: float) -> None:
    assert moment(said, CHINA, NOW, ahead=True) == NOW + after_now


def test_an_hour_that_the_clocks_were_put_forward_over_is_no_time() -> None:
    with pytest.raises(MomentError, match="put forward"):
        moment("2027-03-28T02:30", BERLIN, NOW)
    now = 1_806_200_000.0  # 28 March 2027, in the morning
    assert moment("02:30", BERLIN, now) == moment("2027-03-27T02:30", BERLIN, now)


def test_of_an_hour_that_came_twice_the_last_before_now_is_meant() -> None:
    first, second = moment("2026-10-25T00:30Z", "", NOW), moment("2026-10-25T01:30Z", "", NOW)
    assert moment("02:30", BERLIN, second + 60) == second
    assert moment("02:30", BERLIN, second - 60) == first
    assert moment("02:30", BERLIN, first - 60, ahead=True) == first
    assert moment("02:30", BERLIN, first, ahead=True) == second


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("14:05", 40), ("2027-01-15T14:05", 40), ("2027-01-15T06:05Z", 40), ("14:05:00", 0), (NOW - 6900, 0)],
)
def test_a_time_to_the_minute_in_the_minute_of_the_opening_is_the_opening(said: float | str, seconds: float) -> None:
    assert moment(said, CHINA, NOW, NOW - 6900 + 40) == NOW - 6900 + seconds
    assert moment(said, CHINA, NOW, NOW - 6900 + 60) == NOW - 6900


@pytest.mark.parametrize("said", ["16:01", "16:00:01", "2027-01-15T16:01", "2027-01-15T08:00:30Z", NOW + 1, NOW + 60])
def test_a_clock_that_is_a_little_ahead_of_the_desks_means_now(said: float | str) -> None:
    assert happened(said, CHINA, NOW) == NOW


@pytest.mark.parametrize(
    ("said", "after_now"),
    [("16:02", 120 - 86_400), (NOW + 61, 61), ("2027-01-15T16:02", 120), ("15:59", -60), (NOW - 1, -1)],
)
def test_any_other_time_is_as_it_is_said(said: float | str, after_now: float) -> None:
    assert happened(said, CHINA, NOW) == NOW + after_now


def test_a_little_ahead_in_the_minute_of_the_opening_is_the_opening() -> None:
    assert happened("16:00", CHINA, NOW + 20, NOW + 10) == NOW + 10
