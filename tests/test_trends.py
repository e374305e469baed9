"""The trends: readings go to the disk, and come back as ranges."""

from pathlib import Path

from agent.trend_answer import answered
from agent.trends import Trends
from model.alarm import Now
from model.point import Point, Quality, Reading
from model.quantity import Quantity
from model.trend import MOST, SendHistory

T0 = 1_764_028_800.0  # a whole day of Unix time


def reading(point: str, value: float | str | None, quality: Quality = Quality.GOOD, device: str = "ups-1") -> Reading:
    return Reading(Point(device, point, Quantity.MAINS_VOLTAGE, point), value, 0.0, quality)


def trends(folder: Path) -> Trends:
    return Trends(folder, "boot", Now(1000.0, T0))


def put(kept: Trends, at: float, *readings: Reading) -> None:
    kept.take(readings, Now(1000.0 + at, T0 + at), certain=True)


def told(kept: Trends, point: str, start: float, end: float, most: int = MOST) -> list[tuple[float, object]]:
    report = kept.report(SendHistory(1, "ups-1", point, T0 + start, T0 + end, most))
    values = report.words or report.means
    return [(time - T0, value) for time, value in zip(report.times, values, strict=True)]


def test_a_range_has_the_samples_in_it_with_their_unit(tmp_path: Path) -> None:
    kept = trends(tmp_path)
    for step in range(6):
        put(kept, 10.0 * step, reading("a", float(step)), reading("b", 10.1 + step))
    kept.write()
    assert told(kept, "b", 10.0, 40.0) == [(10.0, 11.1), (20.0, 12.1), (30.0, 13.1)]
    assert kept.report(SendHistory(1, "ups-1", "b", T0, T0 + 60)).unit == "V"
    assert told(kept, "c", 0, 2000) == []


def test_what_could_not_be_read_is_a_gap_and_a_word_stays_a_word(tmp_path: Path) -> None:
    kept = trends(tmp_path)
    put(kept, 0.0, reading("a", 1.0), reading("s", "open"))
    put(kept, 10.0, reading("a", None, Quality.UNAVAILABLE), reading("s", "closed"))
    put(kept, 20.0, reading("a", 3.0, Quality.STALE), reading("s", None, Quality.UNAVAILABLE))
    put(kept, 30.0, reading("a", 4.0, Quality.UNCERTAIN), reading("s", "open"))
    kept.write()
    assert told(kept, "a", 0, 100) == [(0.0, 1.0), (10.0, None), (20.0, None), (30.0, 4.0)]
    assert told(kept, "s", 0, 100) == [(0.0, ("open",)), (10.0, ("closed",)), (20.0, ()), (30.0, ("open",))]
    assert kept.report(SendHistory(1, "ups-1", "a", T0, T0 + 100)).uncertain == (3,)


def test_a_time_in_which_nothing_was_read_is_a_gap(tmp_path: Path) -> None:
    kept = trends(tmp_path)
    for at in (0.0, 10.0, 20.0, 200.0, 210.0):
        put(kept, at, reading("a", at))
    kept.write()
    assert told(kept, "a", 0, 300) == [
        (0.0, 0.0),
        (10.0, 10.0),
        (20.0, 20.0),
        (30.0, None),
        (200.0, 200.0),
        (210.0, 210.0),
    ]


def test_points_that_are_read_apart_do_not_cut_each_other(tmp_path: Path) -> None:
    kept = trends(tmp_path)
    for at in (0.0, 10.0, 20.0):
        put(kept, at, reading("a", at))
        put(kept, at + 3, reading("b", at))
    kept.write()
    assert told(kept, "a", 0, 100) == [(0.0, 0.0), (10.0, 10.0), (20.0, 20.0)]


def test_an_answer_is_never_longer_than_asked_and_keeps_the_extremes(tmp_path: Path) -> None:
    kept = trends(tmp_path)
    for step in range(1000):
        put(kept, 10.0 * step, reading("a", 400.0 if step == 777 else -7.0 if step == 500 else 230.0))
    kept.write()
    report = kept.report(SendHistory(1, "ups-1", "a", T0, T0 + 10_000, 50))
    assert report.step == 300.0
    assert len(report.times) == 34
    assert (max(v for v in report.highs if v is not None), min(v for v in report.lows if v is not None)) == (
        400.0,
        -7.0,
    )


def test_a_restart_goes_on_where_the_last_run_ended(tmp_path: Path) -> None:
    first = trends(tmp_path)
    put(first, 0.0, reading("a", 1.0), reading("s", "open"))
    first.write()
    second = trends(tmp_path)
    put(second, 10.0, reading("a", 2.0), reading("s", "closed"))
    second.write()
    assert told(second, "a", 0, 100) == [(0.0, 1.0), (10.0, 2.0)]
    assert told(second, "s", 0, 100) == [(0.0, ("open",)), (10.0, ("closed",))]
    assert [path.name for path in tmp_path.glob("*.tail")] == ["detail-000000001.tail"]


def test_nothing_in_a_range_is_an_empty_answer() -> None:
    report = answered(lambda *_: ("", []), SendHistory(7, "d", "p", 0.0, 100.0))
    assert (report.command, report.times, report.step) == (7, (), 0.0)
