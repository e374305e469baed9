"""Devices for a line of your own: Modbus slaves whose registers tell who they are, and power plants by YD/T 1363."""

import time
from collections.abc import Callable
from functools import partial

from simulator import line_devices
from simulator.modbus import COILS, DISCRETE, HOLDING, INPUT, ModbusSlave, Registers
from simulator.plant import Plant, Snapshot
from simulator.ydt import YdtSlave

REGISTERS = 256
VERSION = "1.0"


def register(unit: int, address: int) -> int:
    """Return what register `address` of a plain slave holds: its unit in the high byte, the address in the low one."""
    return unit << 8 | address & 0xFF


def plain(unit: int, name: str = "", registers: int = REGISTERS) -> ModbusSlave:
    """Return a Modbus slave with so many holding registers, input registers, coils and discrete inputs.

    Holding and input registers tell unit and address (`register`), so that nobody can take one for another's; a coil or
    discrete input is 1 where its address is odd.
    """
    words = [register(unit, address) for address in range(registers)]
    bits = [address & 1 for address in range(registers)]
    tables: dict[int, Registers] = {function: partial(list, words) for function in (HOLDING, INPUT)}
    tables |= {function: partial(list, bits) for function in (COILS, DISCRETE)}
    identity = ("Roundsman", "plain slave", VERSION)
    return ModbusSlave(name or f"modbus-{unit}", unit, tables, identity=identity)


def plant(address: int, name: str = "", now: Callable[[], float] = time.monotonic) -> YdtSlave:
    """Return a power plant of the simulated room at an address: AC 40H, rectifiers 41H, DC 42H."""
    room = Plant(seed=address)
    began = now()

    def read() -> Snapshot:
        return room.snapshot(now() - began)

    return line_devices.rectifier(read, name or f"ydt-{address}", address)
