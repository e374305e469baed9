"""One step of a walk over INFO of a YD/T 1363 answer: how many bytes it takes, and what they mean."""

from functools import cached_property
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from model.maker_unit import conversion
from model.point import Severity, State
from model.quantity import Kind, Quantity

Byte = Annotated[int, Meta(ge=0, le=255)]
Index = dict[str, str]

NORMAL: Final = State("normal")
ALARM_BYTE: Final = {
    0x00: NORMAL,
    0x01: State("below_limit", Severity.WARNING),
    0x02: State("above_limit", Severity.WARNING),
    0x03: State("phase_missing", Severity.CRITICAL),
    0x04: State("fuse_blown", Severity.CRITICAL),
    0x05: State("switch_open", Severity.CRITICAL),
    0xF0: State("fault", Severity.CRITICAL),
}
"""The codes of YD/T 1363.3 for one alarm byte; a definition's own `states` come before them."""
MAKERS_OWN: Final = range(0x80, 0xF0)
"""Codes of an alarm byte that every maker uses as he likes; what a definition does not name stands for F0H."""

SANE: Final = {
    "voltage": (-1500.0, 1500.0),
    "line_voltage": (0.0, 1500.0),
    "current": (-20_000.0, 20_000.0),
    "power": (-10_000_000.0, 10_000_000.0),
    "apparent_power": (0.0, 10_000_000.0),
    "frequency": (0.0, 500.0),
    "temperature": (-60.0, 150.0),
    "humidity": (0.0, 100.0),
    "charge": (0.0, 100.0),
    "health": (0.0, 110.0),
    "load": (0.0, 300.0),
    "capacity": (0.0, 100_000.0),
}
"""The least and most of a measure, in its unit, that any device of this kind has: beyond is noise or a wrong layout."""
LEAST_FLOAT: Final = 1e-6
"""A number of 4 bytes nearer to nothing than this, and yet not 0, was read in the wrong order of bytes."""

DECIMALS: Final = 9


