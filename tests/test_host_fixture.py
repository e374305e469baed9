"""The host collector on a machine made of files: golden values, absent parts, failing parts, a dead mount."""

import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil
import pytest

from collectors.host import HostCollector
from collectors.host.clock import Clock, Discipline
from config.schema import HostDevice
from model.point import Batch, Quality

MIB = 1024 * 1024

PROC = {
    # user nice system idle iowait irq softirq steal guest guest_nice, in hundredths of a second
    "stat": "cpu  1000 0 500 8000 400 0 50 50 0 0\ncpu0 1000 0 500 8000 400 0 50 50 0 0\nbtime 1700000000\n",
    "meminfo": (
        "MemTotal: 8000000 kB\nMemFree: 1000000 kB\nMemAvailable: 6000000 kB\nBuffers: 1 kB\nCached: 1 kB\n"
        "Active: 1 kB\nInactive: 1 kB\nShmem: 1 kB\nSlab: 1 kB\nSwapTotal: 2000000 kB\nSwapFree: 1500000 kB\n"
    ),
    "vmstat": "pswpin 1\npswpout 2\n",
    "diskstats": (
        "   8       0 sda 10 0 2048 7 20 0 4096 9 0 1500 16 0 0 0 0 0 0\n"
        "   8       1 sda1 10 0 2048 7 20 0 4096 9 0 1500 16 0 0 0 0 0 0\n"
        "   7       0 loop0 1 0 8 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
    ),
    "net/dev": (
        "Inter-|   Receive                                                |  Transmit\n"
        " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls "
        "carrier compressed\n"
        "    lo:     11       1    0    0    0     0          0         0       11       1    0    0    0     0 0 0\n"
        "  eth0:   1000      10    3    4    0     0          0         0     2000      20    5    6    0     0 0 0\n"
        "  eth1:      7       1    0    0    0     0          0         0        8       1    0    0    0     0 0 0\n"
        "veth12:      9       1    0    0    0     0          0         0        9       1    0    0    0     0 0 0\n"
    ),
    "filesystems": "nodev\ttmpfs\n\text4\n",
    "self/mounts": (
        "proc /proc proc rw 0 0\n/dev/sda1 / ext4 rw 0 0\ntmpfs /run tmpfs rw 0 0\n"
        "/dev/sda1 /var/lib/private/roundsman ext4 rw 0 0\n"
        "filer:/export /mnt/filer nfs4 rw 0 0\n/dev/sdb1 /hidden ext4 rw 0 0\ntmpfs /hidden tmpfs rw 0 0\n"
        "/dev/loop0 /snap/core squashfs ro 0 0\n"
    ),
}
SYS = {
    "block/sda/device/model": "DISK",
    "block/loop0/size": "8",
    "class/net/eth0/carrier": "1",
    "class/net/eth1/carrier": "0",
    "class/hwmon/hwmon0/name": "coretemp",
    "class/hwmon/hwmon0/temp1_input": "41500",
    "class/hwmon/hwmon0/temp1_label": "Package id 0",
    "class/hwmon/hwmon0/temp2_input": "-3000",
    "class/hwmon/hwmon1/name": "nct6775",
    "class/hwmon/hwmon1/fan1_input": "1180",
    "class/hwmon/hwmon1/fan1_fault": "0",
    "class/hwmon/hwmon1/fan2_input": "0",
    "class/hwmon/hwmon1/temp1_input": "200000",
    "class/hwmon/hwmon1/temp1_fault": "1",
    "class/power_supply/AC/type": "Mains",
    "class/power_supply/AC/online": "1",
    "class/power_supply/BAT0/type": "Battery",
    "class/power_supply/BAT0/capacity": "87",
    "class/power_supply/BAT0/status": "Discharging",
    "class/power_supply/BAT0/voltage_now": "12345000",
    "class/power_supply/mouse/type": "Battery",
    "class/power_supply/mouse/scope": "Device",
    "class/power_supply/mouse/capacity": "3",
}

