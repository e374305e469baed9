"""From a value as a card sends it to a value of a reading: in the quantity's unit, a state's name, or None."""

import math
import re

import msgspec

from model.quantity import Quantity
from wire.snmp import Absent, Value

UNITS: dict[str, tuple[str, float, float]] = {
    "V": ("V", 1.0, 0.0),
    "mV": ("V", 0.001, 0.0),
    "kV": ("V", 1000.0, 0.0),
    "A": ("A", 1.0, 0.0),
    "mA": ("A", 0.001, 0.0),
    "W": ("W", 1.0, 0.0),
    "kW": ("W", 1000.0, 0.0),
    "VA": ("VA", 1.0, 0.0),
    "kVA": ("VA", 1000.0, 0.0),
    "var": ("var", 1.0, 0.0),
    "kvar": ("var", 1000.0, 0.0),
    "Wh": ("Wh", 1.0, 0.0),
    "kWh": ("Wh", 1000.0, 0.0),
    "Ah": ("Ah", 1.0, 0.0),
    "Hz": ("Hz", 1.0, 0.0),
    "°C": ("°C", 1.0, 0.0),
    "°F": ("°C", 5 / 9, -160 / 9),
    "K": ("°C", 1.0, -273.15),
    "%": ("%", 1.0, 0.0),
    "s": ("s", 1.0, 0.0),
    "min": ("s", 60.0, 0.0),
    "h": ("s", 3600.0, 0.0),
    "ticks": ("s", 0.01, 0.0),
    "rpm": ("rpm", 1.0, 0.0),
    "Pa": ("Pa", 1.0, 0.0),
    "hPa": ("Pa", 100.0, 0.0),
    "kPa": ("Pa", 1000.0, 0.0),
    "bar": ("Pa", 100_000.0, 0.0),
    "psi": ("Pa", 6894.757293168, 0.0),
    "m³/s": ("m³/s", 1.0, 0.0),
    "m³/min": ("m³/s", 1 / 60, 0.0),
    "m³/h": ("m³/s", 1 / 3600, 0.0),
    "cfm": ("m³/s", 0.3048**3 / 60, 0.0),
    "Ω": ("Ω", 1.0, 0.0),
    "mΩ": ("Ω", 0.001, 0.0),
    "µΩ": ("Ω", 0.000001, 0.0),
}
"""A maker's unit: the unit of ours that it becomes, the factor, and what is added after."""

_NUMBER = re.compile(rb"\s*([+-]?\d+(?:\.\d+)?)")
_DECIMALS = 9  # hides the last bits of 0.1 * 3, far below any sensor


class Meaning(msgspec.Struct, frozen=True):
    """How one object's value is read: number * scale + offset, or the state that a number stands for.

    `absent` are numbers that mean "not available". With `zero` and `nonzero` a number becomes one of two states.
    """

    scale: float = 1.0
    offset: float = 0.0
    absent: frozenset[int] = frozenset()
    states: dict[int, str] | None = None
    zero: str = ""
    nonzero: str = ""

    def of(self, value: Value) -> float | str | None:
        """Return the value of a reading, None when the card gave nothing that counts."""
        number = as_number(value)
        if number is None or number in self.absent:
            return None
        if self.states is not None:
            return self.states.get(int(number))
        if self.zero:
            return self.nonzero if number else self.zero
        return round(number * self.scale + self.offset, _DECIMALS)

    def times_ten_to(self, power: int) -> "Meaning":
        """Return this meaning for numbers that are to be multiplied by a power of ten first."""
        return msgspec.structs.replace(self, scale=self.scale * 10.0**power)


def as_number(value: Value) -> int | float | None:
    """Return the finite number that a card sent; some send it as text, with its unit behind it ("23.5 C")."""
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bytes) and (match := _NUMBER.match(value[:40])):
        return float(match[1])
    return None


def conversion(quantity: Quantity, unit: str) -> tuple[float, float]:
    """Return (factor, added after) from a maker's unit to the quantity's; ValueError when the two do not fit."""
    ours = quantity.unit.symbol
    if unit in {"", ours}:
        return 1.0, 0.0
    if unit not in UNITS:
        raise ValueError(f'unit "{unit}" is not known; write one of {", ".join(UNITS)}')
    becomes, factor, added = UNITS[unit]
    if becomes != ours:
        raise ValueError(f'unit "{unit}" does not become "{ours}", the unit of {quantity}')
    return factor, added


def as_text(value: Value, longest: int = 64) -> str:
    """Return a card's text for showing: it is a stranger's, so without control characters and cut."""
    if isinstance(value, bytes):
        shown = value[: 4 * longest].decode("utf-8", "replace")
    elif value is None or isinstance(value, Absent):
        shown = ""
    else:
        shown = str(value)
    return " ".join("".join(sign if sign.isprintable() else " " for sign in shown).split())[:longest]


def is_there(value: Value) -> bool:
    """Tell whether a card has the object at all, whatever it says."""
    return value is not None and not isinstance(value, Absent)
