"""Device definitions: what hangs on a line, as YAML (config/devices/modbus/*.yaml, config/devices/ydt1363/*.yaml).

A Modbus device is a table of registers. A YD/T 1363 device (`ydt_definition`) is a list of reads, each with layouts:
walks over INFO. `timeout` is for devices that are slower than what the site file gives its line.
"""

from functools import cache
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from collectors.line.ydt_definition import YdtDefinition
from config.reader import Node, convert
from config.schema import Timeout
from config.shipped import read_shipped
from model.point import Severity, State
from model.quantity import Quantity
from wire.modbus import LONGEST

Number = Literal["u16", "s16", "u32", "s32", "u64", "s64", "float32", "bit"]
WIDTHS: Final[dict[Number, int]] = {
    "u16": 1,
    "s16": 1,
    "u32": 2,
    "s32": 2,
    "u64": 4,
    "s64": 4,
    "float32": 2,
    "bit": 1,
}
"""Registers that a number takes; a bit of functions 1 and 2 takes one place, of 3 and 4 one register."""

Byte = Annotated[int, Meta(ge=0, le=255)]
Address = Annotated[int, Meta(ge=0, le=65535)]


class Code(msgspec.Struct, frozen=True):
    """What one raw code means: the state's name, and how bad its maker says it is."""

    name: str
    severity: Severity = Severity.OK


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """What a number on the line means: value = raw * scale + offset, or the state that a code stands for."""

    quantity: Quantity | None = None
    label: str = ""
    index: dict[str, str] = {}
    scale: float = 1.0
    offset: float = 0.0
    absent: int | None = None
    states: dict[int, Code] = {}
    preferred: bool = True

    def of(self, raw: float | None) -> float | str | None:
        """Return the value of a raw number; a code without a name keeps its number (`code_85`, hexadecimal)."""
        if raw is None or (self.absent is not None and raw == self.absent):
            return None
        if self.quantity is not None and self.quantity.value in _STATED:
            code = self.states.get(int(raw))
            return code.name if code else f"code_{int(raw):02x}"
        return round(raw * self.scale + self.offset, 6)

    def named_states(self) -> tuple[State, ...]:
        """Return the states of the point, each name once."""
        return tuple({code.name: State(code.name, code.severity) for code in self.states.values()}.values())


_STATED: Final = frozenset(each.value for each in Quantity if each.kind == "state")


class Repeat(msgspec.Struct, frozen=True):
    """The same value several times in a row: as often as the register `count` says, never more than `most`."""

    count: Address
    most: Annotated[int, Meta(ge=1, le=1000)]
    index: str


class Register(Value, frozen=True, kw_only=True):
    """One value of a Modbus device: `register` is the address in the request, counted from 0."""

    register: Address
    type: Number = "u16"
    function: Literal[1, 2, 3, 4] | None = None
    order: Literal["big", "little"] | None = None
    bit: Annotated[int, Meta(ge=0, le=15)] | None = None
    repeat: Repeat | None = None

    def __post_init__(self) -> None:
        _check_meaning(self, needed=True)

    @property
    def width(self) -> int:
        """Registers (or bits) from its address on."""
        return WIDTHS[self.type]


class ModbusDefinition(msgspec.Struct, frozen=True, kw_only=True, tag_field="protocol", tag="modbus"):
    """A Modbus device. `longest` is the most registers one read may ask for, `reserved` are spans none may touch."""

    name: str
    maker: str = ""
    source: str
    notes: str = ""
    function: Literal[1, 2, 3, 4] = 3
    order: Literal["big", "little"] = "big"
    longest: Annotated[int, Meta(ge=1, le=2000)] = 125
    timeout: Timeout | None = None
    reserved: tuple[tuple[int, int], ...] = ()
    registers: Annotated[tuple[Register, ...], Meta(min_length=1)]

    def __post_init__(self) -> None:
        if self.longest > LONGEST[self.function]:
            raise ValueError(
                f"longest is {self.longest}; function {self.function} reads at most {LONGEST[self.function]}"
            )


Definition = ModbusDefinition | YdtDefinition


def _check_meaning(value: Value, *, needed: bool) -> None:
    if value.quantity is None:
        if needed:
            raise ValueError('the key "quantity" is missing')
        return
    if value.quantity.value in _STATED and not value.states:
        raise ValueError(f"{value.quantity} is a state; states: says what each code means")
    if value.quantity.value not in _STATED and value.states:
        raise ValueError(f"{value.quantity} is a number; it has no states")


def definition(node: Node) -> Definition:
    """Return the definition in a YAML file that was read. Raises ConfigError with every problem, each with its line."""
    return convert(node, Definition)  # type: ignore[arg-type]  # a union of structs, told apart by `protocol`


@cache
def shipped(name: str) -> Definition:
    """Return the shipped definition of that name (`eastron-sdm630`); KeyError when there is none."""
    return definition(read_shipped("devices", name))
