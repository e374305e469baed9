"""A short history of every number, in memory: enough for a plot around a fault. Bounded whatever the site.

A row of a device's numbers is kept at most every ten seconds; the whole never holds more than `SAMPLES` numbers. The
long history on disk is a store of its own.
"""

import math
from array import array

from model.point import Quality, Reading

SAMPLES = 200_000  # in all: 8 bytes each, 1.6 MB
EVERY = 10.0  # seconds between rows of a device
LONGEST = 720  # rows of a device: two hours
_KNOWN = frozenset({Quality.GOOD, Quality.UNCERTAIN})
Columns = tuple[tuple[str, str], ...]
"""Ids of points, each with the symbol of its unit."""


class _History:
    """One device: Unix times, oldest first, and for each a row with a number for each column; a gap is NaN."""

    __slots__ = ("columns", "rows", "times")

    def __init__(self) -> None:
        self.columns: Columns = ()
        self.times = array("d")
        self.rows = array("d")

    def widen(self, columns: Columns) -> None:
        """Take more columns, behind those that there are; they begin with a gap."""
        had, more = len(self.columns), len(columns) - len(self.columns)
        rows = array("d")
        for row in range(len(self.times)):
            rows.extend(self.rows[row * had : (row + 1) * had])
            rows.extend([math.nan] * more)
        self.columns, self.rows = columns, rows

    def put(self, values: dict[str, float], wall: float) -> None:
        """Add a row, or fill the last row's gaps where that is not old enough for another one."""
        width = len(self.columns)
        if not self.times or wall - self.times[-1] >= EVERY:
            self.times.append(wall)
            self.rows.extend([values.get(point, math.nan) for point, _ in self.columns])
            return
        last = len(self.rows) - width
        for place, (point, _) in enumerate(self.columns):
            if point in values and math.isnan(self.rows[last + place]):
                self.rows[last + place] = values[point]

    def keep(self, most: int) -> None:
        """Forget the oldest rows beyond so many."""
        excess = len(self.times) - most
        if excess > 0:
            del self.times[:excess]
            del self.rows[: excess * len(self.columns)]


class Trends:
    """Takes readings, gives ranges."""

    def __init__(self) -> None:
        self._histories: dict[str, _History] = {}  # by device
        self._alike: dict[Columns, Columns] = {}
        self._count = 0

    def take(self, readings: tuple[Reading, ...], wall: float, *, complete: bool = True) -> None:
        """Keep numbers and gaps; `wall` is the Unix time of this batch of one device.

        A batch that is not `complete` lacks some of the device's points: it may fill gaps that another one left.
        """
        if not readings:
            return
        history = self._histories.get(readings[0].point.device)
        if history is None:
            history = self._histories[readings[0].point.device] = _History()
        elif complete and history.times and wall - history.times[-1] < EVERY:
            return
        known = [
            (each.point, each.value)
            for each in readings
            if each.value is not None and not isinstance(each.value, str) and each.quality in _KNOWN
        ]
        values: dict[str, float] = {point.id: value for point, value in known}
        had = {point for point, _ in history.columns}
        fresh = tuple((point.id, point.quantity.unit.symbol) for point, _ in known if point.id not in had)
        if fresh:
            columns = history.columns + tuple(dict(fresh).items())
            self._count += len(columns) - len(history.columns)
            history.widen(self._alike.setdefault(columns, columns))
        if history.columns:
            history.put(values, wall)
            history.keep(max(2, min(LONGEST, SAMPLES // self._count)))

    def range(self, device: str, point: str, start: float, end: float) -> tuple[str, list[tuple[float, float | None]]]:
        """Return a point's unit and its samples between two Unix times, oldest first; none for an unknown point."""
        history = self._histories.get(device)
        names = [] if history is None else [name for name, _ in history.columns]
        if history is None or point not in names:
            return "", []
        place = names.index(point)
        samples = [
            (time, None if math.isnan(value) else value)
            for time, value in zip(history.times, history.rows[place :: len(names)], strict=True)
            if start <= time < end
        ]
        first = next((at for at, (_, value) in enumerate(samples) if value is not None), len(samples))
        return history.columns[place][1], samples[first:]
