"""A paced RS-485 line on a pseudo-terminal: every byte takes the time it takes on the wire.

A plain pty answers in no time and hides all that goes wrong on a real bus.  Here a request is over only when its bytes
would have arrived and 3.5 characters of silence have followed (Modbus over serial line 1.02, 2.5.1.1); the reply comes
after the turnaround, byte by byte; what follows a reply or a request without that silence is heard as one garbled
frame by every device; and who talks while a device answers spoils the answer.
"""

import contextlib
import fcntl
import os
import select
import termios
import threading
import time
import tty
from collections.abc import Sequence
from typing import Protocol

_FIFO = 4
"""Bytes that are handed over at once, when the last of them is there: what a UART does, and a quarter of the work."""


class LineDevice(Protocol):
    """Something with an address on the line."""

    @property
    def name(self) -> str:
        """Say what the device is called in scenarios."""
        ...

    def answer(self, frame: bytes) -> bytes | None:
        """Return the reply to a frame, or None to stay silent (another's frame, or a broken one)."""
        ...


class PacedLine:
    """The line: `open` makes the pty, `start` runs it in a thread of its own, `stop` ends it.

    `turnaround` is what a device takes to answer, in seconds; after `idle` seconds without a byte the line forgets who
    had opened it for itself alone.

    `silent` holds the names of devices that do not answer; it may be changed at any time.
    `answered` and `unanswered` count what the devices heard: frames replied to, and bursts that no device took for its
    own (another address, garbled).
    """

    def __init__(
        self, devices: Sequence[LineDevice], *, baud: int = 9600, turnaround: float = 0.005, idle: float = 2.0
    ) -> None:
        self.devices = devices
        self.character = 10.0 / baud
        self.gap = 3.5 * self.character if baud <= 19200 else 0.00175
        self.turnaround = turnaround
        self.idle = idle
        self.silent: set[str] = set()
        self.answered = 0
        self.unanswered = 0
        self._burst = bytearray()
        self._asked = False
        self._free_at = 0.0
        self._thread: threading.Thread | None = None

    def open(self) -> str:
        """Make the pseudo-terminal; returns the path that a client opens as its serial port (after `stop`, another)."""
        self._burst.clear()
        self._asked = False
        self._master, self._slave = os.openpty()
        self._wake_read, self._wake_write = os.pipe()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        return os.ttyname(self._slave)

    def start(self) -> None:
        """Begin to listen."""
        self._thread = threading.Thread(target=self._run, name="paced line", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and take the line away; a client sees it hang up."""
        os.write(self._wake_write, b"x")
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        for descriptor in (self._master, self._slave, self._wake_read, self._wake_write):
            os.close(descriptor)

    def _run(self) -> None:
        while True:
            waiting, stopping = self._wait(self._silence_left() if self._burst else self.idle)
            if stopping:
                return
            if self._burst and self._silence_left() <= 0:
                # Also when bytes wait and this thread woke late: a client in time must not be called a babbler.
                self._deliver()
            elif waiting:
                self._hear()
            elif not self._burst:
                self._forget_exclusive_owner()

    def _silence_left(self) -> float:
        """Return the seconds of silence that the last burst still needs to be over."""
        return self._free_at + self.gap - time.monotonic()

    def _wait(self, seconds: float) -> tuple[bool, bool]:
        """Wait for bytes of the client; returns whether there are any, and whether the line is being stopped."""
        ready, _, _ = select.select([self._master, self._wake_read], [], [], max(0.0, seconds))
        return self._master in ready, self._wake_read in ready

    def _hear(self) -> None:
        """Take the client's bytes into the burst and count their time on the wire."""
        began = time.monotonic()
        heard = os.read(self._master, 4096)
        self._free_at = max(began, self._free_at) + len(heard) * self.character
        self._burst += heard
        self._asked = True

    def _deliver(self) -> None:
        """Give the burst that has just ended to the devices, and send the reply of the one that it is for."""
        frame, asked = bytes(self._burst), self._asked
        self._burst.clear()
        self._asked = False
        if not asked:
            return  # the devices heard a reply and then silence
        for device in self.devices:
            reply = device.answer(frame)
            if reply is not None:
                if device.name not in self.silent:
                    self.answered += 1
                    self._send(reply)
                return
        self.unanswered += 1

    def _send(self, reply: bytes) -> None:
        """Send the reply at the wire's pace; a byte of the client in the meantime spoils what is left of it."""
        first = self._free_at + max(self.turnaround, self.gap)
        sent = 0
        self._burst += reply
        while sent < len(reply):
            due = first + min(sent + _FIFO, len(reply)) * self.character
            waiting, stopping = self._wait(due - time.monotonic())
            if stopping:
                return
            if waiting:
                self._hear()
            now = time.monotonic()
            count = min(len(reply), int((now - first) / self.character + 1e-6)) - sent
            if count > 0:
                part = reply[sent : sent + count]
                self._put(bytes(byte ^ 0x5A for byte in part) if self._asked else part)
                sent += count
                self._free_at = max(now, self._free_at)

    def _put(self, part: bytes) -> None:
        with contextlib.suppress(BlockingIOError):  # nobody reads: the bytes are lost, as on a wire
            os.write(self._master, part)

    def _forget_exclusive_owner(self) -> None:
        """Undo TIOCEXCL of a client that has closed: on a pty it would outlive it, as this end stays open."""
        fcntl.ioctl(self._slave, termios.TIOCNXCL)
