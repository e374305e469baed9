"""Device definitions: what the objects of an SNMP device mean, as tables in config/devices/snmp/*.yaml.

docs/devices.md tells how to write one, key by key, and config/devices/snmp.schema.json tells an editor.  In short:

    protocol: snmp
    name: UPS with the standard UPS-MIB
    maker: any
    source: "RFC 1628"                        # the document and where in it
    extends: NAME                             # all that NAME says, and what follows over it
    match: {sys_object_id: [OID], has: [OID]} # see `Match`
    identity: {maker: OID, model: OID, software: OID, serial: OID}
    absent: [-1, 65535]                       # numbers that mean "not available", where an object says nothing else
    enumerations: {monitor: {0: {...}}}       # states that many objects share, by a name: `enumeration: monitor`
    objects: [...]                            # single objects, with their .0
    tables: [...]                             # one point for each row and column
    alarms: {count: OID, column: OID, known: {...}}
    sensors: {...}                            # ENTITY-SENSOR-MIB: entPhySensorType to what it measures
    prefer: [[better, worse]]                 # names of duplicate sources: the first that the device has counts
    avoid: [OID]                              # subtrees that are slow or harm the device: never asked for

A value is number * scale + offset in the maker's `unit` (ours unless written), or one of `states` ({2: {name: low,
severity: critical}}), or a bit for each of `bits`.  A state that is not listed, and a number in `absent` or outside
`range`, is unavailable.  `collectors.snmp.checked` reads a file, and refuses what could never work.
"""

import re
from functools import lru_cache
from typing import Annotated, Literal

import msgspec

from collectors.snmp.meaning import BitForm, Meaning, Transform, meant
from config.scalars import Form, decimal, whole
from model.maker_unit import conversion
from model.point import Severity, State
from model.quantity import Kind, Quantity
from wire.ber import MalformedError, encode_oid

ROOM = "devices/snmp"
GENERIC = frozenset({"equipment", "device", "contact"})
"""Subjects whose words do not tell two objects of a device apart: their points are indexed by the maker's name."""


def _oid(text: str) -> str:
    try:
        encode_oid(text)
    except MalformedError as error:
        raise ValueError(str(error)) from None
    return text


def _number(text: str) -> float:
    """Read a number; whole ones stay whole, as sentinels of 64 bits must."""
    try:
        return whole(text)
    except ValueError:
        return decimal(text)


def _regex(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f'"{text}" is no regular expression: {error}') from None
    return text


Oid = Annotated[str, Form(_oid, "1.3.6.1.2.1.1.1.0")]
Number = Annotated[float, Form(_number, "-1")]
Regex = Annotated[str, Form(_regex, "^Temp")]


def _check_states(quantity: Quantity, named: tuple[str, ...]) -> None:
    for name in named:
        if quantity.states and name not in quantity.states:
            raise ValueError(f'"{name}" is no state of {quantity}; write one of {", ".join(quantity.states)}')


class Ref(msgspec.Struct, frozen=True, kw_only=True):
    """Another object, seen from a row.

    It is a `column` of the row's own table (a number) or of another one (the column's OID), indexed alike or by the
    `first` so many parts of the row's index; a single object, `oid`; or a `part` of the row's index.
    """

    column: int | Oid | None = None
    oid: Oid | None = None
    part: str | None = None
    first: int | None = None

    def __post_init__(self) -> None:
        if sum(each is not None for each in (self.column, self.oid, self.part)) != 1:
            raise ValueError("write one of column, oid and part")
        if self.first is not None and self.column is None:
            raise ValueError("first counts parts of the row's index; write it beside column alone")


class When(Ref, frozen=True, kw_only=True):
    """What that object says, as text: one of `is`, none of `is_not`, or text that `like` finds (in any case)."""

    is_: tuple[str, ...] = msgspec.field(default=(), name="is")
    is_not: tuple[str, ...] = ()
    like: Regex = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (self.is_ or self.is_not or self.like):
            raise ValueError("write what it must say: is, is_not or like")

    def holds(self, text: str) -> bool:
        """Tell whether a text fits; what is not there is the empty text."""
        return (
            (not self.is_ or text in self.is_)
            and text not in self.is_not
            and (not self.like or re.search(self.like, text, re.IGNORECASE) is not None)
        )


class Scaling(Ref, frozen=True, kw_only=True):
    """A number n of the device's that scales another.

    `as` power: 10^n, digits: 10^-n, factor: n, divisor: 1/n, signed: n when above 0, 1/-n when below.
    """

    as_: Literal["power", "digits", "factor", "divisor", "signed"] = msgspec.field(name="as")


