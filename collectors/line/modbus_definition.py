"""The definition of a Modbus device: a table of registers (config/devices/modbus/*.yaml).

docs/devices.md tells how to write one, key by key, and config/devices/modbus.schema.json tells an editor. In short:

    protocol: modbus
    name: Acme meter 3
    maker: Acme
    source: "Acme 3 manual, revision 1.2, chapter 7"
    function: 4                    # of every register that says nothing else, and so are type and order
    type: float32
    order: ABCD                    # the octets of numbers, the highest first
    absent: [0x8000]               # raw numbers that mean "not available", where a register says nothing else
    unfitted: [0xFFFF]             # those that mean that the device does not have it at all: no point, then
    sentinels: {s16: {absent: [0x7FFF]}}      # both for one type, besides
    longest: 80                    # registers that one read may ask for
    reserved: [[0x20, 0x2F]]       # registers that no read may touch
    identify: [{register: 0x46, type: float32, above: 45, below: 65}]
    registers: [{register: 0, type: float32, quantity: mains.voltage, index: {phase: "1"}, label: Voltage}]

Register numbers are those of the request, counted from 0: 40001 of a manual is `function: 3, register: 0`.
"""

import re
from collections.abc import Iterator
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta

from collectors.line.meaning import Number, Value, check_meaning
from collectors.line.modbus_checks import check
from collectors.line.modbus_parts import MOST_BITS, Address, Bit, Function, Inputs, Parts, Repeat, Sentinels
from collectors.line.registers import WIDTHS, Order, Type, number
from config.advice import nearest
from config.scalars import Form
from config.schema import Timeout
from model.point import State
from wire.modbus import LONGEST


def _regex(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f'"{text}" is no regular expression: {error}') from None
    return text


Regex = Annotated[str, Form(_regex, "Acme.*")]


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a number stands: `register` is the address in the request, counted from 0.

    `mask` are the bits of it that count, moved down to bit 0; a signed type has its sign in the highest of them. Of
    functions 1 and 2 a number is one bit.
    """

    register: Address
    type: Type | None = None
    function: Function | None = None
    order: Order | None = None
    mask: Annotated[int, Meta(ge=0)] = 0

    @property
    def width(self) -> int:
        """Registers, or bits of functions 1 and 2, from its address on."""
        return 1 if self.function in {1, 2} else WIDTHS[self.type or "u16"]

    def number(self, words: tuple[int, ...]) -> float | None:
        """Return the number in its registers (or the bit); None where they hold none, such as NaN."""
        if self.function in {1, 2}:
            return float(words[0])
        return number(words, self.type or "u16", self.order or "ABCD", self.mask)


class When(Place, frozen=True, kw_only=True):
    """What that number must be: one of `is`, none of `is_not`, `above`, `below`."""

    is_: tuple[Number, ...] = msgspec.field(default=(), name="is")
    is_not: tuple[Number, ...] = ()
    above: Number | None = None
    below: Number | None = None

    def __post_init__(self) -> None:
        if not (self.is_ or self.is_not) and self.above is None and self.below is None:
            raise ValueError("write what the number must be: is, is_not, above or below")

    def holds(self, found: float | None) -> bool:
        """Tell whether a number fits; what is no number never does."""
        return (
            found is not None
            and (not self.is_ or found in self.is_)
            and found not in self.is_not
            and (self.above is None or found > self.above)
            and (self.below is None or found < self.below)
        )


class DeviceId(msgspec.Struct, frozen=True):
    """What function 43/14 must say, as regular expressions of the whole text."""

    vendor: Regex = ".*"
    product: Regex = ".*"

    def holds(self, vendor: str, product: str) -> bool:
        """Tell whether both texts fit."""
        return bool(re.fullmatch(self.vendor, vendor) and re.fullmatch(self.product, product))


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that must hold for a device to be recognised: what a number is, scaled, or what it says it is.

    `equals` are the numbers it may be; `above` and `below` what it must be more, and less, than.
    """

    register: Address | None = None
    type: Type | None = None
    function: Function | None = None
    order: Order | None = None
    mask: Annotated[int, Meta(ge=0)] = 0
    scale: float = 1.0
    equals: tuple[Number, ...] = ()
    above: Number | None = None
    below: Number | None = None
    device_id: DeviceId | None = None

    def __post_init__(self) -> None:
        if (self.register is None) == (self.device_id is None):
            raise ValueError("write either register or device_id")
        if self.register is not None and not self.equals and self.above is None and self.below is None:
            raise ValueError("write what the number must be: equals, above or below")

    @property
    def place(self) -> Place:
        """Where its number stands. Raises ValueError for a device_id."""
        if self.register is None:
            raise ValueError("a device_id stands in no register")
        return Place(register=self.register, type=self.type, function=self.function, order=self.order, mask=self.mask)

    def holds(self, words: tuple[int, ...]) -> bool:
        """Tell whether the number in these registers fits."""
        raw = self.place.number(words)
        if raw is None:
            return False
        found = raw if self.scale == 1 else raw * self.scale  # 64 bits stay whole
        return (
            (not self.equals or found in self.equals)
            and (self.above is None or found > self.above)
            and (self.below is None or found < self.below)
        )


