"""The three devices on the line, each a table from the room's snapshot to its protocol."""

import struct
from collections.abc import Callable

from simulator.battery import BLOCKS
from simulator.bus import LineDevice
from simulator.modbus import HOLDING, INPUT, ModbusSlave
from simulator.plant import Snapshot
from simulator.ydt import ALARMS, ANALOG, STATES, YdtSlave, number

Read = Callable[[], Snapshot]

RECTIFIER, BATTERY, METER = "rectifier", "battery", "meter"
RECTIFIER_ADDRESS, BATTERY_UNIT, METER_UNIT = 1, 2, 3
_AC, _MODULES, _DC = 0x40, 0x41, 0x42
_NOT_AVAILABLE = 0x8000
_POWER_FACTOR = 0.98


def devices(read: Read) -> tuple[LineDevice, ...]:
    """Return the rectifier plant, the battery monitor and the meter."""
    return (rectifier(read), battery_monitor(read), meter(read))


def rectifier(read: Read, name: str = RECTIFIER, address: int = RECTIFIER_ADDRESS) -> YdtSlave:
    """Return the rectifier plant: AC distribution 40H, modules 41H and DC distribution 42H at one address."""
    maker = b"SIMPLANT48".ljust(10) + bytes([1, 0]) + b"ROUNDSMAN SIMULATOR".ljust(20)
    bodies = {
        (_AC, ANALOG): lambda: _ac_values(read()),
        (_AC, ALARMS): lambda: _ac_alarms(read()),
        (_MODULES, ANALOG): lambda: _module_values(read()),
        (_MODULES, STATES): lambda: _module_states(read()),
        (_MODULES, ALARMS): lambda: _module_alarms(read()),
        (_DC, ANALOG): lambda: _dc_values(read()),
    }
    return YdtSlave(name, address, bodies, maker)


def _ac_values(room: Snapshot) -> bytes:
    """Return one input: Va, Vb, Vc, frequency, no items of the user's, Ia, Ib, Ic."""
    values = b"".join(number(v) for v in (*room.mains_volts, room.mains_hertz))
    return b"\x01" + values + b"\x00" + b"".join(number(a) for a in room.mains_amps)


def _ac_alarms(room: Snapshot) -> bytes:
    """Return one screen, one input: volts and hertz (01: below the lower limit), no fuses, no items, currents."""
    below = 0 if room.mains else 1
    return bytes([1, 1, below, below, below, below, 0, 0, 0, 0, 0])


def _module_values(room: Snapshot) -> bytes:
    modules = b"".join(number(m.amps) + b"\x01" + number(m.celsius) for m in room.modules)
    return number(room.bus_volts) + bytes([len(room.modules)]) + modules


def _module_states(room: Snapshot) -> bytes:
    """Return per module: 00 on or 01 off, 01 not limiting, 00 float, no items."""
    return bytes([len(room.modules)]) + b"".join(bytes([0 if m.on else 1, 1, 0, 0]) for m in room.modules)


def _module_alarms(room: Snapshot) -> bytes:
    return bytes([len(room.modules)]) + b"".join(bytes([1 if m.faulty else 0, 0]) for m in room.modules)


def _dc_values(room: Snapshot) -> bytes:
    """Return one screen: voltage, total load current, one battery's current, no branches, no items."""
    return b"\x01" + number(room.bus_volts) + number(room.load_amps) + b"\x01" + number(room.battery_amps) + b"\x00\x00"


def battery_monitor(read: Read) -> ModbusSlave:
    """Return the battery monitor: holding registers from 0, 8000H where a sensor is dead."""
    return ModbusSlave(BATTERY, BATTERY_UNIT, {HOLDING: lambda: battery_registers(read())})


def battery_registers(room: Snapshot) -> list[int]:
    """Return 0.1 V, 0.1 A (s16, + charging), 0.1 degC (s16), 0.1 %, blocks, reserved to 15, then mV of each block."""
    celsius = _NOT_AVAILABLE if room.battery_celsius is None else round(room.battery_celsius * 10) & 0xFFFF
    head = [
        round(room.bus_volts * 10),
        round(room.battery_amps * 10) & 0xFFFF,
        celsius,
        round(room.battery_charge * 1000),
        BLOCKS,
    ]
    return head + [0] * (16 - len(head)) + [round(volts * 1000) for volts in room.block_volts]


def meter(read: Read) -> ModbusSlave:
    """Return the meter on the incoming mains (its own supply comes from the UPS): input registers, 80 a request."""
    return ModbusSlave(METER, METER_UNIT, {INPUT: lambda: meter_registers(read())}, longest=80)


def meter_registers(room: Snapshot) -> list[int]:
    """Return the Eastron SDM630's input registers 0000H..0157H: float32, high word first; 0 where it has no value.

    From 0000H by phase: volts, amps, watts, volt-amps, vars, power factor; then totals, hertz and kilowatt-hours.
    """
    apparent = [volts * amps for volts, amps in zip(room.mains_volts, room.mains_amps, strict=True)]
    active = [va * _POWER_FACTOR for va in apparent]
    reactive = [va * (1.0 - _POWER_FACTOR**2) ** 0.5 for va in apparent]
    factor = _POWER_FACTOR if room.mains else 0.0
    values = {
        0x0000: (*room.mains_volts, *room.mains_amps, *active, *apparent, *reactive, factor, factor, factor),
        0x002A: (sum(room.mains_volts) / 3,),
        0x002E: (sum(room.mains_amps) / 3, sum(room.mains_amps)),
        0x0034: (sum(active),),
        0x0038: (sum(apparent),),
        0x003C: (sum(reactive), factor),
        0x0046: (room.mains_hertz, room.energy_kwh),
        0x0156: (room.energy_kwh,),
    }
    registers = [0] * 0x0158
    for address, floats in values.items():
        words = struct.unpack(f">{2 * len(floats)}H", struct.pack(f">{len(floats)}f", *floats))
        registers[address : address + len(words)] = words
    return registers
