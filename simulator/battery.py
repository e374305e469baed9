"""A lead-acid string of 24 blocks of 2 V on a 53.5 V float bus: discharge, limited recharge, float.

Plausible rather than exact: a resting voltage that falls with the charge and steeply near the end, a surface charge
that goes in the first seconds of a discharge, a resistance, and a charger that limits its current.
"""

from dataclasses import dataclass
from math import exp

BLOCKS = 24
FLOAT_VOLTS = 53.5
CAPACITY_AH = 200.0
CHARGE_LIMIT_AMPS = 30.0
DISCHARGE_OHMS = 0.02
CHARGE_OHMS = 0.08
FLOAT_AMPS = 0.2
TIME_SCALE = 60.0
"""One second of the room is a minute of the battery: an outage of a minute takes a fifth of the charge."""

_SURFACE_VOLTS = FLOAT_VOLTS - BLOCKS * 2.13
_SURFACE_SECONDS = 6.0


@dataclass(slots=True)
class BatteryString:
    """The string's state: charge 0..1, surface charge and terminal voltage in volts, current in amps (+ charging)."""

    charge: float = 1.0
    surface: float = _SURFACE_VOLTS
    volts: float = FLOAT_VOLTS
    amps: float = FLOAT_AMPS

    def discharge(self, seconds: float, load_amps: float) -> None:
        """Carry `load_amps` for `seconds` of the room's time."""
        self._store(seconds, -load_amps)
        self.surface *= exp(-seconds / _SURFACE_SECONDS)
        self.amps = -load_amps
        self.volts = self._resting() + self.surface - load_amps * DISCHARGE_OHMS

    def recharge(self, seconds: float) -> None:
        """Take what the rectifiers give for `seconds`: at most 30 A, at most the float voltage."""
        goal = _SURFACE_VOLTS * self.charge**4
        self.surface += (goal - self.surface) * (1.0 - exp(-seconds / _SURFACE_SECONDS))
        source = self._resting() + self.surface
        self.amps = max(FLOAT_AMPS, min(CHARGE_LIMIT_AMPS, (FLOAT_VOLTS - source) / CHARGE_OHMS))
        self.volts = min(FLOAT_VOLTS, source + self.amps * CHARGE_OHMS)
        self._store(seconds, self.amps)

    def _store(self, seconds: float, amps: float) -> None:
        change = amps * seconds * TIME_SCALE / 3600.0 / CAPACITY_AH
        self.charge = max(0.0, min(1.0, self.charge + change))

    def _resting(self) -> float:
        """Open-circuit volts: 2.13 V a block when full, 1.97 V and then steeply less near the end."""
        knee = max(0.0, 0.1 - self.charge) / 0.1
        return BLOCKS * (1.97 + 0.16 * self.charge - 0.17 * knee * knee)