class Scaling(Place, frozen=True, kw_only=True):
    """A number n of the device's that scales another: power 10^n, digits 10^-n, factor n, divisor 1/n."""

    as_: Literal["power", "digits", "factor", "divisor"] = msgspec.field(default="power", name="as")

    def factor(self, n: float | None) -> float | None:
        """Return what to multiply by; None where n says nothing."""
        if n is None or (self.as_ in {"power", "digits"} and abs(n) > 12) or (self.as_ == "divisor" and n == 0):
            return None
        return {"power": 10.0**n, "digits": 10.0**-n}[self.as_] if self.as_ in {"power", "digits"} else self._plain(n)

    def _plain(self, n: float) -> float:
        return n if self.as_ == "factor" else 1 / n


class Register(Value, frozen=True, kw_only=True):
    """One value of a Modbus device, or with `bits` several: a state for each bit.

    `when` says whether it is there at all, and it counts only `while` another number says so. `unfitted` are raw
    numbers that say that the device does not have it: it is no point then, unless it had a value before.
    """

    register: Address
    type: Type | None = None
    function: Function | None = None
    order: Order | None = None
    mask: Annotated[int, Meta(ge=0)] = 0
    repeat: Repeat | None = None
    scale_from: Scaling | None = None
    enumeration: str = ""
    unfitted: tuple[Number, ...] = ()
    parts: Parts | None = None
    bits: dict[int, Bit] = msgspec.field(default_factory=dict)
    when: tuple[When, ...] = ()
    while_: When | None = msgspec.field(default=None, name="while")

    def __post_init__(self) -> None:
        if self.bits:
            if self.quantity or self.states or self.zero or self.enumeration:
                raise ValueError("bits have quantities and states of their own; leave quantity, states and zero out")
            if min(self.bits) < 0 or max(self.bits) >= MOST_BITS:
                raise ValueError(f"a bit has a number from 0 to {MOST_BITS - 1}; bit 0 is worth 1")
            return
        if self.enumeration and (self.states or self.zero or not self.is_state):
            raise ValueError("an enumeration stands for the states of a state; leave states, zero and nonzero out")
        if not self.enumeration:
            check_meaning(self)

    @property
    def place(self) -> Place:
        """Where its number stands (the first, if it is repeated)."""
        return Place(register=self.register, type=self.type, function=self.function, order=self.order, mask=self.mask)

    @property
    def width(self) -> int:
        """Registers, or bits of functions 1 and 2, from its address on."""
        if self.function in {1, 2}:
            return max(self.bits, default=0) + 1
        return WIDTHS[self.type or "u16"]

    def raw(self, words: tuple[int, ...]) -> float | None:
        """Return the number in its registers; of functions 1 and 2 its bits, the first worth 1."""
        if self.function in {1, 2}:
            return sum(bit << at for at, bit in enumerate(words))
        return self.place.number(words)

    @property
    def facts(self) -> Iterator[Place]:
        """The numbers of the device that decide whether it is there, whether it counts and how it is scaled."""
        yield from self.when
        if self.while_ is not None:
            yield self.while_
        if self.scale_from is not None:
            yield self.scale_from
        if self.repeat is not None and self.repeat.count is not None:
            yield Place(register=self.repeat.count, function=self.function)


