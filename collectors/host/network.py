"""Network interfaces: bytes, errors and drops since they were made, and whether the link is there."""

import errno
from pathlib import Path

import psutil

from collectors.host.sample import Points, Samples, text_of
from model.point import Point
from model.quantity import Quantity

PLUMBING = ("br-", "cali", "docker", "ifb", "lo", "tap", "veth", "virbr", "vnet")
"""How names begin that containers, virtual machines and the kernel make for themselves; read only where named."""

COUNTERS = (
    ("bytes_recv", Quantity.NETWORK_RECEIVED, "received", ()),
    ("bytes_sent", Quantity.NETWORK_SENT, "sent", ()),
    ("errin", Quantity.NETWORK_ERRORS, "errors in", (("direction", "in"),)),
    ("errout", Quantity.NETWORK_ERRORS, "errors out", (("direction", "out"),)),
    ("dropin", Quantity.NETWORK_DROPS, "dropped in", (("direction", "in"),)),
    ("dropout", Quantity.NETWORK_DROPS, "dropped out", (("direction", "out"),)),
)


class Network:
    """Every interface, or those that are named."""

    name = "network"

    def __init__(self, device: str, wanted: tuple[str, ...], sysfs: Path) -> None:
        self.points = Points(device)
        self._wanted = frozenset(wanted)
        self._sysfs = sysfs / "class/net"
        self._interfaces = {name: self._counters(name) for name in wanted}
        self._links = {name: self._link_point(name) for name in wanted}

    def read(self) -> Samples:
        """Give the counters of each interface, and its link unless it was never switched on."""
        for name, counters in psutil.net_io_counters(pernic=True, nowrap=False).items():
            if name not in self._wanted if self._wanted else name.startswith(PLUMBING):
                continue
            if name not in self._interfaces:
                self._interfaces[name] = self._counters(name)
            for point, field in self._interfaces[name]:
                yield point, float(getattr(counters, field))
            yield from self._link(name)

    def _link(self, name: str) -> Samples:
        """Give the link. An interface that is switched off and was never on is not in use: it has none."""
        try:
            up = text_of(self._sysfs / name / "carrier") == "1"
        except OSError as error:
            if error.errno != errno.EINVAL:
                return [(self._links[name], error)] if name in self._links else []
            up = False  # Documentation/ABI/testing/sysfs-class-net: cannot be read while switched off
            if name not in self._links:
                return []
        if name not in self._links:
            self._links[name] = self._link_point(name)
        return [(self._links[name], "up" if up else "down")]

    def _counters(self, name: str) -> tuple[tuple[Point, str], ...]:
        index = (("interface", name),)
        return tuple(
            (self.points.of(quantity, f"{name} {words}", index + more, source="/proc/net/dev"), field)
            for field, quantity, words, more in COUNTERS
        )

    def _link_point(self, name: str) -> Point:
        source = str(self._sysfs / name / "carrier")
        return self.points.of(Quantity.NETWORK_LINK, f"{name} link", (("interface", name),), source=source)
