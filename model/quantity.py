"""The one vocabulary: what a reading measures, in which unit, or which states it may have.

A quantity is `subject.measure`: the subject says where in the power and cooling chain, the measure fixes the unit.
Phase, cell, module, outlet, fan and subrack are indices of a point, never part of the word. A new word is a decision:
add it here, and to docs/quantities.md, which a test compares with this file.
"""

from enum import StrEnum

import msgspec


class Unit(msgspec.Struct, frozen=True):
    """A unit as people read it and as Prometheus names it (base units).

    `factor` turns a value in `symbol` into the metric's unit; `suffix` is the metric name's last word.
    """

    symbol: str
    suffix: str
    factor: float = 1.0


class Kind(StrEnum):
    """How values of a quantity behave."""

    GAUGE = "gauge"
    COUNTER = "counter"
    STATE = "state"


UNITS: dict[str, Unit] = {
    "voltage": Unit("V", "volts"),
    "line_voltage": Unit("V", "volts"),
    "current": Unit("A", "amperes"),
    "power": Unit("W", "watts"),
    "apparent_power": Unit("VA", "voltamperes"),
    "reactive_power": Unit("var", "voltamperes_reactive"),
    "power_factor": Unit("", "ratio"),
    "energy": Unit("Wh", "joules", 3600.0),
    "frequency": Unit("Hz", "hertz"),
    "temperature": Unit("°C", "celsius"),
    "humidity": Unit("%", "ratio", 0.01),
    "charge": Unit("%", "ratio", 0.01),
    "health": Unit("%", "ratio", 0.01),
    "load": Unit("%", "ratio", 0.01),
    "imbalance": Unit("%", "ratio", 0.01),
    "duty": Unit("%", "ratio", 0.01),
    "level": Unit("%", "ratio", 0.01),
    "utilisation": Unit("%", "ratio", 0.01),
    "runtime": Unit("s", "seconds"),
    "uptime": Unit("s", "seconds"),
    "discharge_time": Unit("s", "seconds"),
    "age": Unit("s", "seconds"),
    "demand": Unit("W", "watts"),
    "output": Unit("W", "watts"),
    "offset": Unit("s", "seconds"),
    "capacity": Unit("Ah", "coulombs", 3600.0),
    "pressure": Unit("Pa", "pascals"),
    "airflow": Unit("m³/s", "cubic_meters_per_second"),
    "flow": Unit("m³/s", "cubic_meters_per_second"),
    "resistance": Unit("Ω", "ohms"),
    "speed": Unit("rpm", "rpm"),
    "count": Unit("", "count"),
    "cycles": Unit("", "count"),
    "average": Unit("", "average"),
    "size": Unit("B", "bytes"),
    "available": Unit("B", "bytes"),
    "read": Unit("B", "bytes_total"),
    "written": Unit("B", "bytes_total"),
    "received": Unit("B", "bytes_total"),
    "sent": Unit("B", "bytes_total"),
    "busy": Unit("s", "seconds_total"),
    "errors": Unit("", "total"),
    "drops": Unit("", "total"),
    "generic": Unit("", "value"),
}
COUNTERS = frozenset({"energy", "read", "written", "received", "sent", "busy", "errors", "drops"})

# The states that rules may name. An empty tuple: the maker's own states, each with its severity.
STATES: dict[str, tuple[str, ...]] = {
    "mains.status": (
        "normal",
        "failed",
        "phase_missing",
        "below_limit",
        "above_limit",
        "fuse_blown",
        "switch_open",
        "fault",
    ),
    "input.status": ("normal", "failed", "phase_missing", "below_limit", "above_limit"),
    "output.status": ("normal", "battery", "bypass", "booster", "reducer", "eco", "off", "test", "fault"),
    "bypass.status": ("normal", "unavailable", "fault"),
    "battery.status": (
        "normal",
        "discharging",
        "low",
        "depleted",
        "charging",
        "test",
        "replace",
        "fault",
        "disconnected",
    ),
    "rectifier.status": (
        "normal",
        "on",
        "off",
        "fault",
        "input_failed",
        "over_temperature",
        "fan_fault",
        "no_communication",
    ),
    "rectifier.mode": ("float", "equalise", "test"),
    "dc_bus.status": ("normal", "below_limit", "above_limit", "failed"),
    "generator.status": ("stopped", "running", "starting", "cooling_down", "fault"),
    "cooling.status": ("running", "stopped", "standby", "fault"),
    "fan.running": ("running", "stopped"),
    "fan.status": ("normal", "fault"),
    "door.status": ("closed", "open"),
    "smoke.status": ("clear", "smoke"),
    "leak.status": ("dry", "wet"),
    "motion.status": ("clear", "motion"),
    "breaker.status": ("closed", "open", "tripped"),
    "fuse.status": ("normal", "blown"),
    "spd.status": ("normal", "fault"),
    "outlet.status": ("on", "off"),
    "redundancy.status": ("complete", "lost"),
    "network.link": ("up", "down"),
    "line.status": ("open", "gone", "taken", "disconnected", "foreign", "failed"),
    "clock.status": ("synchronised", "unsynchronised"),
    "device.reachable": ("yes", "no"),
    "device.status": (),
    "alarm.status": ("clear", "active"),
    "contact.status": ("normal", "alarm"),
    "rectifier.limiting": ("no", "yes"),
}


