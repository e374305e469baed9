"""How much a probe that holds tells: in bits, as the share of all raw numbers that would have held too.

A voltage within 40 and 300 as a float of 32 bits is rare among all patterns of 32 bits; a number of 16 bits within 1
and 1000 stands in many a register. A definition is taken for sure from 16 bits on, as a check sum is.
"""

import math
import struct
from typing import Final

from collectors.line.modbus_definition import ModbusDefinition, Probe
from collectors.line.registers import WIDTHS

SURE: Final = 16.0
"""Bits from which a definition that fits is no chance."""
NAMED: Final = 32.0
"""Bits of a device that says by name what it is."""


def is_sure(definition: ModbusDefinition) -> bool:
    """Tell whether probes that all hold make it this device, or only one that could be."""
    return evidence(definition) >= SURE


def evidence(definition: ModbusDefinition) -> float:
    """Return the bits of all probes of a definition together."""
    return sum(map(_bits, definition.identify))


def _bits(probe: Probe) -> float:
    if probe.device_id is not None:
        return NAMED
    kind = probe.type or "u16"
    size = 1 if probe.function in {1, 2} else probe.mask.bit_count() or 16 * WIDTHS[kind]
    if probe.equals:
        return max(0.0, size - math.log2(len(probe.equals)))
    low, high = (None if end is None else end / probe.scale for end in (probe.above, probe.below))
    if kind in {"float32", "float64"}:
        fitting = _patterns(low, high)
        return -math.log2(max(fitting, 1.0) / 2**32)
    least, most = (-(2.0 ** (size - 1)), 2.0 ** (size - 1)) if kind[0] in "sm" else (0.0, 2.0**size)
    fitting = min(most, math.inf if high is None else high) - max(least, -math.inf if low is None else low)
    return max(0.0, size - math.log2(max(fitting, 1.0)))


def _patterns(low: float | None, high: float | None) -> float:
    """Return how many floats of 32 bits lie between two numbers."""
    ends = (-3.4e38 if low is None else low, 3.4e38 if high is None else high)
    places = [math.copysign(struct.unpack(">I", struct.pack(">f", abs(end)))[0], end) for end in ends]
    return max(0.0, places[1] - places[0])
