"""Serial lines: one thread owns each, asks its devices one after the other, and gives batches to the event loop.

A thread, because the gap between two frames is a matter of a millisecond or two and the loop has other work
(docs/decisions/0006-line-owner.md). The thread never touches what the loop owns: batches and counters are handed over.
"""

import asyncio
import contextlib
import logging
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from collectors.line.backoff import FIRST, Allowance, Backoff
from collectors.line.device import PolledDevice
from collectors.line.exchange import Exchange
from collectors.line.others import FOREIGN, Others
from collectors.line.port import Port, PortError, StoppedError
from collectors.line.ports import exchange_on, open_port
from collectors.line.state import line_batch
from collectors.line.stats import LineStats
from collectors.line.timing import Timing
from config.schema import Line
from model.point import Batch

logger = logging.getLogger(__name__)

Emit = Callable[[Batch], None]
Report = Callable[[LineStats], None]
Made = TypeVar("Made")

SWITCH_SECONDS = 0.002
"""How long a line's thread waits at most for a busy event loop: the interpreter's default is 5 ms, a wait that shows at
115200 baud; to interrupt the loop much sooner costs more, in forced switches, than it gains (measured)."""
LISTEN, LISTEN_SHARED, LISTEN_AGAIN = 0.5, 3.0, 5.0
"""Seconds to listen before the first word: on a line of our own, on a shared one, where another master was heard."""
GATHERED = 0.02
"""Seconds for which batches are gathered before the event loop takes them; a fault has 100 ms to its ticket."""
TOLD = 1.0
"""Seconds after which the line's own state is given again, unless it changes."""
DEAD_SHARE, DEAD_AT_ONCE = 0.04, 3.0
"""Part of a line's time that probes of devices which are down may take, and the seconds they may take in a row."""
STOP_SECONDS = 5.0
"""Longest that a stopping line may take; its thread does not keep the program alive."""


async def run(lines: Sequence[Line], emit: Emit, report: Report | None = None) -> None:
    """Read every device of these lines, each as often as it says, until cancelled."""
    await Engine(lines, emit, report).run()


class Engine:
    """The lines of a site. `emit` gets a batch for each poll and `report` each line's counters, on the event loop."""

    def __init__(self, lines: Sequence[Line], emit: Emit, report: Report | None = None) -> None:
        self._lines = lines
        self._emit = emit
        self._report = report or _unreported
        self._owners: list[Owner] = []

    async def run(self) -> None:
        """Read every device, each as often as it says, until cancelled."""
        sys.setswitchinterval(min(sys.getswitchinterval(), SWITCH_SECONDS))
        desk = HandOver(asyncio.get_running_loop())
        emit, report = partial(desk.put, self._emit), partial(desk.put, self._report)
        self._owners = owners = [Owner(line, emit, report) for line in self._lines]
        for owner in owners:
            owner.start()
        try:
            await asyncio.Event().wait()
        finally:
            self._owners = []
            for owner in owners:
                owner.stop()
            await asyncio.gather(*(asyncio.to_thread(owner.finish) for owner in owners))

    def hint(self, device: str) -> bool:
        """Have a device read at once, or right after what is being asked; False for one that is on none of the lines.

        Its regular polls stay when they were. One that is down keeps to its probes.
        """
        return any(owner.hint(device) for owner in self._owners)


def listen(port: Port, line: Line, *, again: bool = False) -> Others:
    """Listen before the first word, longer where another master may be, `again` longest; bounded.

    Raises PortError for one that speaks on a line which is not declared shared. A gateway has its line to itself.
    """
    others = Others(shared=line.shared)
    seconds = LISTEN_SHARED if line.shared else LISTEN_AGAIN if again else LISTEN
    until = time.monotonic() + (seconds if Timing.of(line).wired else 0.0)
    while (left := until - time.monotonic()) > 0:
        others.hear(port.read(left), time.monotonic(), spoken=False)
        if others.present and not line.shared:
            raise PortError(FOREIGN)
    return others


