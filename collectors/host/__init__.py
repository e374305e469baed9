"""The machine itself: processor, memory, disks, network, sensors, power supply and clock."""

from collectors.host.collector import HostCollector

__all__ = ["HostCollector"]