P = TypeVar("P", Probe, When, Scaling)


class ModbusDefinition(msgspec.Struct, frozen=True, kw_only=True, tag_field="protocol", tag="modbus"):
    """A Modbus device. `longest` is the most registers one read may ask for, `reserved` are spans none may touch.

    `identify` are probes that must all hold for a device to be taken for one of these. Each part has its `function`,
    `type` and `order` filled in from the definition's.
    """

    name: str
    maker: str = ""
    source: str
    notes: str = ""
    function: Function = 3
    type: Type = "u16"
    order: Order = "ABCD"
    absent: tuple[Number, ...] = ()
    unfitted: tuple[Number, ...] = ()
    sentinels: dict[Type, Sentinels] = {}
    enumerations: dict[str, dict[int, State]] = {}
    longest: Annotated[int, Meta(ge=1, le=2000)] = 125
    timeout: Timeout | None = None
    reserved: tuple[tuple[int, int], ...] = ()
    identify: tuple[Probe, ...] = ()
    inputs: Inputs | None = None
    registers: tuple[Register, ...] = ()

    def __post_init__(self) -> None:
        if self.longest > LONGEST[self.function]:
            raise ValueError(
                f"longest is {self.longest}; function {self.function} reads at most {LONGEST[self.function]}"
            )
        msgspec.structs.force_setattr(self, "identify", tuple(map(self._filled, self.identify)))
        msgspec.structs.force_setattr(self, "registers", tuple(map(self._whole, self._apart())))
        if self.inputs is not None:
            filled = msgspec.structs.replace(self.inputs, function=self.inputs.function or self.function)
            msgspec.structs.force_setattr(self, "inputs", filled)
        check(self)

    def _filled(self, place: P) -> P:
        return msgspec.structs.replace(
            place,
            function=place.function or self.function,
            type=place.type or self.type,
            order=place.order or self.order,
        )

    def _apart(self) -> Iterator[Register]:
        """Return each register, and each part of one that has parts."""
        for register in self.registers:
            if register.parts is None:
                yield register
                continue
            bits, names = register.parts.bits, register.parts.names
            for nth, name in enumerate(names):
                place, part = divmod(nth * bits, 16)
                yield msgspec.structs.replace(
                    register,
                    register=register.register + place,
                    mask=((1 << bits) - 1) << (16 - bits - part),
                    index={**register.index, "alarm": name},
                    label=name.replace("_", " ").capitalize(),
                    parts=None,
                )

    def _whole(self, register: Register) -> Register:
        states = register.states
        if register.enumeration:
            if register.enumeration not in self.enumerations:
                known = nearest(register.enumeration, self.enumerations)
                raise ValueError(f'there is no enumeration "{register.enumeration}" here; {known}')
            states = self.enumerations[register.enumeration]
        kind = register.type or self.type
        sentinels = self.sentinels.get(kind, Sentinels())
        listed = {float(code) for code in states} | ({0.0} if register.zero or register.bits else set())
        return msgspec.structs.replace(
            register,
            function=register.function or self.function,
            type=kind,
            order=register.order or self.order,
            states=states,
            enumeration="",
            absent=_signed(kind, register.absent or self.absent + sentinels.absent, listed),
            unfitted=_signed(kind, register.unfitted or self.unfitted + sentinels.unfitted, listed),
            when=tuple(map(self._filled, register.when)),
            while_=self._filled(register.while_) if register.while_ else None,
            scale_from=self._filled(register.scale_from) if register.scale_from else None,
        )


def _signed(kind: Type, numbers: tuple[float, ...], listed: set[float]) -> tuple[float, ...]:
    """Return sentinels as this type has them, 0x8000 of s16 as -32768 too; those that are states are none."""
    bits = WIDTHS[kind] * 16
    both = (*numbers, *(each - (1 << bits) for each in numbers if kind[0] == "s" and each >= 1 << (bits - 1)))
    return tuple(each for each in both if each not in listed)
