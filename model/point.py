"""Points and readings: what is measured, once, and each value of it, small.

A point is made once and kept (interned) by whoever reads it; a reading points to it. Absent is never zero: a reading
that could not be had carries no value and says so by its quality.
"""

from enum import StrEnum

import msgspec

from model.quantity import Quantity


class Quality(StrEnum):
    """How far a value can be believed (after OPC UA's good, uncertain, bad; bad is split by its cause)."""

    GOOD = "good"
    UNCERTAIN = "uncertain"
    STALE = "stale"
    UNAVAILABLE = "unavailable"


class Severity(StrEnum):
    """What a device's own state means, in the words of its maker's manual."""

    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"
    UNKNOWN = "unknown"


class State(msgspec.Struct, frozen=True):
    """One state a point may have: its name, and how bad its maker says it is."""

    name: str
    severity: Severity = Severity.OK


class Point(msgspec.Struct, frozen=True, cache_hash=True, gc=False):
    """One thing that can be read.

    `id` is stable while the label may be renamed; it is unique within its device and never contains "/". `index` holds
    (name, value) pairs such as ("phase", "1") or ("subrack", "2"). `source` is the OID, register or frame field it is
    from. Values are floats in `quantity.unit`, or the name of one of `states`. `preferred` is false for a duplicate
    source that is shown but feeds no rule.
    """

    device: str
    id: str
    quantity: Quantity
    label: str
    index: tuple[tuple[str, str], ...] = ()
    source: str = ""
    states: tuple[State, ...] = ()
    preferred: bool = True

    def at(self, name: str) -> str | None:
        """Return this point's index of that name, or None."""
        for key, value in self.index:
            if key == name:
                return value
        return None

    def severity(self, value: float | str | None) -> Severity:
        """Return how bad the maker says a state is; `unknown` for a value that is none of this point's states."""
        return next((state.severity for state in self.states if state.name == value), Severity.UNKNOWN)


def point_id(quantity: Quantity, index: tuple[tuple[str, str], ...] = ()) -> str:
    """Return the usual id of a point: `mains.voltage[phase=1]`."""
    inside = ",".join(f"{name}={plain(value)}" for name, value in index)
    return f"{quantity}[{inside}]" if inside else str(quantity)


def plain(value: str) -> str:
    """Return an index's value as ids may hold it: no slash, which parts a condition's key, and nothing unprintable."""
    return "".join(sign if sign.isprintable() else "?" for sign in value.replace("/", "|"))


class Reading(msgspec.Struct, frozen=True, gc=False):
    """One value of one point.

    `value` is a float in the quantity's unit, a state's name, or None when unavailable. `time` is seconds of
    CLOCK_BOOTTIME at this agent: monotonic, so ages are right through every change of the wall clock.
    """

    point: Point
    value: float | str | None
    time: float
    quality: Quality = Quality.GOOD


class Batch(msgspec.Struct, frozen=True):
    """All that one poll of one device gave, failures included.

    `readings` hold every point of the device that this poll covers: what could not be read is there as unavailable.
    When `reachable` is false the device did not answer after the poll's own retries, every reading is unavailable and
    `error` says why in plain words. `seconds` is how long the poll took. `complete` is false for a poll that covers
    only some of the device's points (alarms before analogs): the others keep their values and grow older. `gone` are
    ids of points that the device is known to have no more: what they say is over, not missing.
    """

    device: str
    time: float
    readings: tuple[Reading, ...]
    reachable: bool = True
    error: str = ""
    seconds: float = 0.0
    complete: bool = True
    gone: tuple[str, ...] = ()


def unavailable(point: Point, time: float) -> Reading:
    """Return the reading of a point that could not be read."""
    return Reading(point, None, time, Quality.UNAVAILABLE)
