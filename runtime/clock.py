"""Time, given as an argument to all that must be tested: monotonic through suspend, and the wall clock for display."""

import time
from pathlib import Path

from model.alarm import Now

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def now() -> Now:
    """Return CLOCK_BOOTTIME and Unix seconds, read together."""
    return Now(boot=time.clock_gettime(time.CLOCK_BOOTTIME), wall=time.time())


def boot_id() -> str:
    """Return the kernel's id of this boot: boot times of another boot cannot be compared with ours."""
    return _BOOT_ID.read_text(encoding="ascii").strip()
