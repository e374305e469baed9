"""The power room as physics: mains, rectifiers, battery, UPS, two subracks, one room temperature.  Pure.

Time is an argument everywhere, in seconds since the room began; it may stand still but not run back.
"""

from dataclasses import dataclass, field
from math import exp

from simulator.battery import BLOCKS, BatteryString
from simulator.noise import wobble
from simulator.subrack import FANS, Ramp, Subrack
from simulator.ups import LOAD_WATTS, RATED_WATTS, Ups

MODULES = 3
MODULE_AMPS = 50.0
SUBRACKS = 2
LOAD_AMPS = 42.0
MAINS_VOLTS = 230.0
DISCONNECT_VOLTS = 43.2
"""The bus voltage at which the plant drops the load to save the battery; it comes back with mains."""
COOLED_CELSIUS = 24.0
UNCOOLED_CELSIUS = 38.0
_LONGEST_STEP = 0.5


@dataclass(frozen=True, slots=True)
class Module:
    """One rectifier module: running or not, its fault byte, output amps, degrees Celsius."""

    on: bool
    faulty: bool
    amps: float
    celsius: float


@dataclass(frozen=True, slots=True)
class UpsReading:
    """What the UPS measures: volts, hertz, amps, watts, charge 0..1, minutes, seconds, degrees Celsius."""

    on_battery: bool
    output_on: bool
    input_volts: float
    input_hertz: float
    input_amps: float
    output_volts: float
    output_amps: float
    output_watts: float
    load_share: float
    battery_volts: float
    battery_amps: float
    battery_celsius: float
    charge: float
    runtime_minutes: float
    seconds_on_battery: float
    input_failures: int


@dataclass(frozen=True, slots=True)
class Fan:
    """One fan: revolutions a minute, and whether its sensor works."""

    rpm: float
    sensor_works: bool


