"""Definitions of YD/T 1363 devices (config/devices/ydt1363/*.yaml): reads, and how their answers are walked.

Each read has one or more layouts: walks over INFO, step by step, tried in order; the first that ends exactly where INFO
ends is the device's.
"""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from config.schema import Timeout
from model.point import Severity, State
from model.quantity import Kind, Quantity
from wire.ydt1363 import READS

Byte = Annotated[int, Meta(ge=0, le=255)]

ALARM_BYTE: Final = {
    0x00: State("normal"),
    0x01: State("below_limit", Severity.WARNING),
    0x02: State("above_limit", Severity.WARNING),
    0x03: State("phase_missing", Severity.CRITICAL),
    0x04: State("fuse_blown", Severity.CRITICAL),
    0x05: State("switch_open", Severity.CRITICAL),
    0xF0: State("fault", Severity.CRITICAL),
}
"""The codes of YD/T 1363.3 for one alarm byte; a definition's own `states` come before them."""


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """What a number in INFO means: value = raw * scale + offset, or the state that a code stands for."""

    quantity: Quantity | None = None
    label: str = ""
    index: dict[str, str] = {}
    scale: float = 1.0
    offset: float = 0.0
    absent: int | None = None
    states: dict[int, State] = {}
    preferred: bool = True

    def of(self, raw: float | None) -> float | str | None:
        """Return the value of a raw number; a code without a name keeps its number (`code_85`, hexadecimal)."""
        if raw is None or (self.absent is not None and raw == self.absent):
            return None
        if self.quantity is not None and self.quantity.kind is Kind.STATE:
            state = self.states.get(int(raw))
            return state.name if state else f"code_{int(raw):02x}"
        return round(raw * self.scale + self.offset, 6)

    def named_states(self) -> tuple[State, ...]:
        """Return the states of the point, each name once."""
        return tuple({state.name: state for state in self.states.values()}.values())


class Step(Value, frozen=True, kw_only=True):
    """One step of a walk over INFO.

    flag: DATAFLAG, 1 byte. float: 4 bytes. fixed: `length` bytes, `signed`. byte: a code or small number. alarm: a
    byte with the standard's alarm codes. skip: `length` bytes. group: a count byte, then `walk` that many times, each
    with the index `each` (written from instance `indexed_from` on). items: the count byte p of user-defined items, then
    p items of `length` bytes, of which `walk` names the first ones. A byte with `equals` tells layouts apart.
    """

    take: Literal["flag", "float", "fixed", "byte", "alarm", "skip", "group", "items"]
    order: Literal["big", "little"] = "little"
    length: Annotated[int, Meta(ge=1, le=255)] = 2
    signed: bool = True
    equals: Byte | None = None
    each: str = ""
    indexed_from: Annotated[int, Meta(ge=1, le=2)] = 1
    most: Byte = 64
    walk: tuple["Step", ...] = ()

    def __post_init__(self) -> None:
        if self.take in {"flag", "skip"} and self.quantity:
            raise ValueError(f"a {self.take} has no quantity")
        if self.take in {"group", "items"}:
            if self.take == "group" and not (self.walk and self.each):
                raise ValueError("a group needs each: (the name of its index) and walk: (its steps)")
            if self.quantity:
                raise ValueError(f"a {self.take} has no quantity of its own; its steps have")
        elif self.walk:
            raise ValueError(f"a {self.take} has no walk; only group and items have")
        if self.take == "alarm":
            msgspec.structs.force_setattr(self, "states", {**ALARM_BYTE, **self.states})
        _check_meaning(self, needed=self.take == "alarm")


class Layout(msgspec.Struct, frozen=True):
    """One way to walk an answer's INFO."""

    name: str
    walk: tuple[Step, ...]


class YdtRead(msgspec.Struct, frozen=True, kw_only=True):
    """One exchange: class, command, INFO of the request as hexadecimal text (ADR stands for the address), layouts."""

    name: str
    cid1: Byte
    command: Byte
    info: Annotated[str, Meta(pattern=r"([0-9A-F]{2}|ADR)*")] = ""
    layouts: Annotated[tuple[Layout, ...], Meta(min_length=1)]

    def __post_init__(self) -> None:
        if self.command not in READS:
            allowed = ", ".join(f"0x{each:02X}" for each in READS)
            raise ValueError(f"command 0x{self.command:02X} is not a read; write one of {allowed}")

    @property
    def clears_flags(self) -> bool:
        """True for states and alarms: reading them clears the DATAFLAG bits that another master may wait for."""
        return self.command in {0x43, 0x44}


class YdtDefinition(msgspec.Struct, frozen=True, kw_only=True, tag_field="protocol", tag="ydt1363"):
    """A YD/T 1363 device: the reads of one address, in the order in which they are asked (alarms first)."""

    name: str
    maker: str = ""
    source: str
    notes: str = ""
    ver: Byte = 0x20
    timeout: Timeout | None = None
    reads: Annotated[tuple[YdtRead, ...], Meta(min_length=1)]


def _check_meaning(value: Value, *, needed: bool) -> None:
    if value.quantity is None:
        if needed:
            raise ValueError('the key "quantity" is missing')
        return
    if value.quantity.kind is Kind.STATE and not value.states:
        raise ValueError(f"{value.quantity} is a state; states: says what each code means")
    if value.quantity.kind is not Kind.STATE and value.states:
        raise ValueError(f"{value.quantity} is a number; it has no states")