class Quantity(StrEnum):
    """Every word a reading may carry."""

    MAINS_VOLTAGE = "mains.voltage"
    MAINS_LINE_VOLTAGE = "mains.line_voltage"
    MAINS_CURRENT = "mains.current"
    MAINS_POWER = "mains.power"
    MAINS_APPARENT_POWER = "mains.apparent_power"
    MAINS_REACTIVE_POWER = "mains.reactive_power"
    MAINS_POWER_FACTOR = "mains.power_factor"
    MAINS_FREQUENCY = "mains.frequency"
    MAINS_ENERGY = "mains.energy"
    MAINS_STATUS = "mains.status"
    INPUT_VOLTAGE = "input.voltage"
    INPUT_LINE_VOLTAGE = "input.line_voltage"
    INPUT_CURRENT = "input.current"
    INPUT_POWER = "input.power"
    INPUT_APPARENT_POWER = "input.apparent_power"
    INPUT_REACTIVE_POWER = "input.reactive_power"
    INPUT_POWER_FACTOR = "input.power_factor"
    INPUT_FREQUENCY = "input.frequency"
    INPUT_ENERGY = "input.energy"
    INPUT_LOAD = "input.load"
    INPUT_IMBALANCE = "input.imbalance"
    INPUT_STATUS = "input.status"
    OUTPUT_VOLTAGE = "output.voltage"
    OUTPUT_LINE_VOLTAGE = "output.line_voltage"
    OUTPUT_CURRENT = "output.current"
    OUTPUT_POWER = "output.power"
    OUTPUT_APPARENT_POWER = "output.apparent_power"
    OUTPUT_REACTIVE_POWER = "output.reactive_power"
    OUTPUT_POWER_FACTOR = "output.power_factor"
    OUTPUT_FREQUENCY = "output.frequency"
    OUTPUT_ENERGY = "output.energy"
    OUTPUT_LOAD = "output.load"
    OUTPUT_STATUS = "output.status"
    BYPASS_VOLTAGE = "bypass.voltage"
    BYPASS_LINE_VOLTAGE = "bypass.line_voltage"
    BYPASS_CURRENT = "bypass.current"
    BYPASS_POWER = "bypass.power"
    BYPASS_APPARENT_POWER = "bypass.apparent_power"
    BYPASS_POWER_FACTOR = "bypass.power_factor"
    BYPASS_LOAD = "bypass.load"
    BYPASS_FREQUENCY = "bypass.frequency"
    BYPASS_STATUS = "bypass.status"
    BATTERY_VOLTAGE = "battery.voltage"
    BATTERY_CURRENT = "battery.current"
    BATTERY_POWER = "battery.power"
    BATTERY_TEMPERATURE = "battery.temperature"
    BATTERY_CHARGE = "battery.charge"
    BATTERY_HEALTH = "battery.health"
    BATTERY_RUNTIME = "battery.runtime"
    BATTERY_DISCHARGE_TIME = "battery.discharge_time"
    BATTERY_AGE = "battery.age"
    BATTERY_CAPACITY = "battery.capacity"
    BATTERY_CYCLES = "battery.cycles"
    BATTERY_COUNT = "battery.count"
    BATTERY_RESISTANCE = "battery.resistance"
    BATTERY_STATUS = "battery.status"
    RECTIFIER_VOLTAGE = "rectifier.voltage"
    RECTIFIER_CURRENT = "rectifier.current"
    RECTIFIER_POWER = "rectifier.power"
    RECTIFIER_LOAD = "rectifier.load"
    RECTIFIER_TEMPERATURE = "rectifier.temperature"
    RECTIFIER_COUNT = "rectifier.count"
    RECTIFIER_STATUS = "rectifier.status"
    RECTIFIER_MODE = "rectifier.mode"
    RECTIFIER_LIMITING = "rectifier.limiting"
    DC_BUS_VOLTAGE = "dc_bus.voltage"
    DC_BUS_CURRENT = "dc_bus.current"
    DC_BUS_POWER = "dc_bus.power"
    DC_BUS_LOAD = "dc_bus.load"
    DC_BUS_ENERGY = "dc_bus.energy"
    DC_BUS_STATUS = "dc_bus.status"
    LOAD_VOLTAGE = "load.voltage"
    LOAD_CURRENT = "load.current"
    LOAD_POWER = "load.power"
    LOAD_APPARENT_POWER = "load.apparent_power"
    LOAD_LOAD = "load.load"
    LOAD_ENERGY = "load.energy"
    SOLAR_VOLTAGE = "solar.voltage"
    SOLAR_CURRENT = "solar.current"
    SOLAR_POWER = "solar.power"
    SOLAR_ENERGY = "solar.energy"
    AMBIENT_TEMPERATURE = "ambient.temperature"
    AMBIENT_HUMIDITY = "ambient.humidity"
    AMBIENT_PRESSURE = "ambient.pressure"
    AMBIENT_AIRFLOW = "ambient.airflow"
    EQUIPMENT_TEMPERATURE = "equipment.temperature"
    EQUIPMENT_HUMIDITY = "equipment.humidity"
    EQUIPMENT_VOLTAGE = "equipment.voltage"
    EQUIPMENT_CURRENT = "equipment.current"
    EQUIPMENT_POWER = "equipment.power"
    EQUIPMENT_APPARENT_POWER = "equipment.apparent_power"
    EQUIPMENT_REACTIVE_POWER = "equipment.reactive_power"
    EQUIPMENT_POWER_FACTOR = "equipment.power_factor"
    EQUIPMENT_ENERGY = "equipment.energy"
    EQUIPMENT_LOAD = "equipment.load"
    EQUIPMENT_LEVEL = "equipment.level"
    EQUIPMENT_COUNT = "equipment.count"
    EQUIPMENT_PRESSURE = "equipment.pressure"
    EQUIPMENT_FLOW = "equipment.flow"
    EQUIPMENT_RUNTIME = "equipment.runtime"
    EQUIPMENT_RESISTANCE = "equipment.resistance"
    EQUIPMENT_CHARGE = "equipment.charge"
    EQUIPMENT_CAPACITY = "equipment.capacity"
    EQUIPMENT_SPEED = "equipment.speed"
    EQUIPMENT_FREQUENCY = "equipment.frequency"
    EQUIPMENT_AIRFLOW = "equipment.airflow"
    EQUIPMENT_GENERIC = "equipment.generic"
    GENERATOR_VOLTAGE = "generator.voltage"
    GENERATOR_LINE_VOLTAGE = "generator.line_voltage"
    GENERATOR_CURRENT = "generator.current"
    GENERATOR_POWER = "generator.power"
    GENERATOR_APPARENT_POWER = "generator.apparent_power"
    GENERATOR_REACTIVE_POWER = "generator.reactive_power"
    GENERATOR_POWER_FACTOR = "generator.power_factor"
    GENERATOR_ENERGY = "generator.energy"
    GENERATOR_LOAD = "generator.load"
    GENERATOR_RUNTIME = "generator.runtime"
    GENERATOR_FREQUENCY = "generator.frequency"
    GENERATOR_SPEED = "generator.speed"
    GENERATOR_TEMPERATURE = "generator.temperature"
    GENERATOR_PRESSURE = "generator.pressure"
    GENERATOR_LEVEL = "generator.level"
    GENERATOR_STATUS = "generator.status"
    COOLING_TEMPERATURE = "cooling.temperature"
    COOLING_HUMIDITY = "cooling.humidity"
    COOLING_PRESSURE = "cooling.pressure"
    COOLING_FLOW = "cooling.flow"
    COOLING_AIRFLOW = "cooling.airflow"
    COOLING_POWER = "cooling.power"
    COOLING_DEMAND = "cooling.demand"
    COOLING_OUTPUT = "cooling.output"
    COOLING_DUTY = "cooling.duty"
    COOLING_RUNTIME = "cooling.runtime"
    COOLING_STATUS = "cooling.status"
    CIRCUIT_VOLTAGE = "circuit.voltage"
    CIRCUIT_LINE_VOLTAGE = "circuit.line_voltage"
    CIRCUIT_CURRENT = "circuit.current"
    CIRCUIT_POWER = "circuit.power"
    CIRCUIT_APPARENT_POWER = "circuit.apparent_power"
    CIRCUIT_REACTIVE_POWER = "circuit.reactive_power"
    CIRCUIT_POWER_FACTOR = "circuit.power_factor"
    CIRCUIT_FREQUENCY = "circuit.frequency"
    CIRCUIT_ENERGY = "circuit.energy"
    CIRCUIT_LOAD = "circuit.load"
    OUTLET_VOLTAGE = "outlet.voltage"
    OUTLET_CURRENT = "outlet.current"
    OUTLET_POWER = "outlet.power"
    OUTLET_APPARENT_POWER = "outlet.apparent_power"
    OUTLET_REACTIVE_POWER = "outlet.reactive_power"
    OUTLET_POWER_FACTOR = "outlet.power_factor"
    OUTLET_FREQUENCY = "outlet.frequency"
    OUTLET_ENERGY = "outlet.energy"
    OUTLET_LOAD = "outlet.load"
    FAN_SPEED = "fan.speed"
    FAN_DUTY = "fan.duty"
    FAN_RUNNING = "fan.running"
    FAN_STATUS = "fan.status"
    DOOR_STATUS = "door.status"
    SMOKE_STATUS = "smoke.status"
    LEAK_STATUS = "leak.status"
    MOTION_STATUS = "motion.status"
    BREAKER_STATUS = "breaker.status"
    FUSE_STATUS = "fuse.status"
    SPD_STATUS = "spd.status"
    OUTLET_STATUS = "outlet.status"
    CONTACT_STATUS = "contact.status"
    REDUNDANCY_STATUS = "redundancy.status"
    CPU_UTILISATION = "cpu.utilisation"
    LOAD_AVERAGE = "load.average"
    MEMORY_UTILISATION = "memory.utilisation"
    MEMORY_AVAILABLE = "memory.available"
    MEMORY_SIZE = "memory.size"
    SWAP_UTILISATION = "swap.utilisation"
    SWAP_SIZE = "swap.size"
    DISK_UTILISATION = "disk.utilisation"
    DISK_AVAILABLE = "disk.available"
    DISK_SIZE = "disk.size"
    INODES_UTILISATION = "inodes.utilisation"
    DISK_READ = "disk.read"
    DISK_WRITTEN = "disk.written"
    DISK_BUSY = "disk.busy"
    NETWORK_RECEIVED = "network.received"
    NETWORK_SENT = "network.sent"
    NETWORK_ERRORS = "network.errors"
    NETWORK_DROPS = "network.drops"
    NETWORK_LINK = "network.link"
    LINE_STATUS = "line.status"
    CLOCK_OFFSET = "clock.offset"
    CLOCK_STATUS = "clock.status"
    DEVICE_REACHABLE = "device.reachable"
    DEVICE_UPTIME = "device.uptime"
    DEVICE_STATUS = "device.status"
    ALARM_COUNT = "alarm.count"
    ALARM_STATUS = "alarm.status"

    @property
    def subject(self) -> str:
        """Where in the chain: `mains` of `mains.voltage`."""
        return self.value.partition(".")[0]

    @property
    def measure(self) -> str:
        """What is measured there: `voltage` of `mains.voltage`."""
        return self.value.partition(".")[2]

    @property
    def kind(self) -> Kind:
        """Gauge, counter or state."""
        if self.value in STATES:
            return Kind.STATE
        return Kind.COUNTER if self.measure in COUNTERS else Kind.GAUGE

    @property
    def unit(self) -> Unit:
        """The unit of every value of this quantity; a state has none."""
        return UNITS[self.measure] if self.value not in STATES else Unit("", "state")

    @property
    def states(self) -> tuple[str, ...]:
        """The states a rule may name; empty for numbers and for the maker's own states."""
        return STATES.get(self.value, ())