def _wake_sharply() -> None:
    """Have this thread's sleeps end within a microsecond of their time; the kernel's default is 50 later."""
    with contextlib.suppress(OSError):
        Path(f"/proc/{threading.get_native_id()}/timerslack_ns").write_text("1000")


def _unreported(_: LineStats) -> None:
    """Take a report that nobody asked for."""


class HandOver:
    """Brings what threads have made to the event loop: all of a moment together, for waking the loop is what costs."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._things: deque[tuple[Callable[[Any], object], Any]] = deque()
        self._awaited = threading.Lock()

    def put(self, take: Callable[[Any], object], thing: Any) -> None:
        """Have the loop call `take(thing)` soon. From any thread."""
        self._things.append((take, thing))
        if self._awaited.acquire(blocking=False):
            self._loop.call_soon_threadsafe(self._loop.call_later, GATHERED, self._give)

    def _give(self) -> None:
        self._awaited.release()  # first: what is put from now on is given now or wakes the loop again
        for _ in range(len(self._things)):
            take, thing = self._things.popleft()
            take(thing)


class Owner(threading.Thread):
    """The one thread that opens, speaks on and closes a line, from `start` to `stop` and `finish`."""

    def __init__(self, line: Line, emit: Callable[[Batch], object], report: Callable[[LineStats], object]) -> None:
        super().__init__(name=f"line {line.id}", daemon=True)
        self._line = line
        self._emit = emit
        self._report = report
        self._stats = LineStats(line.id, Timing.of(line).wired)
        self._devices = [PolledDevice(line, device, self._stats) for device in line.devices]
        self._port: Port | None = None
        self._exchange: Exchange | None = None
        self._reopen = Backoff(first=0.5, longest=2.0)
        self._error = ""
        self._window = (time.monotonic(), 0.0)
        self._probes = Allowance(DEAD_SHARE, DEAD_AT_ONCE, time.monotonic())
        self._others: Others | None = None
        self._said_foreign = self._said_echo = False
        self._last: tuple[PolledDevice, Callable[[], Batch]] | None = None
        self._told_at = float("-inf")
        self._by_name = {device.id: device for device in self._devices}
        self._hinted: set[str] = set()  # the loop adds, the thread takes: each one step of the interpreter
        self._stopping = threading.Event()
        self._roused = threading.Event()  # there is a hint, or the end
        self._wake = os.eventfd(0)

    def hint(self, device: str) -> bool:
        """Have a device read ahead of its turn; False for one that is not on this line. From any thread."""
        if device not in self._by_name:
            return False
        self._hinted.add(device)
        self._roused.set()
        return True

    def stop(self) -> None:
        """Ask the thread to end, in the middle of an exchange too."""
        self._stopping.set()
        self._roused.set()
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
        _wake_sharply()
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
        if due or self._hinted:
            self._cycle(due, now)
        next_due = min(device.due for device in self._devices)
        if self._port is None:
            next_due = min(next_due, self._reopen.next)
        self._roused.wait(max(0.0, next_due - time.monotonic()))
        self._roused.clear()

    def _cycle(self, due: list[PolledDevice], started: float) -> None:
        """Poll the devices that are due or hinted at, with at most one probe of a device that is down."""
        wire = self._stats.wire_seconds
        probe = self._probe(due, started) if self._probes.any_left(started) else None
        for device in self._turns(due):
            if self._stopping.is_set():
                return
            if time.monotonic() - self._told_at >= TOLD:  # within a long round too, or it would grow stale
                self._tell_state()
            self._poll(device, asked=device is probe or not device.down.failures)
            if device.due <= started:
                device.due = (device.due or started) + device.every
        self._give_last()
        now = time.monotonic()
        late = [device for device in due if device.due < now]
        for device in late:  # a round that takes too long is counted; what it missed is not made up for
            device.due = now
        self._stats.overruns += bool(late)
        self._stats.cycles += 1
        self._stats.cycle_seconds = now - started
        least = self._stats.wire_seconds - wire
        self._stats.ratio = (now - started) / least if least else 0.0
        self._measure_use(now)
        if self._port is not None:
            self._lasted()
        self._notice()
        self._report(self._stats.snapshot())

    def _turns(self, due: Iterable[PolledDevice]) -> Iterator[PolledDevice]:
        """Give the devices that are due one after the other, and before the next of them one that was hinted at."""
        left = dict.fromkeys(due)
        while left or self._hinted:
            hinted = self._by_name[self._hinted.pop()] if self._hinted else None
            if hinted is not None and hinted.down.failures:
                continue  # what it may cost the others is bounded, and its probe is not for everybody to ask for
            device = hinted or next(iter(left))
            left.pop(device, None)
            yield device

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

    def _poll(self, device: PolledDevice, *, asked: bool) -> None:
        """Ask a device; its batch is made while the next one's request is on its way."""
        if self._exchange is None or not asked:
            self._give_last()
            self._emit(device.absent(self._error) if self._exchange is None else device.resting())
            return
        failures, began = device.down.failures, time.monotonic()
        try:
            finish = self._contained(device, partial(device.ask, self._exchange))
        except PortError as error:
            self._give_last()
            self._lost(error)
            self._emit(device.absent(self._error))
            return
        self._give_last()
        if 0 < failures < device.down.failures:
            self._probes.spend(time.monotonic() - began)
        self._last = device, finish or device.resting

    def _give_last(self) -> None:
        """Give the batch of the device that was asked last, if that is not done yet."""
        last, self._last = self._last, None
        if last is not None:
            device, finish = last
            self._emit(self._contained(device, finish) or device.resting())

    def _contained(self, device: PolledDevice, work: Callable[[], Made]) -> Made | None:
        """Return what work for one device makes, None where the program fails at it: that device alone is down then."""
        try:
            return work()
        except (PortError, StoppedError):
            raise
        except Exception:
            logger.exception("line %s: error in the program at device %s", self._line.id, device.id)
            device.failed()
            return None

    def _open(self, now: float) -> None:
        """Open the port, and speak on it if nobody else does."""
        port: Port | None = None
        try:
            port = open_port(self._line, self._wake)
            others = listen(port, self._line, again=self._error == FOREIGN)
        except PortError as error:
            if port is not None:
                port.close()
            self._lost(error)
            return
        except StoppedError:
            if port is not None:
                port.close()
            raise
        self._port = port
        self._stats.open = True
        self._exchange = exchange_on(self._port, self._line)
        self._exchange.others = self._others = others
        self._exchange.meanwhile = self._give_last
        for device in self._devices:
            device.due = min(device.due, now)

    def _lasted(self) -> None:
        """Note that the port has lasted a cycle: only then is over what was wrong, for some open to end at once."""
        self._reopen.succeeded()
        if self._error:
            logger.info("line %s: %s is open again", self._line.id, self._line.port)
            self._stats.reopens += 1
            self._error = ""
            self._tell_state()

    def _tell_state(self) -> None:
        """Give what is known of the line itself, before what hangs on it."""
        self._told_at = time.monotonic()
        self._emit(line_batch(self._line, self._error))

    def _notice(self) -> None:
        """Say once that our own words come back; count what another master says while we speak too, and say it once."""
        others = self._others
        if self._stats.echoes and not self._said_echo:
            self._said_echo = True
            logger.info("line %s: our own requests come back (echo); they are taken out", self._line.id)
        if others is None or self._stats.foreign_frames == others.frames:
            return
        self._stats.foreign_frames = others.frames
        if others.present and not self._line.shared and not self._said_foreign:
            self._said_foreign = True
            logger.warning("line %s: %s", self._line.id, FOREIGN)

    def _lost(self, error: PortError) -> None:
        """Close the dead port at once; say it once."""
        news, self._error = str(error) != self._error, str(error)
        if news:
            logger.warning("line %s: %s", self._line.id, error)
            self._tell_state()
        self._close()
        self._reopen.failed(time.monotonic())

    def _close(self) -> None:
        port, self._port, self._exchange = self._port, None, None
        self._stats.open = False
        if port is not None:
            port.close()
