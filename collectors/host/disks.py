"""Disks: space and inodes of each real mount, and what each disk read and wrote."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from collectors.host.sample import Points, Samples
from model.point import Point
from model.quantity import Quantity

StatVfs = Callable[[str], os.statvfs_result]

# fmt: off
PSEUDO = frozenset({
    "autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devfs", "devpts", "devtmpfs",
    "efivarfs", "erofs", "fuse.gvfsd-fuse", "fuse.lxcfs", "fuse.portal", "fusectl", "hugetlbfs", "iso9660",
    "mqueue", "nsfs", "overlay", "proc", "pstore", "ramfs", "rpc_pipefs", "securityfs", "selinuxfs", "squashfs",
    "sysfs", "tmpfs", "tracefs",
})
# fmt: on
"""File systems that live in memory, in the kernel or in another file system, or that are full by their nature."""


class Mount:
    """Space and inodes of one mount: a section of its own, because asking a dead one hangs for ever."""

    def __init__(self, device: str, path: str, statvfs: StatVfs) -> None:
        self.name = f"disk {path}"
        self.points = Points(device)
        self.present = False
        self._path = path
        self._statvfs = statvfs
        self._space_points()

    def read(self) -> Samples:
        """Give bytes, and per cent as df(1) counts them: of what an ordinary user may fill."""
        if not self.present:
            raise LookupError("not mounted")
        found = self._statvfs(self._path)
        used = found.f_blocks - found.f_bfree
        usable = used + found.f_bavail
        if usable <= 0:  # a file system without blocks, as some FUSE ones are
            self.points.forget()
            return
        utilisation, available, size = self._space_points()
        yield utilisation, used / usable * 100
        yield available, float(found.f_bavail * found.f_frsize)
        yield size, float(found.f_blocks * found.f_frsize)
        if found.f_files > 0:  # vfat and btrfs have no table of inodes
            yield self._point(Quantity.INODES_UTILISATION, "inodes used"), (1 - found.f_ffree / found.f_files) * 100

    def _space_points(self) -> tuple[Point, Point, Point]:
        return (
            self._point(Quantity.DISK_UTILISATION, "used"),
            self._point(Quantity.DISK_AVAILABLE, "available"),
            self._point(Quantity.DISK_SIZE, "size"),
        )

    def _point(self, quantity: Quantity, words: str) -> Point:
        return self.points.of(quantity, f"Disk {self._path} {words}", (("mount", self._path),), source="statvfs")


class Mounts:
    """Every real mount, or those that are named."""

    def __init__(self, device: str, wanted: tuple[str, ...], statvfs: StatVfs) -> None:
        self._device = device
        self._wanted = frozenset(wanted)
        self._statvfs = statvfs
        self._mounts: dict[str, Mount] = {}

    def sections(self) -> list[Mount]:
        """Return a section for each mount that is wanted, is there or was there."""
        present = self._wanted & _visible().keys() if self._wanted else set(_real())
        for path in (present | self._wanted).difference(self._mounts):
            self._mounts[path] = Mount(self._device, path, self._statvfs)
        for path, mount in self._mounts.items():
            mount.present = path in present
        return list(self._mounts.values())


def _visible() -> dict[str, tuple[str, str]]:
    """Return device and file system type by mount point; reading the table asks no file system."""
    table = psutil.disk_partitions(all=True)
    return {each.mountpoint: (each.device, each.fstype) for each in table}  # the last of one place lies on top


def _real() -> Iterator[str]:
    """Give the mounts that hold files of this machine, each device once, at its shortest path."""
    devices: set[str] = set()
    for path, (device, fstype) in sorted(_visible().items(), key=lambda item: len(item[0])):
        if fstype in PSEUDO and not (path == "/" and fstype == "overlay"):
            continue
        if device.startswith("/dev/"):
            if device in devices:
                continue  # a bind mount or a subvolume: the same space once more
            devices.add(device)
        yield path


class DiskTraffic:
    """What each whole disk has read and written; partitions, loops and memory disks would count it twice."""

    name = "disk traffic"

    def __init__(self, device: str, sysfs: Path) -> None:
        self.points = Points(device)
        self._sysfs = sysfs / "block"
        self._disks: dict[str, tuple[Point, Point, Point] | None] = {}

    def read(self) -> Samples:
        """Give bytes read and written and seconds busy since the kernel started."""
        for name, counters in psutil.disk_io_counters(perdisk=True, nowrap=False).items():
            if name not in self._disks:
                self._disks[name] = self._disk(name)
            points = self._disks[name]
            if points is not None:
                read, written, busy = points
                yield read, float(counters.read_bytes)
                yield written, float(counters.write_bytes)
                yield busy, counters.busy_time / 1000

    def _disk(self, name: str) -> tuple[Point, Point, Point] | None:
        if not (self._sysfs / name / "device").exists():
            return None
        index = (("disk", name),)
        return (
            self.points.of(Quantity.DISK_READ, f"{name} read", index, source="/proc/diskstats"),
            self.points.of(Quantity.DISK_WRITTEN, f"{name} written", index, source="/proc/diskstats"),
            self.points.of(Quantity.DISK_BUSY, f"{name} busy", index, source="/proc/diskstats"),
        )