GOLDEN = {
    "memory.utilisation": 25.0,
    "memory.available": 6000000.0 * 1024,
    "memory.size": 8000000.0 * 1024,
    "swap.utilisation": 25.0,
    "swap.size": 2000000.0 * 1024,
    "disk.utilisation[mount=|]": 100 * 60 / 90,
    "disk.available[mount=|]": 30.0 * MIB,
    "disk.size[mount=|]": 100.0 * MIB,
    "inodes.utilisation[mount=|]": 25.0,
    "disk.utilisation[mount=|mnt|filer]": 100 * 60 / 90,
    "disk.available[mount=|mnt|filer]": 30.0 * MIB,
    "disk.size[mount=|mnt|filer]": 100.0 * MIB,
    "inodes.utilisation[mount=|mnt|filer]": 25.0,
    "disk.read[disk=sda]": 2048 * 512.0,
    "disk.written[disk=sda]": 4096 * 512.0,
    "disk.busy[disk=sda]": 1.5,
    "network.received[interface=eth0]": 1000.0,
    "network.sent[interface=eth0]": 2000.0,
    "network.errors[interface=eth0,direction=in]": 3.0,
    "network.errors[interface=eth0,direction=out]": 5.0,
    "network.drops[interface=eth0,direction=in]": 4.0,
    "network.drops[interface=eth0,direction=out]": 6.0,
    "network.link[interface=eth0]": "up",
    "network.received[interface=eth1]": 7.0,
    "network.sent[interface=eth1]": 8.0,
    "network.errors[interface=eth1,direction=in]": 0.0,
    "network.errors[interface=eth1,direction=out]": 0.0,
    "network.drops[interface=eth1,direction=in]": 0.0,
    "network.drops[interface=eth1,direction=out]": 0.0,
    "network.link[interface=eth1]": "down",
    "equipment.temperature[sensor=coretemp Package id 0]": 41.5,
    "equipment.temperature[sensor=coretemp temp2]": -3.0,
    "equipment.temperature[sensor=nct6775 temp1]": None,
    "fan.speed[fan=nct6775 fan1]": 1180.0,
    "fan.status[fan=nct6775 fan1]": "normal",
    "fan.speed[fan=nct6775 fan2]": 0.0,
    "mains.status[supply=AC]": "normal",
    "battery.charge[supply=BAT0]": 87.0,
    "battery.status[supply=BAT0]": "discharging",
    "battery.voltage[supply=BAT0]": 12.345,
}
OF_THIS_MACHINE = {"load.average", "clock.status", "clock.offset", "device.uptime", "cpu.utilisation"}


def plant(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def space(path: str) -> os.statvfs_result:
    """100 MiB: 60 used, 30 free for everyone, 10 kept for root; 400 inodes, 300 of them free."""
    return os.statvfs_result((4096, MIB, 100, 40, 30, 400, 300, 300, 0, 255))


class Machine:
    """A machine of files under one folder, and a collector of it."""

    def __init__(self, folder: Path) -> None:
        self.proc, self.sys = folder / "proc", folder / "sys"
        plant(self.proc, PROC)
        plant(self.sys, SYS)

    def collector(
        self,
        settings: HostDevice | None = None,
        statvfs: Callable[[str], os.statvfs_result] = space,
        patience: float = 20.0,
    ) -> HostCollector:
        settings = settings or HostDevice()
        return HostCollector("host", settings, statvfs=statvfs, sysfs=self.sys, clock=lambda: 7.0, patience=patience)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(tmp_path)
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(made.proc))
    return made


def values(batch: Batch) -> dict[str, float | str | None]:
    return {reading.point.id: reading.value for reading in batch.readings}


def missing(batch: Batch) -> set[str]:
    return {reading.point.id for reading in batch.readings if reading.quality is Quality.UNAVAILABLE}


async def test_every_value_of_a_known_machine(machine: Machine) -> None:
    collector = machine.collector()
    batch = await collector.collect()
    given = {
        reading.point.id: reading.value
        for reading in batch.readings
        if str(reading.point.quantity) not in OF_THIS_MACHINE
    }
    assert given == pytest.approx(GOLDEN)
    assert all(reading.time == 7.0 for reading in batch.readings)


async def test_the_processors_use_is_measured_between_two_looks(machine: Machine) -> None:
    collector = machine.collector()
    # 100 more of user, 50 of system, 25 stolen; 300 idle and 25 waiting for the disk: 175 of 500 busy
    (machine.proc / "stat").write_text("cpu  1100 0 550 8300 425 0 50 75 0 0\n")
    assert values(await collector.collect())["cpu.utilisation"] == pytest.approx(35.0)


async def test_a_processor_clock_that_stands_still_gives_no_use_rather_than_zero(machine: Machine) -> None:
    batch = await machine.collector().collect()
    assert values(batch)["cpu.utilisation"] is None
    assert "CPU utilisation: the processor's clock did not move" in batch.error


async def test_what_a_machine_does_not_have_gives_no_points(machine: Machine) -> None:
    (machine.proc / "meminfo").write_text(PROC["meminfo"].replace("2000000", "0").replace("1500000", "0"))
    for name in ("hwmon", "power_supply"):
        (machine.sys / "class" / name).rename(machine.sys / name)
    words = {str(reading.point.quantity) for reading in (await machine.collector().collect()).readings}
    absent = {"swap.size", "swap.utilisation", "equipment.temperature", "fan.speed", "mains.status", "battery.charge"}
    assert not words & absent
    assert {"memory.size", "disk.size"} <= words


