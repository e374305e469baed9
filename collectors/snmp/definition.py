"""Device definitions: what the objects of an SNMP device mean, as tables in config/devices/snmp/*.yaml.

    protocol: snmp
    name: UPS with the standard UPS-MIB
    maker: any
    source: "RFC 1628"                        # the document and where in it
    match:
      sys_object_id: [1.3.6.1.2.1.33]         # the longest that begins the device's own wins
      has: [1.3.6.1.2.1.33.1]                 # and any of these subtrees must answer
      standard: true                          # serves devices that no definition of their own knows
    identity: {maker: OID, model: OID, software: OID, serial: OID}
    absent: [-1, 65535]                       # numbers that mean "not available", where an object says nothing else
    objects:                                  # single objects, with their .0
      - {oid: OID, name: the maker's word, quantity: battery.runtime, unit: min, label: Runtime left}
    tables:                                   # one point for each row and column
      - {name: upsInputTable, entry: OID, index: [phase], columns: [{column: 2, quantity: input.frequency, scale: 0.1}]}
    alarms:                                   # a table that lists what is wrong now, by OID
      {count: OID, column: OID, known: {OID: {name: onBattery, label: On battery, severity: warning}}}
    sensors:                                  # ENTITY-SENSOR-MIB: entPhySensorType to what it measures
      8: [{name: celsius, quantity: equipment.temperature}]

A value is number * scale in the maker's `unit` (ours unless written), or one of `states` ({2: {name: low, severity:
critical}}), or `zero`/`nonzero` names of states. A state that is not listed, and a number in `absent`, is unavailable.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Annotated, Literal

import msgspec

from collectors.snmp.meaning import Meaning, conversion
from config.convert import convert
from config.node import Node
from config.scalars import Form
from config.shipped import names, read_shipped
from model.point import Severity, State
from model.quantity import Kind, Quantity
from wire.ber import MalformedError, encode_oid

ROOM = "devices/snmp"


def _oid(text: str) -> str:
    try:
        encode_oid(text)
    except MalformedError as error:
        raise ValueError(str(error)) from None
    return text


Oid = Annotated[str, Form(_oid, "1.3.6.1.2.1.1.1.0")]


def _check_states(quantity: Quantity, named: Iterable[str]) -> None:
    for name in named:
        if quantity.states and name not in quantity.states:
            raise ValueError(f'"{name}" is no state of {quantity}; write one of {", ".join(quantity.states)}')


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """What a number from the device means. `name` is the maker's word for the object, `label` ours for people."""

    quantity: Quantity
    name: str = ""
    label: str = ""
    unit: str = ""
    scale: float = 1.0
    absent: tuple[int, ...] | None = None
    states: dict[int, State] = {}
    zero: str = ""
    nonzero: str = ""

    def __post_init__(self) -> None:
        named = [state.name for state in self.states.values()] + [name for name in (self.zero, self.nonzero) if name]
        if (self.quantity.kind is Kind.STATE) != bool(named) or bool(self.zero) != bool(self.nonzero):
            raise ValueError(
                f"{self.quantity} is {self.quantity.kind}; write states (or zero and nonzero) for a state alone"
            )
        _check_states(self.quantity, named)
        conversion(self.quantity, self.unit)

    def meaning(self, absent: tuple[int, ...] = ()) -> Meaning:
        """Return how a value is read; `absent` counts where this one says nothing of its own."""
        factor, offset = conversion(self.quantity, self.unit)
        named = tuple((number, state.name) for number, state in self.states.items())
        without = absent if self.absent is None else self.absent
        return _meaning(self.scale * factor, offset, without, named, between=(self.zero, self.nonzero))

    def point_states(self) -> tuple[State, ...]:
        """Return the states a point may have, each once."""
        if self.zero:
            return (State(self.zero), State(self.nonzero))
        return tuple({state.name: state for state in self.states.values()}.values())


