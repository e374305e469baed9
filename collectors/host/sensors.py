"""Temperatures and fans of the machine's own boards, from /sys/class/hwmon.

Read here and not by psutil: psutil leaves out a sensor that fails, so that the next one of its name takes its place.
Names, units and files are those of the kernel's Documentation/hwmon/sysfs-interface.rst. No fan is called stopped for
turning at 0 rpm: that is also what a header without a fan and a fan that rests read.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from collectors.host.sample import Points, Samples, Value, number_of, text_of
from model.point import Point
from model.quantity import Quantity

INPUT = re.compile(r"(temp|fan)([0-9]+)_input")
Reader = Callable[[], Value]


@dataclass(frozen=True)
class Sensor:
    """A point and how it is read."""

    point: Point
    read: Reader


class Sensors:
    """Every sensor of every chip; a machine without hwmon chips is asked for its thermal zones."""

    name = "sensors"

    def __init__(self, device: str, sysfs: Path) -> None:
        self.points = Points(device)
        self._hwmon = sysfs / "class/hwmon"
        self._thermal = sysfs / "class/thermal"
        self._chips: list[str] | None = None
        self._sensors: list[Sensor] = []

    def read(self) -> Samples:
        """Give °C, rpm and the chip's own word on each fan; one sensor that fails leaves the others."""
        chips = _names(self._hwmon, "hwmon")
        if chips != self._chips:  # a driver came or went
            self._sensors = [sensor for chip in chips for sensor in self._of_chip(self._hwmon / chip)]
            if not any(sensor.point.quantity is Quantity.EQUIPMENT_TEMPERATURE for sensor in self._sensors):
                self._sensors += self._zones()
            self._chips = chips
        for sensor in self._sensors:
            try:
                value = sensor.read()
            except (OSError, ValueError) as error:
                value = error
            yield sensor.point, value

    def _of_chip(self, folder: Path) -> Iterator[Sensor]:
        chip = _chip_name(folder)
        for match in sorted(filter(None, map(INPUT.fullmatch, _names(folder, ""))), key=lambda m: (m[1], int(m[2]))):
            kind, stem = match[1], folder / (match[1] + match[2])
            named = stem.with_name(stem.name + "_label")
            label = f"{chip} {text_of(named) if named.exists() else stem.name}"
            fault = stem.with_name(stem.name + "_fault")
            source = str(stem.with_name(stem.name + "_input"))
            if kind == "temp":
                index = (("sensor", label),)
                point = self.points.of(Quantity.EQUIPMENT_TEMPERATURE, f"Temperature {label}", index, source=source)
                yield Sensor(point, _temperature(Path(source), fault if fault.exists() else None))
            else:
                index = (("fan", label),)
                point = self.points.of(Quantity.FAN_SPEED, f"Fan {label}", index, source=source)
                yield Sensor(point, _number(Path(source), 1.0))
                if fault.exists():
                    point = self.points.of(Quantity.FAN_STATUS, f"Fan {label} state", index, source=str(fault))
                    yield Sensor(point, _fan_state(fault))

    def _zones(self) -> Iterator[Sensor]:
        for name in _names(self._thermal, "thermal_zone"):
            label = f"{text_of(self._thermal / name / 'type')} {name}"
            source = self._thermal / name / "temp"
            index = (("sensor", label),)
            point = self.points.of(Quantity.EQUIPMENT_TEMPERATURE, f"Temperature {label}", index, source=str(source))
            yield Sensor(point, _number(source, 0.001))


def _names(folder: Path, begin: str) -> list[str]:
    """Return the names in a folder of /sys in their numbers' order; none when this machine has no such folder."""
    try:
        found = [path.name for path in folder.iterdir() if path.name.startswith(begin)]
    except FileNotFoundError:
        return []
    return sorted(found, key=lambda name: (len(name), name))


def _chip_name(folder: Path) -> str:
    """Return the chip's name with its place in the machine: two drives must not be taken for one another."""
    name = text_of(folder / "name")
    link = folder / "device"
    place = link.resolve().name if link.exists() else ""
    return place if place.startswith(name) else f"{name} {place}".strip()


def _number(path: Path, scale: float) -> Reader:
    return lambda: number_of(path, scale)


def _temperature(path: Path, fault: Path | None) -> Reader:
    def read() -> Value:
        if fault is not None and text_of(fault) == "1":
            return ValueError("the chip says that this sensor is broken")
        return number_of(path, 0.001)

    return read


def _fan_state(fault: Path) -> Reader:
    return lambda: "fault" if text_of(fault) == "1" else "normal"