@pytest.mark.parametrize(
    ("file", "lost", "reason"),
    [
        ("meminfo", {"memory.size", "swap.size"}, "memory: no such file or directory"),
        ("net/dev", {"network.received[interface=eth0]"}, "network: no such file or directory"),
        ("self/mounts", set(), "disks: no such file or directory"),
    ],
)
async def test_a_part_that_fails_is_unavailable_and_leaves_the_others(
    machine: Machine, file: str, lost: set[str], reason: str
) -> None:
    collector = machine.collector()
    before = await collector.collect()
    (machine.proc / file).unlink()
    batch = await collector.collect()
    assert lost <= missing(batch)
    assert reason in batch.error
    assert batch.reachable
    assert "battery.charge[supply=BAT0]" not in missing(batch)
    assert lost.isdisjoint(missing(before))


async def test_a_part_that_never_worked_is_unavailable_from_the_first_collection(machine: Machine) -> None:
    (machine.proc / "meminfo").unlink()
    assert {"memory.utilisation", "memory.available", "memory.size"} <= missing(await machine.collector().collect())


async def test_a_sensor_that_fails_does_not_give_its_place_to_the_next_one(machine: Machine) -> None:
    collector = machine.collector()
    await collector.collect()
    (machine.sys / "class/hwmon/hwmon0/temp1_input").write_text("")
    batch = await collector.collect()
    assert "equipment.temperature[sensor=coretemp Package id 0]" in missing(batch)
    assert values(batch)["equipment.temperature[sensor=coretemp temp2]"] == -3.0
    assert values(batch)["fan.speed[fan=nct6775 fan1]"] == 1180.0


async def test_a_chip_that_disappears_leaves_its_points_unavailable(machine: Machine) -> None:
    collector = machine.collector()
    await collector.collect()
    (machine.sys / "class/hwmon/hwmon1").rename(machine.sys / "gone")
    batch = await collector.collect()
    assert {"fan.speed[fan=nct6775 fan1]", "fan.speed[fan=nct6775 fan2]"} <= missing(batch)
    assert "not there" in batch.error


async def test_two_drives_of_one_kind_are_told_apart_by_their_place(machine: Machine) -> None:
    for number, place in ((2, "nvme0"), (3, "nvme1")):
        folder = machine.sys / f"class/hwmon/hwmon{number}"
        plant(folder, {"name": "nvme", "temp1_input": f"{number}0000", "temp1_label": "Composite"})
        (machine.sys / "devices" / place).mkdir(parents=True)
        (folder / "device").symlink_to(machine.sys / "devices" / place)
    found = values(await machine.collector().collect())
    assert found["equipment.temperature[sensor=nvme0 Composite]"] == 20.0
    assert found["equipment.temperature[sensor=nvme1 Composite]"] == 30.0


async def test_a_machine_without_chips_is_asked_for_its_thermal_zones(machine: Machine) -> None:
    (machine.sys / "class/hwmon").rename(machine.sys / "gone")
    plant(machine.sys, {"class/thermal/thermal_zone0/type": "cpu", "class/thermal/thermal_zone0/temp": "52125"})
    found = values(await machine.collector().collect())
    assert found["equipment.temperature[sensor=cpu thermal_zone0]"] == pytest.approx(52.125)


async def test_a_fan_that_its_chip_calls_broken_is_a_fault(machine: Machine) -> None:
    (machine.sys / "class/hwmon/hwmon1/fan1_fault").write_text("1\n")
    assert values(await machine.collector().collect())["fan.status[fan=nct6775 fan1]"] == "fault"


async def test_mains_that_fails_is_seen(machine: Machine) -> None:
    (machine.sys / "class/power_supply/AC/online").write_text("0\n")
    assert values(await machine.collector().collect())["mains.status[supply=AC]"] == "failed"


async def test_a_dead_mount_never_stops_the_others(machine: Machine) -> None:
    let_go, asked = threading.Event(), list[str]()

    def statvfs(path: str) -> os.statvfs_result:
        asked.append(path)
        if path == "/mnt/filer":
            assert let_go.wait(20)
        return space(path)

    collector = machine.collector(statvfs=statvfs, patience=0.4)
    filer = {f"disk.{measure}[mount=|mnt|filer]" for measure in ("utilisation", "available", "size")}
    for _ in range(3):
        batch = await collector.collect()
        assert filer <= missing(batch)
        assert "disk /mnt/filer: gives no answer" in batch.error
        assert values(batch)["disk.size[mount=|]"] == 100.0 * MIB
        assert values(batch)["memory.utilisation"] == 25.0
    assert asked.count("/mnt/filer") == 1
    assert asked.count("/") == 3
    let_go.set()
    for thread in threading.enumerate():
        if thread.name == "host collector":
            thread.join(20)
    batch = await collector.collect()
    assert values(batch)["disk.size[mount=|mnt|filer]"] == 100.0 * MIB
    assert asked.count("/mnt/filer") == 2


