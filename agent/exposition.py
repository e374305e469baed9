"""The /metrics page: the agent's own metrics by prometheus-client, device series by a text writer with cached names.

Device series (facts: a library gauge costs 8 µs a series, a cached name 0.3): `roundsman_SUBJECT_MEASURE_UNIT` with the
labels device, name and the point's indices; one 0/1 series for each state; `roundsman_device_up`, the age of a device's
readings and the seconds its poll took. Only good and uncertain readings are shown: absent is absent, never zero.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from sys import intern

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.samples import Sample
from prometheus_client.utils import floatToGoString

from model.point import Point, Quality, Reading, State
from model.quantity import Kind, Quantity

_SHOWN = frozenset({Quality.GOOD, Quality.UNCERTAIN})
MOST_NUMBERS = 4_096  # whose text is kept


class OwnText:
    """Writes a registry as the library's `generate_latest` does, with the text before each number made only once.

    For counters, gauges, histograms and infos; measured, it takes half of the library's time.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._heads: dict[str, str] = {}
        self._starts: dict[tuple[str, ...], str] = {}

    def text(self) -> str:
        """Return the page of the registry as it stands."""
        parts: list[str] = []
        starts = self._starts
        for metric in self._registry.collect():
            parts.append(self._heads.get(metric.name) or self._head(metric))
            for sample in metric.samples:
                key = (sample.name, *sample.labels.values())
                number = floatToGoString(sample.value)  # type: ignore[no-untyped-call]  # the library has no types there
                parts.append(f"{starts.get(key) or self._start(key, sample)}{number}\n")
        return "".join(parts)

    def _head(self, metric: Metric) -> str:
        suffix = {"counter": "_total", "info": "_info"}.get(metric.type, "")
        kind = "gauge" if metric.type == "info" else metric.type
        name, text = metric.name + suffix, metric.documentation.replace("\\", "\\\\").replace("\n", "\\n")
        head = self._heads[metric.name] = f"# HELP {name} {text}\n# TYPE {name} {kind}\n"
        return head

    def _start(self, key: tuple[str, ...], sample: Sample) -> str:
        labels = ",".join(f'{name}="{escaped(value)}"' for name, value in sorted(sample.labels.items()))
        start = self._starts[key] = f"{sample.name}{{{labels}}} " if labels else f"{sample.name} "
        return start


class Exposition:
    """Writes readings as text: what stands before the device's name, the name, what stands behind it, the number.

    What stands behind it is made once for each point and is shared by alike devices: a site with hundreds of them keeps
    few strings. Numbers that come often are written once.
    """

    def __init__(self) -> None:
        self._tails: dict[Point, str] = {}  # the labels after the device's, without the closing brace
        self._states: dict[tuple[Point, str], tuple[str, ...]] = {}
        self._alike: dict[tuple[str, tuple[State, ...], str], tuple[str, ...]] = {}
        self._names: dict[Quantity, str] = {}
        self._numbers: dict[float, str] = {}

    def text(self, readings: Iterable[Reading]) -> str:
        """Return the device series, each metric family together, as the format asks."""
        return "".join(self.families(readings))

    def families(self, readings: Iterable[Reading]) -> Iterator[str]:
        """Give the series of each metric family, so that a large page need not be held whole more than once."""
        shown: dict[Quantity, list[Reading]] = defaultdict(list)
        for reading in readings:
            if reading.value is not None and reading.quality in _SHOWN and reading.point.preferred:
                shown[reading.point.quantity].append(reading)
        for quantity, family in shown.items():
            yield self._head(quantity) + "".join(self._lines(quantity, family))

    def _lines(self, quantity: Quantity, family: list[Reading]) -> list[str]:
        lines: list[str] = []
        tails, numbers, factor = self._tails, self._numbers, quantity.unit.factor
        start = f'{metric_name(quantity)}{{device="'
        if not tails.keys() >= {reading.point for reading in family}:
            self._name(quantity, [reading.point for reading in family])
        for reading in family:
            point, value = reading.point, reading.value
            if isinstance(value, str):
                begun = start + point.device
                lines += [begun + end for end in self._ends(point, value)]
            elif value is not None:
                number = value * factor
                lines.append(f"{start}{point.device}{tails[point]}{numbers.get(number) or self._number(number)}")
        return lines

    def _number(self, number: float) -> str:
        """Return a number as text and the end of its line; sensors have few steps, so the same come again."""
        text = f"}} {number:.10g}\n"
        if len(self._numbers) >= MOST_NUMBERS:
            self._numbers.clear()
        if number:  # 0 and -0 are equal
            self._numbers[number] = text
        return text

    def forget(self) -> None:
        """Forget the names of points: after a reload they may be others."""
        self._tails.clear()
        self._states.clear()
        self._alike.clear()

    def _name(self, quantity: Quantity, points: Iterable[Point]) -> None:
        """Give points of a family their labels: two of a device that are alike but for their id get it as a label."""
        taken = {(point.device, tail) for point, tail in self._tails.items() if point.quantity is quantity}
        for point in points:
            if point not in self._tails:
                tail = f'"{_labels(point)}'
                if (point.device, tail) in taken:
                    tail = f'{tail},point="{escaped(point.id)}"'
                taken.add((point.device, tail))
                self._tails[point] = intern(tail)

    def _ends(self, point: Point, value: str) -> tuple[str, ...]:
        """Return the ends of a state's lines: 1 for the one it is in, 0 for the others."""
        ends = self._states.get((point, value))
        if ends is None:
            alike = self._tails[point], point.states, value
            ends = tuple(
                f'{alike[0]},state="{escaped(state.name)}"}} {int(state.name == value)}\n' for state in point.states
            )
            ends = self._states[point, value] = self._alike.setdefault(alike, ends)
        return ends

    def _head(self, quantity: Quantity) -> str:
        head = self._names.get(quantity)
        if head is None:
            name = metric_name(quantity)
            kind = "counter" if quantity.kind is Kind.COUNTER else "gauge"
            unit = "1 for the state it is in" if quantity.kind is Kind.STATE else quantity.unit.suffix.replace("_", " ")
            head = f"# HELP {name} {quantity} ({unit}).\n# TYPE {name} {kind}\n"
            self._names[quantity] = head
        return head


