"""The trends: every reading goes to a bounded history on the disk, by a thread of its own; the loop only hands over.

Nothing here may cost the agent anything: a disk that is full, gone or slow loses history, is said once, and said again
when it is over. What waits to be written is bounded, and so is what is lost by a crash: what came in the last seconds.
"""

import logging
import math
import threading
import time
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import cast

from agent.trend_answer import answered
from agent.trend_cells import Sample, mark
from agent.trend_store import Bounds, TrendStore
from agent.trend_tail import Layout, Row, Sense
from model.alarm import Now
from model.point import Point, Quality, Reading
from model.trend import HistoryReport, LimitLine, SendHistory

WRITE_EVERY = 5.0  # seconds
TEND_EVERY = 60.0
WAITING = 50_000  # readings that wait for the disk; more are dropped
MOST_WORDS = 10_000
BREATH = 0.001  # seconds that the thread rests between two columns: the loop and the lines go first
_LATEST = 1 << 44  # milliseconds: the year 2527; a clock that says more says nothing
_GOOD = bytes([mark(0.0, Quality.GOOD)])
log = logging.getLogger("roundsman.trends")


class Trends:
    """Takes readings, gives ranges. `run` is the thread's work, `stop` ends it."""

    def __init__(self, folder: Path, boot: str, moment: Now, bounds: Bounds | None = None) -> None:
        self._folder = folder
        self._boot = boot
        self._bounds = bounds or Bounds()
        self._moment = moment
        self._certain = False
        self._waiting: list[tuple[tuple[Reading, ...], int]] = []
        self._heavy = 0
        self._layouts: dict[tuple[int, int], tuple[tuple[Point, ...], Layout]] = {}
        self._words: dict[str, int] = {}
        self._wake = threading.Event()
        self._ending = False
        self._thread: threading.Thread | None = None
        self._store: TrendStore | None = None
        self._opening = threading.Lock()
        self._paused = ""
        self.dropped = 0

    # --- the loop's side -----------------------------------------------------------------------------------------

    def take(self, readings: tuple[Reading, ...], moment: Now, *, certain: bool) -> None:
        """Take one batch of one device; `certain`: the wall clock of `moment` is known to be right."""
        if not readings or not 0 <= moment.wall * 1000 < _LATEST:
            return
        self._moment, self._certain = moment, certain
        if self._heavy > WAITING:
            self.dropped += len(readings)
            return
        self._waiting.append((readings, round(moment.wall * 1000)))
        self._heavy += len(readings)

    def start(self) -> None:
        """Begin to write."""
        self._thread = threading.Thread(target=self._run, name="trends", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what waits and end; a disk that does not answer is not waited for."""
        self._ending = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(2.0)

    def report(self, asked: SendHistory, limits: tuple[LimitLine, ...] = ()) -> HistoryReport:
        """Return a range, bounded; it may take a moment: call it off the loop. Raises OSError."""
        return answered(self.read, asked, limits)

    def read(self, device: str, point: str, start: float, end: float, width: float) -> tuple[str, list[Sample]]:
        """Return a point's unit and samples, what has not been written yet left out. Raises OSError."""
        return self._opened().read(device, point, start, end, width)

    def store(self) -> TrendStore:
        """Return what is on the disk. Raises OSError."""
        return self._opened()

    def devices(self) -> dict[str, set[str]]:
        """Return the points that have a history, by device."""
        return self._opened().devices()

    # --- the thread's side ---------------------------------------------------------------------------------------

    def _run(self) -> None:
        tended = -TEND_EVERY
        while not self._ending:
            self._wake.wait(WRITE_EVERY)
            self._guarded(self.write)
            if time.monotonic() - tended >= TEND_EVERY and not self._ending:
                self._guarded(self.tend)
                tended = time.monotonic()
        self._guarded(self.write)

    def _guarded(self, work: Callable[[], None]) -> None:
        """Do work; what goes wrong is said once, until it goes right again."""
        try:
            work()
        except OSError as error:
            self._pause(f"the history cannot be written: {error.strerror or error}")
        except Exception:
            log.exception("the history failed; going on")

    def write(self) -> None:
        """Write what waits. Raises OSError."""
        waiting, self._waiting = self._waiting, []
        self._heavy = 0
        if not waiting:
            return
        store = self._opened()
        if store.free() < store.spare():
            store.evict(self._moment.wall, certain=self._certain)
        if store.free() < store.spare() / 2:
            self._pause("the disk is nearly full: no history is kept until it has room")
            return
        rows = [self._row(readings, at) for readings, at in waiting]
        store.append(rows, list(self._words), self._sense())
        if self._paused:
            log.warning("the history is kept again")
            self._paused = ""

    def tend(self) -> None:
        """Make segments and averages of what is due, forget what is over. Raises OSError."""
        store = self._opened()
        store.learned(self._sense())
        store.tend(self._moment.wall, certain=self._certain)

    def _sense(self) -> Sense:
        return Sense(self._boot, round(self._moment.wall - self._moment.boot, 3), self._certain)

    def _row(self, readings: tuple[Reading, ...], at: int) -> Row:
        layout = self._layout(tuple([each.point for each in readings]))
        known = [each.value for each in readings]
        if [each.quality for each in readings].count(Quality.GOOD) == len(readings):
            try:
                numbers = array("d", cast("list[float]", known))
            except TypeError:
                pass  # words, or nothing: cell by cell
            else:
                if math.isfinite(sum(numbers)):
                    return Row(layout, at, numbers.tobytes(), _GOOD * len(readings))
        values, marks = array("d"), bytearray()
        for reading in readings:
            value, quality = reading.value, reading.quality
            if isinstance(value, str):
                if value not in self._words and len(self._words) >= MOST_WORDS:
                    value = None
                values.append(0.0 if value is None else self._words.setdefault(value, len(self._words)))
            else:
                if value is not None and not math.isfinite(value):
                    value, quality = None, Quality.UNAVAILABLE
                values.append(0.0 if value is None else value)
            marks.append(mark(value, quality))
        return Row(layout, at, values.tobytes(), bytes(marks))

    def _layout(self, points: tuple[Point, ...]) -> Layout:
        """Return what a row of these points is; a device reads the same points again and again."""
        key = id(points[0]), len(points)
        before, found = self._layouts.get(key) or ((), None)
        if found is None or before != points:  # the same objects are compared in no time
            if len(self._layouts) > 20_000:
                self._layouts.clear()
            named = tuple((point.id, point.quantity.unit.symbol) for point in points)
            found = Layout(points[0].device, named)
            self._layouts[key] = points, found
        return found

    def _opened(self) -> TrendStore:
        with self._opening:
            if self._store is None:
                self._store = TrendStore(self._folder, self._sense(), self._bounds, _breathe)
                for said in self._store.said:
                    log.warning("%s", said)
                self._words = {word: place for place, word in enumerate(self._store.words())}
            return self._store

    def _pause(self, why: str) -> None:
        if self._paused != why:
            log.error("%s", why)
        self._paused = why


def _breathe() -> None:
    time.sleep(BREATH)
