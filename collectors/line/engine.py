"""Serial lines: one thread owns each, asks its devices one after the other, and gives batches to the event loop.

A thread, because the gap between two frames is a matter of a millisecond or two and the loop has other work
(docs/decisions/0006-line-owner.md). The thread never touches what the loop owns: batches and counters are handed over.
"""

import asyncio
import copy
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from collectors.line.backoff import FIRST, Backoff
from collectors.line.definition import Definition
from collectors.line.device import PolledDevice
from collectors.line.exchange import Exchange
from collectors.line.port import Port, PortError, StoppedError
from collectors.line.ports import exchange_on, open_port
from collectors.line.stats import LineStats
from config.schema import Line, LineDevice
from model.point import Batch

logger = logging.getLogger(__name__)

Emit = Callable[[Batch], None]
Report = Callable[[LineStats], None]

SWITCH_SECONDS = 0.0005
"""How long a line's thread waits at most for a busy event loop; the interpreter's default is ten times as long."""
STOP_SECONDS = 5.0
"""Longest that a stopping line may take; its thread does not keep the program alive."""


async def run(lines: Sequence[Line], emit: Emit, report: Report | None = None) -> None:
    """Read every device of these lines, each as often as it says, until cancelled.

    `emit` gets a batch for each poll and `report` each line's counters after each cycle, both on the event loop.
    """
    loop = asyncio.get_running_loop()
    sys.setswitchinterval(min(sys.getswitchinterval(), SWITCH_SECONDS))

    def hand_over(take: Callable[[Any], None], thing: Any) -> None:
        loop.call_soon_threadsafe(take, thing)

    owners = [Owner(line, partial(hand_over, emit), partial(hand_over, report or _unreported)) for line in lines]
    for owner in owners:
        owner.start()
    try:
        await asyncio.Event().wait()
    finally:
        for owner in owners:
            owner.stop()
        await asyncio.gather(*(asyncio.to_thread(owner.finish) for owner in owners))


async def read_once(line: Line, device: LineDevice, definition: Definition | None = None) -> Batch:
    """Open the line, read one device once, close the line. What goes wrong is in the batch.

    `definition` stands in for the one the device names.
    """
    return await asyncio.to_thread(_read_once, line, device, definition)


def _read_once(line: Line, device: LineDevice, definition: Definition | None) -> Batch:
    polled = PolledDevice(line, device, LineStats(line.id), definition)
    try:
        port = open_port(line)
    except PortError as error:
        return polled.absent(str(error))
    try:
        return polled.poll(exchange_on(port, line))
    except PortError as error:
        return polled.absent(str(error))
    finally:
        port.close()


def _unreported(_: LineStats) -> None:
    """Take a report that nobody asked for."""


class Owner(threading.Thread):
    """The one thread that opens, speaks on and closes a line, from `start` to `stop` and `finish`."""

    def __init__(self, line: Line, emit: Callable[[Batch], object], report: Callable[[LineStats], object]) -> None:
        super().__init__(name=f"line {line.id}", daemon=True)
        self._line = line
        self._emit = emit
        self._report = report
        self._stats = LineStats(line.id)
        self._devices = [PolledDevice(line, device, self._stats) for device in line.devices]
        self._port: Port | None = None
        self._exchange: Exchange | None = None
        self._reopen = Backoff(first=0.5, longest=2.0)
        self._error = ""
        self._window = (time.monotonic(), 0.0)
        self._stopping = threading.Event()
        self._wake = os.eventfd(0)

    def stop(self) -> None:
        """Ask the thread to end, in the middle of an exchange too."""
        self._stopping.set()
        os.eventfd_write(self._wake, 1)

    def finish(self) -> None:
        """Wait for the stopped thread; blocks."""
        self.join(STOP_SECONDS)
        if self.is_alive():
            logger.error("line %s: does not stop", self._line.id)
        else:
            os.close(self._wake)

    def run(self) -> None:
        """Go round until stopped."""
        try:
            while not self._stopping.is_set():
                try:
                    self._round()
                except StoppedError:
                    return
                except Exception:  # whatever is wrong with one line, it must not end in silence
                    logger.exception("line %s: error in the program", self._line.id)
                    self._lost(PortError("error in the program; the log has it"))
                    self._stopping.wait(FIRST)
        finally:
            self._close()

    def _round(self) -> None:
        """Open the port if need be, poll what is due, wait for what is due next."""
        now = time.monotonic()
        if self._port is None and self._reopen.due(now):
            self._open(now)
        due = [device for device in self._devices if device.due <= now]
        if due:
            self._cycle(due, now)
        next_due = min(device.due for device in self._devices)
        if self._port is None:
            next_due = min(next_due, self._reopen.next)
        self._stopping.wait(max(0.0, next_due - time.monotonic()))

    def _cycle(self, due: list[PolledDevice], started: float) -> None:
        """Poll the devices that are due, with at most one probe of a device that is down."""
        probe = self._probe(due, started)
        for device in due:
            if self._stopping.is_set():
                return
            self._emit(self._polled(device, asked=device is probe or not device.down.failures))
            device.due = (device.due or started) + device.every
        now = time.monotonic()
        late = [device for device in due if device.due < now]
        for device in late:  # a round that takes too long is counted; what it missed is not made up for
            device.due = now
        self._stats.overruns += bool(late)
        self._stats.cycles += 1
        self._stats.cycle_seconds = now - started
        self._measure_use(now)
        self._report(copy.deepcopy(self._stats))

    def _measure_use(self, now: float) -> None:
        """Tell how much of the last second or more the line was in use."""
        since, busy = self._window
        if now - since >= 1.0 or self._stats.utilisation == 0.0:
            self._stats.utilisation = min(1.0, (self._stats.busy_seconds - busy) / max(now - since, 0.001))
        if now - since >= 1.0:
            self._window = (now, self._stats.busy_seconds)

    @staticmethod
    def _probe(due: Iterable[PolledDevice], now: float) -> PolledDevice | None:
        """Return the device that is down and has waited longest for its probe."""
        waiting = [device for device in due if device.down.failures and device.down.due(now)]
        return min(waiting, key=lambda device: device.down.next, default=None)

    def _polled(self, device: PolledDevice, *, asked: bool) -> Batch:
        if self._exchange is None:
            return device.absent(self._error)
        if not asked:
            return device.resting()
        try:
            return device.poll(self._exchange)
        except PortError as error:
            self._lost(error)
            return device.absent(self._error)

    def _open(self, now: float) -> None:
        try:
            self._port = open_port(self._line, self._wake)
        except PortError as error:
            self._lost(error)
            return
        if self._error:
            logger.info("line %s: %s is open again", self._line.id, self._line.port)
            self._stats.reopens += 1
        self._error = ""
        self._stats.open = True
        self._reopen.succeeded()
        self._exchange = exchange_on(self._port, self._line)
        for device in self._devices:
            device.due = min(device.due, now)

    def _lost(self, error: PortError) -> None:
        """Close the dead port at once; say it once."""
        if str(error) != self._error:
            logger.warning("line %s: %s", self._line.id, error)
        self._error = str(error)
        self._close()
        self._reopen.failed(time.monotonic())

    def _close(self) -> None:
        port, self._port, self._exchange = self._port, None, None
        self._stats.open = False
        if port is not None:
            port.close()
