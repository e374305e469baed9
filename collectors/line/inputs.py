"""A device's definition with what its site says of it: a file of the site's own, and what its contact inputs mean."""

from typing import Final

import msgspec

from collectors.line.definition import Definition, ModbusDefinition, named
from collectors.line.modbus_definition import Register
from collectors.line.modbus_parts import Bit, Inputs
from config.node import ConfigError, Problem
from config.schema import Input, LineDevice
from model.point import Severity
from model.quantity import Quantity

KINDS: Final = {
    "door": (Quantity.DOOR_STATUS, "closed", "open", Severity.WARNING),
    "smoke": (Quantity.SMOKE_STATUS, "clear", "smoke", Severity.CRITICAL),
    "leak": (Quantity.LEAK_STATUS, "dry", "wet", Severity.CRITICAL),
    "motion": (Quantity.MOTION_STATUS, "clear", "motion", Severity.WARNING),
    "mains": (Quantity.MAINS_STATUS, "normal", "failed", Severity.CRITICAL),
    "breaker": (Quantity.BREAKER_STATUS, "closed", "open", Severity.CRITICAL),
    "fuse": (Quantity.FUSE_STATUS, "normal", "blown", Severity.CRITICAL),
    "spd": (Quantity.SPD_STATUS, "normal", "fault", Severity.WARNING),
    "fan": (Quantity.FAN_STATUS, "normal", "fault", Severity.WARNING),
    "cooling": (Quantity.COOLING_STATUS, "running", "fault", Severity.CRITICAL),
    "rectifier": (Quantity.RECTIFIER_STATUS, "on", "fault", Severity.CRITICAL),
    "battery": (Quantity.BATTERY_STATUS, "normal", "fault", Severity.CRITICAL),
    "generator": (Quantity.GENERATOR_STATUS, "stopped", "running", Severity.OK),
    "contact": (Quantity.CONTACT_STATUS, "normal", "alarm", Severity.WARNING),
    "switch": (Quantity.DEVICE_STATUS, "open", "closed", Severity.OK),
}
"""What an input may be: what it says, its state while all is well, its other state, and how bad that is."""


def definition_of(device: LineDevice) -> Definition:
    """Return the definition of a device of the site. Raises ConfigError for a file or inputs that cannot be."""
    try:
        found = named(device.definition)
    except KeyError:
        raise _problem(device, f'there is no definition "{device.definition}"') from None
    if found.__struct_config__.tag != device.protocol:
        raise _problem(device, f"{device.definition} speaks {found.__struct_config__.tag}, not {device.protocol}")
    if not isinstance(found, ModbusDefinition) or found.inputs is None:
        if device.inputs:
            raise _problem(device, f"{device.definition} has no contact inputs; leave inputs out")
        return found
    beyond = max(device.inputs, default=0)
    if beyond > found.inputs.count:
        raise _problem(device, f"there is no input {beyond}; {device.definition} has {found.inputs.count}")
    return with_inputs(found, found.inputs, device.inputs)


def with_inputs(definition: ModbusDefinition, inputs: Inputs, meant: dict[int, Input]) -> ModbusDefinition:
    """Return a definition whose inputs have become states; one that nobody gave a meaning is a switch."""
    plain = Input(is_="switch")
    bits = {number - 1: _bit(number, meant.get(number, plain), inputs) for number in range(1, inputs.count + 1)}
    states = Register(register=inputs.register, function=inputs.function, type="u16", bits=bits)
    return msgspec.structs.replace(definition, inputs=None, registers=(*definition.registers, states))


def _bit(number: int, meant: Input, inputs: Inputs) -> Bit:
    quantity, clear, active, severity = KINDS[meant.is_]
    normally_open = meant.normally in {"open", None}
    return Bit(
        label=meant.name or f"Input {number}",
        severity=severity,
        quantity=quantity,
        index={"input": str(number)},
        clear=clear,
        active=active,
        inverted=(inputs.closed == 1) is not normally_open,
    )


def _problem(device: LineDevice, message: str) -> ConfigError:
    return ConfigError([Problem("site file", 0, 0, f"lines: {device.id}", message)])