@cache
def _meaning(
    scale: float,
    offset: float,
    absent: tuple[int, ...],
    states: tuple[tuple[int, str], ...],
    *,
    between: tuple[str, str],
) -> Meaning:
    """Return a meaning, the same object for the same words: hundreds of alike cards share it."""
    return Meaning(scale, offset, frozenset(absent), dict(states) or None, *between)


class Object(Value, frozen=True, kw_only=True):
    """A single object."""

    oid: Oid
    index: dict[str, str] = {}


class Column(Value, frozen=True, kw_only=True):
    """A column of a table."""

    column: int


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A conceptual table: `index` names the parts of a row's index, the last name takes what is left of it."""

    name: str
    entry: Oid
    index: tuple[str, ...]
    columns: tuple[Column, ...]


class KnownAlarm(msgspec.Struct, frozen=True, kw_only=True):
    """What one OID in an alarm table means: while it stands there, the quantity is `active`, else `clear`."""

    name: str
    label: str
    severity: Severity
    quantity: Quantity = Quantity.ALARM_STATUS
    clear: str = "clear"
    active: str = "active"

    def __post_init__(self) -> None:
        _check_states(self.quantity, (self.clear, self.active))


class Alarms(msgspec.Struct, frozen=True, kw_only=True):
    """A table of present alarms: how many there are, and the column that holds what each is."""

    count: Oid
    column: Oid
    known: dict[Oid, KnownAlarm]


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """Which devices a definition is for."""

    sys_object_id: tuple[Oid, ...] = ()
    has: tuple[Oid, ...] = ()
    standard: bool = False

    def __post_init__(self) -> None:
        if not self.sys_object_id and not self.has:
            raise ValueError("nothing would ever match; write sys_object_id, has, or both")


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of SNMP device."""

    protocol: Literal["snmp"]
    name: str
    maker: str
    source: str
    match: Match
    notes: str = ""
    identity: dict[Literal["maker", "model", "software", "serial"], Oid] = {}
    absent: tuple[int, ...] = ()
    objects: tuple[Object, ...] = ()
    tables: tuple[Table, ...] = ()
    alarms: Alarms | None = None
    sensors: dict[int, tuple[Value, ...]] = {}


def read_definition(node: Node) -> Definition:
    """Return the definition in a YAML file; raises ConfigError with every problem."""
    return convert(node, Definition)


@cache
def shipped() -> dict[str, Definition]:
    """Return the definitions that come with the program, by the name of their file."""
    return {name: read_definition(read_shipped(ROOM, name)) for name in sorted(names(ROOM))}


def candidates(definitions: Mapping[str, Definition], sys_object_id: str) -> dict[str, Definition]:
    """Return those whose sysObjectID fits and those of a standard: the ones whose `has` is worth asking for."""
    return {
        name: each
        for name, each in definitions.items()
        if each.match.standard or any(begins(prefix, sys_object_id) for prefix in each.match.sys_object_id)
    }


def choose(definitions: Mapping[str, Definition], sys_object_id: str, answering: frozenset[str]) -> tuple[str, ...]:
    """Return the names of the definitions that serve a device; none when it is unrecognised.

    The definition with the longest fitting sysObjectID serves alone, if one of its `has` is `answering` (or it has
    none).  Without such a one, or when it is of a standard itself, all standards that answer serve side by side:
    real cards report net-snmp's sysObjectID, 0.0, or none.
    """
    best, longest = "", -1
    for name, each in definitions.items():
        if each.match.has and answering.isdisjoint(each.match.has):
            continue
        for prefix in each.match.sys_object_id:
            if begins(prefix, sys_object_id) and len(prefix) > longest:
                best, longest = name, len(prefix)
    if best and not definitions[best].match.standard:
        return (best,)
    return tuple(
        name
        for name, each in definitions.items()
        if name == best or (each.match.standard and not answering.isdisjoint(each.match.has))
    )


def begins(prefix: str, oid: str) -> bool:
    """Tell whether an OID is `prefix` or lies below it."""
    return oid == prefix or oid.startswith(prefix + ".")
