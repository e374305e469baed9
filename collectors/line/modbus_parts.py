"""Parts of a Modbus definition: what is repeated, bits and parts of registers, contact inputs, sentinels."""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from collectors.line.meaning import Number
from model.point import Severity, State
from model.quantity import Quantity

Address = Annotated[int, Meta(ge=0, le=65535)]
Function = Literal[1, 2, 3, 4]
MOST_BITS: Final = 64


class Repeat(msgspec.Struct, frozen=True, kw_only=True):
    """The same value several times: `times`, or as often as the register `count` says, never more than `most`.

    `step` are the registers from one to the next, `first` the number that the first has in `index`.
    """

    index: str
    count: Address | None = None
    times: Annotated[int, Meta(ge=0, le=1000)] = 0
    most: Annotated[int, Meta(ge=1, le=1000)] = 1000
    step: Annotated[int, Meta(ge=0, le=1000)] = 0
    first: Annotated[int, Meta(ge=0, le=1)] = 1

    def __post_init__(self) -> None:
        if (self.count is None) == (not self.times):
            raise ValueError("write either times, how often, or count, the register that says it")


class Bit(msgspec.Struct, frozen=True, kw_only=True):
    """What one bit means while it is set (or, with `inverted`, while it is not). An alarm has a `name`, its index."""

    name: str = ""
    label: str = ""
    severity: Severity = Severity.WARNING
    quantity: Quantity = Quantity.ALARM_STATUS
    index: dict[str, str] = {}
    clear: str = "clear"
    active: str = "active"
    inverted: bool = False

    def __post_init__(self) -> None:
        if self.quantity is Quantity.ALARM_STATUS and not self.name:
            raise ValueError('the key "name" is missing; an alarm is known by it')
        for name in (self.clear, self.active):
            if self.quantity.states and name not in self.quantity.states:
                allowed = ", ".join(self.quantity.states)
                raise ValueError(f'"{name}" is no state of {self.quantity}; clear and active are of {allowed}')

    @property
    def at(self) -> dict[str, str]:
        """The index of its point."""
        return {**self.index, "alarm": self.name} if self.quantity is Quantity.ALARM_STATUS else self.index

    @property
    def states(self) -> tuple[State, ...]:
        """The two states of its point."""
        return (State(self.clear), State(self.active, self.severity))

    def of(self, is_set: bool) -> str:
        """Return the state for the bit."""
        return self.active if is_set is not self.inverted else self.clear


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """Equal parts of registers in a row, `bits` each, the highest of a register first: each is a value with a name."""

    bits: Literal[1, 2, 4, 8]
    names: tuple[str, ...]


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """Contacts whose meaning the site file gives: `count` bits, the first of them input 1.

    Bits of functions 1 and 2 from `register` on, or those of one register, its lowest first. `closed` is what a bit is
    while the contact is closed.
    """

    register: Address
    function: Function | None = None
    count: Annotated[int, Meta(ge=1, le=64)]
    closed: Literal[0, 1] = 1


class Sentinels(msgspec.Struct, frozen=True, kw_only=True):
    """Raw numbers of one type that mean "not available", and those that mean that the device does not have it."""

    absent: tuple[Number, ...] = ()
    unfitted: tuple[Number, ...] = ()
