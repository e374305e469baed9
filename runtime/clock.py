"""Time, given as an argument to all that must be tested: monotonic through suspend, and the wall clock for display."""

import ctypes
import os
import time
from functools import cache
from pathlib import Path

from model.alarm import Now

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
STA_UNSYNC = 0x0040
TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
MOST_ERROR = 5.0
"""Seconds of possible error (adjtimex' maxerror) from which on a clock counts as not synchronised."""
MARK = Path("/run/systemd/timesync/synchronized")
MARK_LIFE = 3 * 2048.0
"""Seconds until systemd-timesyncd's mark is too old: three times PollIntervalMaxSec= of timesyncd.conf(5)."""


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


def synchronised(mark: Path = MARK) -> bool | None:
    """Return whether the wall clock follows a time server; None where nobody can say.

    The kernel knows: STA_UNSYNC is clear and the possible error bounded (adjtimex(2); `modes` 0 changes nothing and
    needs no right). Setting the clock makes it unsynchronised until a time server is heard again. A service that may
    not ask (ProtectClock=) goes by the file that systemd-timesyncd touches with each synchronisation.
    """
    timex = _Timex()
    state = _libc().ntp_adjtime(ctypes.byref(timex))
    if state >= 0:
        unknown = state == TIME_ERROR or timex.status & STA_UNSYNC
        return not unknown and timex.maxerror * 1e-6 <= MOST_ERROR
    if not mark.parent.is_dir():
        return None
    try:
        return time.time() - mark.stat().st_mtime <= MARK_LIFE
    except OSError:
        return False


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