async def test_a_mount_that_fails_says_why(machine: Machine) -> None:
    def statvfs(path: str) -> os.statvfs_result:
        if path == "/mnt/filer":
            raise OSError(116, "Stale file handle")
        return space(path)

    batch = await machine.collector(statvfs=statvfs).collect()
    assert "disk /mnt/filer: stale file handle" in batch.error
    assert values(batch)["disk.size[mount=|]"] == 100.0 * MIB


async def test_a_mount_that_is_gone_is_unavailable(machine: Machine) -> None:
    collector = machine.collector()
    await collector.collect()
    (machine.proc / "self/mounts").write_text("/dev/sda1 / ext4 rw 0 0\n")
    batch = await collector.collect()
    assert "disk.size[mount=|mnt|filer]" in missing(batch)
    assert "disk /mnt/filer: not mounted" in batch.error


async def test_a_named_mount_that_was_never_there_is_unavailable(machine: Machine) -> None:
    batch = await machine.collector(HostDevice(disks=("/", "/data"))).collect()
    mounts = {reading.point.at("mount") for reading in batch.readings}
    assert mounts == {None, "/", "/data"}
    assert "disk.size[mount=|data]" in missing(batch)
    assert "disk /data: not mounted" in batch.error


async def test_a_file_system_without_blocks_or_inodes_has_no_such_points(machine: Machine) -> None:
    def statvfs(path: str) -> os.statvfs_result:
        blocks, inodes = (0, 0) if path == "/mnt/filer" else (100, 0)
        return os.statvfs_result((4096, MIB, blocks, blocks // 2, blocks // 2, inodes, 0, 0, 0, 255))

    batch = await machine.collector(statvfs=statvfs).collect()
    assert {reading.point.at("mount") for reading in batch.readings} == {None, "/"}
    assert "inodes.utilisation[mount=|]" not in values(batch)
    assert values(batch)["disk.utilisation[mount=|]"] == 50.0


async def test_only_named_interfaces_are_read_and_a_missing_one_is_unavailable(machine: Machine) -> None:
    batch = await machine.collector(HostDevice(interfaces=("lo", "wwan0"))).collect()
    assert {reading.point.at("interface") for reading in batch.readings} == {None, "lo", "wwan0"}
    assert {"network.received[interface=wwan0]", "network.link[interface=wwan0]"} <= missing(batch)
    assert values(batch)["network.received[interface=lo]"] == 11.0


async def test_an_interface_whose_link_was_never_known_has_none(machine: Machine) -> None:
    (machine.sys / "class/net/eth1/carrier").unlink()
    assert "network.link[interface=eth1]" not in values(await machine.collector().collect())


async def test_a_failure_is_logged_once_and_not_each_time(machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    (machine.proc / "net/dev").unlink()
    collector = machine.collector()
    for _ in range(3):
        await collector.collect()
    assert sum("network: no such file" in record.getMessage() for record in caplog.records) == 1


@pytest.mark.parametrize(
    ("discipline", "expected"),
    [
        (Discipline(status=0x0041, offset=0.0), {"clock.status": "unsynchronised"}),
        (Discipline(status=0x2001, offset=-0.00025), {"clock.status": "synchronised", "clock.offset": -0.00025}),
        (Discipline(status=0x2000, offset=0.0), {"clock.status": "synchronised"}),
    ],
    ids=["nobody sets it", "the kernel's loop steers", "chronyd steers: the kernel's offset means nothing"],
)
def test_the_clocks_state_and_offset(discipline: Discipline, expected: dict[str, float | str]) -> None:
    assert {point.id: value for point, value in Clock("host", lambda: discipline).read()} == expected


def forbidden() -> Discipline:
    raise PermissionError(1, "Operation not permitted")


@pytest.mark.parametrize(
    ("age", "expected"),
    [(None, "unsynchronised"), (60.0, "synchronised"), (7000.0, "unsynchronised")],
    ids=["never", "a minute ago", "too long ago"],
)
def test_a_sandboxed_agent_goes_by_the_mark_of_systemd_timesyncd(
    tmp_path: Path, age: float | None, expected: str
) -> None:
    mark = tmp_path / "synchronized"
    if age is not None:
        mark.touch()
        os.utime(mark, (time.time() - age, time.time() - age))
    assert [value for _, value in Clock("host", forbidden, mark).read()] == [expected]


def test_a_sandboxed_agent_without_systemd_timesyncd_does_not_know_and_says_why(tmp_path: Path) -> None:
    clock = Clock("host", forbidden, tmp_path / "no such folder" / "synchronized")
    with pytest.raises(PermissionError, match="systemd-timesyncd does not run"):
        clock.read()
