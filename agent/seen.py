"""What was last read of a device, and when that is too long ago."""

from collections.abc import Mapping
from functools import lru_cache

from msgspec.structs import replace

from model.calm import Range, only_quiet
from model.point import Batch, Point, Quality, Reading, Severity, State, point_id
from model.quantity import Quantity

STALE_AFTER = 3.0  # polls a reading may miss before it is stale
SLOWEST = 20.0  # times its interval that a device may really take from one poll to the next: one on a line that is full
_REACHABLE = (State("yes"), State("no", Severity.CRITICAL))


class Seen:
    """What was last read of a device."""

    def __init__(self, started: float) -> None:
        self.readings: dict[str, Reading] = {}
        self.ever: frozenset[str] = frozenset()  # ids of points that have had a value
        self.reachable: Point | None = None
        self.calm: Mapping[Quantity, Range] | None = None  # where values may move unasked; None: ask
        self.error = ""
        self.answered: bool | None = None
        self.time = started
        self.gap = 0.0  # seconds between the last two batches
        self.seconds = 0.0

    def take(self, device: str, batch: Batch) -> bool:
        """Put a batch's readings in place; say whether all is as it was but for changes that no rule asks about."""
        readings = (*batch.readings, self._reached(device, batch))
        if batch.gone:
            gone = frozenset(batch.gone)
            self.readings = {key: r for key, r in self.readings.items() if key not in gone}
            self.ever = _shared(self.ever - gone)
        before = self.readings
        calm = self.calm is not None and only_quiet(before, readings, self.calm)
        fresh = {r.point.id: r for r in readings}
        if calm and len(fresh) == len(before):
            self.readings = fresh
        else:
            calm = calm and not batch.complete
            left = {key: r for key, r in before.items() if key not in fresh}
            if batch.complete:
                left = {key: _without(r, Quality.UNAVAILABLE) for key, r in left.items()}
            self.readings = fresh | left
            self.ever = _shared(self.ever.union([r.point.id for r in batch.readings if r.value is not None]))
        self.gap = batch.time - self.time
        self.time, self.error, self.answered, self.seconds = batch.time, batch.error, batch.reachable, batch.seconds
        return calm

    def stale(self, every: float, now: float) -> bool:
        """Say whether a device read `every` so many seconds, or as often as it really was, has missed its polls."""
        return now - self.time > STALE_AFTER * max(every, min(self.gap, SLOWEST * every))

    def grow_stale(self) -> bool:
        """Let every reading that was fresh be stale; say whether there was one."""
        grown = {
            key: replace(r, quality=Quality.STALE)
            for key, r in self.readings.items()
            if r.quality in {Quality.GOOD, Quality.UNCERTAIN}
        }
        self.readings.update(grown)
        return bool(grown)

    def _reached(self, device: str, batch: Batch) -> Reading:
        """Return whether the device answered, as a reading like any other, so that rules can ask for it."""
        if self.reachable is None:
            quantity = Quantity.DEVICE_REACHABLE
            self.reachable = Point(device, point_id(quantity), quantity, "Reachable", states=_REACHABLE)
        return Reading(self.reachable, "yes" if batch.reachable else "no", batch.time)


@lru_cache(256)
def _shared(ids: frozenset[str]) -> frozenset[str]:
    """Return the same set for the same ids: hundreds of alike devices have the same."""
    return ids


def _without(reading: Reading, quality: Quality) -> Reading:
    return Reading(reading.point, None, reading.time, quality)
