"""A definition as its file has it, enumerations written out, and checked: what could never work is refused.

The structs of `definition` refuse what one of them says by itself; here is what two of them say together.  Each problem
has the line of the object it is about.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

import msgspec

from collectors.snmp.definition import Alarms, Bit, Column, Definition, KnownAlarm, Object, Ref, Table, Value
from config.advice import either, nearest
from config.convert import Conversion
from config.node import ConfigError, Node
from config.node import Table as Map
from model.point import State

AnyValue = TypeVar("AnyValue", Object, Column)
Wrong = Iterator[tuple[msgspec.Struct, str]]
"""What a problem is about, and its words."""


def read_definition(node: Node) -> Definition:
    """Return the definition in a YAML file, enumerations written out; raises ConfigError with every problem."""
    conversion = Conversion()
    definition: Definition = conversion.value(node, Definition)
    if not conversion.problems:
        conversion.problems += [conversion.node_of(about).problem(message) for about, message in _wrong(definition)]
    if conversion.problems:
        raise ConfigError(conversion.problems)
    return _written_out(definition)


def unknown_names(node: Node, own: Definition, whole: Definition) -> None:
    """Refuse names in a file's own `prefer` that no object has of the definition and what it extends."""
    known = {value.name for value in (*whole.values, *_of_sensors(whole)) if value.name}
    wrong = [name for names in own.prefer for name in names if name not in known]
    if wrong:
        place = node.fields["prefer"] if isinstance(node, Map) and "prefer" in node.fields else node
        raise ConfigError(
            [place.problem(f'"{name}" is the name of no object here; {nearest(name, known)}') for name in wrong]
        )


def _wrong(definition: Definition) -> Wrong:
    for each in definition.objects:
        yield from _of_value(each, definition)
        yield from _of_single(each)
    for table in definition.tables:
        yield from _of_table(table)
        for column in table.columns:
            yield from _of_value(column, definition)
            yield from _of_column(column, table)
    for value in _of_sensors(definition):
        yield from _of_sensor(value)
    if definition.alarms is not None:
        yield from _of_alarms(definition.alarms)


def _of_sensors(definition: Definition) -> Iterator[Value]:
    return (value for meant in definition.sensors.values() for value in meant)


def _of_value(value: Value, definition: Definition) -> Wrong:
    """Look at the states of a value, its own or an enumeration's."""
    if value.enumeration and value.enumeration not in definition.enumerations:
        known = nearest(value.enumeration, definition.enumerations)
        yield value, f'there is no enumeration "{value.enumeration}" here; {known}'
        return
    states = definition.enumerations[value.enumeration] if value.enumeration else value.states
    allowed = value.quantity.states if value.enumeration else ()
    strange = [state.name for state in states.values() if allowed and state.name not in allowed]
    if strange:
        yield value, f'"{strange[0]}" is no state of {value.quantity}; write one of {", ".join(allowed)}'
        return
    yield from _two_severities(states.values())
    yield from _same_names(value.bits)
    spelled = msgspec.structs.replace(value, states=states, enumeration="")
    for number in value.absent or ():
        if not value.bits and spelled.lists(number):
            yield value, f"{number:g} stands in absent and is a state as well; leave it out of one of them"


def _two_severities(states: Iterable[State]) -> Wrong:
    """Say which name has two severities: a point's severity is found by the name."""
    seen: dict[str, State] = {}
    for state in states:
        if seen.setdefault(state.name, state) != state:
            both = f"{seen[state.name].severity} and {state.severity}"
            yield state, f'"{state.name}" is {both}; give what is meant differently another name'


def _of_single(value: Object) -> Wrong:
    for key, ref in _refs(value):
        if ref.oid is None:
            written = "column" if ref.column is not None else "part"
            yield value, f"{key}: a single object is in no row of a table, so it has no {written}; write oid"


def _of_table(table: Table) -> Wrong:
    for when in table.when:
        yield from _part(table, "when", when, table)
    if table.label is not None:
        yield from _part(table, "label", table.label, table)
    if table.most and all(when.column is None for when in table.when):
        yield table, "most takes the first rows that when lets through; write a when with a column"


def _of_column(column: Column, table: Table) -> Wrong:
    for key, ref in _refs(column):
        if key == "while" and ref.part is not None:
            yield column, "while: a row's index never changes; write when in place of while, or name a column"
        else:
            yield from _part(column, key, ref, table)


def _part(about: Column | Table, key: str, ref: Ref, table: Table) -> Wrong:
    parts = [part.removesuffix(":text") for part in table.index]
    if ref.part is not None and ref.part not in parts:
        yield about, f'{key}: "{ref.part}" is no part of the index; write {either(parts)}'


def _of_sensor(value: Value) -> Wrong:
    keys = [key for key, _ in _refs(value)] + (["bits"] if value.bits else [])
    for key in dict.fromkeys(keys):
        yield value, f"{key} counts for objects and columns; a sensor has its own scale and status, so leave it out"


def _of_alarms(alarms: Alarms) -> Wrong:
    yield from _same_names(alarms.known)


def _same_names(alarms: Mapping[str, KnownAlarm] | Mapping[int, Bit]) -> Wrong:
    """Say which alarms or bits of a mask have one name: they would be one point."""
    times = Counter(each.name for each in alarms.values())
    for each in {each.name: each for each in alarms.values()}.values():
        if times[each.name] > 1:
            keys = ", ".join(str(key) for key, other in alarms.items() if other.name == each.name)
            yield each, f'{keys} are all called "{each.name}"; give each a name of its own'


def _refs(value: Value) -> Iterator[tuple[str, Ref]]:
    yield from (("when", when) for when in value.when)
    for key, ref in (("while", value.while_), ("scale_from", value.scale_from), ("left_of", value.left_of)):
        if ref is not None:
            yield key, ref


def _written_out(definition: Definition) -> Definition:
    """Give each value that names an enumeration its states."""

    def spelled(value: AnyValue) -> AnyValue:
        if not value.enumeration:
            return value
        return msgspec.structs.replace(value, enumeration="", states=definition.enumerations[value.enumeration])

    return msgspec.structs.replace(
        definition,
        objects=tuple(map(spelled, definition.objects)),
        tables=tuple(
            msgspec.structs.replace(table, columns=tuple(map(spelled, table.columns))) for table in definition.tables
        ),
    )