@dataclass(frozen=True, slots=True)
class SubrackReading:
    """One subrack: degrees Celsius, whether that sensor works, its fans."""

    celsius: float
    sensor_works: bool
    fans: tuple[Fan, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole room at one moment; phases, modules, blocks, subracks and fans are in order."""

    time: float
    mains: bool
    mains_volts: tuple[float, float, float]
    mains_hertz: float
    mains_amps: tuple[float, float, float]
    energy_kwh: float
    bus_volts: float
    load_amps: float
    battery_amps: float
    battery_charge: float
    battery_celsius: float | None
    block_volts: tuple[float, ...]
    modules: tuple[Module, ...]
    ups: UpsReading
    room_celsius: float
    subracks: tuple[SubrackReading, ...]


@dataclass(slots=True)
class Plant:
    """The room's state.  `advance` moves it in time, the controls change it, `snapshot` reads it."""

    seed: int = 1
    time: float = 0.0
    mains: bool = True
    load_connected: bool = True
    room_celsius: float = COOLED_CELSIUS
    energy_kwh: float = 18234.5
    faulty_modules: set[int] = field(default_factory=set)
    battery_sensor_dead: bool = False
    battery: BatteryString = field(default_factory=BatteryString)
    ups: Ups = field(default_factory=Ups)
    subracks: list[Subrack] = field(default_factory=lambda: [Subrack(COOLED_CELSIUS + 8.0) for _ in range(SUBRACKS)])

    def advance(self, now: float) -> None:
        """Live until `now`, in steps of at most half a second."""
        while self.time < now:
            seconds = min(_LONGEST_STEP, now - self.time)
            self.time += seconds
            if now - self.time < 1e-9:
                self.time = now
            self._step(seconds)

    def set_mains(self, now: float, *, on: bool) -> None:
        """Take mains away or give it back."""
        self.advance(now)
        self.mains = on
        self._step(0.0)

    def impose_temperature(self, now: float, subrack: int, celsius: float, over: float = 0.0) -> None:
        """Bring subrack 1 or 2 to a temperature, within `over` seconds, and hold it there exactly."""
        self.advance(now)
        rack = self.subrack(subrack)
        rack.ramp = Ramp(rack.celsius, celsius, now, over)
        rack.step(0.0, now, self.room_celsius)

    def subrack(self, number: int) -> Subrack:
        """Return subrack 1 or 2; ValueError for another."""
        if not 1 <= number <= SUBRACKS:
            raise ValueError(f"there are subracks 1 and 2, not {number}")
        return self.subracks[number - 1]

    def snapshot(self, now: float) -> Snapshot:
        """Read every value at `now`."""
        self.advance(now)
        hertz = 50.0 + 0.03 * self._wobble("hertz") if self.mains else 0.0
        volts = tuple(self._mains_volts(phase) for phase in range(3))
        return Snapshot(
            time=now,
            mains=self.mains,
            mains_volts=(volts[0], volts[1], volts[2]),
            mains_hertz=hertz,
            mains_amps=self._mains_amps(),
            energy_kwh=self.energy_kwh,
            bus_volts=self.battery.volts + 0.02 * self._wobble("bus"),
            load_amps=self._load_amps(),
            battery_amps=self.battery.amps,
            battery_charge=self.battery.charge,
            battery_celsius=None if self.battery_sensor_dead else self.room_celsius + 1.2,
            block_volts=tuple(
                self.battery.volts / BLOCKS + 0.004 * self._wobble(f"block{i}", 30.0) for i in range(BLOCKS)
            ),
            modules=tuple(self._module(i) for i in range(MODULES)),
            ups=self._ups(volts[0], hertz),
            room_celsius=self.room_celsius,
            subracks=tuple(self._subrack(i) for i in range(SUBRACKS)),
        )

    def _step(self, seconds: float) -> None:
        if self.mains and len(self.faulty_modules) < MODULES:
            self.load_connected = True
            self.battery.recharge(seconds)
        else:
            self.battery.discharge(seconds, self._load_amps())
            self.load_connected = self.load_connected and self.battery.volts >= DISCONNECT_VOLTS
        goal, settling = (COOLED_CELSIUS, 90.0) if self.mains else (UNCOOLED_CELSIUS, 400.0)
        self.room_celsius += (goal - self.room_celsius) * (1.0 - exp(-seconds / settling))
        self.ups.step(seconds, mains=self.mains)
        self.energy_kwh += self._mains_watts() * seconds / 3.6e6
        for rack in self.subracks:
            rack.step(seconds, self.time, self.room_celsius)

    def _wobble(self, name: str, period: float = 4.0) -> float:
        return wobble(self.seed, name, self.time, period)

    def _load_amps(self) -> float:
        return LOAD_AMPS + 0.8 * self._wobble("load") if self.load_connected else 0.0

    def _mains_volts(self, phase: int) -> float:
        return MAINS_VOLTS + (-0.6, 0.4, 0.9)[phase] + 0.7 * self._wobble(f"phase{phase}") if self.mains else 0.0

    def _rectified_amps(self) -> float:
        if not self.mains or len(self.faulty_modules) >= MODULES:
            return 0.0
        return self._load_amps() + self.battery.amps

    def _mains_watts(self) -> float:
        if not self.mains:
            return 0.0
        return self.battery.volts * self._rectified_amps() / 0.94 + self._ups_input_watts() + 900.0

    def _ups_input_watts(self) -> float:
        return LOAD_WATTS / 0.92 + (180.0 if self.ups.charge < 1.0 else 0.0)

    def _mains_amps(self) -> tuple[float, float, float]:
        each = self._mains_watts() / 3.0 / MAINS_VOLTS / 0.98
        a, b, c = (each * share for share in (1.05, 0.98, 0.97))
        return (a, b, c)

    def _module(self, index: int) -> Module:
        faulty = index in self.faulty_modules
        on = self.mains and not faulty
        share = self._rectified_amps() / max(1, MODULES - len(self.faulty_modules))
        amps = min(MODULE_AMPS, share * (1.0 + 0.02 * (index - 1))) if on else 0.0
        warm = 0.35 * amps + 0.3 * self._wobble(f"module{index}", 10.0)
        return Module(on=on, faulty=faulty, amps=amps, celsius=self.room_celsius + 6.0 + warm)

    def _ups(self, volts: float, hertz: float) -> UpsReading:
        ups = self.ups
        watts = (LOAD_WATTS + 25.0 * self._wobble("ups")) if ups.output_on else 0.0
        output = 230.0 + 0.5 * self._wobble("ups output") if ups.output_on else 0.0
        return UpsReading(
            on_battery=ups.on_battery,
            output_on=ups.output_on,
            input_volts=volts,
            input_hertz=hertz,
            input_amps=self._ups_input_watts() / MAINS_VOLTS if self.mains else 0.0,
            output_volts=output,
            output_amps=watts / 230.0,
            output_watts=watts,
            load_share=watts / RATED_WATTS,
            battery_volts=ups.battery_volts,
            battery_amps=watts / 0.9 / ups.battery_volts if ups.on_battery else 0.0,
            battery_celsius=self.room_celsius + 3.0,
            charge=ups.charge,
            runtime_minutes=ups.runtime_minutes,
            seconds_on_battery=ups.seconds_on_battery,
            input_failures=ups.input_failures,
        )

    def _subrack(self, index: int) -> SubrackReading:
        rack = self.subracks[index]
        # An imposed temperature is exact: the rules are tested at 45.0 and not near it.
        stir = 0.0 if rack.ramp is not None else 0.2 * self._wobble(f"subrack{index}", 8.0)
        fans = tuple(
            Fan(rack.rpm(fan) * (1.0 + 0.006 * self._wobble(f"fan{index}/{fan}")), fan not in rack.dead_sensors)
            for fan in range(FANS)
        )
        return SubrackReading(rack.celsius + stir, not rack.temperature_dead, fans)
