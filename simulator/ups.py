"""A 3 kVA single-phase UPS with a 192 V battery, as its network card sees it (RFC 1628)."""

from dataclasses import dataclass

FULL_RUNTIME_MINUTES = 40.0
LOAD_WATTS = 1200.0
RATED_WATTS = 2700.0
LOW_CHARGE = 0.2
DISCHARGE_SCALE = 20.0
"""One second on battery takes 20 s of the runtime: an outage of a minute takes half of the charge."""
RECHARGE_SECONDS = 240.0


@dataclass(slots=True)
class Ups:
    """The UPS's state: charge 0..1, seconds on battery (0 on mains), how often the input failed, whether it gives."""

    charge: float = 1.0
    on_battery: bool = False
    seconds_on_battery: float = 0.0
    input_failures: int = 0
    output_on: bool = True

    def step(self, seconds: float, *, mains: bool) -> None:
        """Live through `seconds` with or without mains."""
        if mains:
            self.on_battery = False
            self.seconds_on_battery = 0.0
            self.output_on = True
            self.charge = min(1.0, self.charge + seconds / RECHARGE_SECONDS)
            return
        self.input_failures += not self.on_battery
        self.on_battery = True
        self.seconds_on_battery += seconds
        self.charge = max(0.0, self.charge - seconds * DISCHARGE_SCALE / 60.0 / FULL_RUNTIME_MINUTES)
        if self.charge == 0.0:
            self.output_on = False

    @property
    def runtime_minutes(self) -> float:
        """Minutes that the charge would last at the present load."""
        return self.charge * FULL_RUNTIME_MINUTES

    @property
    def battery_volts(self) -> float:
        """Volts of the UPS's own battery: 218 V floating, falling from 204 V to 168 V while it carries the load."""
        return 204.0 - 36.0 * (1.0 - self.charge) if self.on_battery else 218.0 - 8.0 * (1.0 - self.charge)
