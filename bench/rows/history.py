"""The history on the disk: bytes a sample, CPU of a point's samples, and how long a year takes to answer.

A day of fewer points at full speed, with the walks that sensors have; what is told of 2,000 points each 10 s is these
figures times as many samples: every point costs the same, as all work is done by point or by block.
"""

import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from agent import trends as agent_trends
from agent.trend_store import DETAIL
from agent.trends import Trends
from bench.figures import Budget, Figure, Spread
from bench.sizes import Sizes
from model.alarm import Now
from model.point import Point, Reading
from model.quantity import Quantity
from model.trend import SendHistory

START = 20_000 * 86_400.0
EVERY = 10.0  # seconds
WIDE = 20  # points of a device
POINTS = 2_000  # of the site that is told of
MONTH = 30 * 86_400.0
# (base, swing of a step, decimals, share of steps that move, whether it wanders)
WALKS = (
    (230.0, 0.5, 1, 1.0, False),  # mains volts
    (12.0, 0.1, 2, 1.0, True),  # amperes
    (50.0, 0.02, 2, 1.0, False),  # hertz
    (23.0, 0.1, 1, 0.05, True),  # degrees
    (45.0, 1.0, 0, 0.05, True),  # per cent of humidity
    (54.1, 0.02, 2, 1.0, False),  # battery volts
    (0.0, 0.0, 0, 0.0, False),  # what stays
    (0.4, 0.01, None, 1.0, False),  # a ratio of the host, every digit of it noise
    (230.0, 0.2, 1, 1.0, True),  # volts that wander
    (2500.0, 8.0, 0, 1.0, True),  # watts
)


def measure(sizes: Sizes, tell: Callable[[str], None]) -> list[Figure]:
    """Measure with two devices for two days; BENCH_HISTORY=DEVICESxDAYS measures more (100x30 is the whole)."""
    usual = "2x2" if sizes.devices > 5 else "1x1"
    devices, days = (int(each) for each in os.environ.get("BENCH_HISTORY", usual).split("x"))
    breath, agent_trends.BREATH = agent_trends.BREATH, 0.0
    folder = Path(tempfile.mkdtemp(prefix="history-"))
    try:
        return _figures(folder, devices, days, sizes.runs, tell)
    finally:
        agent_trends.BREATH = breath
        shutil.rmtree(folder)


def _figures(folder: Path, devices: int, days: int, runs: int, tell: Callable[[str], None]) -> list[Figure]:
    kept = Trends(folder, "bench", Now(0.0, START))
    cpu = _live(kept, devices, days, tell)
    samples = devices * WIDE * round(days * 86_400 / EVERY)
    store = kept.store()
    detail = store.size(DETAIL) / samples
    averages = (store.used - store.size(DETAIL)) / samples
    end = START + days * 86_400.0
    took = []
    for turn in range(max(3, runs)):
        began = time.perf_counter()
        kept.report(SendHistory(0, f"dev{turn % devices}", "p0", end - 86_400.0, end, 800))
        took.append((time.perf_counter() - began) * 1000.0)
    month = POINTS * MONTH / EVERY
    what = f"history, {samples:,} samples of {devices * WIDE} points"
    return [
        Figure(f"{what}: full detail", "bytes a sample", Spread.of([detail]), (), Budget(2 * 2**30 / month)),
        Figure(f"{what}: averages, and the tail", "bytes a sample", Spread.of([averages])),
        Figure(f"{what}: 518 million would take", "MiB", Spread.of([detail * month / 2**20]), (), Budget(2048.0)),
        Figure(
            f"{what}: CPU of 2,000 points each {EVERY:g} s",
            "% of a core",
            Spread.of([cpu / samples * POINTS / EVERY * 100.0]),
            (),
            Budget(1.0),
        ),
        Figure("history: a day of one point answered", "ms", Spread.of(took)),
    ]


def _live(kept: Trends, devices: int, days: int, tell: Callable[[str], None]) -> float:
    """Let the days pass; returns the CPU seconds of what the agent does, without what makes the values."""
    points = [[Point(f"dev{d}", f"p{n}", Quantity.MAINS_VOLTAGE, "p") for n in range(WIDE)] for d in range(devices)]
    values = [[WALKS[n % len(WALKS)][0] for n in range(WIDE)] for _ in range(devices)]
    chance, spent, steps = random.Random(1), 0.0, round(86_400 / EVERY)
    for step in range(days * steps):
        at = step * EVERY
        batches = [_batch(own, row, chance, at) for own, row in zip(points, values, strict=True)]
        began = time.process_time()
        for batch in batches:
            kept.take(batch, Now(at, START + at + chance.random() * 0.03), certain=True)
        kept.write()
        if step % 6 == 0:
            kept.tend()
        spent += time.process_time() - began
        if step % steps == steps - 1:
            tell(f"day {step // steps + 1} of {days}: {spent:.1f} s of CPU")
    return spent


def _batch(points: list[Point], values: list[float], chance: random.Random, at: float) -> tuple[Reading, ...]:
    made = []
    for place, point in enumerate(points):
        base, swing, decimals, share, wanders = WALKS[place % len(WALKS)]
        if share and chance.random() < share:
            values[place] = (values[place] if wanders else base) + chance.gauss(0.0, swing)
        value = values[place]
        made.append(Reading(point, value if decimals is None else round(value, decimals), at))
    return tuple(made)
