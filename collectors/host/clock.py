"""Whether the wall clock follows a time server, as the kernel knows it (adjtimex(2), RFC 5905 appendix A).

A service under systemd's ProtectClock= may not even ask the kernel. systemd-timesyncd leaves a mark for others: a file
that it touches with each synchronisation (systemd-timesyncd(8)), at least each 2048 s.
"""

import ctypes
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from collectors.host.sample import Points, Samples
from model.quantity import Quantity

STA_PLL = 0x0001
STA_UNSYNC = 0x0040
STA_NANO = 0x2000
MARK = Path("/run/systemd/timesync/synchronized")
MARK_LIFE = 3 * 2048.0
"""Seconds until a mark is too old: three times PollIntervalMaxSec= of timesyncd.conf(5)."""


class _Timex(ctypes.Structure):
    """struct timex of <sys/timex.h>; the fields after `constant` are not read here."""

    _fields_ = [
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("constant", ctypes.c_long),
        ("rest", ctypes.c_byte * 256),
    ]


@dataclass(frozen=True)
class Discipline:
    """What the kernel knows: its status word, and seconds by which it still has to move the clock."""

    status: int
    offset: float


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def kernel_discipline() -> Discipline:
    """Ask the kernel; `modes` 0 changes nothing and needs no right. Raises OSError where the call is not allowed."""
    timex = _Timex()
    if _libc().ntp_adjtime(ctypes.byref(timex)) < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return Discipline(timex.status, timex.offset * (1e-9 if timex.status & STA_NANO else 1e-6))


class Clock:
    """Synchronised or not, and how far away."""

    name = "clock"

    def __init__(
        self, device: str, discipline: Callable[[], Discipline] = kernel_discipline, mark: Path = MARK
    ) -> None:
        self.points = Points(device)
        self._mark = mark
        self._status = self.points.of(Quantity.CLOCK_STATUS, "Clock", source="adjtimex")
        self._discipline = discipline

    def read(self) -> Samples:
        """Give the state, and the offset in seconds where the kernel's own loop steers the clock.

        chronyd steers it in another way and leaves the kernel's offset at zero: that would be a value nobody measured.
        """
        try:
            found = self._discipline()
        except PermissionError:
            return [(self._status, self._by_mark())]
        if found.status & STA_UNSYNC:
            return [(self._status, "unsynchronised")]
        if not found.status & STA_PLL:
            return [(self._status, "synchronised")]
        offset = self.points.of(Quantity.CLOCK_OFFSET, "Clock offset", source="adjtimex")
        return [(self._status, "synchronised"), (offset, found.offset)]

    def _by_mark(self) -> str:
        """Return the state by systemd-timesyncd's mark. Raises OSError where that service does not run."""
        if not self._mark.parent.is_dir():
            raise PermissionError("may not ask the kernel (ProtectClock=), and systemd-timesyncd does not run")
        try:
            age = time.time() - self._mark.stat().st_mtime
        except FileNotFoundError:
            return "unsynchronised"
        return "synchronised" if age <= MARK_LIFE else "unsynchronised"
