"""What another monitoring system expects of a recorded device: its discovery and poller results, as JSON."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SEVERITIES = ("ok", "warning", "critical", "unknown")
UNITS = {
    "runtime": 60.0,  # minutes to seconds
    "power_consumed": 1000.0,  # kWh to Wh
    "pressure": 1000.0,  # kPa to Pa
    "waterflow": 0.001 / 60,  # l/min to m³/s
    "airflow": 0.3048**3 / 60,  # cubic feet a minute to m³/s
}
"""Its unit of a kind of value, as a factor to ours; 1 for all others."""


@dataclass(frozen=True)
class Expected:
    """One value: its kind, OID and label; a number in our unit, or a state's severity (None where it names none: any is right)."""

    kind: str
    oid: str
    label: str
    number: float | None
    severity: str | None

    @property
    def is_state(self) -> bool:
        """A state, to be compared by severity."""
        return self.kind == "state"

    @property
    def says(self) -> str:
        """What is expected, in words."""
        return f"{self.severity} ({self.number})" if self.is_state else f"{self.number}"

    def fits(self, row: dict[str, Any]) -> bool:
        """Tell whether a row of `roundsman read --json` says it."""
        if self.is_state:
            return self.severity is None or bool(row["severity"] == self.severity)
        value = row["value"]
        if self.number is None or not isinstance(value, int | float):
            return False
        also = (self.number, self.number * 100, self.number / 100) if self.kind == "power_factor" else (self.number,)
        return any(math.isclose(value, each, rel_tol=1e-3, abs_tol=1e-6) for each in also)


def expected(folder: Path, name: str) -> list[Expected]:
    """Return every value expected of a recording."""
    path = folder / "expected" / f"{name}.json"
    if not path.exists():
        return []
    sensors = json.loads(path.read_text()).get("sensors") or {}
    found = sensors.get("discovery") or {}
    polled = sensors.get("poller")
    source = polled if isinstance(polled, dict) else found
    states: dict[str, dict[int, int]] = {}
    for each in source.get("state_indexes") or found.get("state_indexes") or []:
        states.setdefault(each["state_name"], {})[each["state_value"]] = each["state_generic_value"]
    return [_value(each, states) for each in source.get("sensors") or [] if not each.get("sensor_deleted")]


def _value(each: dict[str, Any], states: dict[str, dict[int, int]]) -> Expected:
    kind, current = each["sensor_class"], each["sensor_current"]
    try:
        number = None if current is None else float(current)
    except ValueError:
        number = None
    severity = None
    if kind == "state" and number is not None:
        generic = states.get(each.get("state_name") or each["sensor_type"], {}).get(int(number))
        severity = SEVERITIES[generic] if generic is not None and generic >= 0 else None
    scaled = None if number is None else number * UNITS.get(kind, 1.0)
    return Expected(kind, each["sensor_oid"].lstrip("."), each["sensor_descr"], scaled, severity)
