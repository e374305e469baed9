"""Time, given as an argument to all that must be tested: monotonic through suspend, and the wall clock for display."""

import ctypes
import os
import time
from functools import cache
from pathlib import Path

from model.alarm import Now

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
STA_UNSYNC = 0x0040
TIME_ERROR = 5  # adjtimex(2): not synchronised
MOST_ERROR = 5.0
"""Seconds of possible error (adjtimex' maxerror) from which on a clock counts as not synchronised."""


class _Timex(ctypes.Structure):
    """struct timex of <sys/timex.h>; the fields after `status` are not read here."""

    _fields_ = [
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    ]


def now() -> Now:
    """Return CLOCK_BOOTTIME and Unix seconds, read together."""
    return Now(boot=time.clock_gettime(time.CLOCK_BOOTTIME), wall=time.time())


def boot_id() -> str:
    """Return the kernel's id of this boot: boot times of another boot cannot be compared with ours."""
    return _BOOT_ID.read_text(encoding="ascii").strip()


def known_boot_id() -> str:
    """Return the id of this boot, "" where nobody says it.

    A service that may not see /proc/sys (ProcSubset=pid) is told by its unit: Environment=ROUNDSMAN_BOOT_ID=%b.
    """
    try:
        return boot_id().replace("-", "")
    except OSError:
        return os.environ.get("ROUNDSMAN_BOOT_ID", "").replace("-", "")


def synchronised() -> bool | None:
    """Return whether the wall clock follows a time server; None where the kernel may not be asked.

    The kernel knows: STA_UNSYNC is clear and the possible error bounded (adjtimex(2); `modes` 0 changes nothing and
    needs no right). Setting the clock makes it unsynchronised until a time server is heard again, which no file that a
    time service leaves behind would show.
    """
    timex = _Timex()
    state = _libc().ntp_adjtime(ctypes.byref(timex))
    if state < 0:
        return None
    unknown = state == TIME_ERROR or timex.status & STA_UNSYNC
    return not unknown and timex.maxerror * 1e-6 <= MOST_ERROR


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
