"""What the parts of a Modbus definition must agree on: points of their own, reads that can be made."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from collectors.line.modbus_parts import MOST_BITS
from model.point import point_id

if TYPE_CHECKING:
    from collectors.line.modbus_definition import ModbusDefinition, Register


def check(definition: "ModbusDefinition") -> None:
    """Raise ValueError with what could never work."""
    holders: dict[str, list[Register]] = {}
    for register in definition.registers:
        for name in _points(register):
            holders.setdefault(name, []).append(register)
        _reachable(register, definition)
    for name, same in holders.items():
        if len(same) > 1 and not all(each.when for each in same):  # else each is there under a condition of its own
            places = " and ".join(str(each.register) for each in same)
            raise ValueError(f"registers {places} are both {name}; give each an index, as index: {{phase: 1}}")
    inputs = definition.inputs
    if inputs is not None and inputs.function in {3, 4} and inputs.count > 16:
        raise ValueError(f"inputs: a register has 16 bits; count is {inputs.count}")
    for first, last in definition.reserved:
        if first > last:
            raise ValueError(f"reserved: no register lies in this span; write the least first: [{last}, {first}]")


def _points(register: "Register") -> Iterator[str]:
    """The ids of the points that a register is surely."""
    if register.repeat is not None:
        return
    if register.quantity is not None:
        yield point_id(register.quantity, tuple(register.index.items()))
    for bit in register.bits.values():
        yield point_id(bit.quantity, tuple((register.index | bit.at).items()))


def _reachable(register: "Register", definition: "ModbusDefinition") -> None:
    spans = [(register.register, register.width), *((fact.register, fact.width) for fact in register.facts)]
    longest = definition.longest if register.function in {3, 4} else max(definition.longest, MOST_BITS)
    for start, width in spans:
        if width > longest:
            raise ValueError(f"register {start}: its {width} registers are more than longest, {longest}")
        if start + width > 0x10000:
            raise ValueError(f"register {start}: its {width} registers end beyond 65535")
        if any(first < start + width and start <= last for first, last in definition.reserved):
            raise ValueError(f"register {start} lies in a reserved span")
