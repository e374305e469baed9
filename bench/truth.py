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
PERCENT = 100.0


@dataclass(frozen=True)
class Expected:
    """One value: its kind, OID and label; a number in our unit, or a state's severity (None where it names none)."""

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
    def is_judged(self) -> bool:
        """A state without a severity says nothing that could be compared."""
        return not self.is_state or self.severity is not None

    @property
    def says(self) -> str:
        """What is expected, in words."""
        return f"{self.severity} ({self.number})" if self.is_state else f"{self.number}"

    def fits(self, row: dict[str, Any]) -> bool:
        """Tell whether a row of `roundsman read --json` says it."""
        if self.is_state:
            return self.severity is not None and bool(row["severity"] == self.severity)
        value = row["value"]
        if self.number is None or not isinstance(value, int | float):
            return False
        return math.isclose(value, self.number, rel_tol=1e-3)  # a nought is exactly a nought


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
    if kind == "power_factor" and scaled is not None and abs(scaled) > 1.0:
        scaled /= PERCENT  # some of its power factors are percent; ours are a share of 1
    return Expected(kind, each["sensor_oid"].lstrip("."), each["sensor_descr"], scaled, severity)
