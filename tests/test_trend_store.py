"""The store of the trends: levels, budget, torn files, a full disk, a clock that was wrong, a writer that is killed."""

import os
import random
import signal
import subprocess
import sys
from array import array
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent import trend_segment
from agent.trend_cells import Sample, mark
from agent.trend_store import Bounds, TrendStore
from agent.trend_tail import Layout, Row, Sense, Tail
from model.point import Quality

DAY = 86_400.0
T0 = 20_000 * DAY
SURE = Sense("boot", T0, certain=True)
LAYOUT = Layout("ups", (("a", "V"), ("b", "A")))
GOOD = mark(1.0, Quality.GOOD)


def row(at: float, *values: float) -> Row:
    return Row(LAYOUT, round(at * 1000), array("d", values).tobytes(), bytes([GOOD] * len(values)))


def fill(store: TrendStore, start: float, end: float, step: float = 60.0) -> None:
    """Let time pass: a row each step, and a look after each hour."""
    at = start
    while at < end:
        hour = min(end, at + 3600.0)
        rows = []
        while at < hour:
            rows.append(row(at, at - T0, 5.0))
            at += step
        store.append(rows, [], SURE)
        store.tend(at, certain=True)


def values(found: list[Sample]) -> list[tuple[float, float]]:
    return [(sample.time, float(sample.value or 0.0)) for sample in found]


def kinds(folder: Path) -> dict[str, int]:
    names = [path.name.split("-")[0] + path.suffix for path in folder.iterdir() if "-" in path.name]
    return {name: names.count(name) for name in sorted(set(names))}


def test_a_range_over_tail_and_segments_has_every_sample_once(tmp_path: Path) -> None:
    store = TrendStore(tmp_path, SURE, Bounds())
    fill(store, T0, T0 + DAY)
    assert kinds(tmp_path)["detail.seg"] >= 3
    unit, found = store.read("ups", "a", T0, T0 + DAY, 1.0)
    assert (unit, values(found)) == ("V", [(T0 + 60.0 * n, 60.0 * n) for n in range(1440)])


def test_days_become_averages_and_eight_days_hours_which_answer_for_what_is_forgotten(tmp_path: Path) -> None:
    store = TrendStore(tmp_path, SURE, Bounds((2 * DAY, 4 * DAY, 400 * DAY)))
    fill(store, T0, T0 + 18 * DAY, 300.0)
    made = kinds(tmp_path)
    assert made["hour.seg"] == 2
    assert made["ten.seg"] <= 13
    _, hours = store.read("ups", "a", T0, T0 + 16 * DAY, 7200.0)
    assert len(hours) == 16 * 24
    assert (hours[5].low, hours[5].high, hours[5].many) == (5 * 3600.0, 6 * 3600.0 - 300.0, 12)
    assert hours[5].value == pytest.approx(5.5 * 3600 - 150)
    _, fine = store.read("ups", "a", T0, T0 + 18 * DAY, 1.0)  # as fine as there is, by age
    apart = [after.time - before.time for before, after in pairwise(fine)]
    assert apart[0] == 3600.0
    assert apart[-1] == 300.0
    assert sorted(apart, reverse=True) == apart
    assert sum(sample.many for sample in fine) == 18 * 288


def test_what_is_over_the_budget_goes_the_oldest_first(tmp_path: Path) -> None:
    store = TrendStore(tmp_path, SURE, Bounds(budget=60_000))
    chance = random.Random(3)
    for hour in range(200):
        at = T0 + 3600.0 * hour
        store.append([row(at + 10 * n, chance.random(), chance.random()) for n in range(360)], [], SURE)
        store.tend(at + 3600.0, certain=True)
        assert store.used <= 60_000 + 8 * 3600
    _, found = store.read("ups", "a", T0, T0 + 200 * 3600.0, 1.0)
    assert found[-1].time == T0 + 200 * 3600.0 - 10.0
    assert found[0].time > T0 + DAY


def test_an_uncertain_clock_forgets_nothing_by_age(tmp_path: Path) -> None:
    store = TrendStore(tmp_path, SURE, Bounds())
    fill(store, T0, T0 + DAY)
    before = kinds(tmp_path)["detail.seg"]
    store.evict(T0 + 4000 * DAY, certain=False)
    assert kinds(tmp_path)["detail.seg"] == before
    store.evict(T0 + 4000 * DAY, certain=True)
    assert "detail.seg" not in kinds(tmp_path)


def test_what_was_written_under_a_wrong_clock_is_moved_when_the_time_is_known(tmp_path: Path) -> None:
    wrong = Sense("boot", 0.0, certain=False)
    store = TrendStore(tmp_path, wrong, Bounds())
    store.append([row(10.0 * n, float(n), 0.0) for n in range(100)], [], wrong)
    store.append([row(T0 + 1000.0, 100.0, 0.0)], [], SURE)
    store.tend(T0 + 1010.0, certain=True)
    store.learned(SURE)
    again = TrendStore(tmp_path, SURE, Bounds())
    _, found = again.read("ups", "a", T0, T0 + 2000.0, 1.0)
    assert values(found) == [(T0 + 10.0 * n, float(n)) for n in range(101)]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 4000), st.integers(0, 7), st.booleans())