class Meaning(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """What a number in INFO means: (raw * scale + offset) in `unit`, or the state that a code stands for.

    Without a quantity it is no reading; `label` names it where a frame is taken apart. `absent` are raw numbers that
    mean "not available"; beyond `range` (of the value) or of what is `SANE` it is no value either, and doubtful, unless
    it is `unsure` that this is meant at all.
    """

    quantity: Quantity | None = None
    label: str = ""
    index: Index = {}
    unit: str = ""
    scale: float = 1.0
    offset: float = 0.0
    absent: tuple[int, ...] = ()
    range: tuple[float, float] | None = None
    states: dict[int, State] = {}
    preferred: bool = True
    unsure: bool = False

    def __post_init__(self) -> None:
        """Refuse what does not fit together."""
        if self.quantity is None:
            return
        conversion(self.quantity, self.unit)
        if self.is_state and not self.states:
            raise ValueError(f"{self.quantity} is a state; states: says what each code means")
        if not self.is_state and self.states:
            raise ValueError(f"{self.quantity} is a number; it has no states")
        for state in self.states.values():
            if self.quantity.states and state.name not in self.quantity.states:
                known = ", ".join(self.quantity.states)
                raise ValueError(f'"{state.name}" is no state of {self.quantity}; write one of {known}')

    @cached_property
    def is_state(self) -> bool:
        """True where its values are states."""
        return bool(self.states) if self.quantity is None else self.quantity.kind is Kind.STATE

    @cached_property
    def _named(self) -> tuple[State, ...]:
        return tuple({state.name: state for state in self.states.values()}.values())

    def named_states(self) -> tuple[State, ...]:
        """Return the states of the point, each name once."""
        return self._named

    @cached_property
    def _linear(self) -> tuple[float, float, float, float]:
        """Factor and summand from the raw number to the quantity's unit, and the least and most it can be."""
        factor, added = conversion(self.quantity, self.unit) if self.quantity else (1.0, 0.0)
        least, most = self.range or SANE.get(self.quantity.measure if self.quantity else "", (-1e30, 1e30))
        return self.scale * factor, self.offset * factor + added, least, most

    def of(self, raw: float | None) -> float | str | None:
        """Return the value of a raw number; None where there is none, or no believable one."""
        if raw is None or raw in self.absent:
            return None
        if self.is_state:
            state = self.states.get(int(raw))
            return state.name if state else None
        factor, added, least, most = self._linear
        value = round(raw * factor + added, DECIMALS)
        return value if least <= value <= most else None

    def doubts(self, raw: float | None) -> bool:
        """Tell whether a raw number is one that this cannot be: beyond its range, or a code that stands for nothing."""
        return not self.unsure and raw is not None and raw not in self.absent and self.of(raw) is None


class Bit(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """What one bit of a status byte means while it is set. An alarm needs its `name`, the index of its point."""

    name: str = ""
    label: str = ""
    quantity: Quantity = Quantity.ALARM_STATUS
    index: Index = {}
    clear: str = "clear"
    active: str = "active"
    severity: Severity = Severity.WARNING

    def __post_init__(self) -> None:
        """Refuse an alarm without a name, and states that the quantity does not have."""
        if self.quantity is Quantity.ALARM_STATUS and not self.name:
            raise ValueError("a bit that is an alarm needs a name:")
        _ = self.meaning

    @cached_property
    def meaning(self) -> Meaning:
        """It as two states of one point."""
        states = {0: State(self.clear), 1: State(self.active, self.severity)}
        index = {**self.index, "alarm": self.name} if self.name else self.index
        return Meaning(quantity=self.quantity, label=self.label or self.name, index=index, states=states)


class Masked(Meaning, frozen=True, kw_only=True):
    """A state that several bits of a status byte say together: the byte and `mask`, as it stands, is the code."""

    mask: Byte


Take = Literal["flag", "float", "fixed", "byte", "alarm", "bits", "text", "skip", "group", "items", "rest", "part"]
_BARE: Final = frozenset({"flag", "skip", "text", "bits", "group", "items", "rest", "part"})
"""Steps without a quantity of their own."""


class Step(Meaning, frozen=True, kw_only=True):
    """One step of a walk over INFO.

    flag: DATAFLAG, 1 byte. float: 4 bytes, low byte first unless `order` or the layout's says otherwise. fixed:
    `length` bytes, high byte first, `signed`. byte: a code or small number; with `equals` it tells layouts apart.
    alarm: a byte with the standard's alarm codes; `alarm_as` names one state for every alarm, `fault_as` for all but
    01 and 02. bits: a byte of which `bits` and `masks` say what each bit is. text, skip: `length` bytes. group: a count
    byte, then `walk` that many times, each with the index `each` (written from instance `indexed_from` on); instances
    in `others` have another walk; `least` to `most` of them. items: the count byte p of the maker's items, then p items
    of `length` bytes, of which `walk` names the first ones (with `each`: every one, but for `others`); `cases` are
    walks for a certain p as a whole. rest: what is left, by `walk` again and again, or up to `most` bytes skipped.
    part: a part of the definition, written once. `at` is the byte of INFO where a step stands, counted from 0.
    """

    take: Take
    order: Literal["big", "little"] | None = None
    length: Annotated[int, Meta(ge=1, le=255)] = 2
    signed: bool = True
    equals: Byte | None = None
    alarm_as: str = ""
    fault_as: str = ""
    optional: bool = False
    each: str = ""
    indexed_from: Annotated[int, Meta(ge=1, le=2)] = 1
    least: Byte = 0
    most: Byte = 64
    walk: tuple["Step", ...] = ()
    others: dict[int, tuple["Step", ...]] = {}
    cases: dict[int, tuple["Step", ...]] = {}
    bits: dict[Annotated[int, Meta(ge=0, le=7)], Bit] = {}
    masks: tuple[Masked, ...] = ()
    part: str = ""
    at: Annotated[int, Meta(ge=0, le=2047)] | None = None

    def __post_init__(self) -> None:
        """Refuse what does not fit together; give an alarm byte its codes."""
        self._check()
        if self.take == "alarm":
            msgspec.structs.force_setattr(self, "states", self._alarm_states())
        Meaning.__post_init__(self)

    def _check(self) -> None:
        if self.take in _BARE and self.quantity:
            raise ValueError(f"a {self.take} has no quantity of its own; its steps or bits have")
        if self.take == "group" and not (self.walk and self.each):
            raise ValueError("a group needs each: (the name of its index) and walk: (its steps)")
        if self.walk and self.take not in {"group", "items", "rest"}:
            raise ValueError(f"a {self.take} has no walk; only group, items and rest have")
        if self.take == "alarm" and self.quantity is None:
            raise ValueError('the key "quantity" is missing')
        if self.take == "rest" and self.walk and not self.each:
            raise ValueError("a rest that is walked needs each: (the name of its index)")
        if (self.take == "part") != bool(self.part):
            raise ValueError("a step that takes a part names it: {take: part, part: pack}")
        if self.optional and self.take not in {"flag", "items"}:
            raise ValueError(f"a {self.take} is always there; only flag and items can be optional")

    def _alarm_states(self) -> dict[int, State]:
        named = self.alarm_as or self.fault_as
        worst = State(named, Severity.CRITICAL) if named else ALARM_BYTE[0xF0]
        codes = dict(ALARM_BYTE)
        if named:
            codes |= {code: worst for code in codes if code > (0 if self.alarm_as else 2)}
        return {**codes, **dict.fromkeys(MAKERS_OWN, worst), **self.states}