class Bit(msgspec.Struct, frozen=True, kw_only=True):
    """What one bit of a mask means while it is set (or, with `inverted`, while it is not)."""

    name: str
    label: str = ""
    severity: Severity = Severity.WARNING
    quantity: Quantity = Quantity.ALARM_STATUS
    clear: str = "clear"
    active: str = "active"
    inverted: bool = False

    def __post_init__(self) -> None:
        _check_states(self.quantity, (self.clear, self.active))

    def point_states(self) -> tuple[State, ...]:
        """Return the two states of the bit's point; the same object for the same states."""
        return _shared((State(self.clear), State(self.active, self.severity)))


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """What a number from the device means. `name` is the maker's word for the object, `label` ours for people.

    `when` says whether the object is there for this at all, looked at when the device is discovered; it counts only
    `while` another object says so, looked at with each poll.  With `left_of` the value is what this number leaves of
    that one, in the same unit: free of size and used.
    """

    quantity: Quantity
    name: str = ""
    label: str = ""
    index: dict[str, str] = {}
    unit: str = ""
    scale: float = 1.0
    offset: float = 0.0
    scale_from: Scaling | None = None
    left_of: Ref | None = None
    absent: tuple[Number, ...] | None = None
    range: tuple[Number, Number] | None = None
    states: dict[str, State] = {}
    enumeration: str = ""
    zero: str = ""
    nonzero: str = ""
    bits: dict[int, Bit] = {}
    bits_as: BitForm = BitForm.NUMBER
    mask: int = 0
    transform: Transform | None = None
    pattern: Regex = ""
    when: tuple[When, ...] = ()
    while_: When | None = msgspec.field(default=None, name="while")

    def __post_init__(self) -> None:
        named = tuple(state.name for state in self.states.values()) + tuple(filter(None, (self.zero, self.nonzero)))
        if self.enumeration:
            if named or self.bits or self.quantity.kind is not Kind.STATE:
                raise ValueError("an enumeration stands for the states of a state; leave states, zero and bits out")
        elif self.bits:
            if named:
                raise ValueError("bits have names of their own; leave states, zero and nonzero out")
        elif (self.quantity.kind is Kind.STATE) != bool(named) or bool(self.zero) != bool(self.nonzero):
            raise ValueError(
                f"{self.quantity} is {self.quantity.kind}; "
                "write states (or zero and nonzero) for a state alone, or bits for a mask"
            )
        _check_states(self.quantity, named)
        conversion(self.quantity, self.unit)
        self._check_numbers()

    def _check_numbers(self) -> None:
        if self.scale == 0:
            raise ValueError("scale: 0 makes every number the same; write what it is to be multiplied by, as 0.1")
        if self.range is not None and self.range[0] > self.range[1]:
            low, high = self.range
            raise ValueError(f"no number lies in this range; write the least first: [{high:g}, {low:g}]")
        if self.mask and not (self.states or self.enumeration):
            raise ValueError("a mask says which bits of a number count for states; write states, or leave it out")
        unread = next((name for name in ("transform", "pattern") if self.bits and getattr(self, name)), "")
        if self.transform and (self.states or self.enumeration):
            unread = "transform"
        if unread:
            raise ValueError(f"{unread} does nothing where {'bits' if self.bits else 'states'} are; leave it out")
        if min(self.bits, default=0) < 0:
            raise ValueError("a bit has a number of 0 or more; bit 0 is worth 1")

    def meaning(self, absent: tuple[float, ...] = (), factor: float = 1.0, left_of: float | None = None) -> Meaning:
        """Return how a value is read; `absent` counts where this one says nothing of its own, and but for its states.

        The same object is returned for the same words and numbers.
        """
        unit, added = conversion(self.quantity, self.unit)
        scale = self.scale * factor * unit
        return meant(
            scale=scale if left_of is None else -scale,
            offset=self.offset * unit + added + scale * (left_of or 0.0),
            absent=self._absent(absent),
            between=self.range,
            states=tuple((text, state.name) for text, state in self.states.items()),
            zero=self.zero,
            nonzero=self.nonzero,
            mask=self.mask,
            transform=self.transform,
            pattern=self.pattern,
        )

    def bit_meaning(self, number: int, absent: tuple[float, ...] = ()) -> Meaning:
        """Return how one bit of this mask is read; a mask that is absent or out of range says nothing of any bit.

        The same object is returned for the same words.
        """
        bit = self.bits[number]
        clear, active = (bit.active, bit.clear) if bit.inverted else (bit.clear, bit.active)
        return meant(
            bit=number,
            bits_as=self.bits_as,
            zero=clear,
            nonzero=active,
            absent=self._absent(absent),
            between=self.range,
        )

    def _absent(self, wide: tuple[float, ...]) -> frozenset[float]:
        """Return its own absent numbers, else those of the whole definition that stand for nothing here."""
        if self.absent is not None:
            return frozenset(self.absent)
        return frozenset(number for number in wide if not self.lists(number))

    def lists(self, number: float) -> bool:
        """Tell whether a number stands for one of the states, and 0 for a mask without a bit."""
        if self.mask:
            return False
        if self.zero or self.bits:
            return number == 0
        return number == int(number) and str(int(number)) in self.states

    def point_states(self) -> tuple[State, ...]:
        """Return the states a point may have, each once; the same object for the same states."""
        if self.zero:
            return _shared((State(self.zero), State(self.nonzero)))
        return _shared(tuple({state.name: state for state in self.states.values()}.values()))


