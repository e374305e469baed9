"""The short history of numbers: what went in comes out, at most so much of it, with gaps where nothing was known."""

from agent.trends import EVERY, LONGEST, SAMPLES, Trends
from model.point import Point, Quality, Reading
from model.quantity import Quantity


def readings(
    device: str = "ups-1", quality: Quality = Quality.GOOD, **values: float | str | None
) -> tuple[Reading, ...]:
    return tuple(
        Reading(Point(device, name, Quantity.BATTERY_VOLTAGE, name), value, 0.0, quality)
        for name, value in values.items()
    )


def test_what_was_read_is_told_with_its_unit_in_the_order_of_time() -> None:
    trends = Trends()
    for step in range(5):
        trends.take(readings(a=float(step), b=10.0 + step), 1000.0 + 10 * step)
    assert trends.range("ups-1", "b", 1010.0, 1040.0) == ("V", [(1010.0, 11.0), (1020.0, 12.0), (1030.0, 13.0)])
    assert trends.range("ups-1", "c", 0, 2000) == trends.range("ups-2", "a", 0, 2000) == ("", [])


def test_a_value_that_is_missing_or_not_good_is_a_gap_and_a_state_has_no_history() -> None:
    trends = Trends()
    trends.take(readings(a=1.0, s="open"), 0.0)
    trends.take(readings(a=None), 10.0)
    trends.take(readings(quality=Quality.STALE, a=3.0), 20.0)
    trends.take(readings(a=4.0), 30.0)
    assert trends.range("ups-1", "a", 0, 100)[1] == [(0.0, 1.0), (10.0, None), (20.0, None), (30.0, 4.0)]
    assert trends.range("ups-1", "s", 0, 100) == ("", [])


def test_rows_are_ten_seconds_apart_and_a_clock_that_goes_back_adds_none() -> None:
    trends = Trends()
    for wall in (0.0, EVERY - 0.1, EVERY, 5.0, EVERY + 1):
        trends.take(readings(a=wall), wall)
    assert [at for at, _ in trends.range("ups-1", "a", 0, 100)[1]] == [0.0, EVERY]


def test_a_point_that_comes_later_begins_with_its_first_value() -> None:
    trends = Trends()
    trends.take(readings(a=1.0), 0.0)
    trends.take(readings(b=2.0, a=1.5), 10.0)
    assert trends.range("ups-1", "a", 0, 100)[1] == [(0.0, 1.0), (10.0, 1.5)]
    assert trends.range("ups-1", "b", 0, 100)[1] == [(10.0, 2.0)]


def test_a_batch_of_some_points_fills_what_another_one_left_open() -> None:
    trends = Trends()
    trends.take(readings(a=1.0), 0.0, complete=False)
    trends.take(readings(b=2.0), 1.0, complete=False)
    trends.take(readings(a=9.0, b=9.0), 2.0, complete=False)
    assert trends.range("ups-1", "a", 0, 100)[1] == [(0.0, 1.0)]
    assert trends.range("ups-1", "b", 0, 100)[1] == [(0.0, 2.0)]


def test_the_oldest_is_forgotten_beyond_two_hours_and_beyond_so_many_numbers_in_all() -> None:
    trends = Trends()
    for step in range(LONGEST + 5):
        trends.take(readings(a=float(step)), 10.0 * step)
    assert len(trends.range("ups-1", "a", 0, 1e9)[1]) == LONGEST
    assert trends.range("ups-1", "a", 0, 1e9)[1][0] == (50.0, 5.0)
    many = {f"p{number}": 1.0 for number in range(SAMPLES // 10)}
    for step in range(12):
        trends.take(readings("wide", Quality.GOOD, **many), 10.0 * step)
    kept = [len(trends.range("wide", name, 0, 1e9)[1]) for name in ("p0", "p19999")]
    assert kept == [9, 9]  # one column more stands at ups-1
