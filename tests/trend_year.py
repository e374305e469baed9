"""A year of history of one device, written as an agent's trends would hold it."""

import math
import random
from collections.abc import Sequence
from pathlib import Path

from agent import trend_segment
from agent.trend_cells import Sample, averages
from agent.trend_store import HOUR, NAMES, STRETCHES, TEN, WIDTHS
from agent.trend_tail import Sense

SURE = Sense("", 0.0, certain=True)


def a_year(folder: Path, device: str, points: Sequence[tuple[str, str, float, float]], now: float) -> None:
    """Write hours of a year and ten minutes of the last eight days; points are (id, unit, base, swing)."""
    folder.mkdir(parents=True, exist_ok=True)
    for level, first, end in ((HOUR, now - 374 * 86_400.0, now), (TEN, now - 9 * 86_400.0, now)):
        long = STRETCHES[level] / 1000
        for number in range(int(first // long), int(end // long)):
            rows = [
                (point, unit, list(_averages(number * long, long, WIDTHS[level], base, swing)))
                for point, unit, base, swing in points
            ]
            path = folder / f"{NAMES[level]}-{number:09d}.seg"
            assert trend_segment.write(path, level, SURE, [averages(device, rows)])


def _averages(start: float, long: float, width: float, base: float, swing: float) -> list[Sample]:
    chance = random.Random(f"{start} {base}")
    made = []
    for at in range(int(long / width)):
        time = start + at * width
        mean = base + swing * (math.sin(time / 86_400 * math.tau) + math.sin(time / 31_557_600 * math.tau) * 2)
        mean = round(mean + chance.gauss(0.0, swing / 5), 2)
        made.append(Sample(time, mean, round(mean - swing / 3, 1), round(mean + swing / 3, 1), int(width / 10)))
    return made
