"""A paced RS-485 line on a pseudo-terminal: every byte takes the time it takes on the wire.

A plain pty answers in no time and hides all that goes wrong on a real bus.  What goes on between its two wires is
`simulator.pair`; here are the terminal that a client opens and the clock.

A client whose terminal is set to another speed hears and says garbage.  Linux keeps no parity for a pseudo-terminal, so
a wrong parity is not noticed.
"""

import contextlib
import ctypes
import fcntl
import os
import select
import struct
import termios
import threading
import time
import tty
from collections.abc import Mapping, Sequence

from simulator.pair import FIFO, Heard, LineDevice, OtherMaster, Pair
from simulator.tally import Tally
from simulator.trouble import Trouble
from simulator.uart import Parity, misheard

__all__ = ["LineDevice", "PacedLine", "play"]

SPIN = 0.0002
"""Seconds before something is due that a precise line no longer sleeps: longer than the kernel is mostly late."""
LEAD = 0.00015
"""Seconds by which a precise line makes bytes ready before it hands them over on time."""
LOOK = 0.02
"""Seconds after which the client's speed is looked at anew while it only listens."""
_TCGETS2, _TCSETS2 = 0x802C542A, 0x402C542B
_TERMIOS2 = struct.Struct("4I20s2I")
_SPEED_BITS, _SPEED_AS_NUMBER = 0o010017, 0o010000  # CBAUD, BOTHER
_TIMER_SLACK = 29


class PacedLine:
    """The line: `open` makes the pty, `start` runs it in a thread of its own, `stop` ends it.

    The arguments are those of `Pair`.  After `idle` seconds without a byte the line forgets who had opened it for
    itself alone.  A `precise` line is never late by more than some microseconds while a core is free, and uses the
    processor for it: it wants a process of its own.
    """

    def __init__(
        self,
        devices: Sequence[LineDevice],
        *,
        baud: int = 9600,
        parity: Parity = "none",
        stop_bits: int = 1,
        turnaround: float = 0.005,
        idle: float = 2.0,
        slow: Mapping[str, tuple[float, float]] | None = None,
        trouble: Trouble | None = None,
        others: OtherMaster | None = None,
        fifo: int = FIFO,
        seed: int = 1,
        precise: bool = False,
    ) -> None:
        self.pair = Pair(
            devices,
            baud=baud,
            parity=parity,
            stop_bits=stop_bits,
            turnaround=turnaround,
            slow=slow,
            trouble=trouble,
            others=others,
            fifo=fifo,
            seed=seed,
        )
        self.idle = idle
        self.precise = precise
        self._speed, self._look_again = 0, 0.0
        self._thread: threading.Thread | None = None

    @property
    def devices(self) -> Sequence[LineDevice]:
        """What hangs on the line."""
        return self.pair.devices

    @property
    def silent(self) -> set[str]:
        """The names of devices that do not answer; it may be changed at any time."""
        return self.pair.silent

    @property
    def tally(self) -> Tally:
        """What was counted."""
        return self.pair.tally

    @property
    def character(self) -> float:
        """Seconds that one character takes."""
        return self.pair.character

    @property
    def gap(self) -> float:
        """Seconds of silence that end a frame."""
        return self.pair.gap

    @property
    def answered(self) -> int:
        """Requests that a device replied to."""
        return self.tally.answered

    @property
    def unanswered(self) -> int:
        """Bursts that no device took for its own: another address, garbled."""
        return self.tally.unanswered

    def open(self) -> str:
        """Make the pseudo-terminal; returns the path that a client opens as its serial port (after `stop`, another)."""
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        modes = list(_TERMIOS2.unpack(fcntl.ioctl(self._slave, _TCGETS2, bytes(_TERMIOS2.size))))
        modes[2] = modes[2] & ~_SPEED_BITS | _SPEED_AS_NUMBER
        modes[5:] = [self.pair.baud] * 2
        fcntl.ioctl(self._slave, _TCSETS2, _TERMIOS2.pack(*modes))
        os.set_blocking(self._master, False)
        self.pair.begin(time.monotonic())
        return os.ttyname(self._slave)

    def start(self) -> None:
        """Begin to listen."""
        self._wake_read, self._wake_write = os.pipe()
        self._thread = threading.Thread(target=play, args=([self], self._wake_read), name="paced line", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and take the line away; a client sees it hang up."""
        if self._thread is not None:
            os.write(self._wake_write, b"x")
            self._thread.join()
            self._thread = None
            os.close(self._wake_read)
            os.close(self._wake_write)
        self.close()

    def close(self) -> None:
        """Take the pseudo-terminal away; it may be gone already."""
        for descriptor in (self._master, self._slave):
            if descriptor >= 0:
                os.close(descriptor)
        self._master = self._slave = -1

    def fileno(self) -> int:
        """Return the descriptor on which the client's bytes come."""
        return self._master

    def step(self, now: float, *, waiting: bool) -> None:
        """Do what is due, then take the client's bytes if some are `waiting`.

        In this order also when this program woke late: a client in time must not be called a babbler.
        """
        for heard in self.pair.act(now + LEAD if self.precise else now):
            self._put(heard)
            if heard.ends:
                self.tally.was_late(max(0.0, time.monotonic() - heard.due))
        if waiting:
            began, self._look_again = time.monotonic(), 0.0
            with contextlib.suppress(BlockingIOError):
                self.pair.speak(os.read(self._master, 4096), began, self.speed())

    def speed(self) -> int:
        """Return the client's own baud rate, 0 for that of the line; looks at it when the last look is old."""
        now = time.monotonic()
        if now < self._look_again:
            return self._speed
        self._look_again = now + LOOK
        found: int = _TERMIOS2.unpack(fcntl.ioctl(self._slave, _TCGETS2, bytes(_TERMIOS2.size)))[-1]
        self._speed = 0 if found == self.pair.baud else found
        return self._speed

    def forget_exclusive_owner(self) -> None:
        """Undo TIOCEXCL of a client that has closed: on a pty it would outlive it, as this end stays open."""
        fcntl.ioctl(self._slave, termios.TIOCNXCL)

    def _put(self, heard: Heard) -> None:
        part = heard.octets
        if speed := self.speed():
            part = misheard(part, self.pair.baud, speed, self.pair.stop_bits)
        while time.monotonic() < heard.due:
            pass  # LEAD at most: no sleep ends so exactly
        with contextlib.suppress(BlockingIOError):  # nobody reads: the bytes are lost, as on a wire
            os.write(self._master, part)


def play(lines: Sequence[PacedLine], stop: int) -> None:
    """Run lines until descriptor `stop` has something to read."""
    precise = any(line.precise for line in lines)
    if precise:
        _be_punctual()
    descriptors = [stop, *(line.fileno() for line in lines)]
    idle = min(line.idle for line in lines)
    while True:
        due = min(line.pair.due() for line in lines)
        left = due - time.monotonic()
        # Nobody needs the processor more than a client that is about to ask: no other moment is looked out for.
        if precise and any(line.pair.pressing(due) for line in lines):
            left -= SPIN
        ready = select.select(descriptors, [], [], max(0.0, min(left, idle)))[0]
        if stop in ready:
            return
        now = time.monotonic()
        for line in lines:
            line.step(now, waiting=line.fileno() in ready)
        if not ready and left >= idle:
            for line in lines:
                line.forget_exclusive_owner()


def _be_punctual() -> None:
    """Let this thread wake on time, not within 50 microseconds, and before all others where that is permitted."""
    ctypes.CDLL(None).prctl(_TIMER_SLACK, 1, 0, 0, 0)
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
