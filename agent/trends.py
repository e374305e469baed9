"""A short history of every number, in memory: enough for a plot around a fault. Bounded whatever the site.

A sample is kept at most every ten seconds a point; the whole never holds more than `SAMPLES` samples. The long history
on disk is a store of its own.
"""

import math
from array import array

from model.point import Quality, Reading

SAMPLES = 200_000  # in all: 16 bytes each, 3.2 MB
EVERY = 10.0  # seconds between samples of a point
LONGEST = 720  # samples of one point: two hours
_KNOWN = frozenset({Quality.GOOD, Quality.UNCERTAIN})


class _Ring:
    """Unix time, value, time, value ..., oldest first; a gap is NaN. One array: there is a ring for each number."""

    __slots__ = ("samples", "unit")

    def __init__(self, unit: str) -> None:
        self.samples = array("d")
        self.unit = unit


class Trends:
    """Takes readings, gives ranges."""

    def __init__(self) -> None:
        self._rings: dict[str, dict[str, _Ring]] = {}  # by device and point
        self._count = 0

    def take(self, readings: tuple[Reading, ...], wall: float) -> None:
        """Keep numbers and gaps; `wall` is the batch's Unix time. The first that has a history speaks for all."""
        for place, reading in enumerate(readings):
            point, value = reading.point, reading.value
            if isinstance(value, str):
                continue
            rings = self._rings.get(point.device)
            ring = None if rings is None else rings.get(point.id)
            if ring is not None and ring.samples and wall - ring.samples[-2] < EVERY:
                if place == 0:
                    return
                continue
            known = value is not None and reading.quality in _KNOWN
            if ring is None:
                if not known:
                    continue
                ring = self._rings.setdefault(point.device, {})[point.id] = _Ring(point.quantity.unit.symbol)
                self._count += 1
            samples = ring.samples
            samples.append(wall)
            samples.append(value if known and value is not None else math.nan)
            excess = len(samples) - 2 * self._depth()
            if excess > 0:
                del samples[:excess]

    def range(self, device: str, point: str, start: float, end: float) -> tuple[str, list[tuple[float, float | None]]]:
        """Return a point's unit and its samples between two Unix times, oldest first; none for an unknown point."""
        ring = self._rings.get(device, {}).get(point)
        if ring is None:
            return "", []
        samples = [
            (time, None if value != value else value)  # noqa: PLR0124 - NaN is the one value unlike itself
            for time, value in zip(ring.samples[::2], ring.samples[1::2], strict=True)
            if start <= time < end
        ]
        return ring.unit, samples

    def _depth(self) -> int:
        return max(2, min(LONGEST, SAMPLES // max(1, self._count)))
