"""The machine's own power supply and battery, from /sys/class/power_supply.

Files and units are those of the kernel's Documentation/ABI/testing/sysfs-class-power. psutil.sensors_battery() knows
the first battery only, and mains only under two names; a site's panel computer may have several of each.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from collectors.host.sample import Points, Samples, Value, number_of, text_of
from model.point import Point
from model.quantity import Quantity

BATTERY_STATES = {
    "Charging": "charging",
    "Discharging": "discharging",
    "Full": "normal",
    "Not charging": "normal",
}
BATTERY_NUMBERS = (
    ("capacity", Quantity.BATTERY_CHARGE, "charge", 1.0),  # per cent
    ("voltage_now", Quantity.BATTERY_VOLTAGE, "voltage", 1e-6),  # microvolts
    ("temp", Quantity.BATTERY_TEMPERATURE, "temperature", 0.1),  # tenths of a degree
)


class PowerSupply:
    """Every supply of the machine itself; a mouse with a battery is not one."""

    name = "power supply"

    def __init__(self, device: str, sysfs: Path) -> None:
        self.points = Points(device)
        self._folder = sysfs / "class/power_supply"

    def read(self) -> Samples:
        """Give whether mains is there, and each battery's charge in per cent, state, volts and °C."""
        try:
            supplies = sorted(self._folder.iterdir())
        except FileNotFoundError:
            return
        for supply in supplies:
            if _word(supply / "scope") == "Device":
                continue
            kind = _word(supply / "type")
            if kind == "Mains":
                yield self._sample(supply / "online", Quantity.MAINS_STATUS, f"Mains {supply.name}", _mains)
            elif kind in {"Battery", "UPS"} and _word(supply / "present") != "0":
                for file, quantity, name, scale in BATTERY_NUMBERS:
                    if (supply / file).exists():
                        label = f"Battery {supply.name} {name}"
                        yield self._sample(supply / file, quantity, label, partial(number_of, scale=scale))
                if (supply / "status").exists():
                    yield self._sample(
                        supply / "status", Quantity.BATTERY_STATUS, f"Battery {supply.name} state", _battery
                    )

    def _sample(self, path: Path, quantity: Quantity, label: str, read: Callable[[Path], Value]) -> tuple[Point, Value]:
        point = self.points.of(quantity, label, (("supply", path.parent.name),), source=str(path))
        try:
            return point, read(path)
        except (OSError, ValueError) as error:
            return point, error


def _word(path: Path) -> str:
    """Return a file's text, or nothing where this supply has no such file."""
    return text_of(path) if path.exists() else ""


def _mains(path: Path) -> Value:
    return "normal" if text_of(path) != "0" else "failed"


def _battery(path: Path) -> Value:
    state = text_of(path)
    return BATTERY_STATES.get(state) or ValueError(f"the battery says {state!r}")
