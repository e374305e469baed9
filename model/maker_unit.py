"""The units that makers write, and how a number in one becomes one in ours."""

from model.quantity import Quantity

UNITS: dict[str, tuple[str, float, float]] = {
    "V": ("V", 1.0, 0.0),
    "µV": ("V", 0.000001, 0.0),
    "mV": ("V", 0.001, 0.0),
    "kV": ("V", 1000.0, 0.0),
    "A": ("A", 1.0, 0.0),
    "mA": ("A", 0.001, 0.0),
    "W": ("W", 1.0, 0.0),
    "mW": ("W", 0.001, 0.0),
    "kW": ("W", 1000.0, 0.0),
    "MW": ("W", 1_000_000.0, 0.0),
    "VA": ("VA", 1.0, 0.0),
    "kVA": ("VA", 1000.0, 0.0),
    "var": ("var", 1.0, 0.0),
    "kvar": ("var", 1000.0, 0.0),
    "Wh": ("Wh", 1.0, 0.0),
    "kWh": ("Wh", 1000.0, 0.0),
    "MWh": ("Wh", 1_000_000.0, 0.0),
    "J": ("Wh", 1 / 3600, 0.0),
    "kJ": ("Wh", 1 / 3.6, 0.0),
    "Ah": ("Ah", 1.0, 0.0),
    "mAh": ("Ah", 0.001, 0.0),
    "mHz": ("Hz", 0.001, 0.0),
    "kHz": ("Hz", 1000.0, 0.0),
    "Hz": ("Hz", 1.0, 0.0),
    "°C": ("°C", 1.0, 0.0),
    "°F": ("°C", 5 / 9, -160 / 9),
    "K": ("°C", 1.0, -273.15),
    "%": ("%", 1.0, 0.0),
    "s": ("s", 1.0, 0.0),
    "min": ("s", 60.0, 0.0),
    "h": ("s", 3600.0, 0.0),
    "d": ("s", 86400.0, 0.0),
    "ms": ("s", 0.001, 0.0),
    "ticks": ("s", 0.01, 0.0),
    "rpm": ("rpm", 1.0, 0.0),
    "Pa": ("Pa", 1.0, 0.0),
    "hPa": ("Pa", 100.0, 0.0),
    "mbar": ("Pa", 100.0, 0.0),
    "inHg": ("Pa", 3386.389, 0.0),
    "kPa": ("Pa", 1000.0, 0.0),
    "MPa": ("Pa", 1_000_000.0, 0.0),
    "bar": ("Pa", 100_000.0, 0.0),
    "psi": ("Pa", 6894.757293168, 0.0),
    "m³/s": ("m³/s", 1.0, 0.0),
    "l/s": ("m³/s", 0.001, 0.0),
    "l/min": ("m³/s", 0.001 / 60, 0.0),
    "l/h": ("m³/s", 0.001 / 3600, 0.0),
    "gpm": ("m³/s", 0.003785411784 / 60, 0.0),
    "m³/min": ("m³/s", 1 / 60, 0.0),
    "m³/h": ("m³/s", 1 / 3600, 0.0),
    "cfm": ("m³/s", 0.3048**3 / 60, 0.0),
    "B": ("B", 1.0, 0.0),
    "KiB": ("B", 1024.0, 0.0),
    "MiB": ("B", 1048576.0, 0.0),
    "Ω": ("Ω", 1.0, 0.0),
    "mΩ": ("Ω", 0.001, 0.0),
    "µΩ": ("Ω", 0.000001, 0.0),
}
"""A maker's unit: the unit of ours that it becomes, the factor, and what is added after."""


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
