"""Processor, load, memory, swap and uptime."""

import time

import psutil

from collectors.host.sample import Points, Samples
from model.quantity import Quantity

MINUTES = ("1", "5", "15")
SHORTEST = 0.1
"""Seconds over which the processor's use is measured at least."""


class Processor:
    """How busy the processor was since the last collection, all of its cores together."""

    name = "cpu"

    def __init__(self, device: str) -> None:
        self.points = Points(device)
        self._point = self.points.of(Quantity.CPU_UTILISATION, "CPU utilisation", source="/proc/stat")
        self._before = _busy_and_total()
        self._asked = time.monotonic()

    def read(self) -> Samples:
        """Give the share of the time that was neither idle nor waiting for a disk, in per cent.

        As psutil counts it: time stolen by the hypervisor is busy, guests are already counted as user time. The kernel
        counts in hundredths of a second, so two looks are at least SHORTEST apart; it waits for that.
        """
        time.sleep(max(0.0, self._asked + SHORTEST - time.monotonic()))
        self._asked = time.monotonic()
        busy, total = _busy_and_total()
        before, self._before = self._before, (busy, total)
        spent = total - before[1]
        if spent <= 0:
            return [(self._point, ValueError("the processor's clock did not move"))]
        return [(self._point, min(100.0, max(0.0, (busy - before[0]) / spent * 100)))]


def _busy_and_total() -> tuple[float, float]:
    times = psutil.cpu_times()
    total = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
    return total - times.idle - getattr(times, "iowait", 0.0), total


class Load:
    """The kernel's load averages: tasks that run or wait for a disk."""

    name = "load"

    def __init__(self, device: str) -> None:
        self.points = Points(device)
        self._points = [
            self.points.of(
                Quantity.LOAD_AVERAGE, f"Load average, {each} min", (("minutes", each),), source="/proc/loadavg"
            )
            for each in MINUTES
        ]

    def read(self) -> Samples:
        """Give the averages over 1, 5 and 15 minutes."""
        return list(zip(self._points, psutil.getloadavg(), strict=True))


class Memory:
    """Main memory; what the kernel would give back when asked counts as available."""

    name = "memory"

    def __init__(self, device: str) -> None:
        self.points = Points(device)
        self._utilisation = self.points.of(Quantity.MEMORY_UTILISATION, "Memory used", source="/proc/meminfo")
        self._available = self.points.of(Quantity.MEMORY_AVAILABLE, "Memory available", source="/proc/meminfo")
        self._size = self.points.of(Quantity.MEMORY_SIZE, "Memory", source="/proc/meminfo")

    def read(self) -> Samples:
        """Give the part that is not available, in per cent, and bytes."""
        memory = psutil.virtual_memory()
        return [
            (self._utilisation, (memory.total - memory.available) / memory.total * 100),
            (self._available, float(memory.available)),
            (self._size, float(memory.total)),
        ]


class Swap:
    """Swap space, where the machine has some."""

    name = "swap"

    def __init__(self, device: str) -> None:
        self.points = Points(device)

    def read(self) -> Samples:
        """Give the used part in per cent and the size in bytes; nothing without swap space."""
        swap = psutil.swap_memory()
        if not swap.total:
            return []
        return [
            (
                self.points.of(Quantity.SWAP_UTILISATION, "Swap used", source="/proc/meminfo"),
                swap.used / swap.total * 100,
            ),
            (self.points.of(Quantity.SWAP_SIZE, "Swap", source="/proc/meminfo"), float(swap.total)),
        ]


class Uptime:
    """How long the kernel has run, suspended time included; it falls when the machine starts anew."""

    name = "uptime"

    def __init__(self, device: str) -> None:
        self.points = Points(device)
        self._point = self.points.of(Quantity.DEVICE_UPTIME, "Uptime", source="CLOCK_BOOTTIME")

    def read(self) -> Samples:
        """Give seconds. Not psutil.boot_time(): that moves with every step of the wall clock."""
        return [(self._point, time.clock_gettime(time.CLOCK_BOOTTIME))]