def test_a_torn_tail_gives_back_the_rows_before_the_tear_and_goes_on(place: int, bit: int, cut: bool) -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        path = Path(folder) / "detail-000000001.tail"
        tail = Tail(path, SURE)
        tail.append([row(T0 + n, float(n), 0.5) for n in range(80)], ["open"])
        raw = bytearray(path.read_bytes())
        place %= len(raw)
        if cut:
            raw = raw[:place]
        else:
            raw[place] ^= 1 << bit
        path.write_bytes(raw)
        again = Tail(path, SURE)
        times = again.of(LAYOUT).times
        assert times == [round((T0 + n) * 1000) for n in range(len(times))]
        again.append([row(T0 + 900, 7.0, 7.0)], ["open"])
        assert Tail(path, SURE).of(LAYOUT).times == [*times, round((T0 + 900) * 1000)]


def test_a_crash_between_a_segment_and_the_end_of_its_tail_doubles_nothing(tmp_path: Path) -> None:
    store = TrendStore(tmp_path, SURE, Bounds())
    store.append([row(T0 + 10.0 * n, float(n), 0.0) for n in range(5000)], [], SURE)
    tail = (tmp_path / "detail-000000001.tail").read_bytes()
    store.tend(T0 + 50_000.0, certain=True)
    (tmp_path / "detail-000000001.tail").write_bytes(tail)
    (tmp_path / "ten-000020000.new").write_bytes(b"half")
    again = TrendStore(tmp_path, SURE, Bounds())
    assert len(again.read("ups", "a", T0, T0 + 50_000.0, 1.0)[1]) == 5000
    assert not list(tmp_path.glob("*.new"))


@pytest.mark.parametrize("cut", [0, 7, 100, -1, -30])
def test_a_damaged_segment_is_said_and_is_a_gap(tmp_path: Path, cut: int) -> None:
    store = TrendStore(tmp_path, SURE, Bounds())
    fill(store, T0, T0 + DAY)
    first = min(tmp_path.glob("detail-*.seg"))
    first.write_bytes(first.read_bytes()[:cut])
    again = TrendStore(tmp_path, SURE, Bounds())
    assert any(first.name in said for said in again.said)
    found = again.read("ups", "a", T0, T0 + DAY, 1.0)[1]
    assert 0 < len(found) < 1440


def test_a_damaged_block_costs_that_block_alone(tmp_path: Path) -> None:
    store = TrendStore(tmp_path, SURE, Bounds())
    fill(store, T0, T0 + DAY)
    first = min(tmp_path.glob("detail-*.seg"))
    entry = trend_segment.directory(first).entries[0]
    raw = bytearray(first.read_bytes())
    raw[entry.place + entry.length // 2] ^= 0xFF
    first.write_bytes(raw)
    found = TrendStore(tmp_path, SURE, Bounds()).read("ups", "a", T0, T0 + DAY, 1.0)[1]
    assert 0 < len(found) < 1440


WRITER = """
import sys
from pathlib import Path
from tests.test_trend_store import SURE, T0, row
from agent import trend_store
from agent.trend_store import Bounds, TrendStore
trend_store.OLD = 400_000
store = TrendStore(Path(sys.argv[1]), SURE, Bounds())
for n in range(int(sys.argv[2]), 1_000_000):
    store.append([row(T0 + n, float(n), 0.0)], [], SURE)
    print(n, flush=True)
    if n % 50 == 0:
        store.tend(T0 + n, certain=True)
"""


def test_a_writer_that_is_killed_again_and_again_loses_nothing_that_it_had_written(tmp_path: Path) -> None:
    chance = random.Random(11)
    begin = last = 0
    for _ in range(12):
        line = [sys.executable, "-c", WRITER, str(tmp_path), str(begin)]
        stop = begin + chance.randrange(300, 900)
        with subprocess.Popen(line, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent.parent) as running:
            assert running.stdout is not None
            told = map(int, running.stdout)
            last = next(each for each in told if each >= stop)
            os.kill(running.pid, signal.SIGKILL)
            last = max([last, *told])
        store = TrendStore(tmp_path, SURE, Bounds())
        found = [value for _, value in values(store.read("ups", "a", T0, T0 + 1e6, 1.0)[1])]
        assert found[: last + 1] == [float(n) for n in range(last + 1)]
        assert len(found) <= last + 2  # the row that was under way
        begin = len(found)
    assert kinds(tmp_path)["detail.seg"] > 5


def test_a_clock_that_was_wrong_by_a_month_for_two_days_hides_nothing_that_came_after(tmp_path: Path) -> None:
    store = TrendStore(tmp_path, SURE, Bounds())
    fill(store, T0, T0 + 2 * DAY)
    ahead = Sense("boot", T0 + 30 * DAY, certain=True)
    for hour in range(60):
        at = T0 + 32 * DAY + hour * 3600.0
        store.append([row(at + n * 60.0, 1.0, 5.0) for n in range(60)], [], ahead)
        store.tend(at + 3600.0, certain=True)
    assert kinds(tmp_path)["ten.seg"] >= 3
    fill(store, T0 + 2 * DAY, T0 + 2 * DAY + 7200.0)
    _, found = store.read("ups", "a", T0 + 2 * DAY, T0 + 2 * DAY + 7200.0, 600.0)
    assert sum(sample.many for sample in found) == 120
