"""One collection of the machine itself: every section once, each failure kept to its own points."""

import logging
import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import psutil

from collectors.host.clock import Clock
from collectors.host.disks import DiskTraffic, Mounts, StatVfs
from collectors.host.machine import Load, Memory, Processor, Swap, Uptime
from collectors.host.network import Network
from collectors.host.sample import Section, Value, words
from collectors.host.sensors import Sensors
from collectors.host.supply import PowerSupply
from collectors.host.worker import Worker
from config.schema import HostDevice
from model.point import Batch, Point, Reading, unavailable

logger = logging.getLogger(__name__)

PATIENCE = 3.0
"""Seconds that one section may take before the collection goes on without it."""


def boot_time() -> float:
    """Return seconds of CLOCK_BOOTTIME, the time of every reading."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class HostCollector:
    """Watches this machine. What it never had gives no points; what it had and cannot read now is unavailable.

    `statvfs`, `sysfs`, `clock` and `patience` (seconds) are the edges to the machine.
    """

    def __init__(
        self,
        device: str,
        settings: HostDevice,
        *,
        statvfs: StatVfs = os.statvfs,
        sysfs: Path = Path("/sys"),
        clock: Callable[[], float] = boot_time,
        patience: float = PATIENCE,
    ) -> None:
        self._device = device
        self._clock = clock
        self._worker: Worker[list[tuple[Point, Value]]] = Worker(patience)
        self._mounts = Mounts(device, settings.disks, statvfs)
        self._sections: tuple[Section, ...] = (
            Processor(device),
            Load(device),
            Memory(device),
            Swap(device),
            DiskTraffic(device, sysfs),
            Network(device, settings.interfaces, sysfs),
            Sensors(device, sysfs),
            PowerSupply(device, sysfs),
            Clock(device),
            Uptime(device),
        )
        self._problems: tuple[str, ...] = ()

    async def collect(self) -> Batch:
        """Read everything once; it never raises for what it reads. `error` says in plain words what failed."""
        started = self._clock()
        sections: list[Section] = [*self._sections]
        problems: list[str] = []
        try:
            sections += self._mounts.sections()
        except (OSError, ValueError, psutil.Error) as error:
            problems.append(f"disks: {words(error)}")
        outcomes = await self._worker.run({section.name: partial(_read, section) for section in sections})
        readings: list[Reading] = []
        for section in sections:
            readings += _readings(section, outcomes[section.name], started, problems)
        self._log(problems)
        seconds = self._clock() - started
        return Batch(self._device, started, tuple(readings), error="; ".join(problems), seconds=seconds)

    def _log(self, problems: Sequence[str]) -> None:
        """Log what is new; the same failure each 15 s would fill the disk that it may be about."""
        before, self._problems = self._problems, tuple(problems)
        for problem in self._problems:
            if problem not in before:
                logger.warning("This machine: %s", problem)


def _read(section: Section) -> list[tuple[Point, Value]]:
    return list(section.read())


def _readings(
    section: Section, outcome: list[tuple[Point, Value]] | Exception, time: float, problems: list[str]
) -> list[Reading]:
    """Return a reading of every point the section has ever had; add to `problems` why some are unavailable."""
    if isinstance(outcome, Exception):
        problems.append(f"{section.name}: {words(outcome)}")
        return [unavailable(point, time) for point in section.points.known()]
    readings = []
    for point, value in outcome:
        if isinstance(value, Exception):
            problems.append(f"{point.label}: {words(value)}")
            readings.append(unavailable(point, time))
        else:
            readings.append(Reading(point, value, time))
    given = {point for point, _ in outcome}
    gone = [point for point in section.points.known() if point not in given]
    if gone:
        more = f" and {len(gone) - 1} more" if len(gone) > 1 else ""
        problems.append(f"{section.name}: {gone[0].label}{more}: not there")
    return readings + [unavailable(point, time) for point in gone]