@lru_cache(4096)
def _shared(states: tuple[State, ...]) -> tuple[State, ...]:
    """Return the same object for the same states: hundreds of alike cards have them."""
    return states


class Object(Value, frozen=True, kw_only=True):
    """A single object."""

    oid: Oid


class Column(Value, frozen=True, kw_only=True):
    """A column of a table."""

    column: int


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A conceptual table: `index` names the parts of a row's index, the last name takes what is left of it.

    A part named "-" is left out of points' names; a last one such as "channel:text" is read as text.  `label` is an
    object whose text names a row; `when` says which rows there are.  A table with `most` has no more rows than that:
    the first that `when` lets through, and only these are asked for, which suits tables of hundreds of rows.
    """

    name: str
    entry: Oid
    index: tuple[str, ...]
    columns: tuple[Column, ...]
    label: Ref | None = None
    when: tuple[When, ...] = ()
    most: int = 0


class KnownAlarm(msgspec.Struct, frozen=True, kw_only=True):
    """What one entry of an alarm table means: while it stands there, the quantity is `active`, else `clear`."""

    name: str
    label: str
    severity: Severity
    quantity: Quantity = Quantity.ALARM_STATUS
    clear: str = "clear"
    active: str = "active"

    def __post_init__(self) -> None:
        _check_states(self.quantity, (self.clear, self.active))

    def point_states(self) -> tuple[State, ...]:
        """Return the two states of the alarm's point; the same object for the same states."""
        return _shared((State(self.clear), State(self.active, self.severity)))


class Alarms(msgspec.Struct, frozen=True, kw_only=True):
    """A table of present alarms: how many there are, and the column that holds what each is: an OID, number or text.

    Entries in `ignored` are no alarms. One that is neither known nor ignored is "another alarm of the maker's".
    """

    column: Oid
    count: Oid | None = None
    known: dict[str, KnownAlarm] = {}
    ignored: tuple[str, ...] = ()


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """Which devices a definition is for.

    The longest `sys_object_id` that begins the device's wins, if the device has anything in one of the subtrees `has`.
    A device that no sysObjectID finds is asked for every definition's `has`.  `standard` serves beside a maker's own
    definition, `fallback` only where there is none.
    """

    sys_object_id: tuple[Oid, ...] = ()
    has: tuple[Oid, ...] = ()
    standard: bool = False
    fallback: bool = False

    def __post_init__(self) -> None:
        if not self.sys_object_id and not self.has:
            raise ValueError("nothing would ever match; write sys_object_id, has, or both")

    @property
    def is_standard(self) -> bool:
        """Of a standard: no maker's own."""
        return self.standard or self.fallback


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of SNMP device. One without `match` is there to be extended."""

    protocol: Literal["snmp"]
    name: str
    maker: str
    source: str
    extends: str = ""
    match: Match | None = None
    notes: str = ""
    identity: dict[Literal["maker", "model", "software", "serial"], Oid] = {}
    absent: tuple[Number, ...] = ()
    enumerations: dict[str, dict[str, State]] = {}
    objects: tuple[Object, ...] = ()
    tables: tuple[Table, ...] = ()
    alarms: Alarms | None = None
    sensors: dict[int, tuple[Value, ...]] = {}
    prefer: tuple[tuple[str, ...], ...] = ()
    avoid: tuple[Oid, ...] = ()

    @property
    def values(self) -> tuple[Object | Column, ...]:
        """Return every object and column."""
        return (*self.objects, *(column for table in self.tables for column in table.columns))
