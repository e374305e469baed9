"""A transmission subrack: four fans and a temperature that rises as they stop."""

from dataclasses import dataclass, field
from math import exp

FANS = 4
FAN_RPM = 4200.0
RISE_BY_STOPPED_FANS = (8.0, 11.0, 16.0, 25.0, 38.0)
"""Degrees above the room's temperature that the subrack settles at with 0..4 fans stopped."""
_SETTLING_SECONDS = 25.0


@dataclass(frozen=True, slots=True)
class Ramp:
    """A temperature that is imposed: from one value to another in degrees Celsius between two times."""

    start: float
    end: float
    since: float
    seconds: float

    def at(self, now: float) -> float:
        """Return the imposed temperature at `now`."""
        part = 1.0 if self.seconds <= 0 else min(1.0, (now - self.since) / self.seconds)
        return self.start + (self.end - self.start) * part


@dataclass(slots=True)
class Subrack:
    """The subrack's state; fans are counted from 1 by those who command them, from 0 in these sets."""

    celsius: float
    stopped: set[int] = field(default_factory=set)
    dead_sensors: set[int] = field(default_factory=set)
    temperature_dead: bool = False
    ramp: Ramp | None = None

    def step(self, seconds: float, now: float, room_celsius: float) -> None:
        """Warm or cool for `seconds` ending at `now`."""
        if self.ramp is not None:
            self.celsius = self.ramp.at(now)
            return
        goal = room_celsius + RISE_BY_STOPPED_FANS[len(self.stopped)]
        self.celsius += (goal - self.celsius) * (1.0 - exp(-seconds / _SETTLING_SECONDS))

    def rpm(self, fan: int) -> float:
        """Speed of fan 0..3: none when it is stopped, the others speed up to help."""
        return 0.0 if fan in self.stopped else FAN_RPM * (1.0 + 0.08 * len(self.stopped))