def metric_name(quantity: Quantity) -> str:
    """Return the Prometheus name of a quantity, in base units: `roundsman_battery_voltage_volts`."""
    stem = "roundsman_" + quantity.value.replace(".", "_")
    if quantity.kind is Kind.STATE:
        return stem
    if quantity.measure == "count":  # _count is a histogram's word
        return f"roundsman_{quantity.subject}_number"
    suffix = quantity.unit.suffix
    if quantity.kind is Kind.COUNTER and not suffix.endswith("total"):
        suffix += "_total"
    if suffix in {"count", "average", "value"} or stem.endswith(suffix):
        return stem
    return f"{stem}_{suffix}"


def device_lines(devices: Iterable[tuple[str, bool | None, float, float]]) -> str:
    """Return the series of each (device, answers, age in s, poll in s); a device not asked yet has none."""
    rows = [row for row in devices if row[1] is not None]
    parts = []
    for name, text, index in (
        ("roundsman_device_up", "1 when the device answered its last poll.", 1),
        ("roundsman_device_age_seconds", "Age of the device's last poll.", 2),
        ("roundsman_device_poll_seconds", "How long the device's last poll took.", 3),
    ):
        if rows:
            parts.append(f"# HELP {name} {text}\n# TYPE {name} gauge\n")
            parts.extend(f'{name}{{device="{escaped(row[0])}"}} {float(row[index] or 0):.6g}\n' for row in rows)
    return "".join(parts)


def alarm_lines(standing: Iterable[tuple[str, str, str, str, int]]) -> str:
    """Return one series for each (device, scope, fault, state, level) of a running episode."""
    name = "roundsman_alarm_active"
    lines = [
        f'{name}{{device="{escaped(device)}",scope="{escaped(scope)}",fault="{escaped(fault)}",'
        f'state="{state}",level="{level}"}} 1\n'
        for device, scope, fault, state, level in standing
    ]
    head = f"# HELP {name} Running alarm episodes, with the level the contract gives.\n# TYPE {name} gauge\n"
    return head + "".join(lines) if lines else ""


def _labels(point: Point) -> str:
    """Return the labels after the device's, each with a comma before it."""
    labels = list(point.index)
    if not point.index or point.label:
        labels.append(("name", point.label))
    return "".join(f',{_label_name(key)}="{escaped(value)}"' for key, value in labels)


def escaped(text: str) -> str:
    """Return a label's value as the text format wants it."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _label_name(text: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_]", "_", text)
