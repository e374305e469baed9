"""The host collector on this very machine, held against what the kernel says to somebody else."""

import ctypes
import os
import time
from pathlib import Path

import psutil

from collectors.host import HostCollector
from config.schema import HostDevice
from model.point import Batch, Quality


def value(batch: Batch, point: str) -> float | str | None:
    return next(reading.value for reading in batch.readings if reading.point.id == point)


def number(batch: Batch, point: str) -> float:
    found = value(batch, point)
    assert isinstance(found, float), point
    return found


def proc(name: str) -> str:
    return Path("/proc", name).read_text()


def meminfo() -> dict[str, int]:
    rows = (line.split() for line in proc("meminfo").splitlines())
    return {row[0].rstrip(":"): int(row[1]) * 1024 for row in rows}


async def test_a_collection_of_this_machine_is_whole_and_in_range() -> None:
    batch = await HostCollector("host", HostDevice()).collect()
    assert batch.device == "host"
    assert batch.reachable
    assert batch.error == ""
    assert all(reading.quality is Quality.GOOD and reading.value is not None for reading in batch.readings)
    assert len({reading.point.id for reading in batch.readings}) == len(batch.readings)
    for reading in batch.readings:
        assert "/" not in reading.point.id
        if reading.point.quantity.measure == "utilisation":
            assert isinstance(reading.value, float)
            assert 0 <= reading.value <= 100
        if reading.point.quantity.states:
            assert reading.value in reading.point.quantity.states


async def test_memory_is_what_proc_says() -> None:
    batch = await HostCollector("host", HostDevice()).collect()
    kernel = meminfo()
    assert value(batch, "memory.size") == kernel["MemTotal"]
    assert abs(number(batch, "memory.available") - kernel["MemAvailable"]) < 0.05 * kernel["MemTotal"]
    used = 100 - number(batch, "memory.available") / number(batch, "memory.size") * 100
    assert abs(number(batch, "memory.utilisation") - used) < 1e-9


async def test_load_averages_are_the_kernels() -> None:
    before = proc("loadavg").split()[:3]
    batch = await HostCollector("host", HostDevice()).collect()
    after = proc("loadavg").split()[:3]
    for minutes, low, high in zip((1, 5, 15), before, after, strict=True):
        found = number(batch, f"load.average[minutes={minutes}]")
        assert min(float(low), float(high)) - 0.011 <= found <= max(float(low), float(high)) + 0.011


async def test_disk_space_is_what_df_would_print() -> None:
    batch = await HostCollector("host", HostDevice(disks=("/",))).collect()
    found = os.statvfs("/")
    assert value(batch, "disk.size[mount=|]") == found.f_blocks * found.f_frsize
    used, free = found.f_blocks - found.f_bfree, found.f_bavail
    assert abs(number(batch, "disk.utilisation[mount=|]") - 100 * used / (used + free)) < 1


async def test_uptime_goes_on_by_the_time_between_two_collections() -> None:
    collector = HostCollector("host", HostDevice())
    first, second = await collector.collect(), await collector.collect()
    between = number(second, "device.uptime") - number(first, "device.uptime")
    assert 0 < between <= time.clock_gettime(time.CLOCK_BOOTTIME) - first.time
    assert abs(number(second, "device.uptime") - float(proc("uptime").split()[0])) < 5


async def test_network_counters_never_fall_and_the_link_is_as_psutil_sees_it() -> None:
    names = tuple(psutil.net_if_stats())
    before = psutil.net_io_counters(pernic=True, nowrap=False)
    batch = await HostCollector("host", HostDevice(interfaces=names)).collect()
    after = psutil.net_io_counters(pernic=True, nowrap=False)
    for name in names:
        sent = number(batch, f"network.sent[interface={name}]")
        assert before[name].bytes_sent <= sent <= after[name].bytes_sent
        running = psutil.net_if_stats()[name].isup
        assert value(batch, f"network.link[interface={name}]") == ("up" if running else "down")


async def test_a_busy_processor_is_seen_busy() -> None:
    collector = HostCollector("host", HostDevice())
    end = time.process_time() + 0.15
    while time.process_time() < end:
        pass
    used = number(await collector.collect(), "cpu.utilisation")
    cores = psutil.cpu_count() or 1
    assert used > 15 / cores


async def test_the_clocks_state_is_the_kernels_own() -> None:
    answer = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512))  # modes 0: only ask
    assert answer >= 0
    batch = await HostCollector("host", HostDevice()).collect()
    expected = "unsynchronised" if answer == 5 else "synchronised"  # 5: TIME_ERROR of <sys/timex.h>
    assert value(batch, "clock.status") == expected


async def test_points_are_made_once() -> None:
    collector = HostCollector("host", HostDevice())
    first, second = await collector.collect(), await collector.collect()
    before = {reading.point.id: reading.point for reading in first.readings}
    assert all(before[reading.point.id] is reading.point for reading in second.readings)
